/*
 * The accessors of drivers/pci/pci.h for a model of configuration space: what
 * the one file that includes this defines as model_read() and model_write(),
 * for 1, 2 or 4 bytes.
 */
#ifndef TESTS_UNIT_PCI_ACCESSORS_H
#define TESTS_UNIT_PCI_ACCESSORS_H

#include "drivers/pci/pci.h"

static u32 model_read(const struct pci_function *fn, u16 reg, size_t size);
static void model_write(const struct pci_function *fn, u16 reg, u32 value,
			size_t size);

u8 pci_read8(const struct pci_function *fn, u16 reg)
{
	return model_read(fn, reg, 1);
}

u16 pci_read16(const struct pci_function *fn, u16 reg)
{
	return model_read(fn, reg, 2);
}

u32 pci_read32(const struct pci_function *fn, u16 reg)
{
	return model_read(fn, reg, 4);
}

void pci_write8(const struct pci_function *fn, u16 reg, u8 value)
{
	model_write(fn, reg, value, 1);
}

void pci_write16(const struct pci_function *fn, u16 reg, u16 value)
{
	model_write(fn, reg, value, 2);
}

void pci_write32(const struct pci_function *fn, u16 reg, u32 value)
{
	model_write(fn, reg, value, 4);
}

#endif
