/* sources: hv/vmx/guest_walk.c hv/memory_map.c */
#include "hv/vmx/guest_walk.h"
#include "tests/unit/support.h"
#include <string.h>

/* Control bits (Intel SDM 3A 2.5) */
#define PE_PG (1ULL << 31 | 1)
#define PSE (1ULL << 4)
#define PAE (1ULL << 5)
#define LMA (1ULL << 10 | 1ULL << 8)

/* Entries (4.3 to 4.5): present, writable, user, accessed, dirty */
#define ENTRY 0x67ULL
#define LARGE 0x80ULL
#define NX (1ULL << 63)

/* The guest: 16 pages of RAM at LOW, 4 at HIGH, a BAR between them. */
#define LOW 0x40000000ULL
#define BAR 0xc0000000ULL
#define HIGH 0x123456000ULL
static u8 low[16 * 4096] __attribute__((aligned(4096)));
static u8 high[4 * 4096] __attribute__((aligned(4096)));
static u8 device[4096] __attribute__((aligned(4096)));
static struct memory_map map;
static struct guest_paging paging;

#define TABLE(n) (LOW + (n) * 4096)

static int setup(void **state)
{
	(void)state;
	memset(low, 0, sizeof(low));
	memset(high, 0, sizeof(high));
	memset(device, 0xff, sizeof(device));
	memset(&map, 0, sizeof(map));
	if (memory_map_add(&map, LOW, (hpa_t)low, sizeof(low), REGION_RAM) ||
	    memory_map_add(&map, BAR, (hpa_t)device, sizeof(device),
			   REGION_BAR) ||
	    memory_map_add(&map, HIGH, (hpa_t)high, sizeof(high), REGION_RAM))
		return -1;
	paging = (struct guest_paging){.map = &map};
	return 0;
}

static void set(gpa_t table, unsigned int index, unsigned int size, u64 entry)
{
	u8 *at = table >= HIGH ? high + (table - HIGH) : low + (table - LOW);

	memcpy(at + index * size, &entry, size);
}

static void expect(u64 la, gpa_t gpa)
{
	gpa_t found = 0;

	assert_true(guest_translate(&paging, la, &found));
	if (found != gpa)
		fail_msg("0x%lx is at 0x%lx, should be at 0x%lx", la, found,
			 gpa);
}

static void expect_nothing(u64 la)
{
	gpa_t found;

	assert_false(guest_translate(&paging, la, &found));
}

static void no_paging(void **state)
{
	(void)state;
	paging.cr0 = 1;
	paging.cr3 = 0xdead000;
	expect(0, 0);
	expect(0xfee00abc, 0xfee00abc);
	expect(0x1fee00abc, 0xfee00abc);
	/* CR4.PAE alone changes nothing */
	paging.cr4 = PAE;
	expect(0x12345, 0x12345);
}

/* --- 4-level (4.5): bits 47:39, 38:30, 29:21, 20:12 ------------------------
 */

#define LA4(a, b, c, d, offset)                                                \
	((u64)(a) << 39 | (u64)(b) << 30 | (u64)(c) << 21 | (u64)(d) << 12 |   \
	 (offset))
#define UPPER_HALF 0xffff000000000000ULL

static void four_levels(void)
{
	paging.cr0 = PE_PG;
	paging.cr4 = PAE;
	paging.efer = LMA;
	paging.cr3 = TABLE(1) | 0xfff; /* PCID and the like */
	set(TABLE(1), 0x1ff, 8, TABLE(2) | ENTRY | NX);
	set(TABLE(2), 0x1fe, 8, TABLE(3) | ENTRY | 0xf00);
	set(TABLE(3), 0x03, 8, HIGH | ENTRY);
	set(HIGH, 0x155, 8, 0x000abcdef0123000ULL | ENTRY | NX | LARGE);
	set(TABLE(2), 0x42, 8, 0x7ffc0000000ULL | ENTRY | LARGE | NX | 0x1000);
	set(TABLE(3), 0x04, 8, 0x123400000ULL | ENTRY | LARGE | 0x1000);
}

static void leaves_of_4_levels(void **state)
{
	(void)state;
	four_levels();
	/* 4 KiB; bit 7 of its entry is PAT */
	expect(UPPER_HALF | LA4(0x1ff, 0x1fe, 3, 0x155, 0x678),
	       0x000abcdef0123678);
	/* 2 MiB and 1 GiB; bit 12 is PAT */
	expect(UPPER_HALF | LA4(0x1ff, 0x1fe, 4, 0x1ff, 0xfff), 0x1235fffff);
	expect(UPPER_HALF | LA4(0x1ff, 0x1fe, 4, 0, 0), 0x123400000);
	expect(UPPER_HALF | LA4(0x1ff, 0x42, 0x1ff, 0x1ff, 0xfff),
	       0x7ffffffffff);
	expect(UPPER_HALF | LA4(0x1ff, 0x42, 1, 2, 3), 0x7ffc0202003);
}

static void not_present_in_4_levels(void **state)
{
	(void)state;
	four_levels();
	expect_nothing(0);
	expect_nothing(UPPER_HALF | LA4(0x1ff, 0, 0, 0, 0));
	expect_nothing(UPPER_HALF | LA4(0x1ff, 0x1fe, 0, 0, 0));
	expect_nothing(UPPER_HALF | LA4(0x1ff, 0x1fe, 3, 0, 0));
	/* All but P */
	set(HIGH, 0x155, 8, ~1ULL);
	expect_nothing(UPPER_HALF | LA4(0x1ff, 0x1fe, 3, 0x155, 0x678));
}

static void tables_outside_of_ram(void **state)
{
	static const gpa_t outside[] = {
		0,	    LOW - 4096,	     LOW + sizeof(low),
		BAR,	    HIGH - 4096,     HIGH + sizeof(high),
		0xfee00000, 0xffffffffff000, 0x8000000000000};

	(void)state;
	four_levels();
	for (unsigned int i = 0; i < ARRAY_SIZE(outside); i++) {
		four_levels();
		set(TABLE(3), 3, 8, outside[i] | ENTRY);
		expect_nothing(UPPER_HALF | LA4(0x1ff, 0x1fe, 3, 0x155, 0));
		set(TABLE(2), 0x1fe, 8, outside[i] | ENTRY);
		expect_nothing(UPPER_HALF | LA4(0x1ff, 0x1fe, 4, 0, 0));
		set(TABLE(1), 0x1ff, 8, outside[i] | ENTRY);
		expect_nothing(UPPER_HALF | LA4(0x1ff, 0x42, 0, 0, 0));
		paging.cr3 = outside[i];
		expect_nothing(UPPER_HALF | LA4(0x1ff, 0x42, 0, 0, 0));
	}
}

/* Tables that lead in a circle are walked four steps like all others. */
static void tables_in_a_circle(void **state)
{
	(void)state;
	four_levels();
	set(TABLE(1), 0, 8, TABLE(1) | ENTRY);
	expect(0x123, TABLE(1) + 0x123);
}

/* --- PAE (4.4): bits 31:30, 29:21, 20:12 -----------------------------------
 */

static void pae(void)
{
	paging.cr0 = PE_PG;
	paging.cr4 = PAE;
	paging.cr3 = TABLE(1) + 0xfe0 + 0x1f; /* 32-byte aligned */
	set(TABLE(1) + 0xfe0, 0, 8, TABLE(2) | 1);
	set(TABLE(1) + 0xfe0, 3, 8, TABLE(3) | 1 | LARGE);
	set(TABLE(2), 0x1ff, 8, HIGH | ENTRY);
	set(HIGH, 0x0a, 8, 0xfedcba000ULL | ENTRY | NX);
	set(TABLE(3), 0x10, 8, 0x5a5a00000ULL | ENTRY | LARGE | 0x1000);
}

static void leaves_of_pae(void **state)
{
	(void)state;
	pae();
	expect(0x3fe0a321, 0xfedcba321);
	/* No 1 GiB pages here: bit 7 of level 3 is no PS */
	expect(0xc2000000 | 0x1fffff, 0x5a5bfffff);
	expect_nothing(0x40000000);
	expect_nothing(0x3fe0b000);
	expect_nothing(0xc0000000);
	/* Only 32 bits of the address count */
	expect(0x13fe0a321, 0xfedcba321);
	paging.cr3 = BAR;
	expect_nothing(0x3fe0a321);
}

/* --- 32-bit (4.3): bits 31:22, 21:12 ---------------------------------------
 */

static void two_levels(u64 cr4)
{
	paging.cr0 = PE_PG;
	paging.cr4 = cr4;
	paging.cr3 = TABLE(1) | 0x18;
	set(TABLE(1), 0x3ff, 4, TABLE(2) | ENTRY);
	set(TABLE(2), 0x201, 4, 0xabcde000 | ENTRY | LARGE);
	set(TABLE(1), 0x101, 4, 0x40000000 | ENTRY | LARGE);
	set(TABLE(1), 0x102, 4, 0x80000000 | 0x5a << 13 | ENTRY | LARGE);
}

static void leaves_of_32_bits(void **state)
{
	(void)state;
	two_levels(PSE);
	expect(0xffe01fed, 0xabcdefed);
	/* 4 MiB: bits 31:22; PSE-36: bits 20:13 are 39:32 */
	expect(0x40400000 | 0x3fffff, 0x403fffff);
	expect(0x40800000 | 0x234567, 0x5a80234567);
	expect_nothing(0xffe00000);
	expect_nothing(0);
	expect(0x1ffe01fed, 0xabcdefed);
}

/* Without CR4.PSE bit 7 is ignored, and the entry leads to a table. */
static void no_pse(void **state)
{
	(void)state;
	two_levels(0);
	set(TABLE(0), 5, 4, 0x77777000 | ENTRY); /* TABLE(0) = 0x40000000 */
	expect(0x40405123, 0x77777123);
	expect_nothing(0x40406123);
	expect_nothing(0x40800000); /* its table is not in RAM */
}

/* --- Reading ---------------------------------------------------------------
 */

static void reading_across_pages(void **state)
{
	u8 buf[16] = {0};

	(void)state;
	/* LA 0, 1 and 2 pages: two that do not lie side by side, then none */
	paging.cr0 = PE_PG;
	paging.cr3 = TABLE(1);
	set(TABLE(1), 0, 4, TABLE(2) | ENTRY);
	set(TABLE(2), 0, 4, TABLE(9) | ENTRY);
	set(TABLE(2), 1, 4, TABLE(7) | ENTRY);
	memcpy(low + 9 * 4096 + 4090, "abcdef", 6);
	memcpy(low + 7 * 4096, "ghijkl", 6);
	memcpy(low + 7 * 4096 + 4090, "uvwxyz", 6);
	assert_int_equal(guest_read_linear(&paging, 4090, buf, 12), 12);
	assert_memory_equal(buf, "abcdefghijkl\0\0\0\0", 16);
	assert_int_equal(guest_read_linear(&paging, 8186, buf, 12), 6);
	assert_memory_equal(buf, "uvwxyzghijkl", 12);
	assert_int_equal(guest_read_linear(&paging, 4095, buf, 1), 1);
	assert_memory_equal(buf, "fvwxyz", 6);
	assert_int_equal(guest_read_linear(&paging, 0, buf, 0), 0);
	assert_int_equal(guest_read_linear(&paging, 8192, buf, 12), 0);
	/* A page of a BAR is not read: that would reach the device */
	set(TABLE(2), 1, 4, BAR | ENTRY);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(guest_read_linear(&paging, 4090, buf, 12), 6);
	assert_memory_equal(buf, "abcdef\0\0\0\0\0\0", 12);
}

static void reading_at_the_end_of_ram(void **state)
{
	u8 buf[16] = {0};
	gpa_t at = LOW + sizeof(low) - 3;

	(void)state;
	paging.cr0 = 1;
	memcpy(low + sizeof(low) - 3, "end", 3);
	assert_int_equal(guest_read_linear(&paging, at, buf, 15), 3);
	assert_memory_equal(buf, "end\0", 4);
	assert_int_equal(guest_read_linear(&paging, at + 3, buf, 15), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_paging, setup),
		cmocka_unit_test_setup(leaves_of_4_levels, setup),
		cmocka_unit_test_setup(not_present_in_4_levels, setup),
		cmocka_unit_test_setup(tables_outside_of_ram, setup),
		cmocka_unit_test_setup(tables_in_a_circle, setup),
		cmocka_unit_test_setup(leaves_of_pae, setup),
		cmocka_unit_test_setup(leaves_of_32_bits, setup),
		cmocka_unit_test_setup(no_pse, setup),
		cmocka_unit_test_setup(reading_across_pages, setup),
		cmocka_unit_test_setup(reading_at_the_end_of_ram, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
