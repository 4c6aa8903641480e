/*
 * Functions that were reset, and VFs that were enabled, do not answer for a
 * while.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCI_SILENCE_H
#define HW_PCI_PCI_SILENCE_H

#include "hw/pci/pci.h"

/* A function-level reset of @dev, or its birth as a VF */
void pci_silence_begin(PCIDevice *dev);

/* @dev does not answer yet; an access to its register @addr is complained of. */
bool pci_is_silent(PCIDevice *dev, uint32_t addr, const char *access);

#endif
