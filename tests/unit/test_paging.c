/* sources: hv/paging.c hv/vmx/ept_format.c hv/host_format.c vtd/second_level.c tests/unit/paging_reader.c tests/unit/paging_fixture.c */
/* The page-table walker: leaves, splits, errors, and what becomes of tables. */
#include "hv/vmx/ept_format.h"
#include "tests/unit/paging_fixture.h"

/* --- Leaves and tables, counted by hand ----------------------------------- */

static size_t tables_of(unsigned int levels, u32 leaves, u64 va, u64 pa,
			u64 size)
{
	size_t count;

	begin(READER_EPT, levels, leaves);
	assert_int_equal(pt_map(&pt, va, pa, size, RWX), 0);
	count = tables_used();
	assert_int_equal(count, reader_tables(fmt, &pt));
	end();
	return count;
}

static void largest_leaf_that_fits(void **state)
{
	(void)state;
	/* root and one table of level 3; with 3 levels that is the root */
	assert_int_equal(tables_of(4, LEAF_1G, 0, 5 * GIB, 3 * GIB), 2);
	assert_int_equal(tables_of(3, LEAF_1G, 0, 5 * GIB, 3 * GIB), 1);
	/* one of level 2 a GiB */
	assert_int_equal(tables_of(4, LEAF_2M, 0, 5 * GIB, 3 * GIB), 5);
	assert_int_equal(tables_of(4, LEAF_1G, 0, 5 * GIB + 2 * MIB, 3 * GIB),
			 5);
	/* and 512 of level 1 below each */
	assert_int_equal(tables_of(4, LEAF_4K, 0, 5 * GIB, 3 * GIB), 1541);
	assert_int_equal(tables_of(3, LEAF_1G, 0, 5 * GIB + 4096, 3 * GIB),
			 1540);
	/* 1 GiB leaves in the middle, a table of 2 and of 1 at each end */
	assert_int_equal(tables_of(4, LEAF_1G, GIB - 4096, 6 * GIB - 4096,
				   2 * GIB + 8192),
			 6);
	/* each half in its own entry of the root */
	assert_int_equal(tables_of(4, LEAF_1G, 511 * GIB, 0, 2 * GIB), 3);
	/* a last GiB that is 2 MiB short */
	assert_int_equal(tables_of(4, LEAF_1G, 0, 0, 2 * GIB - 2 * MIB), 3);
	/* ... or a page short */
	assert_int_equal(tables_of(4, LEAF_1G, 0, 0, 2 * GIB - 4096), 4);
}

static void levels_of_leaves(void **state)
{
	(void)state;
	begin(READER_HOST, 4, LEAF_1G);
	assert_int_equal(pt_map(&pt, GIB - 2 * MIB - 4096,
				3 * GIB - 2 * MIB - 4096, GIB + 2 * MIB + 4096,
				RW),
			 0);
	expect_nothing(GIB - 2 * MIB - 8192);
	expect(GIB - 2 * MIB - 4096, 3 * GIB - 2 * MIB - 4096, RW, 1);
	expect(GIB - 2 * MIB + 5, 3 * GIB - 2 * MIB + 5, RW, 2);
	expect(GIB, 3 * GIB, RW, 3);
	expect(2 * GIB - 1, 4 * GIB - 1, RW, 3);
	expect_nothing(2 * GIB);
	end();
}

/* A page out of 1 GiB and back. */
static void split_keeps_the_rest(enum reader_format format, u32 attr)
{
	const u64 hole = 7 * GIB + 300 * MIB + 20480;

	begin(format, 4, LEAF_1G);
	assert_int_equal(pt_map(&pt, 7 * GIB, 40 * GIB, GIB, attr), 0);
	expect_tables(2);
	assert_int_equal(pt_unmap(&pt, hole, 4096), 0);
	expect_tables(4);
	expect_nothing(hole);
	expect(hole - 1, 40 * GIB + 300 * MIB + 20479, attr, 1);
	expect(hole + 4096, 40 * GIB + 300 * MIB + 24576, attr, 1);
	expect(7 * GIB + 298 * MIB, 40 * GIB + 298 * MIB, attr, 2);
	expect(8 * GIB - 1, 41 * GIB - 1, attr, 2);
	/* Over it all: one leaf again, of another kind */
	assert_int_equal(pt_map(&pt, 7 * GIB, 50 * GIB, GIB, PT_READ), 0);
	expect_tables(2);
	expect(hole, 50 * GIB + 300 * MIB + 20480, PT_READ, 3);
	end();
}

static void a_large_leaf_is_split(void **state)
{
	(void)state;
	split_keeps_the_rest(READER_HOST, PT_READ);
	split_keeps_the_rest(READER_HOST, RW | PT_UNCACHED);
	split_keeps_the_rest(READER_HOST, RW | PT_WRITE_COMBINING);
	split_keeps_the_rest(READER_HOST, PT_READ | PT_EXEC);
	split_keeps_the_rest(READER_EPT, RWX);
	split_keeps_the_rest(READER_EPT, RW | PT_UNCACHED);
	split_keeps_the_rest(READER_VTD, RW);
	split_keeps_the_rest(READER_VTD, PT_WRITE);
}

static void walk_tells_each_step(void **state)
{
	struct pt_step s[4];

	(void)state;
	begin(READER_EPT, 4, LEAF_2M);
	assert_int_equal(pt_walk(&pt, 0, s), 1);
	assert_int_equal(s[0].level, 4);
	assert_true(s[0].entry == 0);
	/* 3 * 512 GiB + 5 GiB + 7 * 2 MiB, and the page 9 behind it */
	assert_int_equal(
		pt_map(&pt, 0x18140e00000, 0x200000, 2 * MIB + 4096 * 10, RWX),
		0);
	assert_int_equal(pt_walk(&pt, 0x18140ffffff, s), 3);
	assert_int_equal(s[0].index, 3);
	assert_true(s[0].table == (u64)pt.root);
	assert_true(s[1].table == (s[0].entry & 0xffffffffff000));
	assert_int_equal(s[1].index, 5);
	assert_int_equal(s[2].index, 7);
	assert_int_equal(s[2].level, 2);
	assert_true(s[2].entry == 0x2000b7); /* large, WB, X W R */
	assert_true(pt_is_leaf(s[2].entry, 2) && !pt_is_leaf(s[1].entry, 3));
	assert_int_equal(pt_walk(&pt, 0x18141009123, s), 4);
	assert_int_equal(s[3].index, 9);
	assert_true(s[3].entry == 0x409037);
	assert_int_equal(pt_walk(&pt, 0x1814100a000, s), 4);
	assert_true(s[3].entry == 0);
	end();
}

/* --- Errors --------------------------------------------------------------- */

static void bad_ranges_are_refused(void **state)
{
	static const u64 bad[][3] = {
		{1, 0, 4096},
		{0, 1, 4096},
		{0, 0, 1},
		{4096 + 512, 4096, 4096},
		{BIT(39), 0, 4096},
		{BIT(39) - 4096, 0, 8192},
		{0, 0, BIT(39) + 4096},
		{~0ULL - 4095, 0, 4096},
		{~0ULL - 4095, 0, 8192},
		{4096, 0, ~0ULL - 4095},
		{0, BIT(52), 4096},
		{0, BIT(52) - 4096, 8192},
		{0, ~0ULL - 4095, 4096},
		{0, ~0ULL - 4095, 8192},
	};

	(void)state;
	begin(READER_EPT, 3, LEAF_1G);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(
			pt_map(&pt, bad[i][0], bad[i][1], bad[i][2], RWX),
			-EINVAL);
	assert_int_equal(pt_unmap(&pt, 1, 4096), -EINVAL);
	assert_int_equal(pt_unmap(&pt, 0, 4095), -EINVAL);
	assert_int_equal(pt_unmap(&pt, BIT(39), 4096), -EINVAL);
	assert_int_equal(pt_unmap(&pt, ~0ULL - 4095, 8192), -EINVAL);
	expect_tables(1);
	/* nothing of nothing, and all there is */
	assert_int_equal(pt_map(&pt, BIT(39), 0, 0, RWX), 0);
	assert_int_equal(pt_unmap(&pt, 0, BIT(39)), 0);
	expect_tables(1);
	assert_int_equal(pt_map(&pt, BIT(39) - 4096, 0, 4096, RWX), 0);
	expect(BIT(39) - 1, 4095, RWX, 1);
	expect_nothing(0);
	assert_int_equal(pt_unmap(&pt, 0, BIT(39)), 0);
	expect_tables(1);
	end();
	begin(READER_EPT, 4, LEAF_1G);
	assert_int_equal(pt_map(&pt, BIT(39), 0, BIT(39), RWX), 0);
	expect(BIT(40) - 1, BIT(39) - 1, RWX, 3);
	assert_int_equal(pt_map(&pt, BIT(48) - 4096, 0, 8192, RWX), -EINVAL);
	end();
}

/* Pages of the new mapping first, then pages as they were: nothing else. */
static void expect_begun(u64 va, u64 size, u64 new_pa, u64 old_pa)
{
	bool begun = true;

	for (u64 at = 0; at < size; at += PAGE_SIZE) {
		struct reading r = reader_translate(fmt, &pt, va + at);

		begun = begun && r.level && r.pa == new_pa + at;
		if (!begun)
			assert_true(r.level && r.pa == old_pa + at);
	}
	assert_false(begun);
}

/* A page in the GiB before, 1 GiB, a page in the GiB after, over two 1 GiB
 * leaves and a part of a third: two tables at each end. */
static void map_without_memory(void **state)
{
	const u64 va = 8 * GIB - 4096, size = GIB + 8192;

	(void)state;
	for (size_t pages = 0; pages <= 4; pages++) {
		begin(READER_EPT, 4, LEAF_1G);
		assert_int_equal(pt_map(&pt, 7 * GIB, 0, 3 * GIB, RWX), 0);
		test_pages_left = pages;
		if (pages < 4) {
			assert_int_equal(
				pt_map(&pt, va, 91 * GIB - 4096, size, RW),
				-ENOMEM);
			expect_begun(va, size, 91 * GIB - 4096, GIB - 4096);
			test_pages_left = SIZE_MAX;
		}
		assert_int_equal(pt_map(&pt, va, 91 * GIB - 4096, size, RW), 0);
		expect(va - 1, GIB - 4097, RWX, 1);
		expect(va, 91 * GIB - 4096, RW, 1);
		expect(8 * GIB, 91 * GIB, RW, 3);
		expect(9 * GIB + 4095, 92 * GIB + 4095, RW, 1);
		expect(9 * GIB + 4096, 2 * GIB + 4096, RWX, 1);
		expect_tables(6);
		end();
	}
}

static void init_without_memory(void **state)
{
	(void)state;
	test_pages_left = 0;
	assert_int_equal(pt_init(&pt, &ept_format, 4, LEAF_1G, false), -ENOMEM);
	test_pages_left = SIZE_MAX;
}

static void unmap_without_memory(void **state)
{
	(void)state;
	for (size_t pages = 0; pages <= 2; pages++) {
		begin(READER_EPT, 4, LEAF_1G);
		assert_int_equal(pt_map(&pt, GIB, 8 * GIB, GIB, RWX), 0);
		test_pages_left = pages;
		assert_int_equal(pt_unmap(&pt, GIB + 8192, 4096),
				 pages < 2 ? -ENOMEM : 0);
		test_pages_left = SIZE_MAX;
		for (u64 at = 0; at < GIB; at += PAGE_SIZE)
			if (at != 8192 || pages < 2)
				assert_true(reader_translate(fmt, &pt, GIB + at)
						    .pa == 8 * GIB + at);
		assert_int_equal(pt_unmap(&pt, GIB, GIB), 0);
		expect_tables(1);
		end();
	}
}

/* What a failed map left behind goes with the next unmap. */
static void empty_tables_of_a_failure(void **state)
{
	(void)state;
	begin(READER_EPT, 4, LEAF_1G);
	test_pages_left = 2; /* levels 3 and 2, and none for level 1 */
	assert_int_equal(pt_map(&pt, GIB, 8 * GIB, 4096, RWX), -ENOMEM);
	assert_int_equal(tables_used(), 3);
	expect_nothing(GIB);
	assert_int_equal(pt_unmap(&pt, GIB, 4096), 0);
	expect_tables(1);
	end();
}

/* --- Retired tables ------------------------------------------------------- */

static void retired_tables_hold_nothing(enum reader_format format)
{
	struct pt_step s[4];
	const u64 *level1, *level2;

	begin(format, 4, LEAF_1G);
	assert_int_equal(pt_map(&pt, 0, 9 * GIB, 2 * MIB - 4096, RW), 0);
	assert_int_equal(pt_map(&pt, 2 * MIB, 9 * GIB, 4096, RW), 0);
	assert_int_equal(pt_walk(&pt, 2 * MIB, s), 4);
	level1 = (const u64 *)s[3].table;
	level2 = (const u64 *)s[2].table;
	assert_int_equal(tables_used(), 5);
	assert_int_equal(pt_unmap(&pt, 2 * MIB, 4096), 0);
	assert_int_equal(tables_used(), 5);
	assert_int_equal(reader_tables(fmt, &pt), 4);
	assert_int_equal(pt_unmap(&pt, 0, 2 * MIB - 4096), 0);
	assert_int_equal(reader_tables(fmt, &pt), 1);
	/* A walker that still knows them finds nothing ... */
	for (unsigned int i = 0; i < 512; i++) {
		assert_false(reader_present(format, level1[i]));
		assert_false(reader_present(format, level2[i]));
	}
	/* ... also when something else has been mapped meanwhile */
	assert_int_equal(pt_map(&pt, 40 * GIB, 0, 4096, RW), 0);
	for (unsigned int i = 0; i < 512; i++)
		assert_false(reader_present(format, level1[i]));
	assert_int_equal(tables_used(), 5 + 3);
	expect_tables(4);
	expect_tables(4);
	end();
}

static void tables_are_retired_then_freed(void **state)
{
	(void)state;
	retired_tables_hold_nothing(READER_HOST);
	retired_tables_hold_nothing(READER_EPT);
	retired_tables_hold_nothing(READER_VTD);
}

static void destroy_frees_retired_tables(void **state)
{
	(void)state;
	begin(READER_EPT, 4, LEAF_4K);
	assert_int_equal(pt_map(&pt, 0, 0, 4 * MIB, RW), 0);
	assert_int_equal(pt_unmap(&pt, 0, 4 * MIB), 0);
	assert_int_equal(tables_used(), 1 + 4);
	end();
}

/* A guest that moves a BAR through all of its PCI window. */
static void moving_a_bar_costs_nothing(void **state)
{
	(void)state;
	begin(READER_EPT, 4, LEAF_1G);
	assert_int_equal(pt_map(&pt, 0, 8 * GIB, 3 * GIB, RWX), 0);
	for (u64 at = 3 * GIB; at < 3 * GIB + 512 * MIB; at += MIB) {
		assert_int_equal(
			pt_map(&pt, at, 0xe8000000, 0x4000, RW | PT_UNCACHED),
			0);
		expect_tables(4);
		assert_int_equal(pt_unmap(&pt, at, 0x4000), 0);
		expect_tables(2);
	}
	end();
}

/* RAM is what is mapped and cached; device registers are not. */
static void memory_is_told_from_devices(void **state)
{
	(void)state;
	begin(READER_HOST, 4, LEAF_1G);
	assert_int_equal(pt_map(&pt, GIB, GIB, GIB, RW), 0);
	assert_int_equal(
		pt_map(&pt, 0xfed90000, 0xfed90000, 0x5000, RW | PT_UNCACHED),
		0);
	assert_int_equal(pt_map(&pt, 0xc0000000, 0xc0000000, 0x5000,
				RW | PT_WRITE_COMBINING),
			 0);
	assert_false(pt_maps_memory(&pt, 0, GIB));
	assert_true(pt_maps_memory(&pt, 0, GIB + 0x1000));
	assert_true(pt_maps_memory(&pt, 2 * GIB - 0x1000, 0x5000));
	assert_false(pt_maps_memory(&pt, 2 * GIB, 2 * GIB));
	assert_false(pt_maps_memory(&pt, 0xfed91000, 0x5000));
	assert_false(pt_maps_memory(&pt, ~0xfffULL, 0x1000));
	assert_int_equal(pt_map(&pt, 0xfed95000, 0x1000, 0x1000, PT_READ), 0);
	assert_true(pt_maps_memory(&pt, 0xfed91000, 0x5000));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(largest_leaf_that_fits),
		cmocka_unit_test(levels_of_leaves),
		cmocka_unit_test(a_large_leaf_is_split),
		cmocka_unit_test(walk_tells_each_step),
		cmocka_unit_test(bad_ranges_are_refused),
		cmocka_unit_test(init_without_memory),
		cmocka_unit_test(map_without_memory),
		cmocka_unit_test(unmap_without_memory),
		cmocka_unit_test(empty_tables_of_a_failure),
		cmocka_unit_test(tables_are_retired_then_freed),
		cmocka_unit_test(destroy_frees_retired_tables),
		cmocka_unit_test(moving_a_bar_costs_nothing),
		cmocka_unit_test(memory_is_told_from_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
