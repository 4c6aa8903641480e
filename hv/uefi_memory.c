/* This file reads the firmware's memory map. */
#include "hv/uefi_memory.h"

#define PAGES_END (UINT64_MAX / PAGE_SIZE)
#define LEAF_2M (2 * MIB)
#define TABLE_512G (512 * GIB)

u64 uefi_memory_count(const struct uefi_memory_map *map)
{
	return map->size / map->descriptor_size;
}

const struct uefi_descriptor *uefi_memory_at(const struct uefi_memory_map *map,
					     u64 index)
{
	return (const void *)((const u8 *)map->buffer +
			      index * map->descriptor_size);
}

u64 uefi_memory_size(const struct uefi_descriptor *d)
{
	u64 start = MIN(d->physical / PAGE_SIZE, PAGES_END);

	return MIN(d->pages, PAGES_END - start) * PAGE_SIZE;
}

/* Type 0 is reserved, 8 is broken memory, 13 PAL code, 14 persistent memory; 3
 * to 7, 9, 10 and the loader's 1 and 2 are RAM. */
bool uefi_memory_is_ram(const struct uefi_descriptor *d)
{
	return (d->type >= 1 && d->type <= UEFI_CONVENTIONAL) || d->type == 9 ||
	       d->type == 10;
}

bool uefi_memory_next_run(const struct uefi_memory_map *map, u64 *index,
			  hpa_t *base, u64 *size)
{
	const u64 count = uefi_memory_count(map);

	for (*size = 0; *index < count; ++*index) {
		const struct uefi_descriptor *d = uefi_memory_at(map, *index);
		bool ram = uefi_memory_is_ram(d) && uefi_memory_size(d);

		if (*size && (!ram || d->physical != *base + *size))
			return true;
		if (!ram)
			continue;
		if (!*size)
			*base = d->physical;
		*size += uefi_memory_size(d);
	}
	return *size;
}

/* Tables of one level whose entries map @entry bytes each, for what larger
 * entries cannot map: at the two ends. */
static u64 tables_at_ends(hpa_t base, u64 size, u64 entry)
{
	return !IS_ALIGNED(base, entry) + !IS_ALIGNED(base + size, entry);
}

u64 uefi_memory_tables(const struct uefi_memory_map *map, bool leaves_1g)
{
	u64 index = 0, size, tables = 1;
	hpa_t base, top = 0;

	while (uefi_memory_next_run(map, &index, &base, &size)) {
		tables += tables_at_ends(base, size, LEAF_2M);
		tables += leaves_1g ? tables_at_ends(base, size, GIB)
				    : size / GIB + 2;
		top = MAX(top, base + size);
	}
	return tables + top / TABLE_512G + 1;
}
