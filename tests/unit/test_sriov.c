/* sources: drivers/pci/pci_buses.c drivers/pci/sriov.c drivers/pci/sriov_bars.c drivers/pci/pci_windows.c drivers/pci/pci.c drivers/pci/pci_bars.c drivers/pci/pci_caps.c drivers/pci/pci_room.c tests/unit/pci_model.c drivers/pci/pci_facts.c */
#include "drivers/pci/sriov.h"
#include "hv/host_ranges.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include <string.h>

/* The capability of the emulated 82576 stands at 160H */
#define CTRL 0x168
#define NUM_VFS 0x170
#define OFFSET_STRIDE 0x174
#define PAGE_SIZE_REG 0x180
#define VF_BAR0 0x184
#define VF_BAR3 0x190
#define ROOT_PORT 0x08
#define PFS 2		  /* at most, functions 0 and 1 */
#define ROOT_DEVCTL2 0x7c /* PCIe capability at 54H */

/* What is noted as taken */
static struct host_range taken;

const struct host_range *host_range_of(hpa_t base, u64 size)
{
	return ranges_overlap(base, size, taken.base, taken.size) ? &taken
								  : NULL;
}

static struct pci_function *pf;
static u8 pf_bus;   /* PFs are its functions 0 and 1 */
static bool silent; /* VFs do not answer */
static unsigned int enabled_without;

static void add_vf(u8 devfn, unsigned int n)
{
	u32 numbers = model_get32(pf_bus, devfn, OFFSET_STRIDE);
	unsigned int rid = (pf_bus << 8) + devfn + (numbers & 0xffff) +
			   n * (numbers >> 16);

	if (model_get16(rid >> 8, rid, PCI_STATUS) != 0xffff)
		return;
	model_add(rid >> 8, rid, 0xffff, 0xffff, 0x020000);
}

/* What a PF does with its capability (PCIe 9.3.3) */
static void device(u8 bus, u8 devfn, u16 reg, u32 value)
{
	bool on = model_get16(pf_bus, devfn, CTRL) & 1;

	(void)value;
	if (bus != pf_bus || devfn >= PFS)
		return;
	if (reg >= 0x170 && reg < 0x19c)
		assert_false(on); /* these may change while VFE is clear */
	if (reg != CTRL || !on || silent)
		return;
	if (model_get32(pf_bus, devfn, PAGE_SIZE_REG) != 1 ||
	    !(model_get16(0, ROOT_PORT, ROOT_DEVCTL2) & 0x20))
		enabled_without++;
	for (unsigned int n = 0; n < model_get16(pf_bus, devfn, NUM_VFS); n++)
		add_vf(devfn, n);
}

static void set_vf_bars_of(u8 devfn, u64 bar0, u64 bar3)
{
	model_set32(pf_bus, devfn, VF_BAR0, (u32)bar0 | 0xc, 0xffffc000);
	model_set32(pf_bus, devfn, VF_BAR0 + 4, bar0 >> 32, 0xffffffff);
	model_set32(pf_bus, devfn, VF_BAR3, (u32)bar3 | 0xc, 0xffffc000);
	model_set32(pf_bus, devfn, VF_BAR3 + 4, bar3 >> 32, 0xffffffff);
}

static void set_vf_bars(u64 bar0, u64 bar3)
{
	set_vf_bars_of(0, bar0, bar3);
}

static void build_root_port(void)
{
	model_add(0, ROOT_PORT, 0x1b36, 0x000c, 0x060400);
	model_bridge(0, ROOT_PORT, 1, 1);
	model_cap(0, ROOT_PORT, 0x54, 0x10, 0);
	model_set16(0, ROOT_PORT, 0x56, 0x0042, 0);	/* v2, root port */
	model_set32(0, ROOT_PORT, 0x78, 0x00000020, 0); /* DevCap2: ARI */
	model_set16(0, ROOT_PORT, ROOT_DEVCTL2, 0, 0xffff);
	model_set32(0, ROOT_PORT, PCI_MEMORY_WINDOW, 0xfe50fe40, 0);
	model_set32(0, ROOT_PORT, PCI_PREFETCH_WINDOW, 0xfeb0fea0, 0);
}

static void build_pf(u8 devfn, u32 bar0, u32 bar3)
{
	model_add(pf_bus, devfn, 0x8086, 0x10c9, 0x020000);
	model_set32(pf_bus, devfn, PCI_BAR(0), bar0, 0xfffe0000);
	model_set32(pf_bus, devfn, PCI_BAR(3), bar3, 0xffffc000);
	model_ext_cap(pf_bus, devfn, 0x100, 0x0001, 0x160);
	model_ext_cap(pf_bus, devfn, 0x160, 0x0010, 0);
	model_set16(pf_bus, devfn, CTRL, 0, 0x19);
	model_set32(pf_bus, devfn, 0x16c, 0x00080008,
		    0); /* InitialVFs, TotalVFs */
	model_set16(pf_bus, devfn, NUM_VFS, 0, 0xffff);
	model_set32(pf_bus, devfn, OFFSET_STRIDE, 0x00020080, 0);
	model_set32(pf_bus, devfn, 0x178, 0x10ca0000, 0); /* VF device ID */
	model_set32(pf_bus, devfn, 0x17c, 0x00000553, 0);
	model_set32(pf_bus, devfn, PAGE_SIZE_REG, 1, 0xffffffff);
	for (unsigned int reg = VF_BAR0; reg < VF_BAR0 + 24; reg += 4)
		model_set32(pf_bus, devfn, reg, 0, 0);
	set_vf_bars_of(devfn, 0, 0);
}

static void find(void)
{
	struct pci_ecam ecam = model_ecam();

	assert_int_equal(pci_enumerate(&ecam, 1), 0);
	pf = pci_find((struct pci_addr){.bus = pf_bus});
	assert_non_null(pf);
	test_log_clear();
	model_written = device;
}

static int set_up(void **state)
{
	(void)state;
	test_log_clear();
	silent = false;
	enabled_without = 0;
	taken = (struct host_range){0};
	pf_bus = 1;
	model_reset(4);
	build_root_port();
	build_pf(0, 0xfe400000, 0xfe440000);
	return 0;
}

static void off(void)
{
	assert_int_equal(model_get16(1, 0, CTRL) & 0x9, 0);
	assert_null(sriov_vf(pf, 0));
}

/* OVMF: prefetchable window above 4 GiB, VF BARs assigned for 8 VFs */
static void keeps_the_addresses_of_firmware(void **state)
{
	struct pci_function *vf;
	u64 before;

	(void)state;
	model_set32(0, ROOT_PORT, PCI_PREFETCH_WINDOW, 0x1ff10001, 0);
	model_set32(0, ROOT_PORT, PCI_PREFETCH_BASE_HIGH, 0xe0, 0);
	model_set32(0, ROOT_PORT, PCI_PREFETCH_LIMIT_HIGH, 0xe0, 0);
	set_vf_bars(0xe000020000, 0xe000000000);
	find();
	before = test_time;
	assert_int_equal(sriov_enable(pf, 2), 0);
	assert_true(test_time - before >= 100000);
	assert_int_equal(model_get16(1, 0, CTRL), 0x19);
	assert_int_equal(model_get16(1, 0, NUM_VFS), 2);
	assert_int_equal(model_get16(0, ROOT_PORT, ROOT_DEVCTL2), 0x20);
	assert_int_equal(enabled_without, 0);
	vf = sriov_vf(pf, 0);
	assert_non_null(vf);
	assert_int_equal(PCI_RID(vf->addr), 0x0180);
	assert_int_equal(vf->vendor, 0x8086);
	assert_int_equal(vf->device, 0x10ca);
	assert_int_equal(vf->class, 0x020000);
	assert_ptr_equal(vf->pf, pf);
	assert_ptr_equal(vf->parent, pf->parent);
	assert_int_equal(vf->bar[0].base, 0xe000020000);
	assert_int_equal(vf->bar[0].size, 16 * KIB);
	assert_true(vf->bar[0].is64 && vf->bar[0].prefetch);
	assert_int_equal(vf->bar[1].size, 0);
	assert_int_equal(vf->bar[3].base, 0xe000000000);
	assert_int_equal(model_get16(1, 0x80, PCI_COMMAND), 2);
	vf = sriov_vf(pf, 1);
	assert_int_equal(PCI_RID(vf->addr), 0x0182);
	assert_int_equal(vf->vf_index, 1);
	assert_int_equal(vf->bar[0].base, 0xe000024000);
	assert_int_equal(vf->bar[3].base, 0xe000004000);
	assert_null(sriov_vf(pf, 2));
	assert_non_null(strstr(test_log,
			       "sriov: 0000:01:10.0: VF 0 of 0000:01:00.0, "
			       "8086:10ca, BAR0 e000020000 16K, BAR3 "
			       "e000000000 16K\n"));
}

/* SeaBIOS: VF BARs 0, prefetchable window FEA00000-FEBFFFFF */
static void places_what_firmware_did_not(void **state)
{
	struct pci_function *vf;

	(void)state;
	find();
	assert_int_equal(sriov_enable(pf, 2), 0);
	vf = sriov_vf(pf, 1);
	assert_int_equal(vf->bar[0].base, 0xfea04000);
	/* Behind the 32 KiB of BAR0 of both VFs */
	assert_int_equal(vf->bar[3].base, 0xfea0c000);
	assert_int_equal(model_get32(1, 0, VF_BAR0), 0xfea0000c);
	assert_int_equal(model_get32(1, 0, VF_BAR3), 0xfea0800c);
	assert_int_equal(model_get32(1, 0, VF_BAR3 + 4), 0);
}

static void avoids_what_others_use(void **state)
{
	(void)state;
	model_add(1, 0x08, 0x1234, 0x5678, 0);
	model_set32(1, 0x08, PCI_BAR(0), 0xfea00000, 0xfffff000);
	model_set32(1, 0x08, PCI_BAR(1), 0xfea04000, 0xffffe000);
	find();
	assert_int_equal(sriov_enable(pf, 1), 0);
	assert_int_equal(sriov_vf(pf, 0)->bar[0].base, 0xfea08000);
	assert_int_equal(sriov_vf(pf, 0)->bar[3].base, 0xfea0c000);
}

/* A window over the HPET: what is chosen is checked as what was given. */
static void avoids_what_is_no_functions(void **state)
{
	(void)state;
	taken = (struct host_range){0xfea00000, 0x1000, "the HPET"};
	find();
	assert_int_equal(sriov_enable(pf, 1), 0);
	assert_int_equal(sriov_vf(pf, 0)->bar[0].base, 0xfea04000);
	assert_int_equal(sriov_vf(pf, 0)->bar[3].base, 0xfea08000);
	/* All of one window: in the other, behind the PF's BAR0 */
	taken.size = 0x200000;
	sriov_disable(pf);
	set_vf_bars(0, 0);
	assert_int_equal(sriov_enable(pf, 1), 0);
	assert_int_equal(sriov_vf(pf, 0)->bar[0].base, 0xfe420000);
	/* The end of the address space */
	taken = (struct host_range){0x1000, ~0ULL - 0x1000, "too many"};
	sriov_disable(pf);
	assert_int_equal(sriov_enable(pf, 1), -ENOSPC);
}

static void moves_bars_off_what_is_no_functions(void **state)
{
	(void)state;
	taken = (struct host_range){0xfea13000, 0x1000, "a remapping unit"};
	set_vf_bars(0xfea10000, 0xfea00000);
	find();
	assert_int_equal(sriov_enable(pf, 1), 0);
	assert_int_equal(sriov_vf(pf, 0)->bar[0].base, 0xfea00000);
	assert_int_equal(sriov_vf(pf, 0)->bar[3].base, 0xfea04000);
	assert_non_null(strstr(test_log,
			       "firmware put VF BAR0 on a remapping unit "
			       "(0xfea13000-0xfea13fff); it gets another"));
}

static void what_sizing_left_is_no_address(void **state)
{
	(void)state;
	/* The window reaches up to 4 GiB */
	model_set32(0, ROOT_PORT, PCI_PREFETCH_WINDOW, 0xfff0fea0, 0);
	set_vf_bars(0xffffc000, ~0ULL << 14);
	find();
	assert_int_equal(sriov_enable(pf, 1), 0);
	assert_int_equal(sriov_vf(pf, 0)->bar[0].base, 0xfea00000);
	assert_int_equal(sriov_vf(pf, 0)->bar[3].base, 0xfea04000);
}

static void avoids_windows_of_other_bridges(void **state)
{
	(void)state;
	model_add(1, 0x10, 0x1b36, 0x000c, 0x060400);
	model_bridge(1, 0x10, 2, 2);
	model_set32(1, 0x10, PCI_MEMORY_WINDOW, 0xfea0fea0, 0);
	find();
	assert_int_equal(sriov_enable(pf, 1), 0);
	assert_int_equal(sriov_vf(pf, 0)->bar[0].base, 0xfeb00000);
}

static void moves_bars_that_firmware_put_wrong(void **state)
{
	(void)state;
	/* BAR0 on the PF's own BAR0; BAR3 outside both windows */
	set_vf_bars(0xfe410000, 0xd0000000);
	find();
	assert_int_equal(sriov_enable(pf, 1), 0);
	assert_int_equal(sriov_vf(pf, 0)->bar[0].base, 0xfea00000);
	assert_int_equal(sriov_vf(pf, 0)->bar[3].base, 0xfea04000);
}

static void moves_bars_that_reach_beyond_the_window(void **state)
{
	(void)state;
	/* The last 16 KiB of the window: room for one VF, not for two */
	set_vf_bars(0xfebfc000, 0xfea00000);
	find();
	assert_int_equal(sriov_enable(pf, 2), 0);
	assert_int_equal(sriov_vf(pf, 0)->bar[0].base, 0xfea00000);
	assert_int_equal(sriov_vf(pf, 0)->bar[3].base, 0xfea08000);
}

static void uses_the_other_window_if_one_is_full(void **state)
{
	(void)state;
	model_add(1, 0x08, 0x1234, 0x5678, 0);
	model_set32(1, 0x08, PCI_BAR(0), 0xfea00000, 0xffe00000);
	find();
	assert_int_equal(sriov_enable(pf, 1), 0);
	/* Behind the PF's BAR0, FE400000-FE41FFFF */
	assert_int_equal(sriov_vf(pf, 0)->bar[0].base, 0xfe420000);
}

static void says_when_there_is_no_room(void **state)
{
	(void)state;
	model_add(1, 0x08, 0x1234, 0x5678, 0);
	model_set32(1, 0x08, PCI_BAR(0), 0xfea00000, 0xffe00000);
	model_set32(1, 0x08, PCI_BAR(1), 0xfe400000, 0xffe00000);
	find();
	assert_int_equal(sriov_enable(pf, 1), -ENOSPC);
	assert_non_null(strstr(test_log, "no room for VF BAR0"));
	off();
}

static void closed_windows_have_no_room(void **state)
{
	(void)state;
	model_set32(0, ROOT_PORT, PCI_MEMORY_WINDOW, 0x0000fff0, 0);
	model_set32(0, ROOT_PORT, PCI_PREFETCH_WINDOW, 0x0000fff0, 0);
	find();
	assert_int_equal(sriov_enable(pf, 1), -ENOSPC);
}

/* A prefetchable window of 64 bits, closed: base FFF00000, limit 0 */
static void close_high_window(u8 bus, u8 devfn)
{
	model_set32(bus, devfn, PCI_PREFETCH_WINDOW, 0x0001fff1, 0xfff0fff0);
	model_set32(bus, devfn, PCI_PREFETCH_BASE_HIGH, 0, 0xffffffff);
	model_set32(bus, devfn, PCI_PREFETCH_LIMIT_HIGH, 0, 0xffffffff);
}

/* The only root bus: what is above RAM is its own. */
static void opens_a_window_above_ram(void **state)
{
	(void)state;
	close_high_window(0, ROOT_PORT);
	taken = (struct host_range){0, 0x27fffffff, "RAM"};
	find();
	assert_int_equal(sriov_enable(pf, 8), 0);
	assert_int_equal(sriov_vf(pf, 0)->bar[0].base, 0x280000000);
	assert_int_equal(sriov_vf(pf, 7)->bar[3].base, 0x28003c000);
	assert_int_equal(model_get32(0, ROOT_PORT, PCI_PREFETCH_WINDOW),
			 0x80018001);
	assert_int_equal(model_get32(0, ROOT_PORT, PCI_PREFETCH_BASE_HIGH), 2);
	assert_int_equal(model_get32(0, ROOT_PORT, PCI_PREFETCH_LIMIT_HIGH), 2);
	assert_non_null(strstr(test_log,
			       "pci: 0000:00:01.0 and what is above it forward "
			       "0x280000000-0x2800fffff, too"));
}

/* With a second root bus nothing is known of what neither decodes. */
static void opens_no_window_beside_another_root(void **state)
{
	(void)state;
	close_high_window(0, ROOT_PORT);
	model_set32(0, ROOT_PORT, PCI_MEMORY_WINDOW, 0xfe40fe40, 0);
	taken = (struct host_range){0xfe420000, 0xe0000, "something"};
	model_add(3, 0, 0x1234, 0x5678, 0x020000);
	find();
	assert_int_equal(sriov_enable(pf, 8), -ENOSPC);
	assert_int_equal(model_get32(0, ROOT_PORT, PCI_PREFETCH_WINDOW),
			 0x0001fff1);
}

/* One MiB, full, and the next one is nobody's, up to another port's. */
static void narrow_window(u32 writable)
{
	model_set32(0, ROOT_PORT, PCI_PREFETCH_WINDOW, 0x0000fff0, 0);
	model_set32(0, ROOT_PORT, PCI_MEMORY_WINDOW, 0xfe40fe40, writable);
	taken = (struct host_range){0xfe450000, 0xb0000, "something"};
	model_add(0, 0x10, 0x1b36, 0x000c, 0x060400);
	model_bridge(0, 0x10, 2, 2);
	model_set32(0, 0x10, PCI_MEMORY_WINDOW, 0xfe70fe60, 0);
	model_set32(0, 0x10, PCI_PREFETCH_WINDOW, 0x0000fff0, 0);
	find();
}

static void a_window_grows(void **state)
{
	(void)state;
	narrow_window(0xfff0fff0);
	assert_int_equal(sriov_enable(pf, 8), 0);
	assert_int_equal(model_get32(0, ROOT_PORT, PCI_MEMORY_WINDOW),
			 0xfe50fe40);
	assert_int_equal(sriov_vf(pf, 0)->bar[0].base, 0xfe420000);
	assert_int_equal(sriov_vf(pf, 0)->bar[3].base, 0xfe500000);
	/* Not over what is taken, and not beyond what the bus decodes */
	set_up(state);
	narrow_window(0xfff0fff0);
	taken.size += 0x1000;
	assert_int_equal(sriov_enable(pf, 8), -ENOSPC);
	assert_int_equal(model_get32(0, ROOT_PORT, PCI_MEMORY_WINDOW),
			 0xfe40fe40);
	set_up(state);
	model_set32(0, ROOT_PORT, PCI_PREFETCH_WINDOW, 0x0000fff0, 0);
	model_set32(0, ROOT_PORT, PCI_MEMORY_WINDOW, 0xfe40fe40, 0xfff0fff0);
	taken = (struct host_range){0xfe450000, 0xb0000, "something"};
	find();
	assert_int_equal(sriov_enable(pf, 8), -ENOSPC);
	assert_int_equal(model_get32(0, ROOT_PORT, PCI_MEMORY_WINDOW),
			 0xfe40fe40);
}

/* Not over what is the chipset's, though nothing says so */
static void no_window_over_hidden_registers(void **state)
{
	(void)state;
	model_set32(1, 0, PCI_BAR(0), 0xfcf00000, 0xfffe0000);
	model_set32(1, 0, PCI_BAR(3), 0xfcf40000, 0xffffc000);
	narrow_window(0xfff0fff0);
	model_set32(0, ROOT_PORT, PCI_MEMORY_WINDOW, 0xfcf0fcf0, 0xfff0fff0);
	taken = (struct host_range){0xfcf50000, 0xb0000, "something"};
	find();
	assert_int_equal(sriov_enable(pf, 8), -ENOSPC);
	assert_int_equal(model_get32(0, ROOT_PORT, PCI_MEMORY_WINDOW),
			 0xfcf0fcf0);
}

static void checks_the_number_of_vfs(void **state)
{
	(void)state;
	find();
	assert_int_equal(sriov_enable(pf, 9), -ERANGE);
	assert_non_null(strstr(test_log, "it has 8 VFs, and no VF 8"));
	assert_int_equal(sriov_enable(pf, 0), -ERANGE);
	off();
	assert_int_equal(sriov_enable(pf, 8), 0);
	assert_int_equal(PCI_RID(sriov_vf(pf, 7)->addr), 0x018e);
}

static const struct pci_function *kept;

static bool keep(const struct pci_function *fn)
{
	return fn == kept;
}

static void checks_bus_numbers(void **state)
{
	(void)state;
	/* 01:00.0 + 100H is on bus 2, the bridge forwards to bus 1 alone */
	model_set32(1, 0, OFFSET_STRIDE, 0x00020100, 0);
	find();
	model_set16(1, 0, PCI_COMMAND, PCI_COMMAND_MASTER, 0xffff);
	assert_int_equal(sriov_number_buses(pf, 1, keep), -ERANGE);
	assert_non_null(strstr(test_log, "its bus keeps its number: a function "
					 "below 0000:00:01.0 does DMA"));
	assert_non_null(strstr(test_log, "turn on \"SR-IOV Support\" and "
					 "\"ARI\" in the firmware's set-up"));
	model_set16(1, 0, PCI_COMMAND, 0, 0xffff);
	model_set32(1, 0, OFFSET_STRIDE, 0x00000080, 0); /* all VFs in one */
	assert_int_equal(sriov_enable(pf, 2), -ERANGE);
	model_set32(1, 0, OFFSET_STRIDE, 0x00020000, 0); /* VF 0 is the PF */
	assert_int_equal(sriov_enable(pf, 1), -ERANGE);
	model_set32(1, 0, OFFSET_STRIDE, 0xffffffff, 0);
	assert_int_equal(sriov_enable(pf, 8), -ERANGE);
	off();
}

#define OTHER_PORT 0x10

/* The bus below a port has the number that the port was given. */
static void moving(u8 bus, u8 devfn, u16 reg, u32 value)
{
	static u8 now;

	if (!now || pf_bus == 1)
		now = 1;
	if (!bus && devfn == ROOT_PORT && reg == 0x18 &&
	    (u8)(value >> 8) != now) {
		model_move_bus(now, value >> 8);
		now = pf_bus = value >> 8;
	}
	device(bus, devfn, reg, value);
}

/* A card that numbers its VFs 180h further without ARI, and firmware that gave
 * the bus behind it to the next port */
static void crowd(unsigned int buses)
{
	model_reset(buses);
	build_root_port();
	model_set32(0, ROOT_PORT, 0x78, 0, 0); /* no ARI */
	model_set32(0, ROOT_PORT, 0x18, 0x00010100, 0x00ffffff);
	build_pf(0, 0xfe400000, 0xfe440000);
	build_pf(1, 0xfe420000, 0xfe444000);
	model_set8(1, 0, PCI_HEADER_TYPE, 0x80, 0);
	model_set32(1, 0, OFFSET_STRIDE, 0x00020180, 0);
	model_set32(1, 1, OFFSET_STRIDE, 0x00020180, 0);
	model_add(0, OTHER_PORT, 0x1b36, 0x000c, 0x060400);
	model_bridge(0, OTHER_PORT, 2, 2);
	model_set32(0, OTHER_PORT, PCI_MEMORY_WINDOW, 0xfe70fe60, 0);
	model_set32(0, OTHER_PORT, PCI_PREFETCH_WINDOW, 0x0000fff0, 0);
	model_add(2, 0, 0x1b36, 0x0010, 0x010802);
	find();
	model_written = moving;
}

static void a_branch_gets_numbers(void **state)
{
	struct pci_function *second, *vf;

	(void)state;
	crowd(6);
	second = pci_find((struct pci_addr){.bus = 1, .devfn = 1});
	assert_int_equal(sriov_number_buses(pf, 8, keep), 0);
	assert_non_null(strstr(test_log, "pci: buses 01-01 below 0000:00:01.0 "
					 "become 03-04"));
	assert_int_equal(model_get32(0, ROOT_PORT, 0x18) & 0xffffff, 0x040300);
	assert_int_equal(pf->addr.bus, 3);
	assert_int_equal(second->addr.bus, 3);
	assert_int_equal((hpa_t)pf->config, model_ecam().base + 0x300000);
	assert_int_equal(sriov_enable(pf, 8), 0);
	vf = sriov_vf(pf, 7);
	assert_int_equal(PCI_RID(vf->addr), 0x048e);
	/* The other port has its numbers, and the other PF's VFs have theirs */
	assert_non_null(pci_find((struct pci_addr){.bus = 2}));
	assert_int_equal(sriov_enable(second, 8), 0);
	assert_int_equal(PCI_RID(sriov_vf(second, 7)->addr), 0x048f);
}

/* Nothing is changed where there are no numbers. */
static void no_numbers_for_a_branch(void **state)
{
	(void)state;
	crowd(4);
	assert_int_equal(sriov_number_buses(pf, 1, keep), -ERANGE);
	assert_int_equal(pf->addr.bus, 1);
	assert_int_equal(model_get32(0, ROOT_PORT, 0x18) & 0xffffff, 0x010100);
	assert_non_null(strstr(test_log, "\"SR-IOV Support\""));
}

/* Whoever came to its old number would reach what is open to that. */
static void what_reaches_memory_keeps_its_number(void **state)
{
	(void)state;
	crowd(6);
	kept = pci_find((struct pci_addr){.bus = 1, .devfn = 1});
	assert_int_equal(sriov_number_buses(pf, 8, keep), -ERANGE);
	kept = NULL;
	assert_int_equal(pf->addr.bus, 1);
	assert_int_equal(model_get32(0, ROOT_PORT, 0x18) & 0xffffff, 0x010100);
	assert_non_null(strstr(test_log, "does DMA for firmware, or may"));
}

/* By ARI the offset is 80h: the VF's address is the same before and after. */
static void on_ari(u8 bus, u8 devfn, u16 reg, u32 value)
{
	if (bus == 1 && !devfn && reg == CTRL)
		model_set32(1, 0, OFFSET_STRIDE,
			    value & 0x10 ? 0x00020080 : 0x00020180, 0);
	device(bus, devfn, reg, value);
}

static void ari_comes_before_addresses(void **state)
{
	u16 number = 9;

	(void)state;
	model_set32(1, 0, OFFSET_STRIDE, 0x00020180, 0);
	find();
	model_written = on_ari;
	assert_true(sriov_vf_number(
		pf, (struct pci_addr){.bus = 1, .devfn = 0x82}, &number));
	assert_int_equal(number, 1);
	assert_int_equal(sriov_enable(pf, 2), 0);
	assert_int_equal(PCI_RID(sriov_vf(pf, 1)->addr), 0x0182);
	/* One that is behind another port asks nothing of this one */
	set_up(state);
	find();
	assert_false(sriov_vf_number(
		pf, (struct pci_addr){.bus = 2, .devfn = 0x82}, &number));
	assert_int_equal(model_get16(0, ROOT_PORT, ROOT_DEVCTL2), 0);
}

/* 64-bit VF BARs that are not prefetchable, as the real card has them */
static void room_in_the_prefetchable_window(void **state)
{
	(void)state;
	set_vf_bars(0, 0);
	for (u16 reg = VF_BAR0; reg <= VF_BAR3; reg += VF_BAR3 - VF_BAR0)
		model_set32(1, 0, reg, 0x4, 0xffffc000);
	model_set32(0, ROOT_PORT, PCI_MEMORY_WINDOW, 0xfe40fe40, 0);
	taken = (struct host_range){0xfe420000, 0xe0000, "something"};
	find();
	assert_int_equal(sriov_enable(pf, 8), 0);
	assert_int_equal(sriov_vf(pf, 0)->bar[0].base, 0xfea00000);
	/* Not where a bridge to PCI may merge */
	set_up(state);
	for (u16 reg = VF_BAR0; reg <= VF_BAR3; reg += VF_BAR3 - VF_BAR0)
		model_set32(1, 0, reg, 0x4, 0xffffc000);
	model_set32(0, ROOT_PORT, PCI_MEMORY_WINDOW, 0xfe40fe40, 0);
	model_set16(0, ROOT_PORT, 0x56, 0x0072, 0);
	taken = (struct host_range){0xfe420000, 0xe0000, "something"};
	find();
	assert_int_equal(sriov_enable(pf, 8), -ENOSPC);
}

static struct pci_function *vf_at(u8 bus, u8 devfn)
{
	return pci_find((struct pci_addr){.bus = bus, .devfn = devfn});
}

/* 01:1f.6, 01:1f.7, 02:00.0: the third is on a bus that no bridge names alone
 */
static void next_bus(u8 subordinate)
{
	model_bridge(0, ROOT_PORT, 1, subordinate);
	model_set32(0, ROOT_PORT, PCI_PREFETCH_WINDOW, 0xfeb0fea0, 0);
	model_set32(pf_bus, 0, OFFSET_STRIDE, 0x000100fe, 0);
}

static void vfs_on_a_bus_of_their_own(void **state)
{
	struct pci_function *vf;
	u16 number = 0;

	(void)state;
	next_bus(2);
	find();
	assert_true(sriov_vf_number(pf, (struct pci_addr){.bus = 2, .devfn = 1},
				    &number));
	assert_int_equal(number, 3);
	assert_int_equal(sriov_enable(pf, 4), 0);
	assert_ptr_equal(sriov_vf(pf, 1), vf_at(1, 0xff));
	vf = sriov_vf(pf, 3);
	assert_ptr_equal(vf, vf_at(2, 1));
	assert_int_equal(vf->vf_index, 3);
	assert_ptr_equal(vf->parent, pf->parent);
	assert_int_equal((hpa_t)vf->config, model_ecam().base + 0x201000);
	assert_int_equal(vf->bar[0].base, 0xfea0c000);
	/* Known by now, and no other's: a second time is the same */
	sriov_disable(pf);
	assert_int_equal(sriov_enable(pf, 4), 0);
	assert_ptr_equal(sriov_vf(pf, 3), vf);
}

/* The two ports of an 82576 without ARI: 02:10.0, 02:10.2 and 02:10.1, 02:10.3
 */
static void two_pfs_share_a_bus(void **state)
{
	struct pci_function *other;

	(void)state;
	next_bus(2);
	model_set8(1, 0, PCI_HEADER_TYPE, 0x80, 0);
	model_set32(1, 0, OFFSET_STRIDE, 0x00020180, 0);
	build_pf(1, 0xfe420000, 0xfe444000);
	model_set32(1, 1, OFFSET_STRIDE, 0x00020180, 0);
	find();
	other = pci_find((struct pci_addr){.bus = 1, .devfn = 1});
	assert_non_null(other);
	assert_int_equal(sriov_enable(pf, 2), 0);
	assert_int_equal(sriov_enable(other, 2), 0);
	assert_ptr_equal(sriov_vf(pf, 0), vf_at(2, 0x80));
	assert_ptr_equal(sriov_vf(other, 0), vf_at(2, 0x81));
	assert_ptr_equal(sriov_vf(pf, 1), vf_at(2, 0x82));
	assert_ptr_equal(sriov_vf(other, 1), vf_at(2, 0x83));
	/* 64 KiB for the first PF's, then the other's */
	assert_int_equal(sriov_vf(pf, 1)->bar[3].base, 0xfea0c000);
	assert_int_equal(sriov_vf(other, 0)->bar[0].base, 0xfea10000);
	/* The same place is still nobody else's */
	sriov_disable(other);
	model_set32(1, 1, OFFSET_STRIDE, 0x0002017f, 0);
	assert_int_equal(sriov_enable(other, 1), -EIO);
	assert_non_null(strstr(test_log, "0000:02:10.0: VF 0 where another"));
}

static void fewer_vfs_need_fewer_buses(void **state)
{
	(void)state;
	next_bus(1);
	find();
	assert_int_equal(sriov_enable(pf, 2), 0);
	assert_int_equal(sriov_enable(pf, 3), -ERANGE);
	assert_non_null(strstr(test_log, "need buses up to 02, and the bridges "
					 "above forward up to 01"));
	off();
}

/* 02:00.0 behind 01:00.0, a switch that forwards 2-3, behind a root port that
 * forwards 1-@subordinate */
static void behind_a_switch(u8 subordinate)
{
	model_bridge(0, ROOT_PORT, 1, subordinate);
	model_set32(0, ROOT_PORT, PCI_PREFETCH_WINDOW, 0xfeb0fea0, 0);
	model_add(1, 0, 0x104c, 0x8232, 0x060400);
	model_bridge(1, 0, 2, 3);
	model_set32(1, 0, PCI_PREFETCH_WINDOW, 0xfeb0fea0, 0);
	pf_bus = 2;
	build_pf(0, 0xfe400000, 0xfe440000);
	model_set32(pf_bus, 0, OFFSET_STRIDE, 0x00010100, 0);
	find();
}

static void every_bridge_above_forwards(void **state)
{
	(void)state;
	behind_a_switch(3);
	assert_int_equal(sriov_enable(pf, 1), 0);
	assert_ptr_equal(sriov_vf(pf, 0), vf_at(3, 0));
}

static void one_bridge_above_does_not_forward(void **state)
{
	(void)state;
	behind_a_switch(2);
	assert_int_equal(sriov_enable(pf, 1), -ERANGE);
	assert_non_null(strstr(test_log, "forward up to 02"));
	off();
}

/* The root port takes what the switch does not: it gets its own back. */
static void all_bridges_grow_or_none(void **state)
{
	(void)state;
	taken = (struct host_range){0xfe450000, 0xb0000, "something"};
	behind_a_switch(3);
	model_set32(0, ROOT_PORT, PCI_PREFETCH_WINDOW, 0x0000fff0, 0);
	model_set32(0, ROOT_PORT, PCI_MEMORY_WINDOW, 0xfe40fe40, 0xfff0fff0);
	model_set32(1, 0, PCI_PREFETCH_WINDOW, 0x0000fff0, 0);
	model_set32(1, 0, PCI_MEMORY_WINDOW, 0xfe40fe40, 0);
	model_add(0, 0x10, 0x1234, 0x5678, 0x020000);
	model_set32(0, 0x10, PCI_BAR(0), 0xfe600000, 0xfff00000);
	find();
	assert_int_equal(sriov_enable(pf, 8), -ENOSPC);
	assert_int_equal(model_get32(0, ROOT_PORT, PCI_MEMORY_WINDOW),
			 0xfe40fe40);
	assert_null(strstr(test_log, "forward 0x"));
	model_set32(1, 0, PCI_MEMORY_WINDOW, 0xfe40fe40, 0xfff0fff0);
	assert_int_equal(sriov_enable(pf, 8), 0);
	assert_int_equal(model_get32(1, 0, PCI_MEMORY_WINDOW), 0xfe50fe40);
	assert_int_equal(model_get32(0, ROOT_PORT, PCI_MEMORY_WINDOW),
			 0xfe50fe40);
}

static void leaves_buses_of_other_bridges_alone(void **state)
{
	(void)state;
	next_bus(3);
	/* Beside the PF, and nothing behind it answers */
	model_add(1, 0x10, 0x1b36, 0x000c, 0x060400);
	model_bridge(1, 0x10, 2, 2);
	find();
	assert_int_equal(sriov_enable(pf, 2), 0);
	assert_int_equal(sriov_enable(pf, 3), -ERANGE);
	assert_non_null(strstr(test_log, "and 02 is 0000:01:02.0's"));
	off();
}

static void leaves_other_root_buses_alone(void **state)
{
	(void)state;
	next_bus(2);
	model_add(2, 0x08, 0x1234, 0x5678, 0x020000);
	find();
	assert_int_equal(sriov_enable(pf, 3), -ERANGE);
	assert_non_null(strstr(test_log, "and 02 is 0000:02:01.0's"));
	off();
}

static void needs_configuration_space_for_its_vfs(void **state)
{
	struct pci_ecam ecam = model_ecam();

	(void)state;
	next_bus(2);
	ecam.end_bus = 1;
	assert_int_equal(pci_enumerate(&ecam, 1), 0);
	pf = pci_find((struct pci_addr){.bus = 1});
	test_log_clear();
	model_written = device;
	assert_int_equal(sriov_enable(pf, 3), -ENOSPC);
	assert_non_null(strstr(test_log, "0000:02:00.0: in no ECAM range"));
	off();
}

static void needs_the_capability(void **state)
{
	(void)state;
	model_ext_cap(1, 0, 0x100, 0x0001, 0);
	find();
	assert_int_equal(sriov_enable(pf, 1), -ENODEV);
	assert_null(sriov_vf(pf, 0));
	/* One that does not fit below 1000H */
	model_ext_cap(1, 0, 0x100, 0x0001, 0xfd0);
	model_ext_cap(1, 0, 0xfd0, 0x0010, 0);
	assert_int_equal(sriov_enable(pf, 1), -ENODEV);
}

static void refuses_vfs_that_do_not_answer(void **state)
{
	u64 before;

	(void)state;
	find();
	silent = true;
	before = test_time;
	assert_int_equal(sriov_enable(pf, 1), -EIO);
	/* 100 ms after VF Enable, a second in which it may ask to retry, and
	 * one after VF Enable is cleared */
	assert_true(test_time - before >= 2100000);
	assert_non_null(strstr(test_log, "VF does not answer"));
	off();
}

static void refuses_vfs_where_another_function_is(void **state)
{
	(void)state;
	model_add(1, 0x80, 0x1234, 0x5678, 0);
	find();
	assert_int_equal(sriov_enable(pf, 1), -EIO);
	off();
	assert_int_equal(
		pci_find((struct pci_addr){.bus = 1, .devfn = 0x80})->vendor,
		0x1234);
}

static void works_without_ari(void **state)
{
	(void)state;
	model_set32(0, ROOT_PORT, 0x78, 0, 0);
	find();
	assert_int_equal(sriov_enable(pf, 1), 0);
	assert_int_equal(model_get16(1, 0, CTRL), 0x09);
	assert_int_equal(model_get16(0, ROOT_PORT, ROOT_DEVCTL2), 0);
}

static void takes_over_what_firmware_left_on(void **state)
{
	u64 before;

	(void)state;
	model_set16(1, 0, CTRL, 0x09, 0x19);
	find();
	before = test_time;
	assert_int_equal(sriov_enable(pf, 1), 0);
	/* The second after clearing VF Enable, and the 100 ms */
	assert_true(test_time - before >= 1100000);
}

static void disables_and_enables_again(void **state)
{
	struct pci_function *vf;
	unsigned int count, again;

	(void)state;
	find();
	assert_int_equal(sriov_enable(pf, 2), 0);
	vf = sriov_vf(pf, 1);
	pci_functions(&count);
	sriov_disable(pf);
	off();
	assert_int_equal(sriov_enable(pf, 2), 0);
	pci_functions(&again);
	assert_int_equal(again, count);
	assert_ptr_equal(sriov_vf(pf, 1), vf);
	assert_int_equal(vf->bar[0].base, 0xfea04000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(keeps_the_addresses_of_firmware, set_up),
		cmocka_unit_test_setup(places_what_firmware_did_not, set_up),
		cmocka_unit_test_setup(avoids_what_others_use, set_up),
		cmocka_unit_test_setup(avoids_what_is_no_functions, set_up),
		cmocka_unit_test_setup(moves_bars_off_what_is_no_functions,
				       set_up),
		cmocka_unit_test_setup(what_sizing_left_is_no_address, set_up),
		cmocka_unit_test_setup(avoids_windows_of_other_bridges, set_up),
		cmocka_unit_test_setup(moves_bars_that_firmware_put_wrong,
				       set_up),
		cmocka_unit_test_setup(moves_bars_that_reach_beyond_the_window,
				       set_up),
		cmocka_unit_test_setup(uses_the_other_window_if_one_is_full,
				       set_up),
		cmocka_unit_test_setup(says_when_there_is_no_room, set_up),
		cmocka_unit_test_setup(closed_windows_have_no_room, set_up),
		cmocka_unit_test_setup(opens_a_window_above_ram, set_up),
		cmocka_unit_test_setup(opens_no_window_beside_another_root,
				       set_up),
		cmocka_unit_test_setup(a_window_grows, set_up),
		cmocka_unit_test_setup(no_window_over_hidden_registers, set_up),
		cmocka_unit_test_setup(checks_the_number_of_vfs, set_up),
		cmocka_unit_test_setup(checks_bus_numbers, set_up),
		cmocka_unit_test_setup(a_branch_gets_numbers, set_up),
		cmocka_unit_test_setup(no_numbers_for_a_branch, set_up),
		cmocka_unit_test_setup(what_reaches_memory_keeps_its_number,
				       set_up),
		cmocka_unit_test_setup(ari_comes_before_addresses, set_up),
		cmocka_unit_test_setup(room_in_the_prefetchable_window, set_up),
		cmocka_unit_test_setup(vfs_on_a_bus_of_their_own, set_up),
		cmocka_unit_test_setup(two_pfs_share_a_bus, set_up),
		cmocka_unit_test_setup(fewer_vfs_need_fewer_buses, set_up),
		cmocka_unit_test_setup(every_bridge_above_forwards, set_up),
		cmocka_unit_test_setup(one_bridge_above_does_not_forward,
				       set_up),
		cmocka_unit_test_setup(all_bridges_grow_or_none, set_up),
		cmocka_unit_test_setup(leaves_buses_of_other_bridges_alone,
				       set_up),
		cmocka_unit_test_setup(leaves_other_root_buses_alone, set_up),
		cmocka_unit_test_setup(needs_configuration_space_for_its_vfs,
				       set_up),
		cmocka_unit_test_setup(needs_the_capability, set_up),
		cmocka_unit_test_setup(refuses_vfs_that_do_not_answer, set_up),
		cmocka_unit_test_setup(refuses_vfs_where_another_function_is,
				       set_up),
		cmocka_unit_test_setup(works_without_ari, set_up),
		cmocka_unit_test_setup(takes_over_what_firmware_left_on,
				       set_up),
		cmocka_unit_test_setup(disables_and_enables_again, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
