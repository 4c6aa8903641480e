/* sources: hv/memory_map.c */
#include "hv/guest_layout.h"
#include "hv/memory_map.h"
#include "tests/unit/support.h"
#include <stdlib.h>
#include <string.h>

static struct memory_map map;

static int setup(void **state)
{
	(void)state;
	memset(&map, 0, sizeof(map));
	return 0;
}

static int add_ram(gpa_t gpa, u64 size)
{
	return memory_map_add(&map, gpa, 0x40000000 + gpa, size, REGION_RAM);
}

static void stays_sorted(void **state)
{
	(void)state;
	assert_int_equal(add_ram(0x5000, 0x1000), 0);
	assert_int_equal(add_ram(0x1000, 0x1000), 0);
	assert_int_equal(add_ram(0x9000, 0x1000), 0);
	assert_int_equal(add_ram(0x2000, 0x3000), 0); /* touches both sides */
	assert_int_equal(map.count, 4);
	for (unsigned int i = 1; i < map.count; i++)
		assert_true(map.region[i - 1].gpa + map.region[i - 1].size <=
			    map.region[i].gpa);
	assert_int_equal(memory_map_find(&map, 0x4fff)->gpa, 0x2000);
	assert_int_equal(memory_map_find(&map, 0x5000)->gpa, 0x5000);
	assert_null(memory_map_find(&map, 0x6000));
	assert_null(memory_map_find(&map, 0xfff));
	assert_null(memory_map_find(&map, ~0ULL));
}

static void refuses_overlap(void **state)
{
	(void)state;
	assert_int_equal(add_ram(0x5000, 0x2000), 0);
	assert_int_equal(add_ram(0x5000, 0x2000), -EEXIST);
	assert_int_equal(add_ram(0x4000, 0x2000), -EEXIST);
	assert_int_equal(add_ram(0x6000, 0x2000), -EEXIST);
	assert_int_equal(add_ram(0x4000, 0x9000), -EEXIST);
	assert_int_equal(add_ram(0x4000, 0x1000), 0);
	assert_int_equal(add_ram(0x7000, 0x1000), 0);
}

static void refuses_nonsense(void **state)
{
	(void)state;
	assert_int_equal(add_ram(0x5001, 0x1000), -EINVAL);
	assert_int_equal(add_ram(0x5000, 0x1001), -EINVAL);
	assert_int_equal(add_ram(0x5000, 0), -EINVAL);
	assert_int_equal(add_ram(~0xfffULL, 0x2000), -EINVAL);
	assert_int_equal(memory_map_add(&map, 0, 0x800, 0x1000, REGION_RAM),
			 -EINVAL);
	assert_int_equal(memory_map_add(&map, 0, ~0xfffULL, 0x2000, REGION_RAM),
			 -EINVAL);
	assert_int_equal(map.count, 0);
}

static void is_bounded(void **state)
{
	(void)state;
	for (u64 i = 0; i < MEMORY_MAP_MAX; i++)
		assert_int_equal(add_ram(i * 0x2000, 0x1000), 0);
	assert_int_equal(add_ram(0x1000, 0x1000), -ENOSPC);
	assert_int_equal(memory_map_remove(&map, 0), 0);
	assert_int_equal(add_ram(0x1000, 0x1000), 0);
}

static void removes(void **state)
{
	(void)state;
	assert_int_equal(add_ram(0x1000, 0x1000), 0);
	assert_int_equal(add_ram(0x3000, 0x2000), 0);
	assert_int_equal(add_ram(0x7000, 0x1000), 0);
	assert_int_equal(memory_map_remove(&map, 0x4000), -ENOENT);
	assert_int_equal(memory_map_remove(&map, 0x3000), 0);
	assert_int_equal(map.count, 2);
	assert_null(memory_map_find(&map, 0x3000));
	assert_non_null(memory_map_find(&map, 0x1000));
	assert_non_null(memory_map_find(&map, 0x7000));
}

static void ram_needs_one_region(void **state)
{
	hpa_t hpa;

	(void)state;
	assert_int_equal(add_ram(0, 0x2000), 0);
	assert_int_equal(add_ram(0x2000, 0x1000), 0);
	assert_int_equal(
		memory_map_add(&map, 0x4000, 0x90000000, 0x1000, REGION_BAR),
		0);
	assert_true(memory_map_ram(&map, 0x1ff8, 8, &hpa));
	assert_int_equal(hpa, 0x40001ff8);
	assert_false(memory_map_ram(&map, 0x1ff8, 9, &hpa));
	assert_int_equal(hpa, 0);
	assert_false(memory_map_ram(&map, 0x1ff8, ~0ULL, &hpa));
	assert_false(memory_map_ram(&map, 0x4000, 8, &hpa));
	assert_false(memory_map_ram(&map, 0x3000, 1, &hpa));
	assert_int_equal(memory_map_ram_end(&map), 0x3000);
}

static void copies_across_regions(void **state)
{
	u8 *low = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	u8 *high = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	char text[9] = "";

	(void)state;
	memset(low, 0xee, PAGE_SIZE);
	memset(high, 0xee, PAGE_SIZE);
	assert_int_equal(
		memory_map_add(&map, 0x1000, (hpa_t)low, 0x1000, REGION_RAM),
		0);
	assert_int_equal(
		memory_map_add(&map, 0x2000, (hpa_t)high, 0x1000, REGION_RAM),
		0);
	assert_int_equal(guest_ram_write(&map, 0x1ffd, "abcdefgh", 8), 0);
	assert_memory_equal(low + 0xffd, "abc", 3);
	assert_memory_equal(high, "defgh", 5);
	assert_int_equal(low[0xffc], 0xee);
	assert_int_equal(high[5], 0xee);
	assert_int_equal(guest_ram_read(&map, 0x1ffd, text, 8), 0);
	assert_string_equal(text, "abcdefgh");
	/* One byte too many: nothing is copied. */
	assert_int_equal(guest_ram_write(&map, 0x2ff9, "ABCDEFGH", 8), -EINVAL);
	assert_int_equal(high[0xff9], 0xee);
	assert_int_equal(guest_ram_read(&map, 0xfff, text, 8), -EINVAL);
	assert_string_equal(text, "abcdefgh");
	assert_int_equal(guest_ram_read(&map, ~0ULL, text, 8), -EINVAL);
	assert_int_equal(guest_ram_write(&map, 0x1000, text, ~0ULL), -EINVAL);
	free(low);
	free(high);
}

static void expect(gpa_t gpa, const char *text)
{
	char buf[96];

	memory_map_describe(&map, gpa, buf, sizeof(buf));
	assert_string_equal(buf, text);
}

static void describes_small_guest(void **state)
{
	(void)state;
	assert_int_equal(add_ram(0, 512 * MIB), 0);
	assert_int_equal(memory_map_add(&map, GUEST_PCI_WINDOW, 0xe000020000,
					0x4000, REGION_BAR),
			 0);
	expect(0x1234, "RAM");
	expect(512 * MIB - 1, "RAM");
	expect(512 * MIB, "0 bytes beyond the end of RAM, in the hole between "
			  "RAM and the PCI window");
	expect(512 * MIB + 1023, "1023 bytes beyond the end of RAM, in the "
				 "hole between RAM and the PCI window");
	/* 1.25 MiB = 1.2 and a half, cut */
	expect(512 * MIB + 1280 * KIB,
	       "1.2 MiB beyond the end of RAM, in the hole between RAM and "
	       "the PCI window");
	expect(512 * MIB + MIB - 1,
	       "1023.9 KiB beyond the end of RAM, in the hole between RAM and "
	       "the PCI window");
	expect(GUEST_PCI_WINDOW + 0x3fff, "BAR of the assigned function");
	expect(GUEST_PCI_WINDOW + 0x4000, "PCI window, where no BAR is");
	expect(GUEST_ECAM, "PCI configuration space (ECAM)");
	expect(GUEST_ECAM + GUEST_ECAM_SIZE,
	       "hole between the PCI window and 4 GiB");
	expect(GUEST_IOAPIC + 0x10, "IOAPIC");
	expect(0xfee00000, "local APIC / interrupt range (0xFEExxxxx)");
	expect(0xfeefffff, "local APIC / interrupt range (0xFEExxxxx)");
	expect(0xfef00000, "hole between the PCI window and 4 GiB");
	/* 4 GiB - 0.5 GiB */
	expect(4 * GIB, "3.5 GiB beyond the end of RAM");
	/* 16777216 TiB less half a GiB */
	expect(~0ULL, "16777215.9 TiB beyond the end of RAM");
}

static void describes_large_guest(void **state)
{
	(void)state;
	assert_int_equal(add_ram(0, GUEST_LOW_RAM_MAX), 0);
	assert_int_equal(add_ram(GUEST_HIGH_RAM, GIB), 0);
	assert_int_equal(add_ram(GUEST_HIGH_RAM + 2 * GIB, GIB), 0);
	expect(GUEST_HIGH_RAM, "RAM");
	expect(GUEST_HIGH_RAM + GIB, "hole in RAM");
	expect(GUEST_HIGH_RAM + 3 * GIB + 5 * KIB,
	       "5.0 KiB beyond the end of RAM");
}

static void describe_keeps_to_its_buffer(void **state)
{
	char buf[8];

	(void)state;
	memset(buf, 'x', sizeof(buf));
	memory_map_describe(&map, 0xfee00000, buf, 4);
	assert_string_equal(buf, "loc");
	assert_int_equal(buf[4], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(stays_sorted, setup),
		cmocka_unit_test_setup(refuses_overlap, setup),
		cmocka_unit_test_setup(refuses_nonsense, setup),
		cmocka_unit_test_setup(is_bounded, setup),
		cmocka_unit_test_setup(removes, setup),
		cmocka_unit_test_setup(ram_needs_one_region, setup),
		cmocka_unit_test_setup(copies_across_regions, setup),
		cmocka_unit_test_setup(describes_small_guest, setup),
		cmocka_unit_test_setup(describes_large_guest, setup),
		cmocka_unit_test_setup(describe_keeps_to_its_buffer, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
