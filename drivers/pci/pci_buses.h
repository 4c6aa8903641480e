/* Bus numbers for VFs where firmware left none. */
#ifndef DRIVERS_PCI_PCI_BUSES_H
#define DRIVERS_PCI_PCI_BUSES_H

#include "drivers/pci/pci.h"

/*
 * Number the buses below the root bus that lead to @fn anew, so that @more
 * numbers behind that of its own bus are forwarded there and nobody's.  The
 * functions keep their places in pci_functions() and get new addresses; scopes
 * of the DMAR table are paths, and stay right.  -ENOSPC: there are not as many
 * numbers in a row; -EBUSY: a function there does DMA, or may do so by its old
 * number (@keep), or is a VF; logged.
 */
int pci_make_buses(const struct pci_function *fn, unsigned int more,
		   bool (*keep)(const struct pci_function *fn));

#endif
