/* sources: boot/ram.c hv/uefi_memory.c */
#include "boot/ram.h"
#include "tests/unit/support.h"
#include <string.h>

static struct ram_free available;
static struct hpa_range ram[HANDOVER_RAM_MAX];
static unsigned int count;

static void expect_range(const struct hpa_range *r, u64 base, u64 size)
{
	assert_true(r->base == base);
	assert_true(r->size == size);
}

static void free_ranges_are_aligned_and_joined(void **state)
{
	(void)state;
	available.count = 0;
	ram_add_free(&available, 0, 0xa0000);
	ram_add_free(&available, 0x100000, 0x100000);
	assert_int_equal(available.count, 0);
	/* The first 2 MiB are left out even if all of them are free. */
	ram_add_free(&available, 0, 4 * MIB);
	expect_range(&available.range[0], 2 * MIB, 2 * MIB);
	ram_add_free(&available, 4 * MIB, 3 * MIB);
	assert_int_equal(available.count, 1);
	expect_range(&available.range[0], 2 * MIB, 4 * MIB);
	ram_add_free(&available, 9 * MIB, 4 * MIB);
	assert_int_equal(available.count, 2);
	expect_range(&available.range[1], 10 * MIB, 2 * MIB);
	/* Nonsense: wraps around, or reaches the very end */
	ram_add_free(&available, ~0ULL - MIB, 4 * MIB);
	ram_add_free(&available, ~0ULL - MIB, MIB);
	ram_add_free(&available, 4 * GIB, 0);
	assert_int_equal(available.count, 2);
}

static void full_table_forgets_the_smallest(void **state)
{
	(void)state;
	available.count = 0;
	for (u64 i = 0; i < RAM_FREE_MAX; i++)
		ram_add_free(&available, GIB + i * 100 * MIB,
			     (i == 5 ? 2 : 8) * MIB);
	assert_int_equal(available.count, RAM_FREE_MAX);
	ram_add_free(&available, 64 * GIB, 4 * MIB);
	expect_range(&available.range[5], 64 * GIB, 4 * MIB);
	ram_add_free(&available, 65 * GIB, 2 * MIB);
	expect_range(&available.range[5], 64 * GIB, 4 * MIB);
}

/* Only conventional memory that can be cached, and of a map of hundreds of
 * pieces the largest. */
static void collects_what_nobody_has(void **state)
{
	static struct uefi_descriptor d[512];
	struct uefi_memory_map map = {d, sizeof(d), sizeof(d[0])};

	(void)state;
	for (u64 i = 0; i < 512; i++)
		d[i] = (struct uefi_descriptor){
			i % 2 ? UEFI_CONVENTIONAL : 4, i * 4 * MIB, 0,
			4 * MIB / PAGE_SIZE, UEFI_MEMORY_WB};
	d[101].pages = 512 * MIB / PAGE_SIZE;
	d[101].physical = 4 * GIB;
	d[103].attribute = 1;
	d[103].pages = GIB / PAGE_SIZE;
	d[103].physical = 8 * GIB;
	ram_collect(&map, &available);
	assert_int_equal(available.count, RAM_FREE_MAX);
	assert_true(ram_choose(&available, ALIGN_DOWN(~0ULL, RAM_PIECE), ram,
			       &count) ==
		    512 * MIB + (HANDOVER_RAM_MAX - 1) * 4 * MIB);
	expect_range(&ram[0], 4 * GIB, 512 * MIB);
	for (unsigned int i = 1; i < count; i++)
		assert_int_equal(ram[i].base / (4 * MIB) % 2, 1);
}

/* A machine of 6 GiB: free from 16 MiB to 1950 MiB and from 4 to 8 GiB */
static void six_gib(void)
{
	available.count = 0;
	ram_add_free(&available, 16 * MIB, 1934 * MIB);
	ram_add_free(&available, 4 * GIB, 4 * GIB);
}

static void whole_gibs_come_first(void **state)
{
	(void)state;
	six_gib();
	assert_true(ram_choose(&available, 5 * GIB, ram, &count) == 5 * GIB);
	assert_int_equal(count, 2);
	expect_range(&ram[0], 4 * GIB, 4 * GIB);
	/* Nothing is left of the high range, so the low one gives the rest */
	expect_range(&ram[1], 16 * MIB, GIB);

	assert_true(ram_choose(&available, 2 * GIB + 2 * MIB, ram, &count) ==
		    2 * GIB + 2 * MIB);
	assert_int_equal(count, 2);
	expect_range(&ram[0], 4 * GIB, 2 * GIB);
	/* The largest that is left: the other half of the high range */
	expect_range(&ram[1], 6 * GIB, 2 * MIB);
}

static void unaligned_gib_is_split_around_its_boundary(void **state)
{
	(void)state;
	available.count = 0;
	/* 3.5 to 6.25 GiB: whole GiBs are 4 to 6 */
	ram_add_free(&available, 3 * GIB + 512 * MIB, 2816 * MIB);
	assert_true(ram_choose(&available, 2816 * MIB, ram, &count) ==
		    2816 * MIB);
	assert_int_equal(count, 3);
	expect_range(&ram[0], 4 * GIB, 2 * GIB);
	expect_range(&ram[1], 3 * GIB + 512 * MIB, 512 * MIB);
	expect_range(&ram[2], 6 * GIB, 256 * MIB);
}

static void too_little_gives_what_there_is(void **state)
{
	(void)state;
	six_gib();
	assert_true(ram_choose(&available, 64 * GIB, ram, &count) ==
		    1934 * MIB + 4 * GIB);
	available.count = 0;
	assert_true(ram_choose(&available, 2 * MIB, ram, &count) == 0);
	assert_int_equal(count, 0);
}

static void entries_are_limited(void **state)
{
	(void)state;
	available.count = 0;
	for (u64 i = 0; i < RAM_FREE_MAX; i++)
		ram_add_free(&available, (2 * i + 1) * GIB, GIB + 2 * MIB);
	assert_true(ram_choose(&available, 1024 * GIB, ram, &count) ==
		    HANDOVER_RAM_MAX * GIB);
	assert_int_equal(count, HANDOVER_RAM_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(free_ranges_are_aligned_and_joined),
		cmocka_unit_test(full_table_forgets_the_smallest),
		cmocka_unit_test(collects_what_nobody_has),
		cmocka_unit_test(whole_gibs_come_first),
		cmocka_unit_test(unaligned_gib_is_split_around_its_boundary),
		cmocka_unit_test(too_little_gives_what_there_is),
		cmocka_unit_test(entries_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
