/* sources: vtd/dmar.c */
#include "tests/unit/support.h"
#include "vtd/dmar.h"
#include <string.h>

static u8 table[32 * KIB];
static size_t used;
static struct dmar dmar;

static void put(const void *bytes, size_t size)
{
	memcpy(table + used, bytes, size);
	used += size;
}

#define PUT(...)                                                               \
	put((const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}))

/* A header as QEMU makes it: revision 1, 48 bits, INTR_REMAP. */
static void begin(void)
{
	memset(table, 0, sizeof(table));
	used = 0;
	test_log_clear();
	put("DMAR\0\0\0\0\1\0BOCHS BXPC    \1\0\0\0BXPC\1\0\0\0", 36);
	PUT(0x2f, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}

static void set_checksum(void)
{
	u8 sum = 0;

	table[9] = 0;
	for (size_t i = 0; i < used; i++)
		sum += table[i];
	table[9] = -sum;
}

static int finish(void)
{
	table[4] = used;
	table[5] = used >> 8;
	set_checksum();
	return dmar_parse(table, used, &dmar);
}

/* DRHD of 0xfed90000 with @size bytes of scopes to follow */
static void put_drhd(u8 flags, u8 segment, u8 scopes_size, u8 page)
{
	PUT(0, 0, 16 + scopes_size, 0, flags, 0, segment, 0, 0,
	    0x00 + (page << 4), 0xd9, 0xfe, 0, 0, 0, 0);
}

static void test_as_qemu(void **state)
{
	(void)state;
	begin();
	put_drhd(0, 0, 32, 0);
	PUT(3, 8, 0, 0, 0, 0xff, 0, 0);
	PUT(1, 8, 0, 0, 0, 0, 0x1f, 2);
	PUT(2, 16, 0, 0, 0, 0x80, 1, 0, 2, 3, 4, 5, 0x1f, 7, 0, 1);
	assert_int_equal(finish(), 0);
	assert_int_equal(dmar.address_width, 48);
	assert_true(dmar.intr_remap);
	assert_false(dmar.x2apic_opt_out);
	assert_int_equal(dmar.unit_count, 1);
	assert_int_equal(dmar.unit[0].base, 0xfed90000);
	assert_false(dmar.unit[0].include_all);
	assert_int_equal(dmar.unit[0].scope_count, 3);
	assert_int_equal(dmar.unit[0].scope[0].type, DMAR_SCOPE_IOAPIC);
	assert_int_equal(dmar.unit[0].scope[0].start_bus, 0xff);
	assert_int_equal(dmar.unit[0].scope[1].path_length, 1);
	assert_int_equal(dmar.unit[0].scope[1].path[0].device, 0x1f);
	assert_int_equal(dmar.unit[0].scope[1].path[0].function, 2);
	assert_int_equal(dmar.unit[0].scope[2].start_bus, 0x80);
	assert_int_equal(dmar.unit[0].scope[2].path_length, 5);
	assert_int_equal(dmar.unit[0].scope[2].path[3].device, 0x1f);
	assert_int_equal(dmar.unit[0].scope[2].path[4].function, 1);
}

static void test_several_units_and_rmrr(void **state)
{
	(void)state;
	begin();
	put_drhd(0, 0, 8, 0);
	PUT(1, 8, 0, 0, 0, 0, 2, 0);
	/* RMRR above 4 GiB: 0x1_2345_6000-0x1_2345_6fff */
	PUT(1, 0, 32, 0, 0, 0, 0, 0, 0x00, 0x60, 0x45, 0x23, 1, 0, 0, 0, 0xff,
	    0x6f, 0x45, 0x23, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x14, 0);
	put_drhd(1, 3, 0, 1);
	assert_int_equal(finish(), 0);
	assert_int_equal(dmar.unit_count, 2);
	assert_int_equal(dmar.unit[1].base, 0xfed91000);
	assert_int_equal(dmar.unit[1].segment, 3);
	assert_true(dmar.unit[1].include_all);
	assert_int_equal(dmar.unit[1].scope_count, 0);
	assert_int_equal(dmar.rmrr_count, 1);
	assert_int_equal(dmar.rmrr[0].base, 0x123456000);
	assert_int_equal(dmar.rmrr[0].limit, 0x123456fff);
	assert_int_equal(dmar.rmrr[0].scope_count, 1);
	assert_int_equal(dmar.rmrr[0].scope[0].path[0].device, 0x14);
}

static void test_others_are_skipped(void **state)
{
	(void)state;
	begin();
	PUT(2, 0, 8, 0, 0, 0, 0, 0);	   /* ATSR */
	PUT(5, 0, 8, 0, 0, 0, 0, 0);	   /* SATC */
	PUT(4, 0, 8, 0, 0, 0, 0, 1);	   /* ANDD */
	PUT(0x99, 0x12, 6, 0, 0xaa, 0xbb); /* unknown */
	put_drhd(1, 0, 8, 0);
	PUT(9, 8, 0, 0, 0, 0, 2, 0); /* unknown scope */
	assert_int_equal(finish(), 0);
	assert_int_equal(dmar.unit_count, 1);
	assert_int_equal(dmar.unit[0].scope_count, 0);
	assert_non_null(strstr(test_log, "offset 0x30: structure of ATSR"));
	assert_non_null(strstr(test_log, "SATC"));
	assert_non_null(strstr(test_log, "unknown type 4761"));
	assert_non_null(strstr(test_log, "device scope of unknown type 9"));
}

static void expect_refused(int error, const char *why)
{
	assert_int_equal(finish(), error);
	assert_non_null(strstr(test_log, why));
}

/* An entry is wrong, and the rest of the table stands. */
static void expect_dropped(const char *why)
{
	assert_int_equal(finish(), 0);
	assert_non_null(strstr(test_log, why));
	if (!strstr(why, "twice"))
		assert_int_equal(dmar.dropped_count + dmar.scopes_unknown +
					 dmar.rmrr_unknown,
				 1);
}

static void test_header(void **state)
{
	(void)state;
	begin();
	assert_int_equal(finish(), 0); /* empty is well-formed */
	table[20] ^= 1;
	assert_int_equal(dmar_parse(table, used, &dmar), -EINVAL);
	assert_non_null(strstr(test_log, "checksum"));
	begin();
	table[0] = 'X';
	expect_refused(-EINVAL, "signature");
	begin();
	assert_int_equal(finish(), 0);
	for (size_t size = 0; size < 48; size++)
		assert_int_equal(dmar_parse(table, size, &dmar), -EINVAL);
	begin();
	put_drhd(1, 0, 0, 0);
	assert_int_equal(finish(), 0);
	assert_int_equal(dmar_parse(table, used - 1, &dmar), -EINVAL);
	assert_non_null(strstr(test_log, "length is impossible"));
	begin();
	table[36] = 52;
	expect_refused(-EINVAL, "address width");
}

static void test_structure_lengths(void **state)
{
	(void)state;
	begin();
	PUT(0, 0, 0, 0);
	expect_refused(-EINVAL, "offset 0x30: structure of impossible length");
	begin();
	PUT(0, 0, 3, 0);
	expect_refused(-EINVAL, "impossible length");
	begin();
	PUT(7, 0, 0xff, 0xff);
	expect_refused(-EINVAL, "impossible length");
	begin();
	PUT(7, 0, 4);
	expect_refused(-EINVAL, "structure is cut off");
	begin();
	PUT(0, 0, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	expect_dropped("DRHD) is cut off");
	begin();
	PUT(1, 0, 8, 0, 0, 0, 0, 0);
	expect_dropped("RMRR) is cut off");
}

static void test_scope_lengths(void **state)
{
	(void)state;
	begin();
	put_drhd(0, 0, 6, 0);
	PUT(1, 6, 0, 0, 0, 0);
	expect_dropped("device scope is cut off");
	begin();
	put_drhd(0, 0, 8, 0);
	PUT(1, 0, 0, 0, 0, 0, 2, 0); /* zero length: must end */
	expect_dropped("offset 0x40: device scope of impossible");
	begin();
	put_drhd(0, 0, 9, 0);
	PUT(1, 9, 0, 0, 0, 0, 2, 0, 1);
	expect_dropped("device scope of impossible");
	begin();
	put_drhd(0, 0, 8, 0);
	PUT(1, 10, 0, 0, 0, 0, 2, 0); /* into the next structure */
	put_drhd(0, 0, 0, 1);
	expect_dropped("device scope of impossible");
	begin();
	put_drhd(0, 0, 8, 0);
	PUT(1, 8, 0, 0, 0, 0, 32, 0);
	expect_dropped("beyond 1f.7");
}

static void test_addresses(void **state)
{
	(void)state;
	begin();
	PUT(0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	expect_dropped("impossible address");
	begin();
	PUT(0, 0, 16, 0, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255);
	expect_dropped("impossible address");
	begin();
	PUT(0, 0, 16, 0, 1, 0, 0, 0, 0, 8, 0xd9, 0xfe, 0, 0, 0, 0);
	expect_dropped("impossible address");
	begin(); /* beyond the 48 bits of the host */
	PUT(0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0);
	expect_dropped("impossible address");
	begin();
	put_drhd(1, 0, 0, 0);
	put_drhd(0, 0, 0, 0);
	expect_dropped("listed twice");
	assert_int_equal(dmar.dropped_count, 0);
	assert_int_equal(dmar.unit_count, 1);
}

/* Limit below base: kept, for whom it names is what counts. */
static void test_impossible_extent(void **state)
{
	(void)state;
	begin();
	PUT(1, 0, 32, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0xff, 0x0f, 0,
	    0, 0, 0, 0, 0);
	PUT(1, 8, 0, 0, 0, 0, 2, 0);
	put_drhd(0, 0, 0, 1);
	assert_int_equal(finish(), 0);
	assert_non_null(strstr(test_log, "offset 0x30: reserved memory region "
					 "(RMRR) of impossible extent; what it "
					 "names cannot be assigned"));
	assert_int_equal(dmar.rmrr_count, 1);
	assert_int_equal(dmar.rmrr[0].scope[0].path[0].device, 2);
	assert_int_equal(dmar.unit_count, 1);
}

static void test_too_many(void **state)
{
	(void)state;
	begin();
	for (unsigned int i = 0; i <= DMAR_MAX_UNITS; i++)
		PUT(0, 0, 16, 0, 0, 0, 0, 0, 0, 0, (u8)(i + 1), (i + 1) >> 8, 0,
		    0, 0, 0);
	expect_dropped("more remapping units");
	begin();
	for (unsigned int i = 0; i <= DMAR_MAX_RMRRS; i++)
		PUT(1, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x0f,
		    0, 0, 0, 0, 0, 0);
	expect_dropped("more reserved memory");
	begin();
	PUT(0, 0, 0x18, 0x40, 0, 0, 0, 0, 0, 0, 0xd9, 0xfe, 0, 0, 0, 0);
	for (unsigned int i = 0; i <= DMAR_MAX_SCOPES; i++)
		PUT(1, 8, 0, 0, 0, 0, 2, 0);
	expect_dropped("more device scopes");
	begin();
	put_drhd(0, 0, 24, 0);
	PUT(1, 24, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0,
	    1, 0);
	expect_dropped("more hops");
}

/* Every single-byte change of a good table ends, within its bounds (ASan). */
static void test_every_byte_changed(void **state)
{
	(void)state;
	begin();
	put_drhd(0, 0, 8, 0);
	PUT(1, 8, 0, 0, 0, 0, 2, 0);
	PUT(1, 0, 32, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0xff, 0x1f, 0,
	    0, 0, 0, 0, 0, 1, 8, 0, 0, 0, 0, 2, 0);
	assert_int_equal(finish(), 0);
	for (size_t i = 0; i < used; i++)
		for (unsigned int value = 0; value < 256; value++) {
			u8 before = table[i];

			table[i] = value;
			set_checksum();
			dmar_parse(table, used, &dmar);
			table[i] = before;
			test_log_clear();
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_qemu),
		cmocka_unit_test(test_several_units_and_rmrr),
		cmocka_unit_test(test_others_are_skipped),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_structure_lengths),
		cmocka_unit_test(test_scope_lengths),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_impossible_extent),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_every_byte_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
