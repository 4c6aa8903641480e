/* sources: guest/assign/bars.c hv/memory_map.c hv/vmx/trap.c */
#include "guest/assign/assigned.h"
#include "guest/assign/bars.h"
#include "guest/assign/ports.h"
#include "hv/guest_layout.h"
#include "hv/vmx/below.h"
#include "hv/vmx/ept.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/trap.h"
#include "tests/unit/support.h"
#include <stdlib.h>
#include <string.h>

struct guest guest;
struct vpci_room assigned_room;

/* What EPT was told: the sum of what is mapped, and the next call's result. */
static u64 ept_mapped;
static int ept_result;

int ept_add(const struct region *region)
{
	ept_mapped += region->size;
	return ept_result;
}

void ept_remove(gpa_t gpa, u64 size)
{
	(void)gpa;
	ept_mapped -= size;
}

static unsigned int services, table_writes, polls;
static int service_result;

int assigned_service(const struct assigned *a)
{
	(void)a;
	services++;
	return service_result;
}

void assign_poll(void)
{
	polls++;
}

u64 msix_table_read(struct msix *m, u32 offset, unsigned int size)
{
	(void)m;
	return 0x1000 + offset + size;
}

void msix_table_write(struct msix *m, u32 offset, unsigned int size, u64 value)
{
	(void)m, (void)offset, (void)size, (void)value;
	table_writes++;
}

int assigned_map_ports(struct vpci_function *v, unsigned int bar, u64 address)
{
	(void)v, (void)bar, (void)address;
	return -ENODEV; /* nothing else here says so */
}

static bool keeps_read_only;

bool below_keeps_read_only(void)
{
	return keeps_read_only;
}

const char *below_signature(void)
{
	return "BelowBelow";
}

static struct pci_function fn;
static struct assigned a;
static u8 *device; /* BAR 3 */

#define BAR0 GUEST_PCI_WINDOW
#define BAR3 (GUEST_PCI_WINDOW + 0x100000)

/* BAR 0: 16 KiB, all mapped.  BAR 3: 16 KiB, the MSI-X table of 3 vectors at
 * 2010h. */
static int setup(void **state)
{
	(void)state;
	memset(&guest, 0, sizeof(guest));
	trap_reset();
	ept_mapped = 0;
	ept_result = 0;
	services = table_writes = polls = 0;
	service_result = 0;
	keeps_read_only = true;
	test_log_clear();
	device = aligned_alloc(PAGE_SIZE, 4 * PAGE_SIZE);
	memset(device, 0x5a, 4 * PAGE_SIZE);
	fn = (struct pci_function){
		.bar = {[0] = {.base = 0xe000020000, .size = 0x4000},
			[3] = {.base = (hpa_t)device, .size = 0x4000}},
	};
	a = (struct assigned){
		.fn = &fn,
		.msix = {.fn = &fn,
			 .vectors = 3,
			 .real_vectors = 3,
			 .table_bar = 3,
			 .table_offset = 0x2010},
		.vpci = {.fn = &fn, .ctx = &a},
	};
	assert_int_equal(assigned_find_trapped_pages(&a), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(device);
	return 0;
}

static int map_at(unsigned int bar, u64 address)
{
	int err = assigned_map_bar(&a.vpci, bar, address);

	if (!err)
		a.vpci.bar[bar].mapped = address;
	return err;
}

static hpa_t backed_by(u64 gpa)
{
	const struct region *r = memory_map_find(&guest.map, gpa);

	return r ? r->hpa + (gpa - r->gpa) : 0;
}

static bool is_trapped(u64 gpa)
{
	u64 value;

	return trap_memory_access(gpa, 4, false, &value, NULL);
}

static void maps_all_but_the_table(void **state)
{
	(void)state;
	assert_int_equal(map_at(0, BAR0), 0);
	assert_int_equal(map_at(3, BAR3), 0);
	assert_int_equal(backed_by(BAR0), 0xe000020000);
	assert_int_equal(backed_by(BAR0 + 0x3fff), 0xe000023fff);
	assert_int_equal(backed_by(BAR3 + 0x1fff), (hpa_t)device + 0x1fff);
	assert_int_equal(backed_by(BAR3 + 0x2000), 0);
	assert_int_equal(backed_by(BAR3 + 0x3000), (hpa_t)device + 0x3000);
	assert_true(is_trapped(BAR3 + 0x2000));
	assert_false(is_trapped(BAR3 + 0x1000));
	assert_int_equal(ept_mapped, 0x4000 + 0x3000);
}

static void unmaps_what_it_mapped(void **state)
{
	(void)state;
	map_at(0, BAR0);
	map_at(3, BAR3);
	assert_int_equal(assigned_map_bar(&a.vpci, 3, 0), 0);
	assert_false(is_trapped(BAR3 + 0x2000));
	assert_int_equal(backed_by(BAR3 + 0x3000), 0);
	assert_int_equal(backed_by(BAR0), 0xe000020000);
	assert_int_equal(ept_mapped, 0x4000);
}

/* BAR 0 where BAR 3 is: nothing of BAR 3 may go. */
static void refused_move_leaves_the_other(void **state)
{
	(void)state;
	map_at(3, BAR3);
	for (int page = -3; page <= 3; page++) {
		/* A BAR's own alignment forbids most of these, not all */
		assert_int_equal(map_at(0, BAR3 + page * (s64)PAGE_SIZE),
				 -EEXIST);
		assert_true(is_trapped(BAR3 + 0x2000));
		assert_int_equal(backed_by(BAR3), (hpa_t)device);
		assert_int_equal(backed_by(BAR3 + 0x3000),
				 (hpa_t)device + 0x3000);
		assert_int_equal(ept_mapped, 0x3000);
		assert_int_equal(guest.map.count, 2);
	}
}

static void refused_second_part_undoes_the_first(void **state)
{
	struct trap_range other = {BAR3 + 0x2000, 0x1000, NULL, NULL,
				   STAT_CAUSE_NONE};

	(void)state;
	/* Another's page where the table would be */
	assert_int_equal(trap_memory(&other), 0);
	assert_int_equal(map_at(3, BAR3), -EEXIST);
	assert_int_equal(ept_mapped, 0);
	assert_int_equal(guest.map.count, 0);
	/* It is still there */
	assert_int_equal(trap_memory(&other), -EEXIST);
}

static void no_memory_for_ept(void **state)
{
	(void)state;
	ept_result = -ENOMEM;
	assert_int_equal(map_at(0, BAR0), -ENOMEM);
	assert_non_null(strstr(test_log, "BAR 0 does not work for the guest: "
					 "no memory"));
	assert_int_equal(guest.map.count, 0);
	assert_int_equal(ept_mapped, 0);
}

static void only_inside_the_window(void **state)
{
	u64 end = GUEST_PCI_WINDOW + GUEST_PCI_WINDOW_SIZE;

	(void)state;
	assert_int_equal(map_at(0, GUEST_PCI_WINDOW - 0x4000), -EINVAL);
	assert_int_equal(map_at(0, end - 0x3000), -EINVAL);
	assert_int_equal(map_at(0, end), -EINVAL);
	assert_int_equal(map_at(0, ~0ULL - 0x3fff), -EINVAL);
	assert_int_equal(map_at(0, end - 0x4000), 0);
}

/* The guest may try again and again: one line. */
static void says_once_that_there_is_no_room(void **state)
{
	struct trap_range other = {0x1000, 0x1000, NULL, NULL, STAT_CAUSE_NONE};

	(void)state;
	while (trap_memory(&other) == 0)
		other.start += other.size;
	assert_int_equal(map_at(3, BAR3), -ENOSPC);
	assert_non_null(strstr(test_log, "BAR 3 does not work for the guest"));
	assert_int_equal(ept_mapped, 0);
	assert_int_equal(guest.map.count, 0);
	test_log_clear();
	assert_int_equal(map_at(3, BAR3), -ENOSPC);
	assert_int_equal(map_at(0, 1), -EINVAL);
	assert_string_equal(test_log, "");
	/* It works when there is room */
	trap_memory_remove(0x1000);
	assert_int_equal(map_at(3, BAR3), 0);
}

/* What shares the page with the table is the device's. */
static void page_of_the_table(void **state)
{
	u64 value = 0x11223344;

	(void)state;
	map_at(3, BAR3);
	trap_memory_access(BAR3 + 0x2010, 4, true, &value, NULL);
	assert_int_equal(table_writes, 1);
	assert_int_equal(services, 0);
	assert_int_equal(device[0x2010], 0x5a);
	trap_memory_access(BAR3 + 0x2014, 4, false, &value, NULL);
	assert_int_equal(value, 0x1000 + 4 + 4);
	value = 0x11223344;
	trap_memory_access(BAR3 + 0x2040, 4, true, &value, NULL);
	assert_int_equal(table_writes, 1);
	assert_int_equal(device[0x2040], 0x44);
	assert_int_equal(services, 1);
	/* Across its first and last byte: dropped */
	value = ~0ULL;
	trap_memory_access(BAR3 + 0x200c, 8, true, &value, NULL);
	trap_memory_access(BAR3 + 0x203c, 8, true, &value, NULL);
	assert_int_equal(device[0x200c], 0x5a);
	assert_int_equal(device[0x2040], 0x44);
	assert_int_equal(table_writes, 1);
}

/* Less than a page: what else is on the real page is not to be seen, nor
 * where the guest's BAR ends. */
static void small_bar(void **state)
{
	enum stat_cause cause;
	u64 value = 0x11223344;

	(void)state;
	fn.bar[1] =
		(struct pci_bar){.base = (hpa_t)device + 0x100, .size = 0x100};
	a.trapped_count = 0;
	assert_int_equal(assigned_find_trapped_pages(&a), 0);
	assert_int_equal(map_at(1, BAR0 + 0x5300), 0);
	assert_int_equal(ept_mapped, 0);
	assert_int_equal(guest.map.count, 0);
	assert_true(trap_memory_access(BAR0 + 0x5300, 4, true, &value, &cause));
	assert_int_equal(cause, STAT_CAUSE_BAR);
	assert_int_equal(device[0x100], 0x44);
	assert_true(trap_memory_access(BAR0 + 0x53ff, 1, true, &value, NULL));
	assert_int_equal(device[0x1ff], 0x44);
	assert_false(trap_memory_access(BAR0 + 0x53fe, 4, true, &value, NULL));
	assert_false(is_trapped(BAR0 + 0x52ff));
	assert_false(is_trapped(BAR0 + 0x5400));
	assert_int_equal(map_at(1, 0), 0);
	assert_false(is_trapped(BAR0 + 0x5300));
}

/* The MSI-X table in a BAR of less than a page stays ours. */
static void small_bar_with_the_table(void **state)
{
	u64 value = 0x11223344;

	(void)state;
	fn.bar[1] =
		(struct pci_bar){.base = (hpa_t)device + 0x800, .size = 0x800};
	a.trapped_count = 0;
	a.msix.table_bar = 1;
	a.msix.table_offset = 0x400;
	assert_int_equal(assigned_find_trapped_pages(&a), 0);
	assert_int_equal(a.trapped_count, 1);
	assert_int_equal(map_at(1, BAR0), 0);
	assert_true(trap_memory_access(BAR0 + 0x400, 4, true, &value, NULL));
	assert_int_equal(table_writes, 1);
	assert_int_equal(device[0xc00], 0x5a);
	assert_true(trap_memory_access(BAR0 + 0x430, 4, true, &value, NULL));
	assert_int_equal(device[0xc30], 0x44);
	assert_false(is_trapped(BAR0 + 0x800));
}

/* An access that finds the PF gone has all functions looked at. */
static void looks_when_the_pf_is_gone(void **state)
{
	u64 value = 1;

	(void)state;
	map_at(3, BAR3);
	trap_memory_access(BAR3 + 0x2040, 4, true, &value, NULL);
	assert_int_equal(polls, 0);
	service_result = -ENODEV;
	trap_memory_access(BAR3 + 0x2040, 4, true, &value, NULL);
	assert_int_equal(polls, 1);
}

static const struct pf_registers writable[] = {{0x0c, 0x17}, {0x24, 0x37}};
static const struct pf_trapped_page guarded[] = {
	{3, 0x1000, NULL, 0}, {3, 0, writable, ARRAY_SIZE(writable)}};
static const struct pf_driver guard = {.trapped = guarded,
				       .trapped_count = ARRAY_SIZE(guarded)};

static void guard_registers(void)
{
	a.pf_driver = &guard;
	a.trapped_count = 0;
	assert_int_equal(assigned_find_trapped_pages(&a), 0);
	assert_int_equal(map_at(3, BAR3), 0);
}

/* A byte of the BAR that the guest wrote @size bytes of at @offset */
static u8 written(u32 offset, unsigned int size)
{
	u64 value = 0x1111111111111111;

	memset(device, 0x5a, 4 * PAGE_SIZE);
	assert_true(
		trap_memory_access(BAR3 + offset, size, true, &value, NULL));
	return device[offset];
}

/* Reads go straight to the device; a write must lie in one of the ranges. */
static void guards_registers(void **state)
{
	(void)state;
	guard_registers();
	assert_int_equal(backed_by(BAR3 + 0x20), (hpa_t)device + 0x20);
	assert_int_equal(written(0x0c, 4), 0x11);
	assert_int_equal(written(0x10, 8), 0x11);
	assert_int_equal(written(0x17, 1), 0x11);
	assert_int_equal(written(0x30, 8), 0x11);
	assert_null(strstr(test_log, "ignored"));
	services = 0;
	assert_int_equal(written(0x20, 4), 0x5a);
	assert_int_equal(written(0x0b, 1), 0x5a);
	assert_int_equal(written(0x08, 8), 0x5a);
	assert_int_equal(device[0x0c], 0x5a);
	assert_int_equal(written(0x14, 8), 0x5a);
	assert_int_equal(written(0x18, 1), 0x5a);
	assert_int_equal(written(0x36, 4), 0x5a);
	assert_int_equal(written(0xff8, 8), 0x5a);
	assert_int_equal(services, 0);
	assert_non_null(strstr(test_log, "wrote to offset 20h of BAR 3"));
	assert_null(strstr(test_log, "offset bh")); /* said once */
	/* The other page has no such list */
	assert_int_equal(written(0x1020, 4), 0x11);
	assert_int_equal(services, 1);
}

/* Whatever else the page is trapped for */
static void guards_the_tables_page(void **state)
{
	(void)state;
	a.msix.table_offset = 0x100;
	guard_registers();
	assert_int_equal(written(0x110, 4), 0x5a);
	assert_int_equal(table_writes, 1);
	assert_int_equal(written(0x20, 4), 0x5a);
	assert_int_equal(written(0x24, 4), 0x11);
}

/* The PF driver's page of BAR 3 is its first. */
static void map_with_pf_page(void)
{
	static const struct pf_trapped_page page = {3, 0, NULL, 0};
	static const struct pf_driver pf = {.trapped = &page,
					    .trapped_count = 1};

	a.trapped_count = 0;
	a.pf_driver = &pf;
	assert_int_equal(assigned_find_trapped_pages(&a), 0);
	assert_int_equal(map_at(3, BAR3), 0);
}

static void pf_page_is_read_directly(void **state)
{
	(void)state;
	map_with_pf_page();
	assert_int_equal(backed_by(BAR3), (hpa_t)device);
	assert_int_equal(memory_map_find(&guest.map, BAR3)->kind,
			 REGION_BAR_READ);
	assert_true(is_trapped(BAR3));
	assert_string_equal(test_log, "");
}

/* Where a write to a page that can be read may be lost, it cannot be read. */
static void pf_page_below_which_writes_are_lost(void **state)
{
	enum stat_cause cause;
	u64 value;

	(void)state;
	keeps_read_only = false;
	map_with_pf_page();
	assert_int_equal(backed_by(BAR3), 0);
	assert_int_equal(backed_by(BAR3 + 0x1000), (hpa_t)device + 0x1000);
	assert_int_equal(ept_mapped, 0x2000);
	assert_true(trap_memory_access(BAR3, 4, false, &value, &cause));
	assert_int_equal(value, 0x5a5a5a5a);
	assert_int_equal(cause, STAT_CAUSE_PF_MAILBOX);
	assert_non_null(strstr(test_log, "BelowBelow"));
	assert_int_equal(map_at(3, 0), 0);
	assert_false(is_trapped(BAR3));
	assert_int_equal(ept_mapped, 0);
}

static void table_too_large(void **state)
{
	(void)state;
	a.trapped_count = 0;
	a.msix.real_vectors = 15 * PAGE_SIZE / MSIX_ENTRY_SIZE;
	a.msix.table_offset = 0;
	assert_int_equal(assigned_find_trapped_pages(&a), -ENOSPC);
	assert_non_null(strstr(test_log, "more than 14 pages"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(guards_registers, setup,
						teardown),
		cmocka_unit_test_setup_teardown(guards_the_tables_page, setup,
						teardown),
		cmocka_unit_test_setup_teardown(maps_all_but_the_table, setup,
						teardown),
		cmocka_unit_test_setup_teardown(unmaps_what_it_mapped, setup,
						teardown),
		cmocka_unit_test_setup_teardown(refused_move_leaves_the_other,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			refused_second_part_undoes_the_first, setup, teardown),
		cmocka_unit_test_setup_teardown(no_memory_for_ept, setup,
						teardown),
		cmocka_unit_test_setup_teardown(only_inside_the_window, setup,
						teardown),
		cmocka_unit_test_setup_teardown(says_once_that_there_is_no_room,
						setup, teardown),
		cmocka_unit_test_setup_teardown(page_of_the_table, setup,
						teardown),
		cmocka_unit_test_setup_teardown(small_bar, setup, teardown),
		cmocka_unit_test_setup_teardown(small_bar_with_the_table, setup,
						teardown),
		cmocka_unit_test_setup_teardown(looks_when_the_pf_is_gone,
						setup, teardown),
		cmocka_unit_test_setup_teardown(pf_page_is_read_directly, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			pf_page_below_which_writes_are_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(table_too_large, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
