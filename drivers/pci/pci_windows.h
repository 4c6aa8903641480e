/* Making bridges forward more (PCI-to-PCI bridges 1.2, 3.2.5.8 to 3.2.5.10). */
#ifndef DRIVERS_PCI_PCI_WINDOWS_H
#define DRIVERS_PCI_PCI_WINDOWS_H

#include "drivers/pci/pci.h"

/*
 * Make each bridge above @fn forward @size more bytes, aligned to @align, in
 * its memory window (its prefetchable one): what is open grows at its end, what
 * is closed opens.  They grow only into addresses that are nobody's, between
 * the lowest and the highest that the root bus is known to decode; where there
 * is but one root bus, also above RAM, up to what 39 bits reach, which is all
 * PCI's there.  False: no bridge, or no such place; then what was written is
 * put back.  Logged where something changed.
 */
bool pci_widen_window(const struct pci_function *fn, bool prefetch, u64 align,
		      u64 size);

#endif
