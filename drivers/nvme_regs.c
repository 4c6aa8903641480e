/* This file reads and writes the controller's registers: they are in BAR0, 32
 * bits each. */
#include "drivers/nvme_regs.h"
#include "hv/mmio.h"

u32 nvme_read(const struct pci_function *pf, u32 reg)
{
	return mmio_read32((const volatile u8 *)pf->bar[0].base + reg);
}

void nvme_write(const struct pci_function *pf, u32 reg, u32 value)
{
	mmio_write32((volatile u8 *)pf->bar[0].base + reg, value);
}
