/* The memory map of the firmware (UEFI 2.9 7.2), as read after it has gone. */
#ifndef HV_UEFI_MEMORY_H
#define HV_UEFI_MEMORY_H

#include "hv/types.h"

/* Types (table 7.6) */
enum {
	UEFI_CONVENTIONAL = 7,
	UEFI_MMIO = 11,
	UEFI_MMIO_PORTS = 12,
};

#define UEFI_MEMORY_WB BIT(3)

struct uefi_descriptor {
	u32 type;
	hpa_t physical;
	u64 virtual, pages, attribute;
};

struct uefi_memory_map {
	const void *buffer;
	u64 size, descriptor_size;
};

u64 uefi_memory_count(const struct uefi_memory_map *map);
const struct uefi_descriptor *uefi_memory_at(const struct uefi_memory_map *map,
					     u64 index);

/* Bytes from its start; cut where the address space ends. */
u64 uefi_memory_size(const struct uefi_descriptor *d);

/* RAM in any form; neither MMIO nor what is reserved or broken. */
bool uefi_memory_is_ram(const struct uefi_descriptor *d);

/* The next run of RAM from descriptor *@index on: descriptors that follow one
 * another without a gap are one.  False: there is no more. */
bool uefi_memory_next_run(const struct uefi_memory_map *map, u64 *index,
			  hpa_t *base, u64 *size);

/* So many tables of 4 levels map all runs of RAM, at most, each at its own
 * address with the largest leaves that there are. */
u64 uefi_memory_tables(const struct uefi_memory_map *map, bool leaves_1g);

#endif
