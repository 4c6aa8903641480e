/* sources: hv/alloc.c */
#include "hv/alloc.h"
#include "tests/unit/support.h"
#include <string.h>

#define POOL_PAGES 32

/* The first page holds the allocator's bitmap, so that the others are one page
 * off the alignment of all of it */
static u8 memory[(POOL_PAGES + 2) * 4096] __attribute__((aligned(32 * 4096)));
static u8 *const pool = memory + 4096;

/* Every page is free again at the end of each test. */
static int setup(void **state)
{
	(void)state;
	memset(memory, 0xee, sizeof(memory));
	alloc_init((hpa_t)memory, (POOL_PAGES + 1) * 4096 + 4095);
	return 0;
}

static void expect_zeroed(const u8 *p, size_t count)
{
	assert_in_range((u64)p, (u64)pool, (u64)pool + POOL_PAGES * 4096);
	assert_true(p + count * 4096 <= pool + POOL_PAGES * 4096);
	for (size_t i = 0; i < count * 4096; i++)
		assert_int_equal(p[i], 0);
}

static void every_page_once(void **state)
{
	u8 *page[POOL_PAGES];

	(void)state;
	for (unsigned int i = 0; i < POOL_PAGES; i++) {
		page[i] = page_alloc(1, PAGES_EPT);
		assert_non_null(page[i]);
		expect_zeroed(page[i], 1);
		memset(page[i], 0xaa, 4096);
		for (unsigned int j = 0; j < i; j++)
			assert_ptr_not_equal(page[i], page[j]);
	}
	/* What is less than a page is not part of it */
	assert_int_equal(pool[POOL_PAGES * 4096], 0xee);
	assert_null(page_alloc(1, PAGES_EPT));
	assert_int_equal(page_count(PAGES_EPT), POOL_PAGES);
	page_free(page[9], 1, PAGES_EPT);
	assert_ptr_equal(page_alloc(1, PAGES_VTD), page[9]);
	expect_zeroed(page[9], 1);
	assert_int_equal(page_count(PAGES_EPT), POOL_PAGES - 1);
	assert_int_equal(page_count(PAGES_VTD), 1);
	page_free(page[9], 1, PAGES_VTD);
	for (unsigned int i = 0; i < POOL_PAGES; i++)
		if (i != 9)
			page_free(page[i], 1, PAGES_EPT);
}

/* What is promised to one use is there for it whatever the others take, again
 * and again; and for nobody else. */
static void reserved_pages(void **state)
{
	u8 *mine[6], *others[POOL_PAGES];
	unsigned int count = 0;

	(void)state;
	mine[0] = page_alloc(1, PAGES_EPT);
	assert_false(page_reserve(POOL_PAGES, PAGES_EPT));
	assert_true(page_reserve(5, PAGES_EPT));
	assert_false(page_reserve(POOL_PAGES - 5, PAGES_CPU));
	assert_null(page_alloc(POOL_PAGES / 2 + 14, PAGES_CPU));
	while ((others[count] = page_alloc(1, PAGES_CPU)))
		count++;
	assert_int_equal(count, POOL_PAGES - 6);
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 1; i < 6; i++)
			assert_non_null(mine[i] = page_alloc(1, PAGES_EPT));
		assert_null(page_alloc(1, PAGES_EPT));
		for (unsigned int i = 1; i < 6; i++) {
			page_free(mine[i], 1, PAGES_EPT);
			assert_null(page_alloc(1, PAGES_CPU));
		}
	}
	/* What is over is for all */
	page_free(others[--count], 1, PAGES_CPU);
	assert_non_null(others[count++] = page_alloc(1, PAGES_CPU));
	page_free(mine[0], 1, PAGES_EPT);
	while (count)
		page_free(others[--count], 1, PAGES_CPU);
	assert_true(page_reserve(0, PAGES_EPT));
}

static void runs_are_aligned(void **state)
{
	static const struct {
		size_t count, align;
	} runs[] = {{1, 1}, {2, 2}, {3, 4}, {4, 4}, {5, 8}, {8, 8}, {15, 16}};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(runs); i++) {
		u8 *single = page_alloc(1, PAGES_CPU);
		u8 *run = page_alloc(runs[i].count, PAGES_VTD);

		assert_non_null(single);
		assert_non_null(run);
		expect_zeroed(run, runs[i].count);
		assert_true((u64)run % (runs[i].align * 4096) == 0);
		assert_true(single + 4096 <= run ||
			    single >= run + runs[i].count * 4096);
		assert_int_equal(page_count(PAGES_VTD), runs[i].count);
		page_free(run, runs[i].count, PAGES_VTD);
		page_free(single, 1, PAGES_CPU);
	}
	assert_int_equal(page_count(PAGES_VTD), 0);
}

static void no_run_is_long_enough(void **state)
{
	u8 *run, *second;

	(void)state;
	assert_null(page_alloc(POOL_PAGES + 1, PAGES_CPU));
	/* 32 pages there are, but none of that alignment */
	assert_null(page_alloc(POOL_PAGES, PAGES_CPU));
	run = page_alloc(16, PAGES_CPU);
	assert_non_null(run);
	second = page_alloc(8, PAGES_CPU);
	assert_non_null(second);
	assert_null(page_alloc(8, PAGES_CPU));
	page_free(second, 8, PAGES_CPU);
	page_free(run, 16, PAGES_CPU);
	assert_int_equal(page_count(PAGES_CPU), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_page_once, setup),
		cmocka_unit_test_setup(reserved_pages, setup),
		cmocka_unit_test_setup(runs_are_aligned, setup),
		cmocka_unit_test_setup(no_run_is_long_enough, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
