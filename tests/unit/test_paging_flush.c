/* sources: hv/paging.c hv/vmx/ept_format.c */
/*
 * Tables for a walker that does not snoop.  The walker is compiled here once
 * more, with a cache of the test's: what it writes reaches memory, as a
 * remapping unit sees it, only by cache_flush().
 */
#include "hv/vmx/ept_format.h"
#include "tests/unit/support.h"
#include <stdlib.h>
#include <string.h>

#define HV_CACHE_H
static void cache_flush(const void *p, size_t size);

#define pt_init flushing_pt_init
#define pt_map flushing_pt_map
#define pt_unmap flushing_pt_unmap
#define pt_release flushing_pt_release
#define pt_walk flushing_pt_walk
#define pt_is_leaf flushing_pt_is_leaf
#define pt_maps_memory flushing_pt_maps_memory
#define pt_destroy flushing_pt_destroy
#include "hv/paging.c"

#define MAX_PAGES 64
#define LINE 64

/* Memory: full of what looks present, until something is written back. */
static struct {
	const u8 *page;
	u8 memory[4096];
} pages[MAX_PAGES];
static unsigned int page_total;
static unsigned int flushes;

static u8 *memory_of(const void *p)
{
	const u8 *page = (const u8 *)((u64)p & ~0xfffULL);
	unsigned int i = 0;

	while (i < page_total && pages[i].page != page)
		i++;
	if (i == page_total) {
		assert_in_range(i, 0, MAX_PAGES - 1);
		pages[page_total++].page = page;
		memset(pages[i].memory, 0xff, 4096);
	}
	return pages[i].memory;
}

static bool is_table(u64 entry, unsigned int level)
{
	return level > 1 && entry & 7 && !(entry & 0x80);
}

/* An entry must not reach memory before the table that it points to. */
static void check_below(const u64 *entry)
{
	const void *table = (const void *)(*entry & 0xffffffffff000);

	/* Leaves of this test lie below 1 TiB, its tables (on the heap) above
	 */
	if (*entry & 7 && (u64)table >> 40)
		assert_memory_equal(memory_of(table), table, 4096);
}

static void cache_flush(const void *p, size_t size)
{
	const u8 *line = (const u8 *)((u64)p & ~(u64)(LINE - 1));

	flushes++;
	if (size == 8)
		check_below(p);
	for (; line < (const u8 *)p + size; line += LINE)
		memcpy(memory_of(line) + ((u64)line & 0xfff), line, LINE);
}

/* All that the unit can reach is in memory as it is in the cache. */
static void compare(const u64 *table, unsigned int level)
{
	const u64 *memory = (const u64 *)memory_of(table);

	assert_memory_equal(memory, table, 4096);
	for (unsigned int i = 0; i < 512; i++)
		if (is_table(memory[i], level))
			compare((const u64 *)(memory[i] & 0xffffffffff000),
				level - 1);
}

static void everything_reaches_memory(void **state)
{
	struct page_table pt;

	(void)state;
	assert_int_equal(pt_init(&pt, &ept_format, 4, 0xe, true), 0);
	assert_true((u64)pt.root >> 40 != 0);
	compare(pt.root, 4);
	assert_int_equal(pt_map(&pt, GIB - 4096, GIB - 4096, 2 * GIB, 7), 0);
	compare(pt.root, 4);
	assert_int_equal(pt_unmap(&pt, GIB + 8192, 3 * MIB), 0);
	compare(pt.root, 4);
	assert_int_equal(pt_map(&pt, GIB, 64 * GIB, GIB, 3), 0);
	compare(pt.root, 4);
	assert_int_equal(pt_unmap(&pt, 0, 4 * GIB), 0);
	compare(pt.root, 4);
	pt_release(&pt);
	compare(pt.root, 4);
	pt_destroy(&pt);
	assert_int_equal(page_count(PAGES_EPT), 0);
}

static void nothing_for_a_walker_that_snoops(void **state)
{
	struct page_table pt;

	(void)state;
	flushes = 0;
	assert_int_equal(pt_init(&pt, &ept_format, 4, 0xe, false), 0);
	assert_int_equal(pt_map(&pt, GIB - 4096, GIB - 4096, 2 * GIB, 7), 0);
	assert_int_equal(pt_unmap(&pt, GIB + 8192, 3 * MIB), 0);
	pt_destroy(&pt);
	assert_int_equal(flushes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_reaches_memory),
		cmocka_unit_test(nothing_for_a_walker_that_snoops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
