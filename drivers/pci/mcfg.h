/* The MCFG table: where configuration space is. */
#ifndef DRIVERS_PCI_MCFG_H
#define DRIVERS_PCI_MCFG_H

#include "drivers/pci/pci.h"
#include "hv/acpi_tables.h"

/* ECAM ranges of the MCFG (PCI firmware 3.2 4.1.2), at most @max; returns their
 * number.  One that ends before it starts is left out. */
unsigned int mcfg_ecam(const struct acpi_header *mcfg, struct pci_ecam *ecam,
		       unsigned int max);

/* Note all of them as taken (hv/host_ranges.h). */
void mcfg_take(const struct acpi_header *mcfg);

#endif
