/* sources: drivers/pci/groups.c drivers/pci/pci_acs.c drivers/pci/pci.c drivers/pci/pci_bars.c drivers/pci/pci_caps.c tests/unit/pci_model.c drivers/pci/pci_facts.c */
#include "drivers/pci/groups.h"
#include "drivers/pci/pci_acs.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include <string.h>

#define ACS_AT 0x148
#define ACS_CTRL (ACS_AT + 6)
#define SV_RR_CR_UF 0x1d
#define ENDPOINT 0
#define ROOT_PORT 4
#define UPSTREAM 5
#define DOWNSTREAM 6
#define TO_PCI 7
#define INTEGRATED 9
#define DEVFN(device, function) ((device) << 3 | (function))

static struct pci_function *at(u8 bus, u8 devfn)
{
	struct pci_function *fn =
		pci_find((struct pci_addr){.bus = bus, .devfn = devfn});

	assert_non_null(fn);
	return fn;
}

static void add_pcie(u8 bus, u8 devfn, u8 type)
{
	model_cap(bus, devfn, 0x40, PCI_CAP_PCIE, 0);
	model_set16(bus, devfn, 0x42, type << 4 | 2, 0);
}

/* ACS that can do @can, of which @keeps can be turned on */
static void add_acs(u8 bus, u8 devfn, u16 can, u16 keeps)
{
	model_ext_cap(bus, devfn, 0x100, PCI_EXT_CAP_AER, ACS_AT);
	model_ext_cap(bus, devfn, ACS_AT, PCI_EXT_CAP_ACS, 0);
	model_set16(bus, devfn, ACS_AT + 4, can, 0);
	model_set16(bus, devfn, ACS_CTRL, 0, keeps);
}

static void add_endpoint(u8 bus, u8 devfn, u8 type)
{
	model_add(bus, devfn, 0x1b36, 0x0010, 0x010802);
	add_pcie(bus, devfn, type);
}

static void add_port(u8 bus, u8 devfn, u8 type, u8 secondary, u8 subordinate)
{
	model_add(bus, devfn, 0x1b36, 0x000c, 0x060400);
	model_bridge(bus, devfn, secondary, subordinate);
	add_pcie(bus, devfn, type);
}

static void make_multi(u8 bus, u8 devfn)
{
	model_set8(bus, devfn, PCI_HEADER_TYPE, 0x80, 0);
}

static void start(unsigned int buses)
{
	test_log_clear();
	model_reset(buses);
	model_add(0, 0, 0x8086, 0x29c0, 0x060000);
}

static void build(void)
{
	struct pci_ecam ecam = model_ecam();

	assert_int_equal(pci_enumerate(&ecam, 1), 0);
	pci_acs_enable();
	groups_build();
}

static bool together(struct pci_function *a, struct pci_function *b)
{
	return group_number(a) == group_number(b);
}

/* 00:01.0 -> 01:00.0, and the port has ACS */
static void start_below_port(void)
{
	start(2);
	add_port(0, DEVFN(1, 0), ROOT_PORT, 1, 1);
	add_endpoint(1, 0, ENDPOINT);
}

static void port_with_acs_isolates(void **state)
{
	(void)state;
	start_below_port();
	add_acs(0, DEVFN(1, 0), 0x1f, 0x7f);
	build();
	assert_int_equal(model_get16(0, DEVFN(1, 0), ACS_CTRL), SV_RR_CR_UF);
	assert_int_equal(group_number(at(0, 0)), 0);
	assert_int_equal(group_number(at(0, DEVFN(1, 0))), 1);
	assert_int_equal(group_number(at(1, 0)), 2);
	assert_true(groups_vf_isolated(at(1, 0)));
	assert_null(group_alias(at(1, 0)));
}

static void port_without_acs_does_not(void **state)
{
	char text[128];

	(void)state;
	start_below_port();
	build();
	assert_true(together(at(0, DEVFN(1, 0)), at(1, 0)));
	assert_false(together(at(0, 0), at(1, 0)));
	assert_false(groups_vf_isolated(at(1, 0)));
	groups_reason(at(1, 0), text, sizeof(text));
	assert_non_null(strstr(text, "0000:00:01.0"));
	assert_non_null(strstr(text, "no ACS"));
}

static void control_must_stay_on(void **state)
{
	char text[128];

	(void)state;
	start_below_port();
	add_acs(0, DEVFN(1, 0), 0x1f, 0x1d & ~0x04);
	build();
	assert_true(together(at(0, DEVFN(1, 0)), at(1, 0)));
	assert_non_null(strstr(test_log, "acs: 0000:00:01.0"));
	groups_reason(at(1, 0), text, sizeof(text));
	assert_non_null(strstr(text, "ACS is not on"));
}

/* What a port cannot control it does not do (PCIe 6.12.1.1). */
static void what_is_not_there_is_not_needed(void **state)
{
	(void)state;
	start_below_port();
	add_acs(0, DEVFN(1, 0), 0x01, 0x01);
	build();
	assert_false(together(at(0, DEVFN(1, 0)), at(1, 0)));
	assert_int_equal(model_get16(0, DEVFN(1, 0), ACS_CTRL), 0x01);
}

static void acs_is_off_before_it_is_enabled(void **state)
{
	struct pci_ecam ecam;

	(void)state;
	start_below_port();
	add_acs(0, DEVFN(1, 0), 0x1f, 0x7f);
	ecam = model_ecam();
	assert_int_equal(pci_enumerate(&ecam, 1), 0);
	groups_build();
	assert_true(together(at(0, DEVFN(1, 0)), at(1, 0)));
}

/*
 * 00:01.0 root port -> 01:00.0 upstream -> 02:00.0, 02:01.0 downstream ->
 * 03:00.0, 04:00.0
 */
static void start_switch(bool root_acs, bool downstream_acs)
{
	start(5);
	add_port(0, DEVFN(1, 0), ROOT_PORT, 1, 4);
	add_port(1, 0, UPSTREAM, 2, 4);
	add_port(2, DEVFN(0, 0), DOWNSTREAM, 3, 3);
	add_port(2, DEVFN(1, 0), DOWNSTREAM, 4, 4);
	add_endpoint(3, 0, ENDPOINT);
	add_endpoint(4, 0, ENDPOINT);
	if (root_acs)
		add_acs(0, DEVFN(1, 0), 0x1f, 0x7f);
	if (downstream_acs) {
		add_acs(2, DEVFN(0, 0), 0x1f, 0x7f);
		add_acs(2, DEVFN(1, 0), 0x1f, 0x7f);
	}
}

static void switch_with_acs(void **state)
{
	(void)state;
	start_switch(true, true);
	build();
	assert_int_equal(group_number(at(4, 0)), 6);
}

static void switch_without_acs(void **state)
{
	(void)state;
	start_switch(true, false);
	build();
	assert_true(together(at(3, 0), at(2, DEVFN(0, 0))));
	assert_true(together(at(4, 0), at(2, DEVFN(1, 0))));
	assert_false(together(at(0, DEVFN(1, 0)), at(3, 0)));
}

/* All below an open root port is one group, whatever the switch can do. */
static void switch_below_open_port(void **state)
{
	(void)state;
	start_switch(false, true);
	build();
	assert_int_equal(group_number(at(0, DEVFN(1, 0))), 1);
	assert_int_equal(group_number(at(1, 0)), 1);
	assert_int_equal(group_number(at(2, DEVFN(1, 0))), 1);
	assert_int_equal(group_number(at(3, 0)), 1);
	assert_int_equal(group_number(at(4, 0)), 1);
}

static void start_multi(void)
{
	start_below_port();
	add_acs(0, DEVFN(1, 0), 0x1f, 0x7f);
	add_endpoint(1, 1, ENDPOINT);
	make_multi(1, 0);
}

static void functions_of_a_device(void **state)
{
	char text[64];

	(void)state;
	start_multi();
	build();
	assert_true(together(at(1, 0), at(1, 1)));
	assert_false(together(at(0, DEVFN(1, 0)), at(1, 1)));
	assert_int_equal(groups_others(at(1, 0), text, sizeof(text)), 1);
	assert_string_equal(text, "0000:01:00.1");
}

static void functions_with_acs(void **state)
{
	(void)state;
	start_multi();
	add_acs(1, 0, 0x0c, 0x0c);
	add_acs(1, 1, 0x0c, 0x0c);
	build();
	assert_false(together(at(1, 0), at(1, 1)));
}

/* Intel's 82576 has no ACS and does no peer-to-peer. */
static void two_ports_of_an_82576(void **state)
{
	(void)state;
	start_multi();
	model_set32(1, 0, PCI_VENDOR_ID, 0x10c98086, 0);
	model_set32(1, 1, PCI_VENDOR_ID, 0x10c98086, 0);
	build();
	assert_false(together(at(1, 0), at(1, 1)));
}

static void chipset_functions(void **state)
{
	(void)state;
	start(1);
	model_add(0, DEVFN(31, 0), 0x8086, 0x2918, 0x060100);
	model_add(0, DEVFN(31, 2), 0x8086, 0x2922, 0x010601);
	make_multi(0, DEVFN(31, 0));
	model_add(0, DEVFN(2, 0), 0x1234, 0x1111, 0x030000);
	build();
	assert_true(together(at(0, DEVFN(31, 0)), at(0, DEVFN(31, 2))));
	assert_false(together(at(0, DEVFN(31, 0)), at(0, DEVFN(2, 0))));
}

static void integrated_endpoints(void **state)
{
	(void)state;
	start(1);
	add_endpoint(0, DEVFN(3, 0), INTEGRATED);
	add_endpoint(0, DEVFN(3, 1), INTEGRATED);
	make_multi(0, DEVFN(3, 0));
	build();
	assert_true(together(at(0, DEVFN(3, 0)), at(0, DEVFN(3, 1))));
	model_set16(0, DEVFN(3, 0), PCI_VENDOR_ID, 0x8086, 0);
	model_set16(0, DEVFN(3, 1), PCI_VENDOR_ID, 0x8086, 0);
	build();
	assert_false(together(at(0, DEVFN(3, 0)), at(0, DEVFN(3, 1))));
}

/* 00:01.0 root port -> 01:00.0 PCIe-to-PCI -> 02:02.0, 02:03.0 -> 03:00.0 */
static void behind_a_pci_bridge(void **state)
{
	(void)state;
	start(4);
	add_port(0, DEVFN(1, 0), ROOT_PORT, 1, 3);
	add_acs(0, DEVFN(1, 0), 0x1f, 0x7f);
	add_port(1, 0, TO_PCI, 2, 3);
	model_add(2, DEVFN(2, 0), 0x8086, 0x100e, 0x020000);
	model_add(2, DEVFN(3, 0), 0x1b36, 0x0001, 0x060400);
	model_bridge(2, DEVFN(3, 0), 3, 3);
	model_add(3, 0, 0x8086, 0x100e, 0x020000);
	build();
	assert_int_equal(group_number(at(0, DEVFN(1, 0))), 1);
	assert_int_equal(group_number(at(1, 0)), 2);
	assert_int_equal(group_number(at(2, DEVFN(2, 0))), 2);
	assert_int_equal(group_number(at(2, DEVFN(3, 0))), 2);
	assert_int_equal(group_number(at(3, 0)), 2);
	assert_ptr_equal(group_alias(at(3, 0)), at(1, 0));
	assert_null(group_alias(at(1, 0)));
}

static struct pci_function *add_vf(u8 function)
{
	u8 devfn = DEVFN(16, function);
	struct pci_function *vf;

	model_add(1, devfn, 0xffff, 0xffff, 0x020000);
	add_pcie(1, devfn, ENDPOINT);
	vf = pci_add((struct pci_addr){.bus = 1, .devfn = devfn});
	assert_non_null(vf);
	vf->pf = at(1, 0);
	vf->parent = vf->pf->parent;
	return vf;
}

static void check_refuses_a_part(void **state)
{
	const struct pci_function *vf, *list[2];

	(void)state;
	start_below_port();
	build();
	vf = add_vf(0);
	list[0] = vf;
	assert_int_equal(groups_check(list, 1, false), -EPERM);
	assert_non_null(strstr(test_log, "0000:01:10.0: its isolation group "
					 "also has 0000:01:00.0, for port "
					 "0000:00:01.0"));
	assert_non_null(strstr(test_log, "allow-unsafe-groups=yes"));
	assert_null(strstr(test_log, "WARNING"));
	assert_int_equal(groups_check(list, 1, true), 0);
	assert_non_null(strstr(test_log, "WARNING"));
	list[1] = at(1, 0);
	test_log_clear();
	assert_int_equal(groups_check(list, 2, false), 0);
	assert_string_equal(test_log, "");
}

static enum group_hold held[GROUP_CLOSED + 1];
static unsigned int asked;

/* The PF decodes, the rest as the test says */
static enum group_hold hold(struct pci_function *fn)
{
	asked++;
	return fn->addr.devfn ? held[0] : GROUP_DECODES;
}

static void members_that_are_held_stay_behind(void **state)
{
	const struct pci_function *vf;

	(void)state;
	start_below_port();
	add_endpoint(1, 1, ENDPOINT);
	make_multi(1, 0);
	make_multi(1, 1);
	build();
	vf = add_vf(0);
	held[0] = GROUP_CLOSED;
	asked = 0;
	assert_int_equal(groups_check_held(&vf, 1, hold), 0);
	assert_int_equal(asked, 2);
	assert_non_null(strstr(test_log, "0000:01:10.0: of its group "
					 "0000:01:00.1 stays behind, without "
					 "bus mastering and without an "
					 "address"));
	assert_non_null(strstr(test_log, "0000:01:00.0 stays behind, without "
					 "DMA into the guest; but"));
	assert_non_null(strstr(test_log, "groups=strict"));
	held[0] = GROUP_FREE;
	test_log_clear();
	assert_int_equal(groups_check_held(&vf, 1, hold), -EPERM);
	assert_non_null(strstr(test_log, "0000:01:10.0: its isolation group "
					 "also has 0000:01:00.1, for"));
	assert_non_null(strstr(test_log, "allow-unsafe-groups=yes"));
}

static void check_passes_a_vf(void **state)
{
	const struct pci_function *vf;

	(void)state;
	start_below_port();
	add_acs(0, DEVFN(1, 0), 0x1f, 0x7f);
	build();
	vf = add_vf(0);
	assert_int_equal(groups_check(&vf, 1, false), 0);
	assert_int_equal(group_number(vf), 3);
}

/* VFs are no functions of a multi-function device, whatever their number. */
static void vfs_of_one_device(void **state)
{
	struct pci_function *vf;

	(void)state;
	start_multi();
	build();
	vf = add_vf(0);
	add_vf(1);
	groups_build();
	assert_int_equal(group_number(vf), 3);
	assert_int_equal(group_number(at(1, DEVFN(16, 1))), 4);
	assert_int_equal(group_number(at(1, 1)), 2);
}

static void check_refuses_an_alias(void **state)
{
	const struct pci_function *fn;

	(void)state;
	start(3);
	add_port(0, DEVFN(1, 0), ROOT_PORT, 1, 2);
	add_port(1, 0, TO_PCI, 2, 2);
	model_add(2, DEVFN(2, 0), 0x8086, 0x100e, 0x020000);
	build();
	fn = at(2, DEVFN(2, 0));
	assert_int_equal(groups_check(&fn, 1, true), -EOPNOTSUPP);
	assert_int_equal(groups_check_held(&fn, 1, hold), -EOPNOTSUPP);
	assert_non_null(strstr(test_log, "the ID of 0000:01:00.0"));
}

/* An ACS structure across the end of configuration space is none. */
static void acs_at_the_end(void **state)
{
	(void)state;
	start_below_port();
	model_ext_cap(0, DEVFN(1, 0), 0x100, PCI_EXT_CAP_AER, 0xffc);
	model_ext_cap(0, DEVFN(1, 0), 0xffc, PCI_EXT_CAP_ACS, 0);
	build();
	assert_true(together(at(0, DEVFN(1, 0)), at(1, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_with_acs_isolates),
		cmocka_unit_test(port_without_acs_does_not),
		cmocka_unit_test(control_must_stay_on),
		cmocka_unit_test(what_is_not_there_is_not_needed),
		cmocka_unit_test(acs_is_off_before_it_is_enabled),
		cmocka_unit_test(switch_with_acs),
		cmocka_unit_test(switch_without_acs),
		cmocka_unit_test(switch_below_open_port),
		cmocka_unit_test(functions_of_a_device),
		cmocka_unit_test(functions_with_acs),
		cmocka_unit_test(two_ports_of_an_82576),
		cmocka_unit_test(chipset_functions),
		cmocka_unit_test(integrated_endpoints),
		cmocka_unit_test(behind_a_pci_bridge),
		cmocka_unit_test(check_refuses_a_part),
		cmocka_unit_test(members_that_are_held_stay_behind),
		cmocka_unit_test(check_passes_a_vf),
		cmocka_unit_test(vfs_of_one_device),
		cmocka_unit_test(check_refuses_an_alias),
		cmocka_unit_test(acs_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
