/* This file accesses configuration space by ECAM, with one load or store each
 * (PCIe 7.2.2). */
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci.h"
#include "hv/mmio.h"

u8 pci_read8(const struct pci_function *fn, u16 reg)
{
	return mmio_read8(fn->config + reg);
}

u16 pci_read16(const struct pci_function *fn, u16 reg)
{
	return mmio_read16(fn->config + reg);
}

u32 pci_read32(const struct pci_function *fn, u16 reg)
{
	return mmio_read32(fn->config + reg);
}

void pci_write8(const struct pci_function *fn, u16 reg, u8 value)
{
	mmio_write8(fn->config + reg, value);
}

void pci_write16(const struct pci_function *fn, u16 reg, u16 value)
{
	mmio_write16(fn->config + reg, value);
}

void pci_write32(const struct pci_function *fn, u16 reg, u32 value)
{
	mmio_write32(fn->config + reg, value);
}
