/* This file keeps the list of host-physical addresses that are taken. */
#include "hv/host_ranges.h"

/* Whole pages: the last one of all would end at 0. */
#define LAST_PAGE (UINT64_MAX - (PAGE_SIZE - 1))

static struct host_range taken[HOST_RANGES_MAX];
static unsigned int count;

/* Who cannot say whose an address is says that it is not free. */
static const struct host_range too_many = {
	0, LAST_PAGE, "more ranges than Gangway can keep apart"};
static bool overflow;

static bool touch(const struct host_range *r, hpa_t base, u64 size)
{
	return base <= r->base + r->size && r->base <= base + size;
}

static void grow(struct host_range *r, hpa_t base, u64 size)
{
	hpa_t end = MAX(r->base + r->size, base + size);

	r->base = MIN(r->base, base);
	r->size = end - r->base;
}

void host_range_take(hpa_t base, u64 size, const char *name)
{
	if (!size || base >= LAST_PAGE)
		return;
	size = MIN(size, LAST_PAGE - base);
	for (unsigned int i = 0; i < count; i++) {
		if (taken[i].name != name || !touch(&taken[i], base, size))
			continue;
		grow(&taken[i], base, size);
		return;
	}
	if (count == HOST_RANGES_MAX)
		overflow = true;
	else
		taken[count++] = (struct host_range){base, size, name};
}

const struct host_range *host_range_of(hpa_t base, u64 size)
{
	if (overflow)
		return &too_many;
	for (unsigned int i = 0; i < count; i++)
		if (ranges_overlap(base, size, taken[i].base, taken[i].size))
			return &taken[i];
	return NULL;
}
