/* sources: hv/uefi_memory.c hv/paging.c hv/vmx/ept_format.c hv/host_format.c vtd/second_level.c tests/unit/paging_reader.c tests/unit/paging_fixture.c */
#include "hv/uefi_memory.h"
#include "tests/unit/paging_fixture.h"
#include <stdlib.h>
#include <string.h>

#define PIECES_MAX 4096

/* Descriptors are longer than what is known of them, as firmware's are */
struct entry {
	struct uefi_descriptor d;
	u64 more;
};

static struct entry entries[PIECES_MAX];
static struct uefi_memory_map map = {entries, 0, sizeof(entries[0])};

static void add(u32 type, hpa_t base, u64 size)
{
	struct entry *e = &entries[map.size / sizeof(*e)];

	assert_true(e < entries + PIECES_MAX);
	*e = (struct entry){{type, base, 0, size / PAGE_SIZE, 0xf}, ~0ULL};
	map.size += sizeof(*e);
}

static int setup(void **state)
{
	(void)state;
	map.size = 0;
	return 0;
}

static void expect_run(u64 *index, hpa_t base, u64 size)
{
	hpa_t found_base;
	u64 found_size;

	assert_true(
		uefi_memory_next_run(&map, index, &found_base, &found_size));
	assert_true(found_base == base);
	assert_true(found_size == size);
}

static void runs_are_joined(void **state)
{
	u64 index = 0, size;
	hpa_t base;

	(void)state;
	add(7, 0, 0x1000);
	add(2, 0x1000, 0x1000);
	add(10, 0x2000, 0x1000);
	add(0, 0x3000, 0x1000); /* reserved */
	add(4, 0x4000, 0x1000);
	add(7, 0x6000, 0x1000); /* a gap */
	add(11, 0x7000, 0x1000);
	add(7, 0x8000, 0);
	add(14, 0x8000, 0x1000);
	add(9, 0x9000, 0x1000);
	expect_run(&index, 0, 0x3000);
	expect_run(&index, 0x4000, 0x1000);
	expect_run(&index, 0x6000, 0x1000);
	expect_run(&index, 0x9000, 0x1000);
	assert_false(uefi_memory_next_run(&map, &index, &base, &size));
}

static void sizes_do_not_wrap(void **state)
{
	u64 index = 0;

	(void)state;
	add(7, 0xfffffffffff00000, 0);
	entries[0].d.pages = UINT64_MAX;
	assert_true(uefi_memory_size(&entries[0].d) == 0xff000);
	expect_run(&index, 0xfffffffffff00000, 0xff000);
}

/* Build the tables of all runs; so many there are. */
static size_t build(u32 leaves)
{
	u64 index = 0, size;
	size_t used;
	hpa_t base;

	begin(READER_HOST, 4, leaves);
	while (uefi_memory_next_run(&map, &index, &base, &size))
		assert_int_equal(pt_map(&pt, base, base, size, RW), 0);
	used = tables_used();
	end();
	return used;
}

/* A page that firmware keeps every 4 MiB: a hole in so many large leaves. */
static void tables_of_many_pieces(void **state)
{
	(void)state;
	add(7, 0, MIB);
	for (u64 i = 0; i < 300; i++) {
		add(7, MIB + 4 * MIB * i, 4 * MIB - PAGE_SIZE);
		add(0, MIB + 4 * MIB * (i + 1) - PAGE_SIZE, PAGE_SIZE);
	}
	assert_in_range(build(LEAF_1G), 300, uefi_memory_tables(&map, true));
	assert_in_range(build(LEAF_2M), 300, uefi_memory_tables(&map, false));
}

/* Aligned memory needs no more than is counted by hand. */
static void tables_of_few_pieces(void **state)
{
	(void)state;
	add(7, 0, 2 * GIB);
	add(7, 4 * GIB, 12 * GIB);
	/* root, and one of level 3 */
	assert_int_equal(build(LEAF_1G), 2);
	assert_int_equal(uefi_memory_tables(&map, true), 2);
	assert_int_equal(build(LEAF_2M), 16);
	assert_in_range(uefi_memory_tables(&map, false), 16, 20);
}

/* Never more tables than were counted, and not twice as many counted. */
static void random_maps(void **state)
{
	(void)state;
	srand(1);
	for (unsigned int round = 0; round < 200; round++) {
		hpa_t at = 0;
		u64 counted;

		map.size = 0;
		for (int i = rand() % 300; i >= 0; i--) {
			u64 unit = rand() % 3 ? PAGE_SIZE : 2 * MIB;
			u64 size = (rand() % 2000 + 1) * unit;

			at += rand() % 4 ? 0 : (rand() % 4000) * unit;
			add(rand() % 3 ? 7 : 0, at, size);
			at += size;
		}
		counted = uefi_memory_tables(&map, true);
		assert_in_range(build(LEAF_1G), counted / 4, counted);
		counted = uefi_memory_tables(&map, false);
		assert_in_range(build(LEAF_2M), counted / 4, counted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(runs_are_joined, setup),
		cmocka_unit_test_setup(sizes_do_not_wrap, setup),
		cmocka_unit_test_setup(tables_of_many_pieces, setup),
		cmocka_unit_test_setup(tables_of_few_pieces, setup),
		cmocka_unit_test_setup(random_maps, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
