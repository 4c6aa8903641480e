/* sources: hv/paging.c hv/vmx/ept_format.c hv/host_format.c vtd/second_level.c tests/unit/paging_reader.c tests/unit/paging_fixture.c */
/* Random maps: every page of what the walker builds, by the reader. */
#include "tests/unit/paging_fixture.h"
#include <string.h>

#define PAGES_2M 512UL
#define PAGES_1G (512UL * 512)

/* What 3 GiB of addresses should translate to, page by page. */
#define WINDOW_PAGES (3 * PAGES_1G)
static struct {
	u64 pa;
	u32 attr; /* 0: nothing is mapped */
} model[WINDOW_PAGES];
static u64 window;

static u64 random_state;

/* xorshift64* */
static u64 random_below(u64 limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1dULL >> 16) % limit;
}

static u32 random_attr(void)
{
	static const u32 ept[] = {PT_READ, RW, RWX, PT_READ | PT_EXEC,
				  RW | PT_UNCACHED};
	static const u32 vtd[] = {PT_READ, PT_WRITE, RW};

	return fmt == READER_VTD ? vtd[random_below(3)] : ept[random_below(5)];
}

static void compare(u64 page)
{
	struct reading r =
		reader_translate(fmt, &pt, window + page * PAGE_SIZE);
	u32 attr = (r.read ? PT_READ : 0) | (r.write ? PT_WRITE : 0) |
		   (r.exec ? PT_EXEC : 0) | (r.uncached ? PT_UNCACHED : 0) |
		   (r.combining ? PT_WRITE_COMBINING : 0);

	if (r.level ? r.pa != model[page].pa || attr != model[page].attr
		    : model[page].attr != 0)
		fail_msg("0x%lx: is 0x%lx attr %x, should be 0x%lx attr %x",
			 window + page * PAGE_SIZE, r.pa, attr, model[page].pa,
			 model[page].attr);
}

static void compare_near(u64 page)
{
	for (u64 i = page < 2 ? 0 : page - 2; i < page + 2; i++)
		if (i < WINDOW_PAGES)
			compare(i);
}

/* A range that begins and ends on a page, a 2 MiB or a 1 GiB boundary, or near
 * one. */
static void random_range(u64 *page, u64 *count)
{
	static const u64 unit[] = {1, PAGES_2M, PAGES_1G};
	u64 u = unit[random_below(3)];
	u64 most = pt.leaf_levels == LEAF_4K ? 40 * PAGES_2M : WINDOW_PAGES;

	*page = random_below(WINDOW_PAGES) / u * u;
	if (random_below(4) == 0)
		*page += random_below(3);
	*page = MIN(*page, WINDOW_PAGES - 1);
	u = unit[random_below(3)];
	*count = (1 + random_below(u == 1 ? 2000 : 3)) * u;
	*count = MIN(*count, MIN(WINDOW_PAGES - *page, most));
}

static void random_map(u64 page, u64 count)
{
	static const u64 unit[] = {PAGE_SIZE, 2 * MIB, GIB};
	u64 u = unit[random_below(3)];
	u64 va = window + page * PAGE_SIZE;
	/* Congruent to @va as far as leaves of @u need it */
	u64 pa = ALIGN_DOWN(random_below(BIT(47)), u) + va % u;
	u32 attr = random_attr();

	assert_int_equal(pt_map(&pt, va, pa, count * PAGE_SIZE, attr), 0);
	for (u64 i = 0; i < count; i++) {
		model[page + i].pa = pa + i * PAGE_SIZE;
		model[page + i].attr = attr;
	}
}

static void random_unmap(u64 page, u64 count)
{
	assert_int_equal(
		pt_unmap(&pt, window + page * PAGE_SIZE, count * PAGE_SIZE), 0);
	memset(&model[page], 0, count * sizeof(model[0]));
}

static void random_steps(unsigned int steps)
{
	for (unsigned int i = 0; i < steps; i++) {
		u64 page, count;

		random_range(&page, &count);
		if (random_below(3))
			random_map(page, count);
		else
			random_unmap(page, count);
		compare_near(page);
		compare_near(page + count);
		for (unsigned int j = 0; j < 50; j++)
			compare(random_below(WINDOW_PAGES));
		expect_tables(reader_tables(fmt, &pt));
	}
}

static void random_tables(enum reader_format format, unsigned int levels,
			  u32 leaves, u64 base, u64 seed)
{
	window = base;
	random_state = 0x9e3779b97f4a7c15ULL * (seed + 1);
	memset(model, 0, sizeof(model));
	begin(format, levels, leaves);
	random_steps(30);
	for (u64 i = 0; i < WINDOW_PAGES; i++)
		compare(i);
	assert_int_equal(pt_unmap(&pt, window, WINDOW_PAGES * PAGE_SIZE), 0);
	expect_tables(1);
	end();
}

static void random_maps(enum reader_format format)
{
	static const u32 leaves[] = {LEAF_4K, LEAF_2M, LEAF_1G};

	for (unsigned int i = 0; i < ARRAY_SIZE(leaves); i++) {
		/* Across an entry of level 4; up to the end of the reach */
		random_tables(format, 4, leaves[i], 510 * GIB, i);
		random_tables(format, 3, leaves[i], 509 * GIB, 10 + i);
	}
}

static void random_maps_of_the_host(void **state)
{
	(void)state;
	random_maps(READER_HOST);
}

static void random_maps_for_ept(void **state)
{
	(void)state;
	random_maps(READER_EPT);
}

static void random_maps_for_vtd(void **state)
{
	(void)state;
	random_maps(READER_VTD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_maps_of_the_host),
		cmocka_unit_test(random_maps_for_ept),
		cmocka_unit_test(random_maps_for_vtd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
