/* This file reads and writes the 82576's registers: they are in BAR0, 32 bits
 * each. */
#include "drivers/igb_regs.h"
#include "hv/mmio.h"

u32 igb_read(const struct pci_function *pf, u32 reg)
{
	return mmio_read32((const volatile u8 *)pf->bar[0].base + reg);
}

void igb_write(const struct pci_function *pf, u32 reg, u32 value)
{
	mmio_write32((volatile u8 *)pf->bar[0].base + reg, value);
}
