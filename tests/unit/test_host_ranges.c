/* sources: hv/host_ranges.c */
#include "hv/host_ranges.h"
#include "tests/unit/support.h"

/* The list is one for all tests: each has addresses of its own. */

static void ranges_that_overlap(void **state)
{
	(void)state;
	assert_true(ranges_overlap(0x1000, 0x100, 0x10ff, 1));
	assert_true(ranges_overlap(0x10ff, 1, 0x1000, 0x100));
	assert_true(ranges_overlap(0x1000, 0x100, 0x1040, 0x40));
	assert_true(ranges_overlap(0x1040, 0x40, 0x1000, 0x100));
	assert_false(ranges_overlap(0x1000, 0x100, 0x1100, 0x100));
	assert_false(ranges_overlap(0x1100, 0x100, 0x1000, 0x100));
	/* Empty, inside the other */
	assert_false(ranges_overlap(0x1000, 0x100, 0x1040, 0));
	assert_false(ranges_overlap(0x1040, 0, 0x1000, 0x100));
	assert_true(ranges_overlap(~0ULL - 1, 1, 0, ~0ULL));
}

static const char ram[] = "RAM", unit[] = "unit";

static const char *who(hpa_t base, u64 size)
{
	const struct host_range *r = host_range_of(base, size);

	return r ? r->name : NULL;
}

static void says_who_has_it(void **state)
{
	(void)state;
	host_range_take(0x10000, 0x1000, ram);
	host_range_take(0x12000, 0x1000, unit);
	assert_ptr_equal(who(0x10000, 1), ram);
	assert_ptr_equal(who(0x10fff, 1), ram);
	assert_ptr_equal(who(0x12fff, 1), unit);
	assert_ptr_equal(who(0xf000, 0x1001), ram);
	assert_null(who(0xf000, 0x1000));
	assert_null(who(0x11000, 0x1000));
	assert_null(who(0x13000, 0x1000));
	/* The first one noted, with its extent */
	assert_int_equal(host_range_of(0x10800, 0x2000)->base, 0x10000);
	assert_int_equal(host_range_of(0x10800, 0x2000)->size, 0x1000);
	host_range_take(0x14000, 0, ram);
	assert_null(who(0x14000, 1));
}

static void ends_of_the_address_space(void **state)
{
	(void)state;
	host_range_take(~0ULL - 0xffff, ~0ULL, unit);
	assert_ptr_equal(who(~0ULL - 0xffff, 0x1000), unit);
	assert_null(who(~0ULL - 0x1ffff, 0x10000));
	host_range_take(~0ULL, 1, unit);
}

/* As many pieces as one likes, as firmware's map has them. */
static void pieces_become_one(void **state)
{
	(void)state;
	for (u64 i = 0; i < 4 * HOST_RANGES_MAX; i++)
		host_range_take(0x1000000 + i * PAGE_SIZE, PAGE_SIZE, ram);
	assert_int_equal(host_range_of(0x1000000, 1)->size,
			 4 * HOST_RANGES_MAX * PAGE_SIZE);
	assert_null(who(0x1000000 + 4 * HOST_RANGES_MAX * PAGE_SIZE, 1));
	host_range_take(0xfff000, PAGE_SIZE, ram);
	assert_int_equal(host_range_of(0x1000000, 1)->base, 0xfff000);
	/* Not those of others */
	host_range_take(0xffe000, PAGE_SIZE, unit);
	assert_ptr_equal(who(0xffe000, PAGE_SIZE), unit);
}

/* What cannot be noted is not free, nor is anything else.  The last test. */
static void too_many(void **state)
{
	(void)state;
	assert_null(who(0x40000000, 0x1000));
	for (u64 i = 0; i <= HOST_RANGES_MAX; i++)
		host_range_take(0x80000000 + i * 2 * PAGE_SIZE, PAGE_SIZE, ram);
	assert_non_null(who(0x40000000, 0x1000));
	assert_non_null(who(0, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_that_overlap),
		cmocka_unit_test(says_who_has_it),
		cmocka_unit_test(ends_of_the_address_space),
		cmocka_unit_test(pieces_become_one),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
