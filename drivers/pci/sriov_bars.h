/* Places for VF BARs (PCIe 9.3.3.14). */
#ifndef DRIVERS_PCI_SRIOV_BARS_H
#define DRIVERS_PCI_SRIOV_BARS_H

#include "drivers/pci/pci.h"

/*
 * Size the VF BARs of @pf, whose registers begin at @reg, VF Enable clear, and
 * leave each where firmware put it, or give it a place in the bridges' windows,
 * which are widened where they have none: for @count VFs.  @bar[0..PCI_BARS):
 * those of VF 0; size 0: it has none.  -ENOSPC: no room, logged.
 */
int sriov_place_bars(const struct pci_function *pf, u16 reg, u16 count,
		     struct pci_bar *bar);

#endif
