/* Is a function there, and what has it: capability lists. */
#ifndef DRIVERS_PCI_PCI_CAPS_H
#define DRIVERS_PCI_PCI_CAPS_H

#include "drivers/pci/pci.h"

/* False if @fn's configuration space reads all ones: it was pulled, or the link
 * to it is lost.  A VF's IDs always read FFFFh, its status register does not.
 */
/*@ requires \valid_read(fn);
  @ assigns \nothing;
  @*/
bool pci_answers(const struct pci_function *fn);

/* Offset of the capability @id (PCI 3.0 6.7), or 0.  At most 48 steps. */
/*@ requires \valid_read(fn);
  @ assigns \nothing;
  @ ensures \result == 0 || 0x40 <= \result <= 0xfc && \result % 4 == 0;
  @*/
u16 pci_find_cap(const struct pci_function *fn, u8 id);

/* Offset of the extended capability @id (PCIe 7.6.3), or 0.  At most 960
 * steps. */
/*@ requires \valid_read(fn);
  @ assigns \nothing;
  @ ensures \result == 0 || 0x100 <= \result <= 0xffc && \result % 4 == 0;
  @*/
u16 pci_find_ext_cap(const struct pci_function *fn, u16 id);

#endif
