/* sources: vtd/second_level.c hv/paging.c hv/vmx/ept_format.c tests/unit/paging_reader.c */
/* A guest's tables: what fits all remapping units, and how large it gets. */
#include "hv/vmx/ept_format.h"
#include "tests/unit/paging_reader.h"
#include "vtd/second_level.h"
#include "vtd/unit.h"
#include <string.h>

/* VT-d 10.4.2: SAGAW 12:8, MGAW 21:16, SLLPS 37:34; 10.4.3: C 0 */
#define CAP_39 (1ULL << 9)
#define CAP_48 (1ULL << 10)
#define CAP_MGAW(bits) (((u64)(bits) - 1) << 16)
#define CAP_2M (1ULL << 34)
#define CAP_1G (1ULL << 35)
#define ECAP_C 1ULL

#define CAP_ALL (CAP_39 | CAP_48 | CAP_MGAW(48) | CAP_2M | CAP_1G)

/* In place of vtd/vtd.c */
struct vtd_unit vtd_units[DMAR_MAX_UNITS];
unsigned int vtd_unit_count;

static struct memory_map map;
static struct vtd_domain domain;

static void begin(void)
{
	test_log_clear();
	map.count = 0;
	vtd_unit_count = 0;
}

static void add_unit(u64 cap, u64 ecap)
{
	vtd_units[vtd_unit_count].cap = cap;
	vtd_units[vtd_unit_count++].ecap = ecap;
}

static void add_region(u64 gpa, u64 hpa, u64 size, enum region_kind kind)
{
	map.region[map.count++] = (struct region){gpa, hpa, size, kind};
}

static void end(void)
{
	pt_destroy(&domain.table);
	assert_int_equal(page_count(PAGES_VTD_SL), 0);
}

/* Two units; a table for both may use what both have. */
static void expect_common(u64 cap1, u64 cap2, unsigned int levels, u32 leaves)
{
	begin();
	add_unit(cap1, ECAP_C);
	add_unit(cap2, ECAP_C);
	assert_int_equal(vtd_domain_init(&domain, 1, &map), 0);
	assert_int_equal(domain.table.levels, levels);
	assert_int_equal(domain.table.leaf_levels, leaves);
	assert_false(domain.table.flush);
	end();
}

static void what_all_units_can(void **state)
{
	(void)state;
	expect_common(CAP_ALL, CAP_ALL, 4, BIT(1) | BIT(2) | BIT(3));
	expect_common(CAP_ALL & ~CAP_1G, CAP_ALL, 4, BIT(1) | BIT(2));
	expect_common(CAP_ALL & ~CAP_1G, CAP_ALL & ~CAP_2M, 4, BIT(1));
	expect_common(CAP_ALL, CAP_ALL & ~CAP_48, 3, BIT(1) | BIT(2) | BIT(3));
}

static void units_without_a_common_width(void **state)
{
	(void)state;
	begin();
	add_unit(CAP_ALL & ~CAP_39, ECAP_C);
	add_unit(CAP_ALL & ~CAP_48, ECAP_C);
	assert_int_equal(vtd_domain_init(&domain, 1, &map), -EINVAL);
	begin();
	assert_int_equal(vtd_domain_init(&domain, 1, &map), -EINVAL);
	add_unit(CAP_ALL, ECAP_C);
	assert_int_equal(vtd_domain_init(&domain, 0, &map), -EINVAL);
	assert_int_equal(page_count(PAGES_VTD_SL), 0);
}

static void one_that_does_not_snoop(void **state)
{
	(void)state;
	begin();
	add_unit(CAP_ALL, ECAP_C);
	add_unit(CAP_ALL, 0);
	assert_int_equal(vtd_domain_init(&domain, 1, &map), 0);
	assert_true(domain.table.flush);
	end();
}

static void ram_and_nothing_else(void **state)
{
	struct reading r;

	(void)state;
	begin();
	add_unit(CAP_ALL, ECAP_C);
	add_region(0, 5 * GIB, GIB, REGION_RAM);
	add_region(0xc0000000, 0xe8000000, 0x4000, REGION_BAR);
	assert_int_equal(vtd_domain_init(&domain, 7, &map), 0);
	assert_int_equal(domain.id, 7);
	assert_ptr_equal(domain.map, &map);
	r = reader_translate(READER_VTD, &domain.table, GIB - 1);
	assert_int_equal(r.level, 3);
	assert_true(r.pa == 6 * GIB - 1 && r.read && r.write);
	r = reader_translate(READER_VTD, &domain.table, GIB);
	assert_int_equal(r.level, 0);
	r = reader_translate(READER_VTD, &domain.table, 0xc0000000);
	assert_int_equal(r.level, 0);
	end();
}

static int domain_with_ram(u64 cap, u64 gpa, u64 hpa, u64 size)
{
	int err;

	begin();
	add_unit(cap, ECAP_C);
	add_region(gpa, hpa, size, REGION_RAM);
	err = vtd_domain_init(&domain, 1, &map);
	if (!err)
		end();
	assert_int_equal(page_count(PAGES_VTD_SL), 0);
	return err;
}

static void ram_out_of_reach(void **state)
{
	const u64 top39 = BIT(39) - GIB;

	(void)state;
	assert_int_equal(domain_with_ram(CAP_ALL, BIT(39), 0, GIB), 0);
	assert_int_equal(domain_with_ram(CAP_ALL & ~CAP_48, top39, 0, GIB), 0);
	assert_int_equal(
		domain_with_ram(CAP_ALL & ~CAP_48, top39, 0, GIB + 4096),
		-EINVAL);
	assert_non_null(strstr(test_log, "beyond the 39 bits"));
	/* 4 levels, but a maximum guest address width below that */
	assert_int_equal(
		domain_with_ram(CAP_48 | CAP_MGAW(39), BIT(39), 0, 4096),
		-EINVAL);
	assert_int_equal(
		domain_with_ram(CAP_48 | CAP_MGAW(39), BIT(39) - 4096, 0, 4096),
		0);
}

static void ram_on_the_interrupt_range(void **state)
{
	(void)state;
	assert_int_equal(domain_with_ram(CAP_ALL, 0, 0xfee00000 - MIB, MIB), 0);
	assert_int_equal(domain_with_ram(CAP_ALL, 0, 0xfef00000, MIB), 0);
	assert_int_equal(
		domain_with_ram(CAP_ALL, 0, 0xfee00000 - MIB, MIB + 4096),
		-EINVAL);
	assert_int_equal(domain_with_ram(CAP_ALL, 0, 0xfeeff000, 4096),
			 -EINVAL);
	assert_int_equal(domain_with_ram(CAP_ALL, 0, 0, 4 * GIB), -EINVAL);
	assert_non_null(strstr(test_log, "interrupt range"));
}

static void no_memory_for_tables(void **state)
{
	(void)state;
	for (size_t pages = 0; pages < 3; pages++) {
		test_pages_left = pages;
		assert_int_equal(domain_with_ram(CAP_ALL, 0, 2 * MIB, GIB),
				 -ENOMEM);
	}
	test_pages_left = 3;
	assert_int_equal(domain_with_ram(CAP_ALL, 0, 2 * MIB, GIB), 0);
	test_pages_left = SIZE_MAX;
}

/* RAM as hv/machine/build.c lays it out, in one piece of the host's; and the
 * pages of a VF's two BARs that are not trapped. */
static void lay_out_guest(u64 ram, u64 hpa)
{
	u64 low = MIN(ram, 3 * GIB);

	map.count = 0;
	add_region(0, hpa, low, REGION_RAM);
	add_region(3 * GIB + 0x1000, 0xe8001000, 0x3000, REGION_BAR);
	add_region(3 * GIB + 0x5000, 0xe8021000, 0x3000, REGION_BAR);
	if (ram > low)
		add_region(4 * GIB, hpa + low, ram - low, REGION_RAM);
}

static size_t ept_kib(u32 leaves)
{
	struct page_table ept;
	size_t kib;

	assert_int_equal(pt_init(&ept, &ept_format, 4, leaves, false), 0);
	for (unsigned int i = 0; i < map.count; i++)
		assert_int_equal(pt_map(&ept, map.region[i].gpa,
					map.region[i].hpa, map.region[i].size,
					PT_READ | PT_WRITE),
				 0);
	kib = page_count(PAGES_EPT) * 4;
	pt_destroy(&ept);
	return kib;
}

static size_t second_level_kib(u64 cap)
{
	size_t kib;

	vtd_unit_count = 0;
	add_unit(cap, ECAP_C);
	assert_int_equal(vtd_domain_init(&domain, 1, &map), 0);
	kib = page_count(PAGES_VTD_SL) * 4;
	end();
	return kib;
}

/* Each at most 16 KiB plus 4 KiB for each GiB of guest with 1 GiB pages. */
static void guest_tables_are_small(void **state)
{
	static const u64 shift[] = {0, 2 * MIB, 510 * MIB};
	const u32 leaves = BIT(1) | BIT(2) | BIT(3);

	(void)state;
	for (u64 ram = 256 * MIB; ram <= 9 * GIB; ram += 254 * MIB) {
		u64 limit = 16 + 4 * (ALIGN_UP(ram, GIB) / GIB);

		for (unsigned int i = 0; i < ARRAY_SIZE(shift); i++) {
			lay_out_guest(ram, 16 * GIB + shift[i]);
			assert_in_range(second_level_kib(CAP_ALL), 4, limit);
			assert_in_range(ept_kib(leaves), 4, limit);
		}
	}
	/* Whole GiBs: root, level 3; for EPT the BARs' 2 and 1 as well */
	lay_out_guest(6 * GIB, 16 * GIB);
	assert_int_equal(second_level_kib(CAP_ALL), 8);
	assert_int_equal(second_level_kib(CAP_ALL & ~CAP_48), 4);
	assert_int_equal(second_level_kib(CAP_ALL & ~CAP_1G), 8 + 6 * 4);
	assert_int_equal(ept_kib(leaves), 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_all_units_can),
		cmocka_unit_test(units_without_a_common_width),
		cmocka_unit_test(one_that_does_not_snoop),
		cmocka_unit_test(ram_and_nothing_else),
		cmocka_unit_test(ram_out_of_reach),
		cmocka_unit_test(ram_on_the_interrupt_range),
		cmocka_unit_test(no_memory_for_tables),
		cmocka_unit_test(guest_tables_are_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
