/* This file keeps the guest's regions in a sorted array, which is searched
 * from its start. */
#include "hv/memory_map.h"
#include "hv/format.h"
#include "hv/guest_layout.h"
#include "hv/log.h"
#include "hv/string.h"

/* [start, start + size) is whole pages, is not empty, and does not wrap. */
static bool valid_range(u64 start, u64 size)
{
	return IS_ALIGNED(start | size, PAGE_SIZE) && start + size > start;
}

static bool within(u64 address, u64 start, u64 size)
{
	return address - start < size;
}

int memory_map_add(struct memory_map *map, gpa_t gpa, hpa_t hpa, u64 size,
		   enum region_kind kind)
{
	unsigned int at = 0;

	if (!valid_range(gpa, size) || !valid_range(hpa, size))
		return -EINVAL;
	/* @at: the first region that does not end before @gpa */
	while (at < map->count &&
	       map->region[at].gpa + map->region[at].size <= gpa)
		at++;
	if (at < map->count && map->region[at].gpa < gpa + size)
		return -EEXIST;
	if (map->count == MEMORY_MAP_MAX)
		return -ENOSPC;
	memmove(&map->region[at + 1], &map->region[at],
		(map->count - at) * sizeof(map->region[0]));
	map->region[at] = (struct region){gpa, hpa, size, kind};
	map->count++;
	return 0;
}

int memory_map_remove(struct memory_map *map, gpa_t gpa)
{
	for (unsigned int i = 0; i < map->count; i++) {
		if (map->region[i].gpa != gpa)
			continue;
		map->count--;
		memmove(&map->region[i], &map->region[i + 1],
			(map->count - i) * sizeof(map->region[0]));
		return 0;
	}
	return -ENOENT;
}

const struct region *memory_map_find(const struct memory_map *map, gpa_t gpa)
{
	for (unsigned int i = 0; i < map->count; i++)
		if (within(gpa, map->region[i].gpa, map->region[i].size))
			return &map->region[i];
	return NULL;
}

bool memory_map_ram(const struct memory_map *map, gpa_t gpa, u64 size,
		    hpa_t *hpa)
{
	const struct region *r = memory_map_find(map, gpa);

	*hpa = 0;
	if (!r || r->kind != REGION_RAM || size > r->size - (gpa - r->gpa))
		return false;
	*hpa = r->hpa + (gpa - r->gpa);
	return true;
}

gpa_t memory_map_ram_end(const struct memory_map *map)
{
	for (unsigned int i = map->count; i-- > 0;)
		if (map->region[i].kind == REGION_RAM)
			return map->region[i].gpa + map->region[i].size;
	return 0;
}

/*
 * The bytes of RAM at @gpa that one region holds, at most @size, and their HPA;
 * 0 if there is no RAM.
 */
static u64 ram_piece(const struct memory_map *map, gpa_t gpa, u64 size,
		     hpa_t *hpa)
{
	const struct region *r = memory_map_find(map, gpa);

	if (!r || r->kind != REGION_RAM)
		return 0;
	*hpa = r->hpa + (gpa - r->gpa);
	return MIN(size, r->size - (gpa - r->gpa));
}

/* True if all of [gpa, gpa + size) is RAM; a step a region. */
static bool all_ram(const struct memory_map *map, gpa_t gpa, u64 size)
{
	while (size > 0) {
		hpa_t hpa;
		u64 piece = ram_piece(map, gpa, size, &hpa);

		if (piece == 0)
			return false;
		gpa += piece;
		size -= piece;
	}
	return true;
}

/* To the guest from @buf, or from the guest to it. */
static int ram_copy(const struct memory_map *map, gpa_t gpa, u8 *buf, u64 size,
		    bool to_guest)
{
	if (!all_ram(map, gpa, size))
		return -EINVAL;
	while (size > 0) {
		hpa_t hpa = 0;
		u64 piece = ram_piece(map, gpa, size, &hpa);

		if (to_guest)
			memcpy((void *)hpa, buf, piece);
		else
			memcpy(buf, (const void *)hpa, piece);
		gpa += piece;
		buf += piece;
		size -= piece;
	}
	return 0;
}

int guest_ram_write(const struct memory_map *map, gpa_t gpa, const void *from,
		    u64 size)
{
	return ram_copy(map, gpa, (u8 *)from, size, true);
}

int guest_ram_read(const struct memory_map *map, gpa_t gpa, void *to, u64 size)
{
	return ram_copy(map, gpa, to, size, false);
}

/* End of the last RAM that lies below @gpa; 0 if there is none. */
static gpa_t ram_end_below(const struct memory_map *map, gpa_t gpa)
{
	gpa_t end = 0;

	for (unsigned int i = 0; i < map->count; i++) {
		const struct region *r = &map->region[i];

		if (r->kind == REGION_RAM && r->gpa + r->size <= gpa)
			end = r->gpa + r->size;
	}
	return end;
}

/* "512 bytes", "1.2 MiB"; cut, not rounded, to one decimal. */
static void format_size(u64 size, char *buf, size_t buf_size)
{
	static const char *const unit[] = {"KiB", "MiB", "GiB", "TiB"};
	unsigned int i = 0, shift = 10;
	u64 tenths;

	if (size < KIB) {
		format(buf, buf_size, "%lu bytes", size);
		return;
	}
	while (i + 1 < ARRAY_SIZE(unit) && size >> (shift + 10)) {
		i++;
		shift += 10;
	}
	tenths = (size & (BIT(shift) - 1)) * 10 >> shift;
	format(buf, buf_size, "%lu.%lu %s", size >> shift, tenths, unit[i]);
}

/* What the fixed parts of the address space hold; NULL: nothing. */
static const char *describe_fixed(gpa_t gpa)
{
	if (within(gpa, INTERRUPT_RANGE, INTERRUPT_RANGE_SIZE))
		return "local APIC / interrupt range (0xFEExxxxx)";
	if (within(gpa, GUEST_IOAPIC, PAGE_SIZE))
		return "IOAPIC";
	if (within(gpa, GUEST_ECAM, GUEST_ECAM_SIZE))
		return "PCI configuration space (ECAM)";
	if (within(gpa, GUEST_PCI_WINDOW, GUEST_PCI_WINDOW_SIZE))
		return "PCI window, where no BAR is";
	if (gpa >= GUEST_PCI_WINDOW && gpa < GUEST_HIGH_RAM)
		return "hole between the PCI window and 4 GiB";
	return NULL;
}

static void describe_hole(const struct memory_map *map, gpa_t gpa, char *buf,
			  size_t size)
{
	gpa_t end = ram_end_below(map, gpa);
	const char *place = "";
	char distance[32];

	if (gpa < memory_map_ram_end(map)) {
		format(buf, size, "hole in RAM");
		return;
	}
	if (gpa < GUEST_PCI_WINDOW)
		place = ", in the hole between RAM and the PCI window";
	format_size(gpa - end, distance, sizeof(distance));
	format(buf, size, "%s beyond the end of RAM%s", distance, place);
}

void memory_map_describe(const struct memory_map *map, gpa_t gpa, char *buf,
			 size_t size)
{
	const struct region *r = memory_map_find(map, gpa);
	const char *fixed = describe_fixed(gpa);

	if (r && r->kind == REGION_RAM)
		format(buf, size, "RAM");
	else if (r)
		format(buf, size, "BAR of the assigned function");
	else if (fixed)
		format(buf, size, "%s", fixed);
	else
		describe_hole(map, gpa, buf, size);
}
