/* sources: hv/acpi_tables.c drivers/pci/mcfg.c hv/host_ranges.c */
#define _GNU_SOURCE
#include "drivers/pci/mcfg.h"
#include "hv/acpi_tables.h"
#include "hv/host_ranges.h"
#include "tests/unit/support.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Memory below 4 GiB, for the RSDT's pointers: tables end where a page does,
 * and behind each is a page that cannot be read.
 */
#define MAX_TABLES 8
static u8 *arena;
static struct {
	u8 *at;
	size_t size;
} table[MAX_TABLES];
static unsigned int table_count;

static int make_arena(void **state)
{
	(void)state;
	arena = mmap(NULL, 2 * MAX_TABLES * 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (arena == MAP_FAILED)
		return -1;
	for (unsigned int i = 0; i < MAX_TABLES; i++)
		if (mprotect(arena + (2 * i + 1) * 4096, 4096, PROT_NONE))
			return -1;
	return 0;
}

static int forget_tables(void **state)
{
	(void)state;
	table_count = 0;
	test_log_clear();
	return 0;
}

static u8 *put(const void *bytes, size_t size)
{
	u8 *at = arena + (2 * table_count + 1) * 4096 - size;

	assert_in_range(table_count, 0, MAX_TABLES - 1);
	assert_in_range(size, 1, 4096);
	memcpy(at, bytes, size);
	table[table_count].at = at;
	table[table_count++].size = size;
	return at;
}

/* Only what put() placed can be read. */
static int map(hpa_t base, u64 size)
{
	for (unsigned int i = 0; i < table_count; i++)
		if (base >= (u64)table[i].at &&
		    base - (u64)table[i].at < table[i].size &&
		    size <= table[i].size - (base - (u64)table[i].at))
			return 0;
	return -EINVAL;
}

static void fix_sum(u8 *bytes, size_t size, size_t sum_at)
{
	u8 sum = 0;

	bytes[sum_at] = 0;
	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
	bytes[sum_at] = -sum;
}

static void set32(u8 *at, u32 value)
{
	for (unsigned int i = 0; i < 4; i++)
		at[i] = value >> 8 * i;
}

static void set64(u8 *at, u64 value)
{
	set32(at, (u32)value);
	set32(at + 4, value >> 32);
}

/* A table of @size bytes that says it has @length. */
static u8 *put_table(const char *signature, const void *body, size_t size,
		     u32 length)
{
	u8 bytes[4096] = {0};

	memcpy(bytes, signature, 4);
	set32(bytes + 4, length);
	memcpy(bytes + 36, body, size - 36);
	fix_sum(bytes, size, 9);
	return put(bytes, size);
}

static u8 *put_empty(const char *signature)
{
	return put_table(signature, "", 36, 36);
}

static u8 *put_xsdt(const u64 *pointers, unsigned int count, unsigned int odd)
{
	u8 body[1024];

	for (unsigned int i = 0; i < count; i++)
		set64(body + 8 * i, pointers[i]);
	memset(body + 8 * count, 0xff, odd);
	return put_table("XSDT", body, 36 + 8 * count + odd,
			 36 + 8 * count + odd);
}

static u8 *put_rsdt(u64 pointer)
{
	u8 body[4];

	set32(body, (u32)pointer);
	return put_table("RSDT", body, 40, 40);
}

static hpa_t put_rsdp(u8 revision, u64 rsdt, u64 xsdt)
{
	u8 bytes[36] = "RSD PTR ";
	size_t size = revision >= 2 ? 36 : 20;

	bytes[15] = revision;
	set32(bytes + 16, (u32)rsdt);
	fix_sum(bytes, 20, 8);
	set32(bytes + 20, 36);
	set64(bytes + 24, xsdt);
	fix_sum(bytes, 36, 32);
	return (hpa_t)put(bytes, size);
}

static const void *find(hpa_t rsdp, const char *signature)
{
	acpi_init(rsdp, map);
	return acpi_table(signature);
}

static const void *find_by_xsdt(const u8 *t, const char *signature)
{
	u64 pointer = (u64)t;

	return find(put_rsdp(2, 0, (u64)put_xsdt(&pointer, 1, 0)), signature);
}

/* --- The way to a table --------------------------------------------------- */

static void by_xsdt(void **state)
{
	u64 pointers[3];
	hpa_t rsdp;

	(void)state;
	pointers[0] = (u64)put_empty("FACP");
	pointers[1] = (u64)put_empty("APIC");
	pointers[2] = (u64)put_empty("MCFG");
	rsdp = put_rsdp(2, (u64)put_rsdt(pointers[0]),
			(u64)put_xsdt(pointers, 3, 0));
	for (unsigned int i = 0; i < 3; i++)
		assert_ptr_equal(find(rsdp, (char *)pointers[i]),
				 (void *)pointers[i]);
	assert_null(find(rsdp, "DMAR"));
	assert_string_equal(test_log, "");
}

static void by_rsdt_in_acpi_1(void **state)
{
	u8 *madt = put_empty("APIC");

	(void)state;
	/* 20 bytes, and nothing behind them that could be read */
	assert_ptr_equal(find(put_rsdp(0, (u64)put_rsdt((u64)madt), 0), "APIC"),
			 madt);
}

static void by_rsdt_where_the_xsdt_is_broken(void **state)
{
	u8 *madt = put_empty("APIC");
	u64 nothing = 0;
	u8 *xsdt = put_xsdt(&nothing, 1, 0);
	hpa_t rsdp = put_rsdp(2, (u64)put_rsdt((u64)madt), (u64)xsdt);

	(void)state;
	assert_null(find(rsdp, "APIC"));
	/* The second sum of the RSDP, over all 36 bytes */
	((u8 *)rsdp)[33] ^= 1;
	assert_ptr_equal(find(rsdp, "APIC"), madt);
	((u8 *)rsdp)[33] ^= 1;
	xsdt[20] ^= 1;
	assert_ptr_equal(find(rsdp, "APIC"), madt);
	assert_non_null(strstr(test_log, "XSDT"));
	assert_non_null(strstr(test_log, "checksum"));
	memcpy(xsdt, "XSDX", 4);
	fix_sum(xsdt, 44, 9);
	assert_ptr_equal(find(rsdp, "APIC"), madt);
}

/* Revision 2, but only the 20 bytes of revision 0 are there. */
static void rsdp_cut_short(void **state)
{
	u8 *madt = put_empty("APIC");
	u8 bytes[20];

	(void)state;
	memcpy(bytes, (void *)put_rsdp(0, (u64)put_rsdt((u64)madt), 0), 20);
	bytes[15] = 2;
	fix_sum(bytes, 20, 8);
	assert_ptr_equal(find((hpa_t)put(bytes, 20), "APIC"), madt);
}

static void broken_rsdp(void **state)
{
	u8 *madt = put_empty("APIC");
	u8 *rsdp = (u8 *)put_rsdp(0, (u64)put_rsdt((u64)madt), 0);

	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		rsdp[i] ^= 0x10;
		assert_null(find((hpa_t)rsdp, "APIC"));
		rsdp[i] ^= 0x10;
	}
	assert_non_null(strstr(test_log, "RSDP"));
	assert_ptr_equal(find((hpa_t)rsdp, "APIC"), madt);
	assert_null(find(0, "APIC"));
	assert_null(find((hpa_t)rsdp + 1, "APIC")); /* 19 bytes are left */
	assert_null(find(~0ULL - 7, "APIC"));
}

static void no_root_table(void **state)
{
	(void)state;
	assert_null(find(put_rsdp(2, 0, 0), "APIC"));
	assert_null(find(put_rsdp(2, 0x1000, ~0ULL - 10), "APIC"));
	assert_non_null(strstr(test_log, "neither XSDT nor RSDT"));
	/* Each in the place of the other */
	forget_tables(state);
	assert_null(find(put_rsdp(2, (u64)put_xsdt(NULL, 0, 0),
				  (u64)put_rsdt((u64)put_empty("APIC"))),
			 "APIC"));
}

static void lengths_that_make_no_sense(void **state)
{
	static const u32 length[] = {0,		 1,	    8,	     35,
				     41,	 4096,	    4 << 20, 4 << 21,
				     0x80000000, 0xffffffff};

	for (unsigned int i = 0; i < ARRAY_SIZE(length); i++) {
		forget_tables(state);
		assert_null(find_by_xsdt(
			put_table("APIC", "\0\0\0", 40, length[i]), "APIC"));
		assert_non_null(strstr(test_log, "length"));
		/* The same said by the XSDT */
		forget_tables(state);
		assert_null(find(put_rsdp(2, 0,
					  (u64)put_table("XSDT", "\0\0\0", 40,
							 length[i])),
				 "APIC"));
	}
}

static void a_sound_table_behind_a_broken_one(void **state)
{
	u64 pointers[5] = {0, 0x10, ~0ULL - 35};

	(void)state;
	pointers[3] = (u64)put_empty("APIC");
	pointers[4] = (u64)put_empty("APIC");
	((u8 *)pointers[3])[35] ^= 1;
	assert_ptr_equal(
		find(put_rsdp(2, 0, (u64)put_xsdt(pointers, 5, 7)), "APIC"),
		(void *)pointers[4]);
	assert_non_null(strstr(test_log, "checksum"));
}

static void no_table_but_half_a_pointer(void **state)
{
	(void)state;
	for (unsigned int odd = 0; odd < 8; odd++) {
		forget_tables(state);
		assert_null(find(put_rsdp(2, 0, (u64)put_xsdt(NULL, 0, odd)),
				 "APIC"));
	}
}

/* --- MADT ----------------------------------------------------------------- */

#define LAPIC(uid, id, flags) 0, 8, uid, id, flags, 0, 0, 0
#define X2APIC(id0, id3, flags)                                                \
	9, 16, 0, 0, id0, 0, 0, id3, flags, 0, 0, 0, 9, 9, 9, 9
#define IOAPIC(id, base2, gsi) 1, 12, id, 0, 0, 0, base2, 0xfe, gsi, 0, 0, 0
#define OVERRIDE(irq, gsi) 2, 10, 0, irq, gsi, 0, 0, 0, 0xd, 0
#define BYTES(...)                                                             \
	((const u8[]){__VA_ARGS__}), sizeof((const u8[]){__VA_ARGS__})

/* @size bytes of structures, in an allocation of the exact size. */
static struct acpi_header *madt_of(const u8 *structures, size_t size)
{
	u8 *madt = calloc(1, 44 + size);

	assert_non_null(madt);
	memcpy(madt, "APIC", 4);
	set32(madt + 4, 44 + size);
	memcpy(madt + 44, structures, size);
	return (struct acpi_header *)madt;
}

static void expect_cpus(const u8 *structures, size_t size, unsigned int count,
			const u32 *ids)
{
	struct acpi_header *madt = madt_of(structures, size);
	u32 *found = calloc(count + 1, sizeof(*found));

	assert_int_equal(acpi_cpus(madt, found, count + 1), count);
	assert_memory_equal(found, ids, count * sizeof(*ids));
	free(found);
	free(madt);
}

static void processors(void **state)
{
	(void)state;
	expect_cpus(BYTES(LAPIC(0, 0, 1), LAPIC(1, 2, 1), LAPIC(2, 4, 0),
			  LAPIC(3, 6, 2), X2APIC(0x80, 1, 1), X2APIC(8, 0, 2),
			  LAPIC(9, 8, 3)),
		    4, (const u32[]){0, 2, 0x1000080, 8});
	/* Other structures between them, and one of a type that is not known */
	expect_cpus(BYTES(IOAPIC(0, 0xc0, 0), LAPIC(0, 5, 1), OVERRIDE(0, 2),
			  0xee, 3, 0, LAPIC(1, 6, 1)),
		    2, (const u32[]){5, 6});
	expect_cpus((const u8 *)"", 0, 0, NULL);
}

static void processors_once_and_never_all(void **state)
{
	(void)state;
	expect_cpus(BYTES(LAPIC(0, 3, 1), LAPIC(1, 3, 1), X2APIC(3, 0, 1),
			  LAPIC(2, 4, 1)),
		    2, (const u32[]){3, 4});
	/* 0xff as an x2APIC ID is an ordinary one */
	expect_cpus(BYTES(LAPIC(0, 0xff, 1), X2APIC(0xff, 0, 1), 9, 16, 0, 0,
			  0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0),
		    1, (const u32[]){0xff});
}

static void no_more_processors_than_fit(void **state)
{
	struct acpi_header *madt =
		madt_of(BYTES(LAPIC(0, 1, 1), LAPIC(1, 2, 1), LAPIC(2, 3, 1)));
	u32 *ids = malloc(2 * sizeof(*ids));

	(void)state;
	assert_int_equal(acpi_cpus(madt, ids, 0), 0);
	assert_int_equal(acpi_cpus(madt, ids, 1), 1);
	assert_int_equal(acpi_cpus(madt, ids, 2), 2);
	assert_int_equal(ids[1], 2);
	free(ids);
	free(madt);
}

static void structures_that_lie(void **state)
{
	static const u8 lengths[] = {0, 1, 9, 0x80, 0xff};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++)
		expect_cpus(
			BYTES(LAPIC(0, 7, 1), 0, lengths[i], 0, 8, 1, 0, 0, 0),
			1, (const u32[]){7});
	/* Shorter than its type is: not a processor, but the next one counts */
	expect_cpus(BYTES(0, 7, 0, 1, 1, 0, 0, 9, 15, 0, 0, 1, 0, 0, 0, 1, 0, 0,
			  0, 0, 0, 0, LAPIC(0, 7, 1)),
		    1, (const u32[]){7});
	expect_cpus(BYTES(0), 0, NULL);
	expect_cpus(BYTES(LAPIC(0, 7, 1), 0), 1, (const u32[]){7});
}

static void madt_without_its_own_fields(void **state)
{
	struct acpi_ioapic ioapic;

	(void)state;
	for (u32 length = 36; length < 46; length++) {
		u8 *madt = calloc(1, length);
		const struct acpi_header *h = (const void *)madt;
		u32 id, at = 0;

		assert_non_null(madt);
		set32(madt + 4, length);
		assert_int_equal(acpi_cpus(h, &id, 1), 0);
		assert_false(acpi_next_ioapic(h, &at, &ioapic));
		assert_int_equal(acpi_isa_gsi(h, 4), 4);
		free(madt);
	}
}

static void ioapic_and_overrides(void **state)
{
	struct acpi_header *madt = madt_of(
		BYTES(LAPIC(0, 0, 1), 1, 11, 9, 0, 0, 0, 0, 0, 0, 0, 0,
		      IOAPIC(2, 0xc0, 24), IOAPIC(3, 0xc1, 48), 2, 9, 0, 4, 9,
		      0, 0, 0, 0, OVERRIDE(0, 2), OVERRIDE(4, 20)));
	struct acpi_ioapic ioapic;
	u32 at = 0;

	(void)state;
	assert_true(acpi_next_ioapic(madt, &at, &ioapic));
	assert_int_equal(ioapic.id, 2);
	assert_true(ioapic.base == 0xfec00000);
	assert_int_equal(ioapic.gsi_base, 24);
	assert_true(acpi_next_ioapic(madt, &at, &ioapic));
	assert_int_equal(ioapic.id, 3);
	assert_true(ioapic.base == 0xfec10000);
	assert_false(acpi_next_ioapic(madt, &at, &ioapic));
	assert_int_equal(acpi_isa_gsi(madt, 0), 2);
	assert_int_equal(acpi_isa_gsi(madt, 4), 20);
	assert_int_equal(acpi_isa_gsi(madt, 1), 1);
	free(madt);
	madt = madt_of(BYTES(LAPIC(0, 0, 1)));
	at = 0;
	assert_false(acpi_next_ioapic(madt, &at, &ioapic));
	free(madt);
}

/* --- MCFG and FADT -------------------------------------------------------- */

static void ecam_ranges(void **state)
{
	static const u8 ranges[] = {/* base, segment, first and last bus */
				    0, 0, 0, 0xb0, 0, 0, 0, 0,	  0, 0, 0, 255,
				    0, 0, 0, 0,	   0, 0, 0, 0xc0, 1, 0, 0, 0,
				    2, 1, 9, 8,	   0, 0, 0, 0,	  0, 0, 0, 0xd0,
				    1, 0, 0, 0,	   2, 1, 8, 8,	  0, 0, 0, 0};
	struct pci_ecam *ecam = calloc(2, sizeof(*ecam));

	(void)state;
	for (size_t cut = 0; cut <= sizeof(ranges); cut++) {
		/* MADT and MCFG both have 8 bytes before the first entry */
		struct acpi_header *mcfg = madt_of(ranges, cut);

		assert_int_equal(mcfg_ecam(mcfg, ecam, 2),
				 (cut >= 16) + (cut >= 48));
		assert_int_equal(mcfg_ecam(mcfg, ecam, 1), cut >= 16);
		assert_int_equal(mcfg_ecam(mcfg, ecam, 0), 0);
		if (cut == 48)
			assert_int_equal(mcfg_ecam(mcfg, ecam, 2), 2);
		free(mcfg);
	}
	assert_true(ecam[0].base == 0xb0000000 && ecam[1].base == 0x1d0000000);
	assert_int_equal(ecam[0].end_bus, 255);
	assert_int_equal(ecam[1].segment, 0x102);
	assert_int_equal(ecam[1].start_bus, 8);
	free(ecam);
}

/* All of it, however many there are */
static void ecam_is_noted_as_taken(void **state)
{
	static const u8 ranges[] = {0,	 0, 0, 0xb0, 0, 0, 0, 0, 0,    0, 0,
				    255, 0, 0, 0,    0, 0, 0, 0, 0xd0, 1, 0,
				    0,	 0, 2, 1,    8, 9, 0, 0, 0,    0};
	struct acpi_header *mcfg = madt_of(ranges, sizeof(ranges));

	(void)state;
	mcfg_take(mcfg);
	assert_null(host_range_of(0xaffff000, 0x1000));
	assert_non_null(host_range_of(0xb0000000, 0x1000));
	assert_non_null(host_range_of(0xbffff000, 0x1000));
	assert_null(host_range_of(0xc0000000, 0x1000));
	/* From the bus that it starts with */
	assert_null(host_range_of(0x1d07ff000, 0x1000));
	assert_non_null(host_range_of(0x1d0800000, 0x1000));
	assert_non_null(host_range_of(0x1d09ff000, 0x1000));
	assert_null(host_range_of(0x1d0a00000, 0x1000));
	free(mcfg);
}

static void local_apic_and_hpet(void **state)
{
	u8 table[56] = {[36] = 0, 0, 0xe0, 0xfe, [44] = 0, 0, 0xd0, 0xfe, 1};
	const struct acpi_header *h = (const void *)table;

	(void)state;
	set32(table + 4, sizeof(table));
	assert_true(acpi_local_apic(h) == 0xfee00000);
	assert_true(acpi_hpet(h) == 0x1fed00000);
	set32(table + 4, 55);
	assert_true(acpi_hpet(h) == 0);
	set32(table + 4, 43);
	assert_true(acpi_local_apic(h) == 0);
}

static u16 pm_timer(u32 size, u32 block, u8 length)
{
	u8 fadt[276] = {0};
	u8 *copy = malloc(size);
	u16 port;

	assert_non_null(copy);
	set32(fadt + 4, size);
	set32(fadt + 76, block);
	fadt[91] = length;
	memcpy(copy, fadt, size);
	port = acpi_pm_timer((const struct acpi_header *)copy);
	free(copy);
	return port;
}

static void pm_timer_port(void **state)
{
	(void)state;
	assert_int_equal(pm_timer(276, 0x608, 4), 0x608);
	assert_int_equal(pm_timer(92, 0xb008, 4), 0xb008);
	assert_int_equal(pm_timer(276, 0x608, 0), 0);
	assert_int_equal(pm_timer(276, 0x608, 3), 0);
	assert_int_equal(pm_timer(276, 0x10608, 4), 0); /* no port is that */
	for (u32 size = 36; size < 92; size++)
		assert_int_equal(pm_timer(size, 0x608, 4), 0);
}

/* A FADT of @size bytes, of which those at @at are @bytes and byte @length_at
 * is @length: has it part of four ports from 608h on? */
static bool has_ports(u32 size, unsigned int at, const u8 bytes[12],
		      unsigned int length_at, u8 length)
{
	u8 fadt[276] = {0};
	u8 *copy = malloc(size);
	bool has;

	assert_non_null(copy);
	memcpy(fadt + at, bytes, 12);
	if (length_at)
		fadt[length_at] = length;
	set32(fadt + 4, size);
	memcpy(copy, fadt, size);
	has = acpi_fadt_has_ports((const struct acpi_header *)copy, 0x608, 4);
	free(copy);
	return has;
}

/* Table 5-33: the fields with a port, those with a generic address, and where
 * the length of each is, in bytes */
static void fadt_ports(void **state)
{
	static const u8 plain[][2] = {{48, 0},	{56, 88}, {60, 88}, {64, 89},
				      {68, 89}, {72, 90}, {80, 92}, {84, 93}};
	static const u16 generic[][2] = {
		{116, 0},  {148, 88}, {160, 88}, {172, 89}, {184, 89},
		{196, 90}, {220, 92}, {232, 93}, {244, 0},  {256, 0}};
	const u8 none[12] = {0}, inside[12] = {0x0b, 6}, before[12] = {4, 6},
		 behind[12] = {0x0c, 6};
	const u8 address[12] = {1, 8, 0, 1, 0x0b, 6},
		 in_memory[12] = {0, 8, 0, 1, 0x0b, 6};

	(void)state;
	assert_false(has_ports(276, 48, none, 0, 0));
	assert_true(has_ports(115, 48, none, 0, 0)); /* shorter than 1.0 */
	assert_false(has_ports(116, 48, none, 0, 0));
	for (unsigned int i = 0; i < ARRAY_SIZE(plain); i++) {
		u8 at = plain[i][0], length_at = plain[i][1];

		assert_true(has_ports(116, at, inside, length_at, 1));
		assert_false(has_ports(116, at, behind, length_at, 16));
		assert_false(has_ports(116, at, before, length_at, 4));
		if (length_at) {
			assert_true(has_ports(116, at, before, length_at, 5));
			assert_false(has_ports(116, at, inside, length_at, 0));
		}
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(generic); i++) {
		u16 at = generic[i][0], length_at = generic[i][1];

		assert_true(has_ports(276, at, address, length_at, 1));
		assert_false(has_ports(276, at, in_memory, length_at, 1));
		/* Not there in a shorter one */
		assert_false(has_ports(at + 11u < 116 ? 116 : at + 11u, at,
				       address, length_at, 1));
	}
	/* The timer's own fields are no other's */
	assert_false(has_ports(276, 76, inside, 91, 4));
	assert_false(has_ports(276, 208, address, 91, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(by_xsdt, forget_tables),
		cmocka_unit_test_setup(by_rsdt_in_acpi_1, forget_tables),
		cmocka_unit_test_setup(by_rsdt_where_the_xsdt_is_broken,
				       forget_tables),
		cmocka_unit_test_setup(rsdp_cut_short, forget_tables),
		cmocka_unit_test_setup(broken_rsdp, forget_tables),
		cmocka_unit_test_setup(no_root_table, forget_tables),
		cmocka_unit_test(lengths_that_make_no_sense),
		cmocka_unit_test_setup(a_sound_table_behind_a_broken_one,
				       forget_tables),
		cmocka_unit_test(no_table_but_half_a_pointer),
		cmocka_unit_test(processors),
		cmocka_unit_test(processors_once_and_never_all),
		cmocka_unit_test(no_more_processors_than_fit),
		cmocka_unit_test(structures_that_lie),
		cmocka_unit_test(madt_without_its_own_fields),
		cmocka_unit_test(ioapic_and_overrides),
		cmocka_unit_test(ecam_ranges),
		cmocka_unit_test(ecam_is_noted_as_taken),
		cmocka_unit_test(local_apic_and_hpet),
		cmocka_unit_test(pm_timer_port),
		cmocka_unit_test(fadt_ports),
	};

	return cmocka_run_group_tests(tests, make_arena, NULL);
}
