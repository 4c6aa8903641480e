/* sources: drivers/pci/pci_reset.c drivers/pci/pci.c drivers/pci/pci_bars.c drivers/pci/pci_caps.c tests/unit/pci_model.c drivers/pci/pci_facts.c */
#include "drivers/pci/pci_reset.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include <string.h>

/* A root port 00:01.0 with functions 01:00.0 and 01:00.1 below it; 02:00.0 is
 * below another. */
static struct pci_function *fn, *other, *port;

static void find(void)
{
	struct pci_ecam ecam = model_ecam();

	assert_int_equal(pci_enumerate(&ecam, 1), 0);
	port = pci_find((struct pci_addr){0, 0, 0x08});
	fn = pci_find((struct pci_addr){0, 1, 0x00});
	other = pci_find((struct pci_addr){0, 1, 0x01});
}

static int set_up(void **state)
{
	(void)state;
	test_log_clear();
	model_written = NULL;
	model_reset(3);
	model_add(0, 0x08, 0x1b36, 0x000c, 0x060400);
	model_bridge(0, 0x08, 1, 1);
	model_set16(0, 0x08, 0x3e, 0x0003, 0xffff);
	model_add(1, 0, 0x1234, 0x5678, 0x020000);
	model_set8(1, 0, PCI_HEADER_TYPE, 0x80, 0);
	model_set32(1, 0, 0x10, 0xc0000000, 0xfffff000);
	model_add(1, 1, 0x1234, 0x5679, 0x020000);
	model_set32(1, 1, 0x10, 0xc0001000, 0xfffff000);
	find();
	return 0;
}

/* What the hardware under test does: BARs and command registers are lost. */
static void lose(u8 devfn)
{
	model_set32(1, devfn, 0x10, 0, 0xfffff000);
	model_set16(1, devfn, PCI_COMMAND, 0, 0xffff);
}

static u16 power[4];
static unsigned int powers;

static void on_power(u8 bus, u8 devfn, u16 reg, u32 value)
{
	if (bus != 1 || devfn || reg != 0x44)
		return;
	power[powers++ % 4] = value;
	if (!(value & 3))
		lose(0);
}

static void add_pm(u16 control)
{
	model_cap(1, 0, 0x40, 0x01, 0);
	model_set16(1, 0, 0x44, control, 0x8103);
}

static void power_state_reset(void **state)
{
	(void)state;
	add_pm(0x0100);
	model_set16(1, 0, PCI_COMMAND, 6, 0xffff);
	assert_int_equal(pci_reset_kind(fn, true), PCI_RESET_POWER);
	powers = 0;
	model_written = on_power;
	assert_int_equal(pci_reset(fn, PCI_RESET_POWER), 0);
	model_written = NULL;
	assert_int_equal(powers, 2);
	assert_int_equal(power[0], 0x0103);
	assert_int_equal(power[1], 0x0100);
	assert_int_equal(model_get32(1, 0, 0x10), 0xc0000000);
	assert_int_equal(model_get16(1, 0, PCI_COMMAND), 0);
}

/* No_Soft_Reset: it comes back as it was */
static void power_state_that_resets_nothing(void **state)
{
	(void)state;
	add_pm(0x0008);
	assert_int_equal(pci_reset_kind(fn, true), PCI_RESET_BUS);
	assert_int_equal(pci_reset_kind(fn, false), PCI_RESET_NONE);
}

static unsigned int bus_resets;
static u16 bridge_control;

static void on_bus_reset(u8 bus, u8 devfn, u16 reg, u32 value)
{
	if (bus || devfn != 0x08 || reg != 0x3e)
		return;
	bridge_control = value;
	if (!(value & 0x40))
		return;
	bus_resets++;
	lose(0);
	lose(1);
}

static void secondary_bus_reset(void **state)
{
	(void)state;
	model_set16(1, 0, PCI_COMMAND, 6, 0xffff);
	model_set16(1, 1, PCI_COMMAND, 2, 0xffff);
	bus_resets = 0;
	model_written = on_bus_reset;
	assert_int_equal(pci_reset(fn, PCI_RESET_BUS), 0);
	model_written = NULL;
	assert_int_equal(bus_resets, 1);
	assert_int_equal(bridge_control, 0x0003);
	assert_int_equal(model_get32(1, 0, 0x10), 0xc0000000);
	assert_int_equal(model_get16(1, 0, PCI_COMMAND), 0);
	/* The other one is as it was */
	assert_int_equal(model_get32(1, 1, 0x10), 0xc0001000);
	assert_int_equal(model_get16(1, 1, PCI_COMMAND), 2);
}

static void too_many_below(void **state)
{
	(void)state;
	for (u8 devfn = 2; devfn < 8; devfn++)
		model_add(1, devfn, 0x1234, 0x5680, 0x020000);
	find();
	assert_int_equal(pci_reset(fn, PCI_RESET_BUS), 0);
	model_add(1, 0x08, 0x1234, 0x5680, 0x020000);
	find();
	bus_resets = 0;
	model_written = on_bus_reset;
	assert_int_equal(pci_reset(fn, PCI_RESET_BUS), -EOPNOTSUPP);
	model_written = NULL;
	assert_int_equal(bus_resets, 0);
}

static void on_bus_reset_gone(u8 bus, u8 devfn, u16 reg, u32 value)
{
	if (bus == 0 && devfn == 0x08 && reg == 0x3e && value & 0x40)
		model_set16(1, 0, PCI_VENDOR_ID, 0xffff, 0);
}

static void does_not_come_back(void **state)
{
	(void)state;
	model_written = on_bus_reset_gone;
	assert_int_equal(pci_reset(fn, PCI_RESET_BUS), -ETIMEDOUT);
	model_written = NULL;
	assert_non_null(strstr(test_log, "did not come back"));
}

static unsigned int af_resets;

static void on_af(u8 bus, u8 devfn, u16 reg, u32 value)
{
	if (bus == 1 && !devfn && reg == 0x54 && value & 1) {
		af_resets++;
		lose(0);
	}
}

static void advanced_features(void **state)
{
	(void)state;
	add_pm(0);
	model_set8(1, 0, 0x41, 0x50, 0);
	model_cap(1, 0, 0x50, 0x13, 0);
	model_set8(1, 0, 0x52, 6, 0);
	model_set8(1, 0, 0x53, 0x01, 0); /* no FLR */
	assert_int_equal(pci_reset_kind(fn, true), PCI_RESET_POWER);
	model_set8(1, 0, 0x53, 0x03, 0);
	model_set8(1, 0, 0x54, 0, 0x01);
	assert_int_equal(pci_reset_kind(fn, true), PCI_RESET_AF);
	af_resets = 0;
	model_written = on_af;
	assert_int_equal(pci_reset(fn, PCI_RESET_AF), 0);
	model_written = NULL;
	assert_int_equal(af_resets, 1);
	assert_int_equal(model_get32(1, 0, 0x10), 0xc0000000);
}

static u64 back_at;

/* The vendor ID reads FFFFh until its time has come. */
static void on_slow_power(u8 bus, u8 devfn, u16 reg, u32 value)
{
	on_power(bus, devfn, reg, value);
	if (bus == 1 && !devfn && reg == 0x44 && !(value & 3))
		model_set16(1, 0, PCI_VENDOR_ID, 0xffff, 0);
}

u64 time_us(void)
{
	if (back_at && test_time >= back_at)
		model_set16(1, 0, PCI_VENDOR_ID, 0x1234, 0);
	return test_time += 100;
}

/* Drives and graphics cards may take longer than the second that PCIe names. */
static void takes_half_a_minute(void **state)
{
	(void)state;
	add_pm(0x0100);
	model_written = on_slow_power;
	back_at = test_time + 30000000;
	assert_int_equal(pci_reset(fn, PCI_RESET_POWER), 0);
	back_at = 0;
	model_written = NULL;
	assert_non_null(strstr(test_log,
			       "not back a second after its reset; it "
			       "gets a minute"));
	assert_null(strstr(test_log, "did not come back"));
	assert_int_equal(model_get32(1, 0, 0x10), 0xc0000000);
}

static void on_flr_that_loses(u8 bus, u8 devfn, u16 reg, u32 value)
{
	if (bus != 1 || devfn || reg != 0x68 || !(value & 0x8000))
		return;
	lose(0);
	model_set16(1, 0, 0x68, 0, 0xffff);	  /* device control */
	model_set16(1, 0, 0x70, 0, 0xffff);	  /* link control */
	model_set16(1, 0, 0x88, 0, 0xffff);	  /* device control 2 */
	model_set32(1, 0, 0x108, 0x2021, 0x3f00); /* resizable BAR */
	model_set16(1, 0, 0x146, 0, 0xffff);	  /* ACS */
}

/* A card whose BAR was made larger has it as large as before, or the guest
 * would map what nobody decodes. */
static void puts_all_of_it_back(void **state)
{
	(void)state;
	model_cap(1, 0, 0x60, 0x10, 0);
	model_set16(1, 0, 0x62, 0x0002, 0);
	model_set32(1, 0, 0x64, 0x10000000, 0);
	model_set16(1, 0, 0x68, 0x2810, 0xffff);
	model_set16(1, 0, 0x70, 0x0043, 0xffff);
	model_set16(1, 0, 0x88, 0x0405, 0xffff);
	model_ext_cap(1, 0, 0x100, 0x15, 0x140);
	model_set32(1, 0, 0x108, 0x0f21, 0x3f00);
	model_ext_cap(1, 0, 0x140, 0x0d, 0);
	model_set16(1, 0, 0x146, 0x001d, 0xffff);
	model_written = on_flr_that_loses;
	assert_int_equal(pci_reset(fn, PCI_RESET_FLR), 0);
	model_written = NULL;
	assert_int_equal(model_get32(1, 0, 0x10), 0xc0000000);
	assert_int_equal(model_get16(1, 0, 0x68), 0x2810);
	assert_int_equal(model_get16(1, 0, 0x70), 0x0043);
	assert_int_equal(model_get16(1, 0, 0x88), 0x0405);
	assert_int_equal(model_get32(1, 0, 0x108), 0x0f21);
	assert_int_equal(model_get16(1, 0, 0x146), 0x001d);
}

/* The network controller on boards of 2011 and 2012 says that it has one, and
 * hangs by it. */
static void flr_that_hangs_is_not_used(void **state)
{
	(void)state;
	model_add(1, 0, 0x8086, 0x1502, 0x020000);
	model_cap(1, 0, 0x50, 0x13, 0);
	model_set8(1, 0, 0x53, 3, 0);
	find();
	assert_int_equal(pci_reset_kind(fn, false), PCI_RESET_NONE);
	/* A drive that hangs by it while it is enabled */
	model_add(1, 0, 0x144d, 0xa804, 0x010802);
	model_cap(1, 0, 0x50, 0x13, 0);
	model_set8(1, 0, 0x53, 3, 0);
	find();
	assert_int_equal(pci_reset_kind(fn, false), PCI_RESET_NONE);
	model_add(1, 0, 0x8086, 0x1501, 0x020000);
	model_cap(1, 0, 0x50, 0x13, 0);
	model_set8(1, 0, 0x53, 3, 0);
	find();
	assert_int_equal(pci_reset_kind(fn, false), PCI_RESET_AF);
}

static void flr_comes_first(void **state)
{
	(void)state;
	add_pm(0);
	model_set8(1, 0, 0x41, 0x60, 0);
	model_cap(1, 0, 0x60, 0x10, 0);
	model_set32(1, 0, 0x64, 0x10000000, 0);
	assert_int_equal(pci_reset_kind(fn, true), PCI_RESET_FLR);
}

/* The bus that it was on is left alone. */
static void does_not_reset_what_is_gone(void **state)
{
	(void)state;
	for (u16 reg = 0; reg < 256; reg += 4)
		model_set32(1, 0, reg, 0xffffffff, 0);
	bus_resets = 0;
	model_written = on_bus_reset;
	assert_int_equal(pci_reset(fn, pci_reset_kind(fn, true)), -ENODEV);
	model_written = NULL;
	assert_int_equal(bus_resets, 0);
	assert_non_null(strstr(test_log, "reads all ones: it is gone"));
}

static void nothing_to_reset_with(void **state)
{
	(void)state;
	assert_int_equal(pci_reset_kind(fn, false), PCI_RESET_NONE);
	assert_int_equal(pci_reset_kind(port, true), PCI_RESET_NONE);
	assert_int_equal(pci_reset(fn, PCI_RESET_NONE), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(power_state_reset, set_up),
		cmocka_unit_test_setup(power_state_that_resets_nothing, set_up),
		cmocka_unit_test_setup(secondary_bus_reset, set_up),
		cmocka_unit_test_setup(too_many_below, set_up),
		cmocka_unit_test_setup(does_not_come_back, set_up),
		cmocka_unit_test_setup(advanced_features, set_up),
		cmocka_unit_test_setup(flr_comes_first, set_up),
		cmocka_unit_test_setup(takes_half_a_minute, set_up),
		cmocka_unit_test_setup(puts_all_of_it_back, set_up),
		cmocka_unit_test_setup(flr_that_hangs_is_not_used, set_up),
		cmocka_unit_test_setup(does_not_reset_what_is_gone, set_up),
		cmocka_unit_test_setup(nothing_to_reset_with, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
