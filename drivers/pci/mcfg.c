/* This file reads from the MCFG table (PCI firmware 3.2 4.1.2) where
 * configuration space is. */
#include "drivers/pci/mcfg.h"
#include "hv/host_ranges.h"

#define MCFG_ENTRIES 44
#define MCFG_ENTRY_SIZE 16

static bool read_entry(const struct acpi_header *mcfg, u32 at,
		       struct pci_ecam *ecam)
{
	ecam->base = acpi_field(mcfg, at, 8);
	ecam->segment = (u16)acpi_field(mcfg, at + 8, 2);
	ecam->start_bus = (u8)acpi_field(mcfg, at + 10, 1);
	ecam->end_bus = (u8)acpi_field(mcfg, at + 11, 1);
	return ecam->start_bus <= ecam->end_bus;
}

unsigned int mcfg_ecam(const struct acpi_header *mcfg, struct pci_ecam *ecam,
		       unsigned int max)
{
	u32 at = MCFG_ENTRIES;
	unsigned int count = 0;

	for (; at + MCFG_ENTRY_SIZE <= mcfg->length && count < max;
	     at += MCFG_ENTRY_SIZE)
		count += read_entry(mcfg, at, &ecam[count]);
	return count;
}

void mcfg_take(const struct acpi_header *mcfg)
{
	struct pci_ecam ecam;

	for (u32 at = MCFG_ENTRIES; at + MCFG_ENTRY_SIZE <= mcfg->length;
	     at += MCFG_ENTRY_SIZE)
		if (read_entry(mcfg, at, &ecam))
			host_range_take(ecam.base + ecam.start_bus * MIB,
					(ecam.end_bus - ecam.start_bus + 1) *
						MIB,
					"PCI configuration space");
}
