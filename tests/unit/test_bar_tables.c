/* sources: guest/assign/bars.c hv/memory_map.c hv/vmx/trap.c hv/paging.c hv/vmx/ept_format.c */
#include "guest/assign/assigned.h"
#include "guest/assign/bars.h"
#include "guest/assign/ports.h"
#include "hv/guest_layout.h"
#include "hv/vmx/below.h"
#include "hv/vmx/ept.h"
#include "hv/vmx/ept_format.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/trap.h"
#include "tests/unit/support.h"
#include <string.h>

/* BARs anywhere in the guest's window, with as many pages for tables as
 * Gangway sets aside for them and no more. */

#define WINDOW_END (GUEST_PCI_WINDOW + GUEST_PCI_WINDOW_SIZE)
#define SMALL (16 * KIB)
#define FUNCTIONS 8

struct guest guest;
struct vpci_room assigned_room;

/* As hv/vmx/ept.c, for a guest without processors */
int ept_add(const struct region *r)
{
	return pt_map(&guest.ept, r->gpa, r->hpa, r->size, PT_READ);
}

void ept_remove(gpa_t gpa, u64 size)
{
	assert_int_equal(pt_unmap(&guest.ept, gpa, size), 0);
	pt_release(&guest.ept);
}

int assigned_service(const struct assigned *a)
{
	(void)a;
	return 0;
}

void assign_poll(void)
{
}

u64 msix_table_read(struct msix *m, u32 offset, unsigned int size)
{
	(void)m, (void)offset, (void)size;
	return 0;
}

void msix_table_write(struct msix *m, u32 offset, unsigned int size, u64 value)
{
	(void)m, (void)offset, (void)size, (void)value;
}

int assigned_map_ports(struct vpci_function *v, unsigned int bar, u64 address)
{
	(void)v, (void)bar, (void)address;
	return -ENODEV;
}

bool below_keeps_read_only(void)
{
	return true;
}

const char *below_signature(void)
{
	return NULL;
}

static struct pci_function fn[FUNCTIONS];
static struct assigned a[FUNCTIONS];

/* An empty guest with RAM, so that what is above its window's is there; then
 * the pages that @functions functions have set aside. */
static void start(unsigned int functions, unsigned int high, bool large)
{
	memset(&guest, 0, sizeof(guest));
	memset(fn, 0, sizeof(fn));
	memset(a, 0, sizeof(a));
	trap_reset();
	test_log_clear();
	test_pages_left = SIZE_MAX;
	assert_int_equal(pt_init(&guest.ept, &ept_format, 4,
				 large ? BIT(1) | BIT(2) | BIT(3) : BIT(1),
				 false),
			 0);
	assert_int_equal(
		pt_map(&guest.ept, 0, 4 * GIB, 2 * MIB, PT_READ | PT_WRITE), 0);
	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		a[i].fn = a[i].vpci.fn = &fn[i];
		a[i].vpci.ctx = &a[i];
	}
	test_pages_left = assigned_table_pages(functions, high, large);
}

static int finish(void **state)
{
	(void)state;
	test_pages_left = SIZE_MAX;
	pt_destroy(&guest.ept);
	return 0;
}

static void give(unsigned int i, unsigned int bar, u64 size)
{
	fn[i].bar[bar] = (struct pci_bar){
		.base = 64 * GIB + (i * PCI_BARS + bar) * GIB, .size = size};
}

static void move(unsigned int i, unsigned int bar, u64 address)
{
	if (a[i].vpci.bar[bar].mapped)
		assert_int_equal(assigned_map_bar(&a[i].vpci, bar, 0), 0);
	a[i].vpci.bar[bar].mapped = address;
	if (address)
		assert_int_equal(assigned_map_bar(&a[i].vpci, bar, address), 0);
}

/* One function that needs as many tables as one can: five BARs far apart, and
 * a large one with all its trapped pages far apart. */
static void one_function(void **state)
{
	(void)state;
	start(1, 0, true);
	for (unsigned int bar = 0; bar < 5; bar++)
		give(0, bar, SMALL);
	give(0, 5, 64 * MIB);
	for (unsigned int i = 0; i < ASSIGNED_TRAPPED_MAX; i++)
		a[0].trapped[a[0].trapped_count++] = (struct trapped_page){
			&a[0], 5, i * 4 * MIB + PAGE_SIZE, false, 0};
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int bar = 0; bar < 5; bar++)
			move(0, bar,
			     WINDOW_END - (round * 5 + bar + 1) * 2 * MIB);
		move(0, 5, GUEST_PCI_WINDOW + round * 64 * MIB);
	}
	/* The bound is not far from the truth: they have one page over */
	assert_int_equal(test_pages_left, 1);
	for (unsigned int bar = 0; bar < PCI_BARS; bar++)
		move(0, bar, 0);
	assert_int_equal(test_pages_left, assigned_table_pages(1, 0, true));
}

/* Each BAR of every function in the reach of a table of its own */
static void all_functions(bool large)
{
	start(FUNCTIONS, 0, large);
	for (unsigned int n = 0; n < FUNCTIONS * PCI_BARS; n++)
		give(n / PCI_BARS, n % PCI_BARS, SMALL);
	for (unsigned int round = 0; round < 4; round++)
		for (unsigned int n = 0; n < FUNCTIONS * PCI_BARS; n++)
			move(n / PCI_BARS, n % PCI_BARS,
			     GUEST_PCI_WINDOW + (n * 4 + round) * 2 * MIB +
				     round * SMALL);
	assert_string_equal(test_log, "");
}

static void large_pages(void **state)
{
	(void)state;
	all_functions(true);
}

/* Without leaves of 2 MiB the whole window may need tables. */
static void small_pages(void **state)
{
	(void)state;
	all_functions(false);
	finish(state);
	start(1, 0, false);
	give(0, 0, GUEST_PCI_WINDOW_SIZE);
	move(0, 0, GUEST_PCI_WINDOW);
	assert_int_equal(test_pages_left, 0);
}

/* It is said, once; and works when there is memory. */
static void too_few(void **state)
{
	(void)state;
	start(1, 0, true);
	test_pages_left = 1;
	give(0, 0, SMALL);
	assert_int_equal(assigned_map_bar(&a[0].vpci, 0, GUEST_PCI_WINDOW),
			 -ENOMEM);
	assert_non_null(strstr(test_log, "BAR 0 does not work for the guest: "
					 "no memory is left for page tables"));
	assert_int_equal(guest.map.count, 0);
	test_log_clear();
	assert_int_equal(assigned_map_bar(&a[0].vpci, 0, GUEST_PCI_WINDOW),
			 -ENOMEM);
	assert_string_equal(test_log, "");
	test_pages_left = 8;
	assert_int_equal(assigned_map_bar(&a[0].vpci, 0, GUEST_PCI_WINDOW), 0);
}

#define HIGH (512 * GIB)

/* As vpci_init() does, in a window of @size from HIGH on */
static void give_high(unsigned int bar, u64 at, u64 size, u64 window)
{
	assigned_room.high_start = HIGH;
	assigned_room.high_end = HIGH + window;
	fn[0].bar[bar] = (struct pci_bar){.base = HIGH + at, .size = size};
	a[0].vpci.bar[bar].high = true;
}

/* A graphics card with 128 GiB: leaves of 1 GiB but where there are trapped
 * pages, and as many tables as one can need. */
static void a_large_bar(void **state)
{
	const u64 window = 1024 * GIB;
	struct pt_step step[4];

	(void)state;
	start(1, 1, true);
	give_high(0, 0, 128 * GIB, window);
	give_high(2, 512 * GIB, SMALL, window);
	give_high(4, 513 * GIB, 2 * MIB, window);
	for (unsigned int i = 0; i < ASSIGNED_TRAPPED_MAX; i++)
		a[0].trapped[a[0].trapped_count++] = (struct trapped_page){
			&a[0], 0, i * 256 * MIB + PAGE_SIZE, false, 0};
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int bar = 0; bar < 6; bar += 2)
			move(0, bar, fn[0].bar[bar].base);
		assert_int_equal(pt_walk(&guest.ept, HIGH + 127 * GIB, step),
				 2);
		assert_int_equal(step[1].entry & PT_ADDR_MASK,
				 HIGH + 127 * GIB);
		/* The low window's are untouched */
		assert_in_range(test_pages_left,
				assigned_table_pages(1, 0, true), SIZE_MAX);
		for (unsigned int bar = 0; bar < 6; bar += 2)
			move(0, bar, 0);
	}
	assert_int_equal(test_pages_left, assigned_table_pages(1, 1, true));
}

/* A BAR stays in the window that it was in at first. */
static void each_in_its_window(void **state)
{
	(void)state;
	start(1, 1, true);
	give(0, 0, SMALL);
	give_high(2, 0, GIB, 2 * GIB);
	move(0, 2, HIGH);
	move(0, 2, HIGH + GIB);
	move(0, 2, 0);
	assert_int_equal(assigned_map_bar(&a[0].vpci, 2, HIGH + 2 * GIB),
			 -EINVAL);
	assert_int_equal(assigned_map_bar(&a[0].vpci, 2, HIGH + GIB + 2 * MIB),
			 -EINVAL);
	assert_int_equal(assigned_map_bar(&a[0].vpci, 2, GUEST_PCI_WINDOW),
			 -EINVAL);
	assert_int_equal(assigned_map_bar(&a[0].vpci, 0, HIGH), -EINVAL);
}

static void no_function(void **state)
{
	(void)state;
	assert_int_equal(assigned_table_pages(0, 0, true), 0);
	assert_int_equal(assigned_table_pages(0, 0, false), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(one_function, finish),
		cmocka_unit_test_teardown(large_pages, finish),
		cmocka_unit_test_teardown(small_pages, finish),
		cmocka_unit_test_teardown(too_few, finish),
		cmocka_unit_test_teardown(a_large_bar, finish),
		cmocka_unit_test_teardown(each_in_its_window, finish),
		cmocka_unit_test(no_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
