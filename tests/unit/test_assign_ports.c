/* sources: guest/assign/ports.c hv/vmx/trap.c drivers/pci/pci.c drivers/pci/pci_bars.c drivers/pci/pci_caps.c drivers/pci/pci_room.c hv/host_ranges.c tests/unit/pci_model.c drivers/pci/pci_facts.c */
#include "drivers/port.h"
#include "guest/assign/assigned.h"
#include "guest/assign/ports.h"
#include "guest/vpci_bus.h"
#include "hv/guest_layout.h"
#include "hv/vmx/trap.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include <string.h>

/* The last access to a real port */
static struct {
	u16 port;
	unsigned int size;
	bool write;
	u32 value;
} seen;

u32 port_read(u16 port, unsigned int size)
{
	seen.port = port;
	seen.size = size;
	seen.write = false;
	return 0x89abcdef;
}

void port_write(u16 port, unsigned int size, u32 value)
{
	seen.port = port;
	seen.size = size;
	seen.write = true;
	seen.value = value;
}

static struct assigned a;

static void find(void)
{
	struct pci_ecam ecam = model_ecam();

	assert_int_equal(pci_enumerate(&ecam, 1), 0);
	a = (struct assigned){
		.fn = pci_find((struct pci_addr){.bus = 2, .devfn = 0})};
	assert_non_null(a.fn);
	a.vpci.ctx = &a;
	test_log_clear();
}

/* 02:00.0 with BAR0 in memory, BAR1 7000h 256 ports, BAR2 7140h 64, behind a
 * switch at 01:00.0, which leads to 7000h-7fffh, behind a root port, which
 * leads to 7000h-8fffh; beside it a root port to 9000h-9fffh. */
static int set_up(void **state)
{
	(void)state;
	trap_reset();
	memset(&seen, 0, sizeof(seen));
	model_reset(4);
	model_add(0, 0x08, 0x1b36, 0x000c, 0x060400);
	model_bridge(0, 0x08, 1, 2);
	model_set16(0, 0x08, PCI_IO_WINDOW, 0x8070, 0);
	model_add(1, 0, 0x104c, 0x8232, 0x060400);
	model_bridge(1, 0, 2, 2);
	model_set16(1, 0, PCI_IO_WINDOW, 0x7171, 0); /* 32 bits of address */
	model_add(0, 0x10, 0x1b36, 0x000c, 0x060400);
	model_bridge(0, 0x10, 3, 3);
	model_set16(0, 0x10, PCI_IO_WINDOW, 0x9090, 0);
	model_add(2, 0, 0x1234, 0x5678, 0x00ff00);
	model_set32(2, 0, PCI_BAR(0), 0xc0000000, 0xfffff000);
	model_set32(2, 0, PCI_BAR(1), 0x7001, 0xffffff00);
	model_set32(2, 0, PCI_BAR(2), 0x7141, 0xffffffc0);
	find();
	return 0;
}

static void given(void)
{
	find();
	assigned_check_ports(a.fn);
	assert_int_equal(a.fn->bar[1].size, 256);
	assert_int_equal(a.fn->bar[2].size, 64);
	assert_string_equal(test_log, "");
}

static void not_given(const char *words)
{
	find();
	assigned_check_ports(a.fn);
	assert_int_equal(a.fn->bar[1].size, 0);
	assert_int_equal(a.fn->bar[2].size, 0);
	assert_int_equal(a.fn->bar[0].size, PAGE_SIZE);
	assert_non_null(strstr(test_log, words));
}

static void given_if_every_bridge_leads_there(void **state)
{
	(void)state;
	given();
	/* Both, or none: decoding is one bit */
	model_set32(2, 0, PCI_BAR(2), 0x8001, 0xffffffc0);
	not_given("ports 0x8000 to 0x803f are not led to it alone");
	/* The switch would, the root port does not */
	model_set16(1, 0, PCI_IO_WINDOW, 0xa171, 0);
	model_set32(2, 0, PCI_BAR(2), 0xa001, 0xffffffc0);
	not_given("ports 0xa000 to 0xa03f");
	/* Upper halves of the switch's window */
	model_set32(2, 0, PCI_BAR(2), 0x7141, 0xffffffc0);
	given();
	model_set32(1, 0, PCI_IO_WINDOW_HIGH, 0x00010001, 0);
	not_given("ports 0x7140 to 0x717f");
	/* Closed */
	model_set32(1, 0, PCI_IO_WINDOW_HIGH, 0, 0);
	model_set16(1, 0, PCI_IO_WINDOW, 0x71f1, 0);
	not_given("ports 0x7140 to 0x717f");
}

/* A bridge with ISA Enable leaves x100h to x3ffh of each 1024 ports alone. */
static void isa_ports_are_not_given(void **state)
{
	(void)state;
	model_set16(1, 0, 0x3e, 0x0004, 0);
	not_given("ports 0x7140 to 0x717f");
	model_set32(2, 0, PCI_BAR(2), 0x73c1, 0xffffffc0);
	not_given("ports 0x73c0 to 0x73ff");
	model_set32(2, 0, PCI_BAR(2), 0x74c1, 0xffffffc0);
	given(); /* with 7000h to 70ffh */
	model_set32(2, 0, PCI_BAR(1), 0x7801, 0xfffffe00);
	not_given("ports 0x7800 to 0x79ff");
	/* The bridge above it, and no other bit */
	model_set32(2, 0, PCI_BAR(1), 0x7001, 0xffffff00);
	model_set32(2, 0, PCI_BAR(2), 0x7141, 0xffffffc0);
	model_set16(1, 0, 0x3e, 0xfffb, 0);
	given();
	model_set16(0, 0x08, 0x3e, 0x0004, 0);
	not_given("ports 0x7140 to 0x717f");
}

static void machine_ports_are_not_given(void **state)
{
	(void)state;
	model_set16(0, 0x08, PCI_IO_WINDOW, 0x8000, 0);
	model_set16(1, 0, PCI_IO_WINDOW, 0x8101, 0);
	given();
	model_set32(2, 0, PCI_BAR(2), 0x0fc1, 0xffffffc0);
	not_given("ports 0xfc0 to 0xfff");
	model_set32(2, 0, PCI_BAR(2), 0x0001, 0xffffffc0); /* no address */
	not_given("ports 0x0 to 0x3f");
	/* Beyond the last port */
	model_set16(0, 0x08, PCI_IO_WINDOW, 0xf101, 0);
	model_set32(0, 0x08, PCI_IO_WINDOW_HIGH, 0xffff0000, 0);
	model_set16(1, 0, PCI_IO_WINDOW, 0xf101, 0);
	model_set32(1, 0, PCI_IO_WINDOW_HIGH, 0xffff0000, 0);
	model_set32(2, 0, PCI_BAR(2), 0x7141, 0xffffffc0);
	given();
	model_set32(2, 0, PCI_BAR(2), 0x10001, 0xffffffc0);
	not_given("ports 0x10000 to 0x1003f");
}

static void what_others_have_is_not_given(void **state)
{
	(void)state;
	model_add(2, 0x08, 0x1234, 0x5678, 0x00ff00);
	model_set32(2, 0x08, PCI_BAR(5), 0x7101, 0xffffffe0);
	given();
	model_set32(2, 0x08, PCI_BAR(5), 0x7161, 0xffffffe0);
	not_given("ports 0x7140 to 0x717f");
	model_set32(2, 0x08, PCI_BAR(5), 0x7101, 0xffffffe0);
	model_set16(0, 0x10, PCI_IO_WINDOW, 0x9070, 0);
	not_given("ports 0x7140 to 0x717f");
}

/* Nothing says which ports of the root bus are the chipset's. */
static void without_a_bridge_they_are_not_given(void **state)
{
	(void)state;
	model_set16(0, 0x08, PCI_IO_WINDOW, 0x9090, 0);
	model_set16(1, 0, PCI_IO_WINDOW, 0x9191, 0);
	find();
	a.fn->parent = NULL;
	assigned_check_ports(a.fn);
	assert_int_equal(a.fn->bar[1].size, 0);
}

static void bridges_above_forward_ports(void **state)
{
	(void)state;
	find();
	pci_enable_path(a.fn);
	assert_int_equal(model_get16(1, 0, PCI_COMMAND) & 7, 7);
	assert_int_equal(model_get16(0, 0x08, PCI_COMMAND) & 7, 7);
	set_up(NULL);
	a.fn->parent->bar[0] = a.fn->bar[1]; /* its own are no matter */
	a.fn->bar[1].size = a.fn->bar[2].size = 0;
	pci_enable_path(a.fn);
	assert_int_equal(model_get16(1, 0, PCI_COMMAND) & 7, 6);
}

static int map_at(unsigned int bar, u64 address)
{
	int err = assigned_map_ports(&a.vpci, bar, address);

	if (!err)
		a.vpci.bar[bar].mapped = address;
	return err;
}

static void accesses_reach_the_real_ports(void **state)
{
	enum stat_cause cause;
	u64 value = 0x1234;

	(void)state;
	assert_int_equal(map_at(1, 0xc100), 0);
	assert_true(trap_port_access(0xc10e, 2, true, &value, &cause));
	assert_int_equal(cause, STAT_CAUSE_BAR);
	assert_true(seen.write);
	assert_int_equal(seen.port, 0x700e);
	assert_int_equal(seen.size, 2);
	assert_int_equal(seen.value, 0x1234);
	assert_true(trap_port_access(0xc1ff, 1, false, &value, NULL));
	assert_int_equal(value, 0xef);
	assert_int_equal(seen.port, 0x70ff);
	/* Across the end, and behind it */
	memset(&seen, 0, sizeof(seen));
	assert_false(trap_port_access(0xc1fe, 4, true, &value, NULL));
	assert_false(trap_port_access(0xc200, 1, true, &value, NULL));
	assert_int_equal(seen.size, 0);
	assert_int_equal(map_at(1, 0), 0);
	assert_false(trap_port_access(0xc10e, 2, true, &value, NULL));
}

static void only_inside_the_window(void **state)
{
	(void)state;
	assert_int_equal(map_at(1, 0x300), -EINVAL);
	assert_int_equal(map_at(1, GUEST_PCI_IO_WINDOW - 0x100), -EINVAL);
	assert_int_equal(map_at(1, 0xcf01), -EINVAL);
	assert_int_equal(map_at(1, 0xd000), -EINVAL);
	assert_int_equal(map_at(1, 0x1c000), -EINVAL);
	assert_int_equal(map_at(1, 0xcf00), 0);
	assert_int_equal(map_at(2, 0xcfc0), -EEXIST);
	assert_int_equal(map_at(2, 0xcec0), 0);
}

/* Beside the ports of guest/platform.c */
static void all_functions_may_have_nothing_but_ports(void **state)
{
	static struct assigned all[VPCI_MAX_FUNCTIONS];
	struct trap_range platform = {0, 8, NULL, NULL, STAT_CAUSE_NONE};
	u64 at = GUEST_PCI_IO_WINDOW;

	(void)state;
	for (unsigned int i = 0; i < 6; i++, platform.start += 8)
		assert_int_equal(trap_ports(&platform), 0);
	for (unsigned int i = 0; i < VPCI_MAX_FUNCTIONS * PCI_BARS; i++) {
		struct assigned *which = &all[i / PCI_BARS];

		which->fn = a.fn;
		which->vpci.ctx = which;
		assert_int_equal(assigned_map_ports(&which->vpci, 2, at), 0);
		at += a.fn->bar[2].size;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(given_if_every_bridge_leads_there,
				       set_up),
		cmocka_unit_test_setup(isa_ports_are_not_given, set_up),
		cmocka_unit_test_setup(machine_ports_are_not_given, set_up),
		cmocka_unit_test_setup(what_others_have_is_not_given, set_up),
		cmocka_unit_test_setup(without_a_bridge_they_are_not_given,
				       set_up),
		cmocka_unit_test_setup(bridges_above_forward_ports, set_up),
		cmocka_unit_test_setup(accesses_reach_the_real_ports, set_up),
		cmocka_unit_test_setup(only_inside_the_window, set_up),
		cmocka_unit_test_setup(all_functions_may_have_nothing_but_ports,
				       set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
