/*
 * VFs on the bus behind their PF's, and what a port without ARI forwards.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_PCI_NEXT_BUS_H
#define HW_PCI_PCI_NEXT_BUS_H

/* The bus number in the ID of the function at @devfn of @bus. */
int pci_rid_bus(PCIBus *bus, int devfn);

/* The function that configuration requests for @bus_num and @devfn below
 * @root reach, or NULL. */
PCIDevice *pci_reached_device(PCIBus *root, int bus_num, uint8_t devfn);

/* @pf's ARI bit may have changed: First VF Offset follows. */
void pci_next_bus_update(PCIDevice *pf);

#endif
