/* sources: drivers/pci/pci.c drivers/pci/pci_bars.c drivers/pci/pci_caps.c tests/unit/pci_model.c drivers/pci/pci_facts.c */
#include "drivers/pci/pci_bars.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include <string.h>

static struct pci_function *at(u8 bus, u8 devfn)
{
	return pci_find((struct pci_addr){.bus = bus, .devfn = devfn});
}

/* Nobody may decode while a BAR is all ones (PCI 3.0 6.2.5.1). */
static void check_sizing(u8 bus, u8 devfn, u16 reg, u32 value)
{
	if (reg >= 0x10 && reg < 0x28 && value == 0xffffffff)
		assert_int_equal(model_get16(bus, devfn, PCI_COMMAND) & 3, 0);
}

/* The emulated machine: host bridge, root port with an igb, LPC functions */
static void build(void)
{
	test_log_clear();
	model_reset(3);
	model_add(0, 0x00, 0x8086, 0x29c0, 0x060000);
	model_add(0, 0x08, 0x1b36, 0x000c, 0x060400);
	model_bridge(0, 0x08, 1, 1);
	model_set16(0, 0x08, PCI_COMMAND, 0x0007, 0x0547);
	model_set32(0, 0x08, PCI_MEMORY_WINDOW, 0xc030c020, 0);
	model_set32(0, 0x08, PCI_PREFETCH_WINDOW, 0x1ff10001, 0);
	model_set32(0, 0x08, PCI_PREFETCH_BASE_HIGH, 0xe0, 0);
	model_set32(0, 0x08, PCI_PREFETCH_LIMIT_HIGH, 0xe0, 0);
	model_add(1, 0x00, 0x8086, 0x10c9, 0x020000);
	model_set16(1, 0x00, PCI_COMMAND, 0x0007, 0x0547);
	model_set32(1, 0x00, PCI_BAR(0), 0xc0220000, 0xfffe0000);
	model_set32(1, 0x00, PCI_BAR(1), 0xc0200000, 0xfffe0000);
	model_set32(1, 0x00, PCI_BAR(2), 0x0000d001, 0xffffffe0);
	model_set32(1, 0x00, PCI_BAR(3), 0xc0240000, 0xffffc000);
	model_add(0, 0xf8, 0x8086, 0x2918, 0x060100);
	model_set8(0, 0xf8, PCI_HEADER_TYPE, 0x80, 0);
	model_add(0, 0xfa, 0x8086, 0x2922, 0x010601);
	model_set32(0, 0xfa, PCI_BAR(4), 0x0000000c, 0xfff00000);
	model_set32(0, 0xfa, PCI_BAR(5), 0x00000080, 0xffffffff);
	model_add(0, 0xfb, 0x8086, 0x2930, 0x0c0500);
	model_written = check_sizing;
}

static int enumerate(void)
{
	struct pci_ecam ecam = model_ecam();

	return pci_enumerate(&ecam, 1);
}

static void finds_functions(void **state)
{
	struct pci_function *pf;
	unsigned int count;

	(void)state;
	build();
	assert_int_equal(enumerate(), 0);
	pci_functions(&count);
	assert_int_equal(count, 6);
	pf = at(1, 0);
	assert_non_null(pf);
	assert_int_equal(pf->vendor, 0x8086);
	assert_int_equal(pf->device, 0x10c9);
	assert_int_equal(pf->class, 0x020000);
	assert_false(pf->bridge);
	assert_ptr_equal(pf->parent, at(0, 0x08));
	assert_null(at(0, 0x08)->parent);
	assert_true(at(0, 0x08)->bridge);
	assert_int_equal(at(0, 0x08)->secondary, 1);
	assert_non_null(at(0, 0xfb));
	assert_null(at(0, 0xf9));
	assert_null(at(2, 0));
	assert_non_null(strstr(test_log, "pci: 0000:01:00.0: 8086:10c9 class "
					 "020000, BAR0 c0220000 128K"));
}

static void sizes_bars(void **state)
{
	const struct pci_bar *bar;

	(void)state;
	build();
	assert_int_equal(enumerate(), 0);
	bar = at(1, 0)->bar;
	assert_int_equal(bar[0].base, 0xc0220000);
	assert_int_equal(bar[0].size, 128 * KIB);
	assert_false(bar[0].io || bar[0].is64 || bar[0].prefetch);
	assert_true(bar[2].io);
	assert_int_equal(bar[2].base, 0xd000);
	assert_int_equal(bar[2].size, 32);
	assert_int_equal(bar[3].size, 16 * KIB);
	assert_int_equal(bar[4].size, 0);
	/* Registers and decoding are as before */
	assert_int_equal(model_get32(1, 0, PCI_BAR(0)), 0xc0220000);
	assert_int_equal(model_get32(1, 0, PCI_BAR(2)), 0x0000d001);
	assert_int_equal(model_get16(1, 0, PCI_COMMAND), 0x0007);
	/* 64 bits: FFFFFFFF_FFF00000 writable = 1 MiB, and the pair is one */
	bar = at(0, 0xfa)->bar;
	assert_true(bar[4].is64 && bar[4].prefetch);
	assert_int_equal(bar[4].base, 0x8000000000);
	assert_int_equal(bar[4].size, MIB);
	assert_int_equal(bar[5].size, 0);
}

static void bounds_malformed_bars(void **state)
{
	struct pci_function fn;
	struct pci_bar bar[PCI_BARS];

	(void)state;
	build();
	model_add(0, 0x10, 0x1234, 0x5678, 0);
	model_set32(0, 0x10, PCI_BAR(0), 0x00000002, 0xfffff000); /* type 1 */
	model_set32(0, 0x10, PCI_BAR(1), 0x80000000, 0x8000a000); /* holes */
	model_set32(0, 0x10, PCI_BAR(2), 0xfffff004, 0); /* 64 bits, fixed */
	model_set32(0, 0x10, PCI_BAR(3), 0xffffffff, 0xffffffff);
	model_set32(0, 0x10, PCI_BAR(5), 0x00000004, 0xfffff000);
	model_written = NULL;
	fn = model_function(0, 0x10);
	pci_size_bars(&fn, PCI_BAR(0), PCI_BARS, bar);
	assert_int_equal(bar[0].size, 0);
	assert_int_equal(bar[1].size, 0x2000);
	/* FFFFFFFF_FFFFF000 + 4 KiB wraps: no address */
	assert_int_equal(bar[2].base, 0);
	assert_int_equal(bar[2].size, 0x1000);
	assert_int_equal(bar[4].size, 0);
	/* No register is left for the high half */
	assert_int_equal(bar[5].size, 0);
	assert_non_null(strstr(test_log, "malformed BAR 0"));
	assert_non_null(strstr(test_log, "malformed BAR 5"));
	/* A VF BAR list may end anywhere */
	pci_size_bars(&fn, PCI_BAR(2), 1, bar);
	assert_int_equal(bar[0].size, 0);
}

/* Firmware without room may leave what it found the size with; or nothing. */
static void what_sizing_leaves_is_no_address(void **state)
{
	struct pci_function fn;
	struct pci_bar bar[PCI_BARS];
	char text[160];

	(void)state;
	build();
	model_add(0, 0x10, 0x1234, 0x5678, 0);
	model_set32(0, 0x10, PCI_BAR(0), 0xfffe0000, 0xfffe0000);
	model_set32(0, 0x10, PCI_BAR(1), 0xffffc004, 0xffffc000);
	model_set32(0, 0x10, PCI_BAR(2), 0x00000000, 0xffffffff);
	model_set32(0, 0x10, PCI_BAR(3), 0xffffc004, 0xffffc000);
	model_set32(0, 0x10, PCI_BAR(4), 0xffffffff, 0xffffffff);
	model_set32(0, 0x10, PCI_BAR(5), 0x00000000, 0xfffff000);
	model_written = NULL;
	fn = model_function(0, 0x10);
	pci_size_bars(&fn, PCI_BAR(0), PCI_BARS, bar);
	for (unsigned int i = 0; i < PCI_BARS; i++)
		assert_int_equal(bar[i].base, 0);
	assert_int_equal(bar[0].size, 128 * KIB);
	assert_int_equal(bar[1].size, 16 * KIB);
	assert_int_equal(bar[3].size, 16 * KIB);
	assert_int_equal(bar[5].size, 4 * KIB);
	memcpy(fn.bar, bar, sizeof(bar));
	pci_describe_bars(&fn, text, sizeof(text));
	assert_non_null(strstr(text, "BAR0 without address 128K, BAR1"));
	/* One more bit, and it is an address */
	model_set32(0, 0x10, PCI_BAR(0), 0xfffc0000, 0xfffe0000);
	model_set32(0, 0x10, PCI_BAR(2), 0x00000001, 0xffffffff);
	pci_size_bars(&fn, PCI_BAR(0), PCI_BARS, bar);
	assert_int_equal(bar[0].base, 0xfffc0000);
	assert_int_equal(bar[1].base, 0x1ffffc000);
}

/* An expansion ROM decodes where its register says, not a BAR. */
static void turns_expansion_roms_off(void **state)
{
	(void)state;
	build();
	model_set32(1, 0, PCI_ROM, 0xc0300001, 0xfffc0001);
	model_set32(0, 0x08, PCI_BRIDGE_ROM, 0xc0400001, 0xfffff801);
	assert_int_equal(enumerate(), 0);
	assert_int_equal(model_get32(1, 0, PCI_ROM), 0xc0300000);
	assert_int_equal(model_get32(0, 0x08, PCI_BRIDGE_ROM), 0xc0400000);
}

static unsigned int written_beyond_command;

static void note_written(u8 bus, u8 devfn, u16 reg, u32 value)
{
	(void)value;
	if (!bus && devfn == 0xfa && reg != PCI_COMMAND)
		written_beyond_command++;
}

/* What stands there is something else: it is neither written nor believed.  Of
 * a CardBus bridge one register is a BAR, and bus numbers follow. */
static void bars_that_are_none(void **state)
{
	(void)state;
	build();
	model_add(0, 0xfa, 0x8086, 0x6fa0, 0x088000);
	model_set32(0, 0xfa, PCI_BAR(1), 0xdeadbee0, 0xffffffff);
	written_beyond_command = 0;
	model_written = note_written;
	assert_int_equal(enumerate(), 0);
	assert_int_equal(written_beyond_command, 0);
	assert_true(at(0, 0xfa)->bar[1].size == 0);
	model_written = NULL;
	model_add(0, 0xfa, 0x1180, 0x0476, 0x060700);
	model_set8(0, 0xfa, PCI_HEADER_TYPE, 0x02, 0);
	model_set32(0, 0xfa, PCI_BAR(0), 0xc0500000, 0xfffff000);
	model_set32(0, 0xfa, PCI_BAR(2), 0x20050400, 0xffffffff);
	assert_int_equal(enumerate(), 0);
	assert_true(at(0, 0xfa)->bar[0].size == 0x1000);
	assert_true(at(0, 0xfa)->bar[2].size == 0);
	assert_false(at(0, 0xfa)->bridge);
}

static void bridges_that_point_back_do_not_loop(void **state)
{
	unsigned int count;

	(void)state;
	build();
	model_add(0, 0x10, 0x1b36, 0x000c, 0x060400);
	model_bridge(0, 0x10, 0, 2); /* not set up */
	model_add(0, 0x18, 0x1b36, 0x000c, 0x060400);
	model_bridge(0, 0x18, 1, 1); /* same bus as 00:01.0 */
	model_add(1, 0x08, 0x1b36, 0x000c, 0x060400);
	model_bridge(1, 0x08, 1, 2); /* its own bus */
	model_add(1, 0x10, 0x1b36, 0x000c, 0x060400);
	model_bridge(1, 0x10, 2, 1); /* subordinate below secondary */
	model_add(2, 0x00, 0x1b36, 0x000c, 0x060400);
	model_bridge(2, 0x00, 9, 9); /* outside the ECAM range */
	assert_int_equal(enumerate(), 0);
	pci_functions(&count);
	assert_int_equal(count, 11);
	assert_ptr_equal(at(1, 0)->parent, at(0, 0x08));
	/* No bridge leads to bus 2: it is taken for a root bus */
	assert_null(at(2, 0)->parent);
	assert_non_null(strstr(test_log, "0000:01:01.0: bus numbers"));
	assert_non_null(strstr(test_log, "0000:01:02.0: bus numbers"));
}

static void depth_is_bounded(void **state)
{
	unsigned int count;

	(void)state;
	test_log_clear();
	model_reset(41);
	for (unsigned int bus = 0; bus < 40; bus++) {
		model_add(bus, 0, 0x1b36, 0x000c, 0x060400);
		model_bridge(bus, 0, bus + 1, 40);
	}
	model_add(40, 0, 0x8086, 0x10c9, 0x020000);
	assert_int_equal(enumerate(), 0);
	pci_functions(&count);
	assert_int_equal(count, 41);
	assert_ptr_equal(at(32, 0)->parent, at(31, 0));
	assert_null(at(33, 0)->parent);
	assert_true(pci_is_below(at(32, 0), at(0, 0)));
}

/* As many as there are; and what comes later has no room. */
static void table_is_as_large_as_the_machine(void **state)
{
	unsigned int devfn, count;

	(void)state;
	test_log_clear();
	model_reset(2);
	for (devfn = 0; devfn < 512; devfn++) {
		model_add(devfn >> 8, devfn, 0x1234, 0x5678, 0xff0000);
		model_set8(devfn >> 8, devfn, PCI_HEADER_TYPE, 0x80, 0);
	}
	assert_int_equal(enumerate(), 0);
	pci_functions(&count);
	assert_int_equal(count, 512);
	assert_null(strstr(test_log, "left out"));
	model_reset(3);
	model_add(2, 0, 0x1234, 0x5678, 0xff0000);
	assert_int_equal(enumerate(), 0);
	for (devfn = 0; devfn < 256; devfn++)
		if (!pci_add((struct pci_addr){.bus = 1, .devfn = devfn}))
			break;
	assert_true(devfn < 256);
	assert_non_null(strstr(test_log, "left out, for it came after the"));
}

/* All VFs of a PF have room, however many functions there are. */
static void vfs_have_room(void **state)
{
	(void)state;
	model_reset(3);
	model_add(0, 0, 0x8086, 0x10c9, 0x020000);
	model_ext_cap(0, 0, 0x100, PCI_EXT_CAP_SRIOV, 0);
	model_set16(0, 0, 0x100 + 0x0e, 300, 0);
	assert_int_equal(enumerate(), 0);
	for (unsigned int i = 0; i < 300; i++)
		assert_non_null(pci_add((struct pci_addr){.bus = 1 + i / 256,
							  .devfn = i % 256}));
}

static void no_memory_for_the_table(void **state)
{
	unsigned int count;

	(void)state;
	model_reset(1);
	model_add(0, 0, 0x8086, 0x10c9, 0x020000);
	model_ext_cap(0, 0, 0x100, PCI_EXT_CAP_SRIOV, 0);
	model_set16(0, 0, 0x100 + 0x0e, 999, 0); /* more than is given back */
	test_pages_left = 0;
	assert_int_equal(enumerate(), -ENOMEM);
	test_pages_left = SIZE_MAX;
	pci_functions(&count);
	assert_int_equal(count, 0);
}

/* Firmware has been seen to list bus 0 alone. */
static void says_which_buses_are_out_of_reach(void **state)
{
	struct pci_ecam ecam;

	(void)state;
	build();
	ecam = model_ecam();
	ecam.end_bus = 0;
	test_log_clear();
	assert_int_equal(pci_enumerate(&ecam, 1), 0);
	assert_non_null(strstr(test_log, "0000:00:01.0: bus 01 behind it is in "
					 "no ECAM range of the MCFG table"));
}

static void several_ecam_ranges(void **state)
{
	struct pci_ecam ecam[4];
	unsigned int count;

	(void)state;
	build();
	ecam[0] = model_ecam();
	ecam[0].end_bus = 0;
	ecam[1] = model_ecam();
	ecam[1].start_bus = 1; /* base is that of bus 0 */
	ecam[2] = ecam[1];     /* the same again */
	ecam[3] = model_ecam();
	ecam[3].segment = 7;
	assert_int_equal(pci_enumerate(ecam, 4), 0);
	pci_functions(&count);
	assert_int_equal(count, 12);
	assert_ptr_equal(at(1, 0)->parent, at(0, 0x08));
	assert_non_null(pci_find(
		(struct pci_addr){.segment = 7, .bus = 1, .devfn = 0}));
}

static void refuses_bad_ecam(void **state)
{
	struct pci_ecam bad[4];

	(void)state;
	build();
	bad[0] = (struct pci_ecam){.base = 0, .end_bus = 1};
	bad[1] = (struct pci_ecam){.base = 0xb0000800, .end_bus = 1};
	bad[2] = (struct pci_ecam){.base = 0xb0000000, .start_bus = 1};
	bad[3] = (struct pci_ecam){.base = 0xfffffffff0000000, .end_bus = 255};
	assert_int_equal(pci_enumerate(bad, 4), -ENODEV);
	assert_int_equal(pci_enumerate(NULL, 0), -ENODEV);
	assert_null(pci_add((struct pci_addr){.bus = 0}));
}

static void adds_vfs(void **state)
{
	struct pci_addr vf = {.bus = 1, .devfn = 0x80};
	struct pci_function *fn;

	(void)state;
	build();
	enumerate();
	fn = pci_add(vf);
	assert_non_null(fn);
	assert_ptr_equal(pci_add(vf), fn);
	assert_ptr_equal(pci_find(vf), fn);
	assert_int_equal((hpa_t)fn->config,
			 model_ecam().base + 0x100000 + 0x80000);
	vf.bus = 3;
	assert_null(pci_add(vf));
}

static void knows_what_is_below(void **state)
{
	(void)state;
	build();
	enumerate();
	assert_true(pci_is_below(at(1, 0), at(0, 0x08)));
	assert_true(pci_is_below(at(1, 0), at(1, 0)));
	assert_false(pci_is_below(at(0, 0xf8), at(0, 0x08)));
	assert_false(pci_is_below(at(0, 0x08), at(1, 0)));
}

static bool nobody(const struct pci_function *fn)
{
	(void)fn;
	return false;
}

static bool the_endpoint(const struct pci_function *fn)
{
	return fn->addr.bus == 1;
}

/* Who keeps it keeps the bridges above. */
static void leaves_bus_mastering_to_some(void **state)
{
	(void)state;
	build();
	enumerate();
	test_log_clear();
	assert_int_equal(pci_bus_master_off(the_endpoint), 0);
	assert_int_equal(model_get16(1, 0, PCI_COMMAND), 0x0007);
	assert_int_equal(model_get16(0, 0x08, PCI_COMMAND), 0x0007);
	assert_string_equal(test_log, "");
}

static void turns_bus_mastering_off_and_on(void **state)
{
	(void)state;
	build();
	enumerate();
	pci_add((struct pci_addr){.bus = 1, .devfn = 0x80}); /* reads ones */
	test_log_clear();
	assert_int_equal(pci_bus_master_off(nobody), 2);
	assert_int_equal(model_get16(1, 0, PCI_COMMAND), 0x0003);
	assert_int_equal(model_get16(0, 0x08, PCI_COMMAND), 0x0003);
	assert_string_equal(test_log,
			    "pci: bus mastering was on, now off, in 2: "
			    "0000:00:01.0 0000:01:00.0\n");
	test_log_clear();
	assert_int_equal(pci_bus_master_off(nobody), 0);
	assert_string_equal(test_log, "");
	pci_enable_path(at(1, 0));
	assert_int_equal(model_get16(0, 0x08, PCI_COMMAND), 0x0007);
	assert_int_equal(model_get16(1, 0, PCI_COMMAND), 0x0003);
}

static void lists_many_masters_in_one_line(void **state)
{
	(void)state;
	test_log_clear();
	model_reset(1);
	for (unsigned int devfn = 0; devfn < 256; devfn += 8) {
		model_add(0, devfn, 0x1234, 0x5678, 0);
		model_set16(0, devfn, PCI_COMMAND, 4, 0x0547);
	}
	enumerate();
	test_log_clear();
	assert_int_equal(pci_bus_master_off(nobody), 32);
	assert_non_null(strstr(test_log, "in 32: 0000:00:00.0 "));
	assert_non_null(strstr(test_log, "...\n"));
	assert_ptr_equal(strchr(test_log, '\n'),
			 test_log + strlen(test_log) - 1);
}

static void reads_bridge_windows(void **state)
{
	hpa_t base;
	u64 size;

	(void)state;
	build();
	enumerate();
	assert_true(pci_bridge_window(at(0, 0x08), false, &base, &size));
	assert_int_equal(base, 0xc0200000);
	assert_int_equal(size, 2 * MIB);
	assert_true(pci_bridge_window(at(0, 0x08), true, &base, &size));
	assert_int_equal(base, 0xe000000000);
	assert_int_equal(size, 512 * MIB);
	/* base above limit: closed (bridges 3.2.5.8) */
	model_set32(0, 0x08, PCI_MEMORY_WINDOW, 0xc020c030, 0);
	assert_false(pci_bridge_window(at(0, 0x08), false, &base, &size));
	model_set32(0, 0x08, PCI_PREFETCH_WINDOW, 0xfff1fff1, 0);
	model_set32(0, 0x08, PCI_PREFETCH_LIMIT_HIGH, 0xffffffff, 0);
	assert_false(pci_bridge_window(at(0, 0x08), true, &base, &size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_functions),
		cmocka_unit_test(sizes_bars),
		cmocka_unit_test(bounds_malformed_bars),
		cmocka_unit_test(what_sizing_leaves_is_no_address),
		cmocka_unit_test(turns_expansion_roms_off),
		cmocka_unit_test(bars_that_are_none),
		cmocka_unit_test(bridges_that_point_back_do_not_loop),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(table_is_as_large_as_the_machine),
		cmocka_unit_test(vfs_have_room),
		cmocka_unit_test(no_memory_for_the_table),
		cmocka_unit_test(says_which_buses_are_out_of_reach),
		cmocka_unit_test(several_ecam_ranges),
		cmocka_unit_test(refuses_bad_ecam),
		cmocka_unit_test(adds_vfs),
		cmocka_unit_test(knows_what_is_below),
		cmocka_unit_test(turns_bus_mastering_off_and_on),
		cmocka_unit_test(leaves_bus_mastering_to_some),
		cmocka_unit_test(lists_many_masters_in_one_line),
		cmocka_unit_test(reads_bridge_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
