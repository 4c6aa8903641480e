/* sources: drivers/pci/pci_caps.c drivers/pci/pci_reset.c drivers/pci/pci.c drivers/pci/pci_bars.c tests/unit/pci_model.c drivers/pci/pci_facts.c */
#include "drivers/pci/pci_caps.h"
#include "drivers/pci/pci_reset.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include <string.h>

static struct pci_function fn;

static int set_up(void **state)
{
	(void)state;
	test_log_clear();
	model_reset(1);
	model_add(0, 0x20, 0x8086, 0x10ca, 0x020000);
	fn = model_function(0, 0x20);
	return 0;
}

static void finds_capabilities(void **state)
{
	(void)state;
	model_cap(0, 0x20, 0x70, 0x11, 0xa0);
	model_cap(0, 0x20, 0xa0, 0x10, 0);
	assert_int_equal(pci_find_cap(&fn, PCI_CAP_MSIX), 0x70);
	assert_int_equal(pci_find_cap(&fn, PCI_CAP_PCIE), 0xa0);
	assert_int_equal(pci_find_cap(&fn, PCI_CAP_PM), 0);
}

static void needs_the_status_bit(void **state)
{
	(void)state;
	model_cap(0, 0x20, 0x70, 0x11, 0);
	model_set16(0, 0x20, PCI_STATUS, 0, 0);
	assert_int_equal(pci_find_cap(&fn, PCI_CAP_MSIX), 0);
}

static void ends_in_loops(void **state)
{
	(void)state;
	model_cap(0, 0x20, 0x40, 0x01, 0x50);
	model_cap(0, 0x20, 0x50, 0x05, 0x40);
	assert_int_equal(pci_find_cap(&fn, PCI_CAP_PCIE), 0);
	assert_int_equal(pci_find_cap(&fn, PCI_CAP_MSI), 0x50);
	model_cap(0, 0x20, 0x50, 0x05, 0x50); /* itself */
	assert_int_equal(pci_find_cap(&fn, PCI_CAP_PCIE), 0);
}

static void stops_at_the_header(void **state)
{
	(void)state;
	model_cap(0, 0x20, 0x40, 0x01, 0x3c);
	model_set8(0, 0x20, 0x3c, 0x10, 0);
	assert_int_equal(pci_find_cap(&fn, PCI_CAP_PCIE), 0);
	/* The pointer itself: 0x34, whose byte happens to be an ID */
	model_set8(0, 0x20, PCI_CAP_POINTER, 0x10, 0);
	model_set8(0, 0x20, 0x10, 0x10, 0);
	assert_int_equal(pci_find_cap(&fn, PCI_CAP_PCIE), 0);
}

static void masks_the_low_bits_of_pointers(void **state)
{
	(void)state;
	model_cap(0, 0x20, 0x40, 0x01, 0x53);
	model_cap(0, 0x20, 0x50, 0x11, 0);
	model_set8(0, 0x20, PCI_CAP_POINTER, 0x42, 0);
	assert_int_equal(pci_find_cap(&fn, PCI_CAP_PM), 0x40);
	assert_int_equal(pci_find_cap(&fn, PCI_CAP_MSIX), 0x50);
}

static void survives_a_function_that_is_gone(void **state)
{
	struct pci_function none = model_function(0, 0x28);

	(void)state;
	assert_int_equal(pci_find_cap(&none, PCI_CAP_PCIE), 0);
	assert_int_equal(pci_find_ext_cap(&none, PCI_EXT_CAP_SRIOV), 0);
}

static void finds_extended_capabilities(void **state)
{
	(void)state;
	model_ext_cap(0, 0x20, 0x100, 0x0001, 0x150);
	model_ext_cap(0, 0x20, 0x150, 0x000e, 0xffc);
	model_ext_cap(0, 0x20, 0xffc, 0x0010, 0);
	assert_int_equal(pci_find_ext_cap(&fn, PCI_EXT_CAP_AER), 0x100);
	assert_int_equal(pci_find_ext_cap(&fn, PCI_EXT_CAP_ARI), 0x150);
	assert_int_equal(pci_find_ext_cap(&fn, PCI_EXT_CAP_SRIOV), 0xffc);
	assert_int_equal(pci_find_ext_cap(&fn, PCI_EXT_CAP_ACS), 0);
}

static void extended_walk_ends(void **state)
{
	(void)state;
	assert_int_equal(pci_find_ext_cap(&fn, PCI_EXT_CAP_ACS), 0);
	model_ext_cap(0, 0x20, 0x100, 0x0001, 0x200);
	model_ext_cap(0, 0x20, 0x200, 0x000e, 0x100); /* loop */
	assert_int_equal(pci_find_ext_cap(&fn, PCI_EXT_CAP_SRIOV), 0);
	model_ext_cap(0, 0x20, 0x200, 0x000e, 0x200); /* itself */
	assert_int_equal(pci_find_ext_cap(&fn, PCI_EXT_CAP_SRIOV), 0);
	model_ext_cap(0, 0x20, 0x200, 0x000e, 0x0c0); /* below 100H */
	model_set32(0, 0x20, 0x0c0, 0x00010010, 0);
	assert_int_equal(pci_find_ext_cap(&fn, PCI_EXT_CAP_SRIOV), 0);
	model_ext_cap(0, 0x20, 0x200, 0x000e, 0x303); /* not aligned */
	model_ext_cap(0, 0x20, 0x300, 0x0010, 0);
	assert_int_equal(pci_find_ext_cap(&fn, PCI_EXT_CAP_SRIOV), 0x300);
}

/* A model of what FLR does; devctl at A8H, devsta at AAH */
static unsigned int flr_count;
static u16 command_at_flr;

static void do_flr(u8 bus, u8 devfn, u16 reg, u32 value)
{
	if (reg != 0xa8 || !(value & 0x8000))
		return;
	flr_count++;
	command_at_flr = model_get16(bus, devfn, PCI_COMMAND);
	model_set16(bus, devfn, PCI_COMMAND, 0, 0x0547);
	model_set32(bus, devfn, PCI_BAR(0), 0, 0xffffc000);
	model_set16(bus, devfn, 0xa8, 0, 0x7fff);
}

static void make_flr(void)
{
	flr_count = 0;
	model_cap(0, 0x20, 0xa0, 0x10, 0);
	model_set16(0, 0x20, 0xa2, 0x0002, 0);
	model_set32(0, 0x20, 0xa4, 0x10000000, 0);
	model_set16(0, 0x20, 0xa8, 0x2810, 0x7fff);
	model_set16(0, 0x20, 0xaa, 0, 0);
	model_set16(0, 0x20, PCI_COMMAND, 6, 0x0547);
	model_set32(0, 0x20, PCI_BAR(0), 0xc0240000, 0xffffc000);
	model_written = do_flr;
}

static void resets_a_function(void **state)
{
	u64 before = test_time;

	(void)state;
	make_flr();
	assert_int_equal(pci_flr(&fn), 0);
	assert_int_equal(flr_count, 1);
	assert_int_equal(command_at_flr, 0);
	assert_true(test_time - before >= 100000);
	/* What the reset took is back, the command register stays 0 */
	assert_int_equal(model_get32(0, 0x20, PCI_BAR(0)), 0xc0240000);
	assert_int_equal(model_get16(0, 0x20, 0xa8), 0x2810);
	assert_int_equal(model_get16(0, 0x20, PCI_COMMAND), 0);
}

/* A drive that answers before it is ready for its driver */
static void waits_for_a_slow_drive(void **state)
{
	u64 before = test_time;

	(void)state;
	make_flr();
	fn.vendor = 0x8086;
	fn.device = 0x0953;
	model_set32(0, 0x20, PCI_VENDOR_ID, 0x09538086, 0);
	assert_int_equal(pci_flr(&fn), 0);
	assert_true(test_time - before >= 250000);
}

static void resets_a_vf_whose_ids_read_ones(void **state)
{
	struct pci_function pf = model_function(0, 0);

	(void)state;
	make_flr();
	model_set32(0, 0x20, PCI_VENDOR_ID, 0xffffffff, 0);
	fn.pf = &pf;
	assert_int_equal(pci_flr(&fn), 0);
	assert_int_equal(flr_count, 1);
	assert_int_equal(model_get32(0, 0x20, PCI_BAR(0)), 0);
}

static void resets_with_transactions_pending(void **state)
{
	(void)state;
	make_flr();
	model_set16(0, 0x20, 0xaa, 0x0020, 0);
	assert_int_equal(pci_flr(&fn), 0);
	assert_int_equal(flr_count, 1);
	assert_non_null(strstr(test_log, "timeout: pending transactions"));
}

static void refuses_without_flr(void **state)
{
	(void)state;
	make_flr();
	model_set32(0, 0x20, 0xa4, 0xefffffff, 0);
	assert_int_equal(pci_flr(&fn), -EOPNOTSUPP);
	assert_int_equal(flr_count, 0);
	assert_int_equal(model_get16(0, 0x20, PCI_COMMAND), 6);
	assert_non_null(strstr(test_log, "0000:00:04.0: no function-level"));
}

static void vanish(u8 bus, u8 devfn, u16 reg, u32 value)
{
	if (reg != 0xa8 || !(value & 0x8000))
		return;
	for (reg = 0; reg < 4096; reg += 4)
		model_set32(bus, devfn, reg, 0xffffffff, 0);
}

static void gives_up_on_a_function_that_does_not_come_back(void **state)
{
	(void)state;
	make_flr();
	model_written = vanish;
	assert_int_equal(pci_flr(&fn), -ETIMEDOUT);
	assert_non_null(strstr(test_log, "did not come back"));
}

static void does_not_reset_a_function_that_is_gone(void **state)
{
	struct pci_function none = model_function(0, 0x28);

	(void)state;
	assert_int_equal(pci_flr(&none), -ENODEV);
	assert_non_null(strstr(test_log, "reads all ones"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(finds_capabilities, set_up),
		cmocka_unit_test_setup(needs_the_status_bit, set_up),
		cmocka_unit_test_setup(ends_in_loops, set_up),
		cmocka_unit_test_setup(stops_at_the_header, set_up),
		cmocka_unit_test_setup(masks_the_low_bits_of_pointers, set_up),
		cmocka_unit_test_setup(survives_a_function_that_is_gone,
				       set_up),
		cmocka_unit_test_setup(finds_extended_capabilities, set_up),
		cmocka_unit_test_setup(extended_walk_ends, set_up),
		cmocka_unit_test_setup(resets_a_function, set_up),
		cmocka_unit_test_setup(waits_for_a_slow_drive, set_up),
		cmocka_unit_test_setup(resets_a_vf_whose_ids_read_ones, set_up),
		cmocka_unit_test_setup(resets_with_transactions_pending,
				       set_up),
		cmocka_unit_test_setup(refuses_without_flr, set_up),
		cmocka_unit_test_setup(
			gives_up_on_a_function_that_does_not_come_back, set_up),
		cmocka_unit_test_setup(does_not_reset_a_function_that_is_gone,
				       set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
