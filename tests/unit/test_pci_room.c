/* sources: drivers/pci/pci_room.c drivers/pci/pci.c drivers/pci/pci_caps.c drivers/pci/pci_bars.c tests/unit/pci_model.c drivers/pci/pci_facts.c */
#include "drivers/pci/pci_room.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include <string.h>

/* What is noted as taken */
static struct host_range taken;

const struct host_range *host_range_of(hpa_t base, u64 size)
{
	return ranges_overlap(base, size, taken.base, taken.size) ? &taken
								  : NULL;
}

static struct pci_function *fn;
static char text[320];

/* 01:00.0 below port 00:01.0, which forwards C0000000 to C01FFFFF and C0200000
 * to C02FFFFF; 00:04.0 on the root bus, and port 00:05.0, C0400000 on */
static int set_up(void **state)
{
	(void)state;
	test_log_clear();
	taken = (struct host_range){0};
	model_reset(4);
	model_add(0, 0x08, 0x1b36, 0x000c, 0x060400);
	model_bridge(0, 0x08, 1, 2);
	model_set32(0, 0x08, PCI_MEMORY_WINDOW, 0xc010c000, 0);
	model_set32(0, 0x08, PCI_PREFETCH_WINDOW, 0xc020c020, 0);
	model_add(1, 0, 0x8086, 0x10c9, 0x020000);
	model_set32(1, 0, PCI_BAR(0), 0xc0000000, 0xfffe0000);
	model_set32(1, 0, PCI_BAR(3), 0xc0040000, 0xffffc000);
	model_add(0, 0x20, 0x1234, 0x11e8, 0x00ff00);
	model_set32(0, 0x20, PCI_BAR(0), 0xd0000000, 0xfff00000);
	model_add(0, 0x28, 0x1b36, 0x000c, 0x060400);
	model_bridge(0, 0x28, 3, 3);
	model_set32(0, 0x28, PCI_MEMORY_WINDOW, 0xc040c040, 0);
	return 0;
}

static bool refused(u8 bus, u8 devfn)
{
	struct pci_ecam ecam = model_ecam();

	assert_int_equal(pci_enumerate(&ecam, 1), 0);
	fn = pci_find((struct pci_addr){.bus = bus, .devfn = devfn});
	assert_non_null(fn);
	text[0] = '\0';
	return pci_bars_refused(fn, text, sizeof(text));
}

static void expect(const char *words)
{
	assert_true(refused(1, 0));
	if (!strstr(text, words))
		fail_msg("'%s' lacks '%s'", text, words);
}

static void nobody_elses(void **state)
{
	(void)state;
	assert_false(refused(1, 0));
	assert_false(refused(0, 0x20));
	/* Two of its own at one place are its own affair, but are said */
	model_set32(1, 0, PCI_BAR(3), 0xc0010000, 0xffffc000);
	expect("its BAR 0 (0xc0000000) on a BAR of 0000:01:00.0 "
	       "(0xc0010000-0xc0013fff)");
}

static void no_address(void **state)
{
	(void)state;
	model_set32(1, 0, PCI_BAR(3), 0xffffc000, 0xffffc000);
	expect("firmware gave its BAR 3 no address: turn on \"Above 4G "
	       "Decoding\" in the set-up, or take other cards out");
	model_set32(1, 0, PCI_BAR(3), 0, 0xffffc000);
	expect("its BAR 3 no address");
}

static void what_is_noted(void **state)
{
	(void)state;
	taken = (struct host_range){0xc0043000, 0x1000, "a remapping unit"};
	expect("firmware put its BAR 3 (0xc0040000) on a remapping unit "
	       "(0xc0043000-0xc0043fff): look for a newer firmware, or use "
	       "another slot");
	taken.base = 0xc0044000;
	assert_false(refused(1, 0));
	taken.base = 0xc001f000;
	expect("its BAR 0");
}

static void bars_of_others(void **state)
{
	(void)state;
	model_set32(0, 0x20, PCI_BAR(1), 0xc0042000, 0xfffff000);
	expect("on a BAR of 0000:00:04.0 (0xc0042000-0xc0042fff)");
	assert_true(refused(0, 0x20));
	/* Ports are not memory, and what has no address is nowhere */
	model_set32(0, 0x20, PCI_BAR(1), 0xc0042001, 0xffffff00);
	assert_false(refused(1, 0));
	model_set32(0, 0x20, PCI_BAR(1), 0xc0000000, 0xc0000000);
	assert_false(refused(1, 0));
}

static void windows_of_others(void **state)
{
	(void)state;
	model_set32(0, 0x20, PCI_BAR(0), 0xc0400000, 0xfff00000);
	assert_true(refused(0, 0x20));
	assert_non_null(strstr(text, "on the window of 0000:00:05.0 "
				     "(0xc0400000-0xc04fffff)"));
	/* Also if it is inside that of the way to @fn */
	model_add(1, 0x08, 0x1b36, 0x000c, 0x060400);
	model_bridge(1, 0x08, 2, 2);
	model_set32(1, 0x08, PCI_MEMORY_WINDOW, 0xc000c000, 0);
	expect("on the window of 0000:01:01.0");
}

static void every_bridge_forwards(void **state)
{
	(void)state;
	/* A part in each of two windows */
	model_set32(1, 0, PCI_BAR(3), 0, 0);
	model_set32(1, 0, PCI_BAR(0), 0xc0000000, 0xffc00000);
	assert_true(refused(1, 0));
	model_set32(1, 0, PCI_BAR(0), 0xc0000000, 0xffe00000);
	assert_false(refused(1, 0));
	model_set32(1, 0, PCI_BAR(0), 0xc0200000, 0xfffe0000);
	assert_false(refused(1, 0));
	model_set32(1, 0, PCI_BAR(0), 0xc0600000, 0xfffe0000);
	expect("its BAR 0 (0xc0600000) where a bridge above does not forward");
	/* One that forwards whatever nobody else claims */
	model_set8(0, 0x08, PCI_CLASS, 1, 0);
	assert_false(refused(1, 0));
	model_set8(0, 0x08, PCI_CLASS, 0, 0);
	/* 02:00.0 behind 01:01.0: the upper one has to forward as well */
	model_set32(1, 0, PCI_BAR(0), 0xc0000000, 0xfffe0000);
	model_add(1, 0x08, 0x1b36, 0x000c, 0x060400);
	model_bridge(1, 0x08, 2, 2);
	model_set32(1, 0x08, PCI_MEMORY_WINDOW, 0xc060c060, 0);
	model_add(2, 0, 0x1234, 0x11e8, 0x00ff00);
	model_set32(2, 0, PCI_BAR(0), 0xc0600000, 0xfff00000);
	assert_true(refused(2, 0));
	model_set32(0, 0x08, PCI_PREFETCH_WINDOW, 0xc060c060, 0);
	assert_false(refused(2, 0));
}

/* A range for VFs to come: what their PF has counts, their old places do not.
 */
static void ranges_for_vfs(void **state)
{
	struct pci_function *vf, *other;
	struct pci_owner owner;

	(void)state;
	assert_false(refused(1, 0));
	assert_true(pci_range_taken(fn, NULL, 0xc0000000, 0x4000, &owner));
	assert_ptr_equal(owner.fn, fn);
	vf = pci_add((struct pci_addr){.bus = 1, .devfn = 0x80});
	vf->pf = fn;
	vf->parent = fn->parent;
	vf->bar[0] = (struct pci_bar){.base = 0xc0200000, .size = 0x4000};
	assert_false(pci_range_taken(fn, NULL, 0xc0200000, 0x4000, &owner));
	assert_false(pci_bars_refused(vf, text, sizeof(text)));
	/* For all others they do */
	model_add(1, 0x08, 0x1234, 0x11e8, 0x00ff00);
	other = pci_add((struct pci_addr){.bus = 1, .devfn = 0x08});
	other->parent = fn->parent;
	assert_true(pci_range_taken(other, NULL, 0xc0203000, 0x1000, &owner));
	assert_ptr_equal(owner.fn, vf);
}

/* Ports that are no function's: I/O BARs and windows of whatever is there. */
static void ports_of_nobody(void **state)
{
	(void)state;
	refused(1, 0);
	assert_false(pci_ports_taken(NULL, 0x608, 4));
	model_set32(0, 0x20, PCI_BAR(4), 0x601, 0xfffffff8); /* 600h to 607h */
	refused(1, 0);
	assert_false(pci_ports_taken(NULL, 0x608, 4));
	assert_true(pci_ports_taken(NULL, 0x607, 1));
	model_set32(0, 0x20, PCI_BAR(4), 0x601, 0xfffffff0);
	refused(1, 0);
	assert_true(pci_ports_taken(NULL, 0x608, 4));
	assert_true(pci_ports_taken(fn, 0x608, 4));
	fn = pci_find((struct pci_addr){.devfn = 0x20});
	assert_false(pci_ports_taken(fn, 0x608, 4));
}

/* A bridge whose window reads 0 and 0 forwards no ports; one that leads to a
 * function forwards that function's. */
static void ports_of_bridges(void **state)
{
	(void)state;
	model_set16(0, 0x08, PCI_IO_WINDOW, 0, 0);
	refused(1, 0);
	assert_false(pci_ports_taken(NULL, 0x608, 4));
	model_set16(0, 0x08, PCI_IO_WINDOW, 0x2010, 0); /* 1000h to 2fffh */
	refused(1, 0);
	assert_false(pci_ports_taken(NULL, 0xffc, 4));
	assert_true(pci_ports_taken(NULL, 0x1808, 4));
	assert_true(pci_ports_taken(NULL, 0x2ffc, 4));
	assert_false(pci_ports_taken(NULL, 0x3000, 4));
	assert_false(pci_ports_taken(fn, 0x1808, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nobody_elses, set_up),
		cmocka_unit_test_setup(no_address, set_up),
		cmocka_unit_test_setup(what_is_noted, set_up),
		cmocka_unit_test_setup(bars_of_others, set_up),
		cmocka_unit_test_setup(windows_of_others, set_up),
		cmocka_unit_test_setup(every_bridge_forwards, set_up),
		cmocka_unit_test_setup(ranges_for_vfs, set_up),
		cmocka_unit_test_setup(ports_of_nobody, set_up),
		cmocka_unit_test_setup(ports_of_bridges, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
