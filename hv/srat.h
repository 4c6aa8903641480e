/* Which memory and processors are near one another: the SRAT (ACPI 6.3
 * 5.2.16). */
#ifndef HV_SRAT_H
#define HV_SRAT_H

#include "hv/acpi_tables.h"

struct srat_memory {
	hpa_t base;
	u64 size;
	u32 node; /* proximity domain */
};

/* The next range of memory behind *@at, which is 0 at first; false: there is
 * none.  Ranges may be of any extent, and overlap. */
bool srat_next_memory(const struct acpi_header *srat, u32 *at,
		      struct srat_memory *memory);

/* The node of the processor @apic_id; false if the table does not name it. */
bool srat_processor(const struct acpi_header *srat, u32 apic_id, u32 *node);

#endif
