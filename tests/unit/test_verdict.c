/* sources: guest/assign/verdict.c drivers/pci/groups.c drivers/pci/pci_acs.c drivers/pci/pci.c drivers/pci/pci_bars.c drivers/pci/pci_caps.c drivers/pci/pci_room.c drivers/pci/pci_buses.c drivers/pci/sriov.c drivers/pci/sriov_bars.c drivers/pci/pci_windows.c vtd/scope.c tests/unit/pci_model.c drivers/pci/pci_facts.c */
#include "drivers/pci/groups.h"
#include "drivers/pci/pci_acs.h"
#include "drivers/pf.h"
#include "guest/assign/verdict.h"
#include "guest/assign/whole.h"
#include "hv/host_ranges.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include "vtd/unit.h"
#include <stdio.h>
#include <string.h>

#define PORT_ACS 0x148
#define SRIOV 0x160

/* In place of the units that vtd/vtd.c brings up, and of drivers/pf.c */
struct vtd_unit vtd_units[DMAR_MAX_UNITS];
unsigned int vtd_unit_count;
const struct dmar *vtd_dmar;
static struct dmar dmar;
static struct pf_driver driver = {.name = "test"};
static bool have_driver;

const struct pf_driver *pf_driver_for(const struct pci_function *pf)
{
	return have_driver && pf->device == 0x10c9 ? &driver : NULL;
}

static const char *refusal;

bool assigned_whole_refused(const struct pci_function *fn, char *buf,
			    size_t size)
{
	(void)fn;
	if (refusal)
		snprintf(buf, size, "%s", refusal);
	return refusal;
}

const struct host_range *host_range_of(hpa_t base, u64 size)
{
	(void)base, (void)size;
	return NULL;
}

static char text[320];

static enum verdict judge(u8 bus, u8 devfn, bool have_vtd)
{
	struct pci_ecam ecam = model_ecam();
	struct pci_function *fn;

	assert_int_equal(pci_enumerate(&ecam, 1), 0);
	pci_acs_enable();
	groups_build();
	fn = pci_find((struct pci_addr){.bus = bus, .devfn = devfn});
	assert_non_null(fn);
	memset(text, 0xa5, sizeof(text));
	return assign_verdict(fn, have_vtd, text, sizeof(text));
}

static void expect_no(u8 bus, u8 devfn, const char *words)
{
	assert_int_equal(judge(bus, devfn, true), VERDICT_NO);
	if (!strstr(text, words))
		fail_msg("'%s' lacks '%s'", text, words);
}

static void add_pcie(u8 bus, u8 devfn, u8 type)
{
	model_cap(bus, devfn, 0x40, PCI_CAP_PCIE, 0);
	model_set16(bus, devfn, 0x42, type << 4 | 2, 0);
}

/* 00:01.0, a root port with ACS -> 01:00.0, an 82576 with 8 VFs; 00:1d.0,
 * a USB controller; one unit for all */
static int build(void **state)
{
	(void)state;
	groups_strict = false;
	test_log_clear();
	model_reset(3);
	model_add(0, 0x08, 0x1b36, 0x000c, 0x060400);
	model_bridge(0, 0x08, 1, 1);
	add_pcie(0, 0x08, PCIE_PORT_ROOT);
	model_ext_cap(0, 0x08, 0x100, PCI_EXT_CAP_AER, PORT_ACS);
	model_ext_cap(0, 0x08, PORT_ACS, PCI_EXT_CAP_ACS, 0);
	model_set16(0, 0x08, PORT_ACS + 4, 0x1f, 0);
	model_set16(0, 0x08, PORT_ACS + 6, 0, 0x1f);
	model_add(1, 0, 0x8086, 0x10c9, 0x020000);
	add_pcie(1, 0, PCIE_ENDPOINT);
	model_ext_cap(1, 0, 0x100, PCI_EXT_CAP_AER, SRIOV);
	model_ext_cap(1, 0, SRIOV, PCI_EXT_CAP_SRIOV, 0);
	memset((void *)model_function(1, 0).config + SRIOV + 4, 0, 0x3c);
	model_set16(1, 0, SRIOV + 0x0e, 8, 0);
	model_add(0, 0xe8, 0x8086, 0x2934, 0x0c0300);
	dmar = (struct dmar){.unit_count = 1};
	dmar.unit[0].include_all = true;
	vtd_units[0] = (struct vtd_unit){.dmar = &dmar.unit[0]};
	vtd_unit_count = 1;
	vtd_dmar = &dmar;
	have_driver = true;
	refusal = NULL;
	return 0;
}

static void vfs_of_a_driven_pf(void **state)
{
	(void)state;
	assert_int_equal(judge(1, 0, true), VERDICT_YES);
	assert_string_equal(text, "assign=0000:01:00.0; VFs: vf:8086:10c9/0 "
				  "to /7");
	refusal = "no whole";
	assert_int_equal(judge(1, 0, true), VERDICT_YES);
	assert_string_equal(text, "VFs: vf:8086:10c9/0 to /7; all of it: no, "
				  "no whole");
}

static int nothing(struct pci_function *vf, bool restrain)
{
	(void)vf, (void)restrain;
	return 0;
}

static void vfs_that_are_asked(void **state)
{
	(void)state;
	driver.check_vf = nothing;
	assert_int_equal(judge(1, 0, true), VERDICT_YES);
	driver.check_vf = NULL;
	assert_string_equal(text, "assign=0000:01:00.0; VFs: vf:8086:10c9/0 "
				  "to /7, if they take no command that reaches "
				  "beyond them (asked when assigned), or with "
				  "allow-unsafe-commands=yes");
}

static void bridges_have_none(void **state)
{
	(void)state;
	assert_int_equal(judge(0, 0x08, true), VERDICT_NONE);
	assert_string_equal(text, "");
}

static void without_vtd(void **state)
{
	(void)state;
	assert_int_equal(judge(1, 0, false), VERDICT_NO);
	assert_string_equal(text, "no usable VT-d");
}

static void no_driver_for_the_pf(void **state)
{
	(void)state;
	have_driver = false;
	assert_int_equal(judge(1, 0, true), VERDICT_YES);
	assert_non_null(strstr(text, "no driver for this physical function "
				     "(docs/pf-drivers.md: what giving"));
	refusal = "no whole";
	expect_no(1, 0, "no whole; its VFs: no, Gangway has no driver");
}

static void whole_functions(void **state)
{
	(void)state;
	assert_int_equal(judge(0, 0xe8, true), VERDICT_YES);
	assert_string_equal(text, "assign=0000:00:1d.0");
	refusal = "no whole";
	expect_no(0, 0xe8, "no whole");
}

static void part_of_a_group(void **state)
{
	(void)state;
	model_set8(0, 0xe8, PCI_HEADER_TYPE, 0x80, 0);
	model_add(0, 0xef, 0x8086, 0x293a, 0x0c0320);
	groups_strict = true;
	expect_no(0, 0xef, "only together with 0000:00:1d.0");
	expect_no(0, 0xe8, "only together with 0000:00:1d.7");
	groups_strict = false;
	assert_int_equal(judge(0, 0xef, true), VERDICT_YES);
	assert_string_equal(
		text, "assign=0000:00:1d.7 (0000:00:1d.0 of its group held)");
	/* Firmware goes on to use the other one */
	dmar.rmrr_count = 1;
	dmar.rmrr[0] = (struct dmar_rmrr){
		.base = 0x7f000000, .limit = 0x7f01ffff, .scope_count = 1};
	dmar.rmrr[0].scope = dmar.scope;
	dmar.rmrr[0].scope[0] = (struct dmar_scope){.type = DMAR_SCOPE_ENDPOINT,
						    .path_length = 1,
						    .path = {{0x1d, 0}}};
	expect_no(0, 0xef, "only together with 0000:00:1d.0");
	assert_int_equal(judge(0, 0xe8, true), VERDICT_YES);
}

static void port_without_acs(void **state)
{
	(void)state;
	model_set16(0, 0x08, PORT_ACS + 6, 0, 0);
	refusal = "no whole";
	have_driver = true;
	assert_int_equal(judge(1, 0, true), VERDICT_YES);
	groups_strict = true;
	expect_no(1, 0, "lacks ACS");
	expect_no(1, 0, "allow-unsafe-groups=yes");
}

/* assign=auto */
static void the_first_vf_is_chosen(void **state)
{
	struct assign_request request = {.kind = ASSIGN_AUTO, .vf = 7};

	(void)state;
	judge(1, 0, true);
	test_log_clear();
	assert_true(assign_choose(&request));
	assert_int_equal(request.kind, ASSIGN_VF);
	assert_int_equal(request.vendor, 0x8086);
	assert_int_equal(request.device, 0x10c9);
	assert_int_equal(request.vf, 0);
	assert_int_equal(test_log[0], 0);
	/* Not a drive, nor a card that cannot give one */
	model_set32(1, 0, PCI_CLASS - 1, 0x01080200, 0);
	judge(1, 0, true);
	assert_false(assign_choose(&request));
	assert_non_null(strstr(test_log, "assign: auto: no network card"));
	model_set32(1, 0, PCI_CLASS - 1, 0x02000000, 0);
	have_driver = false;
	judge(1, 0, true);
	assert_false(assign_choose(&request));
	have_driver = true;
	dmar.unit[0].include_all = false;
	judge(1, 0, true);
	assert_false(assign_choose(&request));
}

/* Neither the PF's nor its VFs' driver could reach it. */
static void bar_without_address(void **state)
{
	(void)state;
	model_set32(1, 0, PCI_BAR(0), 0xfffe0000, 0xfffe0000);
	expect_no(1, 0,
		  "firmware gave its BAR 0 no address: turn on \"Above "
		  "4G Decoding\"");
	assert_null(strstr(text, "VFs"));
}

static void no_unit(void **state)
{
	(void)state;
	dmar.unit[0].include_all = false;
	expect_no(1, 0, "no VT-d unit covers it");
}

static void reserved_memory(void **state)
{
	(void)state;
	dmar.rmrr_count = 1;
	dmar.rmrr[0] = (struct dmar_rmrr){
		.base = 0x7f000000,
		.limit = 0x7f01ffff,
		.scope_count = 1,
		.scope = dmar.scope,
	};
	dmar.scope[0] = (struct dmar_scope){.type = DMAR_SCOPE_ENDPOINT,
					    .path_length = 1,
					    .path = {{0x1d, 0}}};
	/* For the time before a system's driver */
	assert_int_equal(judge(0, 0xe8, true), VERDICT_YES);
	model_set32(0, 0xe8, PCI_REVISION, 0x03000001, 0);
	assert_int_equal(judge(0, 0xe8, true), VERDICT_YES);
	/* For as long as the machine runs */
	model_set32(0, 0xe8, PCI_REVISION, 0x0c050001, 0);
	expect_no(0, 0xe8, "0x7f000000-0x7f01ffff");
	expect_no(0, 0xe8, "turn off the firmware's use of it");
	model_set16(0, 0xe8, PCI_SUBSYSTEM, 0x103c, 0);
	expect_no(0, 0xe8, "with HPE's tool conrep");
	model_set16(0, 0xe8, PCI_SUBSYSTEM, 0x1590, 0);
	expect_no(0, 0xe8, "with HPE's tool conrep");
	assert_int_equal(judge(1, 0, true), VERDICT_YES);
}

/* What firmware keeps for a PF is not its VFs', unless their driver needs the
 * PF's DMA, or it is for all that is behind a bridge. */
static void reserved_memory_of_a_pf(void **state)
{
	struct dmar_scope *scope = &dmar.scope[0];

	(void)state;
	have_driver = true;
	dmar.rmrr_count = 1;
	dmar.rmrr[0] = (struct dmar_rmrr){
		.base = 0x480000000, .limit = 0x48001ffff, .scope_count = 1};
	dmar.rmrr[0].scope = scope;
	*scope = (struct dmar_scope){
		.type = DMAR_SCOPE_ENDPOINT, .start_bus = 1, .path_length = 1};
	assert_int_equal(judge(1, 0, true), VERDICT_YES);
	assert_ptr_equal(text, strstr(text, "VFs: vf:8086:10c9/0 to /7; all of "
					    "it: no, firmware keeps memory "
					    "0x480000000-0x48001ffff for it "
					    "(RMRR)"));
	driver.dma_pages = 2;
	expect_no(1, 0, "its VFs: no, firmware keeps memory");
	driver.dma_pages = 0;
	*scope = (struct dmar_scope){
		.type = DMAR_SCOPE_BRIDGE, .path_length = 1, .path = {{1, 0}}};
	expect_no(1, 0, "its VFs: no, firmware keeps memory");
}

static void behind_a_pci_bridge(void **state)
{
	(void)state;
	model_bridge(0, 0x08, 1, 2);
	model_add(1, 0x08, 0x1b36, 0x000e, 0x060400);
	model_bridge(1, 0x08, 2, 2);
	add_pcie(1, 0x08, PCIE_TO_PCI_BRIDGE);
	model_add(2, 0x08, 0x8086, 0x100e, 0x020000);
	expect_no(2, 0x08, "0000:01:01.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(vfs_of_a_driven_pf, build),
		cmocka_unit_test_setup(vfs_that_are_asked, build),
		cmocka_unit_test_setup(bridges_have_none, build),
		cmocka_unit_test_setup(without_vtd, build),
		cmocka_unit_test_setup(no_driver_for_the_pf, build),
		cmocka_unit_test_setup(whole_functions, build),
		cmocka_unit_test_setup(part_of_a_group, build),
		cmocka_unit_test_setup(port_without_acs, build),
		cmocka_unit_test_setup(the_first_vf_is_chosen, build),
		cmocka_unit_test_setup(bar_without_address, build),
		cmocka_unit_test_setup(no_unit, build),
		cmocka_unit_test_setup(reserved_memory, build),
		cmocka_unit_test_setup(reserved_memory_of_a_pf, build),
		cmocka_unit_test_setup(behind_a_pci_bridge, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
