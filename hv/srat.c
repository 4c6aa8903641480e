/* This file reads the SRAT. */
#include "hv/srat.h"

#define SRAT_ENTRIES 48

/* Type, and length at least (5.2.16.1 to 5.2.16.3) */
#define SRAT_LAPIC 0
#define SRAT_LAPIC_SIZE 16
#define SRAT_MEMORY 1
#define SRAT_MEMORY_SIZE 40
#define SRAT_X2APIC 2
#define SRAT_X2APIC_SIZE 24
#define SRAT_ENABLED BIT(0)

bool srat_next_memory(const struct acpi_header *srat, u32 *at,
		      struct srat_memory *memory)
{
	const u8 *entry;

	*at = MAX(*at, (u32)SRAT_ENTRIES);
	while ((entry = acpi_next_entry(srat, at))) {
		if (entry[0] != SRAT_MEMORY || entry[1] < SRAT_MEMORY_SIZE ||
		    !(acpi_field(entry, 28, 4) & SRAT_ENABLED))
			continue;
		memory->node = (u32)acpi_field(entry, 2, 4);
		memory->base = acpi_field(entry, 8, 8);
		memory->size = acpi_field(entry, 16, 8);
		return true;
	}
	return false;
}

/* Of a processor's entry: the node's number is in two parts with an xAPIC. */
static bool processor(const u8 *entry, u32 *apic_id, u32 *node)
{
	if (entry[0] == SRAT_LAPIC && entry[1] >= SRAT_LAPIC_SIZE) {
		*apic_id = entry[3];
		*node = (u32)acpi_field(entry, 9, 3) << 8 | entry[2];
		return acpi_field(entry, 4, 4) & SRAT_ENABLED;
	}
	if (entry[0] == SRAT_X2APIC && entry[1] >= SRAT_X2APIC_SIZE) {
		*apic_id = (u32)acpi_field(entry, 8, 4);
		*node = (u32)acpi_field(entry, 4, 4);
		return acpi_field(entry, 12, 4) & SRAT_ENABLED;
	}
	return false;
}

bool srat_processor(const struct acpi_header *srat, u32 apic_id, u32 *node)
{
	u32 at = SRAT_ENTRIES, id;
	const u8 *entry;

	while ((entry = acpi_next_entry(srat, &at)))
		if (processor(entry, &id, node) && id == apic_id)
			return true;
	return false;
}
