/* The machine that becomes a guest's: who joins drivers, VT-d and vCPUs. */
#ifndef HV_MACHINE_BUILD_H
#define HV_MACHINE_BUILD_H

#include "guest/linux.h"
#include "hv/acpi_tables.h"
#include "hv/machine/handover.h"
#include "vtd/dmar.h"

/*
 * Take over PCI and VT-d, build the guest from the configuration: memory map,
 * EPT, second-level tables, assigned functions, platform, Linux.  Fills @entry.
 * Stops the machine, with the reason and what to do, if there can be no guest.
 */
void machine_build(const struct handover *h, struct linux_entry *entry);

/* The DMAR table, as parsed last. */
extern struct dmar machine_dmar;

/* Bytes of guest RAM. */
u64 machine_ram_size(void);

/* The firmware's table with @signature, or NULL (hv/machine/main.c). */
const struct acpi_header *machine_acpi_table(const char *signature);

#endif
