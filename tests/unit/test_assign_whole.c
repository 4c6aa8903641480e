/* sources: guest/assign/whole.c guest/vmsix.c hv/memory_map.c drivers/pci/pci_reset.c drivers/pci/pci.c drivers/pci/pci_bars.c drivers/pci/pci_caps.c drivers/pci/pci_room.c drivers/pci/pci_buses.c drivers/pci/sriov.c drivers/pci/sriov_bars.c drivers/pci/pci_windows.c tests/unit/pci_model.c drivers/pci/pci_facts.c */
#include "drivers/framebuffer.h"
#include "guest/assign/assigned.h"
#include "guest/assign/ports.h"
#include "guest/assign/table.h"
#include "guest/assign/whole.h"
#include "hv/guest_layout.h"
#include "hv/host_ranges.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/vmx.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include <string.h>

/* What is noted as taken, and what assign= names */
static struct host_range taken;
static struct pci_addr ours[2];
static unsigned int maps;
struct vmx_controls vmx;
struct guest guest;
/* A page of the screen, until it is given up */
static hpa_t screen;

const struct host_range *host_range_of(hpa_t base, u64 size)
{
	return ranges_overlap(base, size, taken.base, taken.size) ? &taken
								  : NULL;
}

void framebuffer_give_up(hpa_t base, u64 size)
{
	if (screen >= base && screen - base < size)
		screen = 0;
}

int assigned_map_for_host(const struct pci_function *fn)
{
	(void)fn;
	maps++;
	return 0;
}

bool is_assigned_whole(const struct pci_function *fn)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ours); i++)
		if (fn->addr.bus == ours[i].bus &&
		    fn->addr.devfn == ours[i].devfn)
			return true;
	return false;
}

static struct assigned a;

static void find(u8 bus, u8 devfn)
{
	struct pci_ecam ecam = model_ecam();

	assert_int_equal(pci_enumerate(&ecam, 1), 0);
	a = (struct assigned){.fn = pci_find((struct pci_addr){0, bus, devfn})};
	assert_non_null(a.fn);
}

/* A device with MSI at 01:00.0 below a root port at 00:01.0 whose window is
 * c0000000 to c01fffff; another port's begins there. */
static int set_up(void **state)
{
	(void)state;
	test_log_clear();
	model_written = NULL;
	maps = 0;
	taken = (struct host_range){0};
	screen = 0;
	ours[0] = ours[1] = (struct pci_addr){0, 1, 0};
	model_reset(3);
	for (u8 port = 1; port <= 2; port++) {
		model_add(0, port << 3, 0x1b36, 0x000c, 0x060400);
		model_bridge(0, port << 3, port, port);
		model_set32(0, port << 3, PCI_MEMORY_WINDOW,
			    port == 1 ? 0xc010c000 : 0xc030c020, 0);
		model_set16(0, port << 3, 0x3e, 0, 0xffff);
	}
	model_add(1, 0, 0x1234, 0x5678, 0x020000);
	model_set8(1, 0, 0x3d, 1, 0);
	model_set32(1, 0, 0x10, 0xc0000000, 0xffff0000);
	model_cap(1, 0, 0x50, 0x05, 0);
	find(1, 0);
	return 0;
}

void assigned_check_ports(struct pci_function *function)
{
	(void)function;
}

static int ready(void)
{
	int err;

	find(1, 0);
	err = assigned_check_whole(&a);
	return err ? err : assigned_make_whole_ready(&a);
}

static void said(const char *words)
{
	assert_non_null(strstr(test_log, words));
}

static void makes_ready(void **state)
{
	(void)state;
	assert_int_equal(ready(), 0);
	assert_int_equal(maps, 1);
	assert_int_equal(model_get16(1, 0, PCI_COMMAND), PCI_COMMAND_MEMORY);
	/* The way to it is open */
	assert_int_equal(model_get16(0, 0x08, PCI_COMMAND) & 6, 6);
	said("whole, secondary bus reset");
}

/* A PF whose VFs firmware enabled: nobody would know what they do. */
static void vfs_are_turned_off(void **state)
{
	(void)state;
	model_ext_cap(1, 0, 0x100, PCI_EXT_CAP_SRIOV, 0);
	model_set16(1, 0, 0x108, 0x0009, 0x0019); /* VF Enable, VF MSE */
	assert_int_equal(ready(), 0);
	assert_int_equal(model_get16(1, 0, 0x108), 0);
}

/* The bus is reset only if all of it is the guest's. */
static void neighbour(void **state)
{
	(void)state;
	model_set8(1, 0, PCI_HEADER_TYPE, 0x80, 0);
	model_add(1, 1, 0x1234, 0x5679, 0x020000);
	assert_int_equal(ready(), 0);
	said("no reset touches it alone");
	said("whole, no reset");
	test_log_clear();
	ours[1] = (struct pci_addr){0, 1, 1};
	assert_int_equal(ready(), 0);
	said("whole, secondary bus reset");
}

static void without_a_bridge_above(void **state)
{
	(void)state;
	model_add(0, 0x20, 0x1234, 0x11e8, 0x00ff00);
	find(0, 0x20);
	assert_int_equal(assigned_make_whole_ready(&a), 0);
	said("no reset touches it alone");
}

static void interrupts(void **state)
{
	(void)state;
	model_set8(1, 0, 0x50, 0x09, 0); /* no MSI */
	assert_int_equal(ready(), -EOPNOTSUPP);
	said("INTx interrupts alone");
	assert_int_equal(maps, 0);
	/* None at all is none too few */
	model_set8(1, 0, 0x3d, 0, 0);
	assert_int_equal(ready(), 0);
	model_set8(1, 0, 0x3d, 1, 0);
	model_set8(1, 0, 0x50, 0x11, 0);
	model_set32(1, 0, 0x58, 0x8000, 0); /* the PBA, behind the table */
	assert_int_equal(ready(), 0);
	/* A table that is nowhere */
	model_set32(1, 0, 0x54, 0x2, 0);
	maps = 0;
	assert_int_equal(ready(), -EOPNOTSUPP);
	said("its MSI-X table (BAR2+0) or PBA");
	assert_int_equal(maps, 0);
}

static void bridges(void **state)
{
	(void)state;
	find(0, 0x08);
	assert_int_equal(assigned_check_whole(&a), -EOPNOTSUPP);
	said("it is a bridge");
	/* A host bridge has the header of any function */
	test_log_clear();
	model_add(0, 0, 0x8086, 0x29c0, 0x060000);
	find(0, 0);
	assert_int_equal(assigned_check_whole(&a), -EOPNOTSUPP);
	said("it is a bridge");
}

/* All that drivers/pci/pci_room.c looks at; with the reason. */
static void bar_where_something_else_is(void **state)
{
	(void)state;
	taken = (struct host_range){0xc000f000, 0x1000, "RAM"};
	assert_int_equal(ready(), -EOPNOTSUPP);
	said("0000:01:00.0 (1234:5678): firmware put its BAR 0 (0xc0000000) on "
	     "RAM (0xc000f000-0xc000ffff)");
	assert_int_equal(maps, 0);
	taken.base = 0xc0010000;
	assert_int_equal(ready(), 0);
}

/* The guest's display takes the screen along. */
static void screen_goes_along(void **state)
{
	(void)state;
	screen = 0xc000f000;
	assert_int_equal(ready(), 0);
	assert_int_equal(screen, 0);
}

static void bar_without_an_address(void **state)
{
	(void)state;
	model_set32(1, 0, 0x10, 0, 0xffff0000);
	assert_int_equal(ready(), -EOPNOTSUPP);
	said("firmware gave its BAR 0 no address: turn on");
}

static void bar_too_large(void **state)
{
	(void)state;
	model_set32(1, 0, 0x10, 0x80000000, 0xc0000000);
	model_set32(0, 8, PCI_MEMORY_WINDOW, 0xbff08000, 0);
	assert_int_equal(ready(), -EOPNOTSUPP);
	said("its BAR 0 has 1024 MiB below 4 GiB, and the guest's PCI window "
	     "has 512 MiB: turn on \"Above 4G Decoding\"");
}

/* BAR 0 of 64 bits, 2^@order bytes at @base, which the port forwards */
static void set_high_bar(hpa_t base, unsigned int order)
{
	u64 mask = ~(BIT(order) - 1), last = base + BIT(order) - 1;

	model_set32(1, 0, 0x10, (u32)base | 0xc, (u32)mask & ~0xfU);
	model_set32(1, 0, 0x14, base >> 32, mask >> 32);
	model_set32(0, 8, PCI_PREFETCH_WINDOW,
		    (last >> 16 & 0xfff0) << 16 | (base >> 16 & 0xfff0) |
			    0x10001,
		    0);
	model_set32(0, 8, PCI_PREFETCH_BASE_HIGH, base >> 32, 0);
	model_set32(0, 8, PCI_PREFETCH_LIMIT_HIGH, last >> 32, 0);
}

static void large_bar_above_4_gib(void **state)
{
	(void)state;
	vmx.ept_vpid_cap = EPT_CAP_2M | EPT_CAP_1G;
	set_high_bar(0x38000000000, 37);
	assert_int_equal(ready(), 0);
	set_high_bar(0x38000000000, 39);
	assert_int_equal(ready(), 0);
	set_high_bar(0x100000000000, 40);
	assert_int_equal(ready(), -EOPNOTSUPP);
	said("its BAR 0 has 1048576 MiB, and Gangway forwards 512 GiB at most: "
	     "make it smaller in the set-up (\"Resizable BAR\")");
	set_high_bar(0x800000000000, 37);
	assert_int_equal(ready(), -EOPNOTSUPP);
	said("beyond 128 TiB, where Gangway does not reach: lower \"MMIO High "
	     "Base\"");
}

static void large_bar_needs_large_pages(void **state)
{
	(void)state;
	vmx.ept_vpid_cap = EPT_CAP_2M;
	set_high_bar(0x38000000000, 29);
	assert_int_equal(ready(), 0);
	set_high_bar(0x38000000000, 30);
	assert_int_equal(ready(), -EOPNOTSUPP);
	said("its BAR 0 has 1024 MiB, and this processor's EPT has no large "
	     "pages for it");
	vmx.ept_vpid_cap = 0;
	set_high_bar(0x38000000000, 26);
	assert_int_equal(ready(), -EOPNOTSUPP);
	/* A small one is in the low window */
	set_high_bar(0x38000000000, 25);
	assert_int_equal(ready(), 0);
}

static void large_bar_where_ram_is(void **state)
{
	(void)state;
	vmx.ept_vpid_cap = EPT_CAP_2M | EPT_CAP_1G;
	assert_int_equal(memory_map_add(&guest.map, GUEST_HIGH_RAM, 0,
					6 * GIB + 4 * KIB, REGION_RAM),
			 0);
	set_high_bar(10 * GIB, 30);
	assert_int_equal(ready(), -EOPNOTSUPP);
	said("its BAR 0 (0x280000000) is where the guest would have RAM: set "
	     "memory= in gangway.cfg to 9216M at most");
	set_high_bar(11 * GIB, 30);
	assert_int_equal(ready(), 0);
	guest.map.count = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(makes_ready, set_up),
		cmocka_unit_test_setup(vfs_are_turned_off, set_up),
		cmocka_unit_test_setup(neighbour, set_up),
		cmocka_unit_test_setup(without_a_bridge_above, set_up),
		cmocka_unit_test_setup(interrupts, set_up),
		cmocka_unit_test_setup(bridges, set_up),
		cmocka_unit_test_setup(bar_where_something_else_is, set_up),
		cmocka_unit_test_setup(screen_goes_along, set_up),
		cmocka_unit_test_setup(bar_without_an_address, set_up),
		cmocka_unit_test_setup(bar_too_large, set_up),
		cmocka_unit_test_setup(large_bar_above_4_gib, set_up),
		cmocka_unit_test_setup(large_bar_needs_large_pages, set_up),
		cmocka_unit_test_setup(large_bar_where_ram_is, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
