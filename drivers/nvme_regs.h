/* The controller's registers: in BAR0, 32 bits each. */
#ifndef DRIVERS_NVME_REGS_H
#define DRIVERS_NVME_REGS_H

#include "drivers/pci/pci.h"

/* Registers of the PF's BAR0 (nvme_regs.c; a model in tests). */
u32 nvme_read(const struct pci_function *pf, u32 reg);

void nvme_write(const struct pci_function *pf, u32 reg, u32 value);

#endif
