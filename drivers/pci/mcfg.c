/* This file reads from the MCFG table (PCI firmware 3.2 4.1.2) where
 * configuration space is. */
#include "drivers/pci/mcfg.h"

#define MCFG_ENTRIES 44
#define MCFG_ENTRY_SIZE 16

unsigned int mcfg_ecam(const struct acpi_header *mcfg, struct pci_ecam *ecam,
		       unsigned int max)
{
	u32 at = MCFG_ENTRIES;
	unsigned int count = 0;

	for (; at + MCFG_ENTRY_SIZE <= mcfg->length && count < max;
	     at += MCFG_ENTRY_SIZE) {
		ecam[count].base = acpi_field(mcfg, at, 8);
		ecam[count].segment = (u16)acpi_field(mcfg, at + 8, 2);
		ecam[count].start_bus = (u8)acpi_field(mcfg, at + 10, 1);
		ecam[count].end_bus = (u8)acpi_field(mcfg, at + 11, 1);
		if (ecam[count].start_bus <= ecam[count].end_bus)
			count++;
	}
	return count;
}
