/* This file chooses the guest's RAM; it knows nothing of the firmware. */
#include "boot/ram.h"

static struct hpa_range *smallest(struct ram_free *free)
{
	struct hpa_range *found = &free->range[0];

	for (unsigned int i = 1; i < free->count; i++)
		if (free->range[i].size < found->size)
			found = &free->range[i];
	return found;
}

static struct hpa_range *largest(struct ram_free *free)
{
	struct hpa_range *found = &free->range[0];

	for (unsigned int i = 1; i < free->count; i++)
		if (free->range[i].size > found->size)
			found = &free->range[i];
	return found;
}

static void insert(struct ram_free *free, u64 base, u64 size)
{
	const struct hpa_range range = {base, size};
	struct hpa_range *victim;

	if (!size)
		return;
	if (free->count < RAM_FREE_MAX) {
		free->range[free->count++] = range;
		return;
	}
	victim = smallest(free);
	if (victim->size < size)
		*victim = range;
}

void ram_add_free(struct ram_free *free, u64 base, u64 size)
{
	u64 start, end;
	struct hpa_range *last =
		free->count ? &free->range[free->count - 1] : NULL;

	if (base + size < base || base > ~0ULL - RAM_PIECE)
		return;
	start = MAX(ALIGN_UP(base, RAM_PIECE), RAM_PIECE);
	end = ALIGN_DOWN(base + size, RAM_PIECE);
	if (start >= end)
		return;
	if (last && last->base + last->size == start)
		last->size += end - start;
	else
		insert(free, start, end - start);
}

void ram_collect(const struct uefi_memory_map *map, struct ram_free *free)
{
	free->count = 0;
	for (u64 i = 0; i < uefi_memory_count(map); i++) {
		const struct uefi_descriptor *d = uefi_memory_at(map, i);

		if (d->type == UEFI_CONVENTIONAL &&
		    d->attribute & UEFI_MEMORY_WB)
			ram_add_free(free, d->physical, uefi_memory_size(d));
	}
}

/* What is being chosen. */
struct choice {
	struct ram_free left;
	u64 wanted; /* still */
	struct hpa_range *ram;
	unsigned int count;
};

static void take(struct choice *c, u64 base, u64 size)
{
	c->ram[c->count++] = (struct hpa_range){base, size};
	c->wanted -= size;
}

/* Take whole GiBs out of each range; what is beside them stays left. */
static void take_gibs(struct choice *c)
{
	const unsigned int count = c->left.count;

	for (unsigned int i = 0; i < count; i++) {
		struct hpa_range *r = &c->left.range[i];
		u64 end = r->base + r->size;
		u64 first = ALIGN_UP(r->base, GIB);
		u64 last = ALIGN_DOWN(end, GIB);
		u64 size;

		if (first >= last || c->wanted < GIB ||
		    c->count == HANDOVER_RAM_MAX)
			continue;
		size = MIN(last - first, ALIGN_DOWN(c->wanted, GIB));
		take(c, first, size);
		r->size = first - r->base;
		insert(&c->left, first + size, end - first - size);
	}
}

static void take_rest(struct choice *c)
{
	while (c->wanted && c->left.count && c->count < HANDOVER_RAM_MAX) {
		struct hpa_range *r = largest(&c->left);
		u64 size = MIN(r->size, c->wanted);

		if (!size)
			return;
		take(c, r->base, size);
		r->base += size;
		r->size -= size;
	}
}

u64 ram_choose(const struct ram_free *free, u64 size, struct hpa_range *ram,
	       unsigned int *count)
{
	struct choice c = {.left = *free, .wanted = size, .ram = ram};

	take_gibs(&c);
	take_rest(&c);
	*count = c.count;
	return size - c.wanted;
}
