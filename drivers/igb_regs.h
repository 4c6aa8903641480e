/* The 82576's registers: in BAR0, 32 bits each. */
#ifndef DRIVERS_IGB_REGS_H
#define DRIVERS_IGB_REGS_H

#include "drivers/pci/pci.h"

/* Registers, 32 bits, of the PF's BAR0 (igb_regs.c; a model in tests). */
u32 igb_read(const struct pci_function *pf, u32 reg);

void igb_write(const struct pci_function *pf, u32 reg, u32 value);

#endif
