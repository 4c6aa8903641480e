/* sources: hv/srat.c hv/acpi_tables.c hv/machine/nodes.c */
/* Which node has what, and what of it the guest has. */
#include "hv/cpu.h"
#include "hv/machine/nodes.h"
#include "hv/srat.h"
#include "hv/vmx/guest.h"
#include "tests/unit/support.h"
#include <stdlib.h>
#include <string.h>

struct guest guest;
struct cpu *cpus[MAX_CPUS];
unsigned int vcpu_count;

/* RSDP, XSDT and SRAT, as they stand in memory */
static u8 rsdp[36], xsdt[44];
static u8 *srat;
static u32 used;

static void finish(u8 *table, u32 length, u32 sum_at)
{
	u8 sum = 0;

	table[sum_at] = 0;
	for (u32 i = 0; i < length; i++)
		sum += table[i];
	table[sum_at] = -sum;
}

static void put(const void *bytes, size_t size)
{
	srat = realloc(srat, used + size);
	assert_non_null(srat);
	memcpy(srat + used, bytes, size);
	used += size;
}

static void put_number(u64 value, size_t size)
{
	put(&value, size);
}

static void begin(void)
{
	free(srat);
	srat = NULL;
	used = 0;
	put("SRAT", 4);
	for (unsigned int i = 4; i < 48; i++)
		put_number(0, 1);
	test_log_clear();
}

static void memory(u32 node, u64 base, u64 size, u32 flags)
{
	put_number(40 << 8 | 1, 2);
	put_number(node, 4);
	put_number(0, 2);
	put_number(base, 8);
	put_number(size, 8);
	put_number(0, 4);
	put_number(flags, 4);
	put_number(0, 8);
}

static void xapic(u32 node, u8 id, u32 flags)
{
	put_number(16 << 8 | 0, 2);
	put_number(node & 0xff, 1);
	put_number(id, 1);
	put_number(flags, 4);
	put_number(0, 1);
	put_number(node >> 8, 3);
	put_number(0, 4);
}

static void x2apic(u32 node, u32 id, u32 flags)
{
	put_number(24 << 8 | 2, 2);
	put_number(0, 2);
	put_number(node, 4);
	put_number(id, 4);
	put_number(flags, 4);
	put_number(0, 8);
}

static int map_all(hpa_t base, u64 size)
{
	(void)base;
	(void)size;
	return 0;
}

/* The table, found as the machine's are. */
static const struct acpi_header *end(void)
{
	u64 at = (u64)srat;
	u32 length = sizeof(xsdt);

	memcpy(srat + 4, &used, 4);
	finish(srat, used, 9);
	memcpy(xsdt, "XSDT", 4);
	memcpy(xsdt + 4, &length, 4);
	memcpy(xsdt + 36, &at, 8);
	finish(xsdt, sizeof(xsdt), 9);
	at = (u64)xsdt;
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = 2;
	memcpy(rsdp + 24, &at, 8);
	finish(rsdp, 20, 8);
	finish(rsdp, sizeof(rsdp), 32);
	acpi_init((hpa_t)rsdp, map_all);
	return acpi_table("SRAT");
}

static void has_guest(const struct region *region, unsigned int count,
		      const u32 *ids, unsigned int id_count)
{
	static struct cpu cpu[4];

	memset(&guest, 0, sizeof(guest));
	for (unsigned int i = 0; i < count; i++)
		guest.map.region[guest.map.count++] = region[i];
	for (vcpu_count = 0; vcpu_count < id_count; vcpu_count++) {
		cpu[vcpu_count].apic_id = ids[vcpu_count];
		cpus[vcpu_count] = &cpu[vcpu_count];
	}
}

static void ranges_of_memory(void **state)
{
	const struct acpi_header *table;
	struct srat_memory m;
	u32 at = 0;

	(void)state;
	begin();
	memory(7, 0x100000000, 0x40000000, 1);
	xapic(1, 3, 1);
	memory(1, 0x200000000, 0x40000000, 0); /* not enabled */
	memory(0x12345678, 0x300000000, 0, 3);
	table = end();
	assert_non_null(table);
	assert_true(srat_next_memory(table, &at, &m));
	assert_int_equal(m.node, 7);
	assert_true(m.base == 0x100000000 && m.size == 0x40000000);
	assert_true(srat_next_memory(table, &at, &m));
	assert_int_equal(m.node, 0x12345678);
	assert_false(srat_next_memory(table, &at, &m));
}

static void nodes_of_processors(void **state)
{
	const struct acpi_header *table;
	u32 node;

	(void)state;
	begin();
	xapic(0x030201, 3, 1);
	xapic(5, 4, 0);
	x2apic(6, 4, 1);
	x2apic(0x87654321, 1000, 1);
	table = end();
	assert_true(srat_processor(table, 3, &node));
	assert_int_equal(node, 0x030201);
	assert_true(srat_processor(table, 4, &node));
	assert_int_equal(node, 6);
	assert_true(srat_processor(table, 1000, &node));
	assert_int_equal(node, 0x87654321);
	assert_false(srat_processor(table, 5, &node));
}

/* Two pieces of RAM, one across the border of the nodes; registers count for
 * nothing. */
static void what_the_guest_has(void **state)
{
	const struct region region[] = {
		{.hpa = 0x3ff00000, .size = 0x300000, .kind = REGION_RAM},
		{.hpa = 0x50000000, .size = 0x500000, .kind = REGION_RAM},
		{.hpa = 0x60000000, .size = 0x700000, .kind = REGION_BAR},
	};
	const u32 ids[] = {0, 2, 256};

	(void)state;
	begin();
	memory(0, 0, 0x40000000, 1);
	memory(4, 0x40000000, 0x40000000, 1);
	xapic(0, 0, 1);
	xapic(0, 2, 1);
	x2apic(4, 256, 1);
	end();
	has_guest(region, 3, ids, 3);
	machine_log_nodes();
	assert_non_null(
		strstr(test_log, "guest: the machine has 2 NUMA nodes"));
	assert_non_null(strstr(
		test_log, "guest: node 0: 1 MiB of its RAM, 2 of its CPUs\n"
			  "guest: node 4: 7 MiB of its RAM, 1 of its CPUs\n"));
}

/* Nothing to say; and a range that would not end is cut. */
static void one_node(void **state)
{
	const struct region region = {
		.hpa = 0x100000, .size = 0x300000, .kind = REGION_RAM};

	(void)state;
	begin();
	memory(3, 0, 0x40000000, 1);
	memory(3, 0x100000000, 0x40000000, 1);
	memory(5, 0x200000000, 0x40000000, 0);
	end();
	has_guest(&region, 1, NULL, 0);
	machine_log_nodes();
	assert_string_equal(test_log, "");
	begin();
	memory(9, 0x1000, UINT64_MAX, 1);
	memory(8, 0, 0x1000, 1);
	end();
	machine_log_nodes();
	assert_non_null(strstr(test_log, "node 9: 3 MiB"));
}

/* Each cut of a table is read to its last whole structure (ASan). */
static void cut_tables(void **state)
{
	const u32 ids[] = {0};
	u32 whole;

	(void)state;
	for (u32 cut = 1; cut < 64; cut++) {
		begin();
		memory(0, 0, 0x40000000, 1);
		x2apic(0, 0, 1);
		whole = used;
		used = whole - cut;
		srat = realloc(srat, used);
		end();
		has_guest(NULL, 0, ids, 1);
		machine_log_nodes();
	}
	begin();
	put_number(24 << 8 | 1, 2); /* shorter than what it says it is */
	for (unsigned int i = 2; i < 24; i++)
		put_number(0xff, 1);
	end();
	machine_log_nodes();
	begin();
	put_number(0x0001, 2); /* of length 0 */
	end();
	machine_log_nodes();
	assert_string_equal(test_log, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_of_memory),
		cmocka_unit_test(nodes_of_processors),
		cmocka_unit_test(what_the_guest_has),
		cmocka_unit_test(one_node),
		cmocka_unit_test(cut_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
