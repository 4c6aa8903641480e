/* Configuration access by ECAM: one load or store each (PCIe 7.2.2). */
#ifndef DRIVERS_PCI_PCI_ACCESS_H
#define DRIVERS_PCI_PCI_ACCESS_H

#include "drivers/pci/pci.h"

/* Configuration access, @reg within 4 KiB and aligned. */
/*@ requires \valid_read(fn) && reg < 4096;
  @ assigns \nothing;
  @*/
u8 pci_read8(const struct pci_function *fn, u16 reg);

/*@ requires \valid_read(fn) && reg % 2 == 0 && reg < 4096;
  @ assigns \nothing;
  @*/
u16 pci_read16(const struct pci_function *fn, u16 reg);

/*@ requires \valid_read(fn) && reg % 4 == 0 && reg < 4096;
  @ assigns \nothing;
  @*/
u32 pci_read32(const struct pci_function *fn, u16 reg);

void pci_write8(const struct pci_function *fn, u16 reg, u8 value);

void pci_write16(const struct pci_function *fn, u16 reg, u16 value);

void pci_write32(const struct pci_function *fn, u16 reg, u32 value);

#endif
