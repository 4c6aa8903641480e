/* sources: guest/vpci.c drivers/pci/pci_bars.c guest/vpci_bus.c guest/vmsi.c */
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_caps.h"
#include "guest/vpci_bus.h"
#include "hv/guest_layout.h"
#include "tests/unit/support.h"
#include <string.h>

/* The real functions' ECAM page, as plain memory */
static u8 config[4096];

static void check(u16 reg, unsigned int size)
{
	assert_true(reg + size <= sizeof(config) && reg % size == 0);
}

u8 pci_read8(const struct pci_function *fn, u16 reg)
{
	check(reg, 1);
	return fn->config[reg];
}

u16 pci_read16(const struct pci_function *fn, u16 reg)
{
	check(reg, 2);
	return fn->config[reg] | fn->config[reg + 1] << 8;
}

u32 pci_read32(const struct pci_function *fn, u16 reg)
{
	check(reg, 4);
	return pci_read16(fn, reg) | (u32)pci_read16(fn, reg + 2) << 16;
}

void pci_write16(const struct pci_function *fn, u16 reg, u16 value)
{
	check(reg, 2);
	fn->config[reg] = value;
	fn->config[reg + 1] = value >> 8;
}

void pci_write32(const struct pci_function *fn, u16 reg, u32 value)
{
	check(reg, 4);
	pci_write16(fn, reg, value);
	pci_write16(fn, reg + 2, value >> 16);
}

static u8 pcie_at, msi_at, msix_at;

u16 pci_find_cap(const struct pci_function *fn, u8 id)
{
	(void)fn;
	switch (id) {
	case PCI_CAP_PCIE:
		return pcie_at;
	case PCI_CAP_MSI:
		return msi_at;
	case PCI_CAP_MSIX:
		return msix_at;
	default:
		return 0;
	}
}

static unsigned int msix_resets;

void msix_reset(struct msix *m)
{
	(void)m;
	msix_resets++;
}

/* What the backend was asked for */
static struct {
	unsigned int bar;
	u64 address, mapped;
} call[16];
static unsigned int calls, resets;
static int map_result;

static int map_bar(struct vpci_function *v, unsigned int bar, u64 address)
{
	assert_in_range(bar, 0, PCI_BARS - 1);
	call[calls % 16].bar = bar;
	call[calls % 16].address = address;
	call[calls % 16].mapped = v->bar[bar].mapped;
	calls++;
	return address ? map_result : 0;
}

static void reset(struct vpci_function *v)
{
	resets++;
	assert_int_equal(v->bar[0].mapped | v->bar[3].mapped, 0);
	vpci_reset(v);
}

static const struct vpci_backend backend = {map_bar, reset};
static struct pci_function fn;
static struct msix msix = {.vectors = 3};
static struct vpci_function vf;
static struct vpci_bus bus;
static struct vpci_room room;

static void set16(u16 reg, u16 value)
{
	pci_write16(&fn, reg, value);
}

static void set32(u16 reg, u32 value)
{
	set16(reg, value);
	set16(reg + 2, value >> 16);
}

/* VF 0 of QEMU's igb, plus a PM capability that it does not have. */
static int setup(void **state)
{
	(void)state;
	memset(config, 0, sizeof(config));
	fn = (struct pci_function){
		.addr = {0, 1, 0x80},
		.vendor = 0x8086,
		.device = 0x10ca,
		.config = config,
		.bar = {[0] = {0xe000020000, 0x4000, false, true, true},
			[3] = {0xe000000000, 0x4000, false, true, true}},
	};
	set32(0x00, 0xffffffff);
	set32(0x08, 0x02000001); /* Ethernet, revision 1 */
	set32(0x2c, 0x11001af4);
	set32(0x30, 0xdeadbe01);
	set32(0x34, 0x40);
	set32(0x3c, 0x00000105);
	set32(0x40, 0x00037001);
	set32(0x70, 0x0002a011); /* MSI-X, 3 vectors */
	set32(0x74, 0x00000003);
	set32(0x78, 0x00002003);
	set32(0xa0, 0x00020010); /* PCIe endpoint, version 2 */
	set32(0xa4, 0x10008fe1); /* FLR, role-based, 256 bytes, latencies */
	set32(0xa8, 0x00200000); /* transactions pending */
	set32(0xac, 0x00012c11); /* link capabilities */
	set32(0xc4, 0x0000081f);
	set32(0x100, 0x15020001); /* AER */
	pcie_at = 0xa0;
	msi_at = 0;
	msix_at = 0x70;
	room = (struct vpci_room){GUEST_PCI_WINDOW, GUEST_PCI_IO_WINDOW, 0, 0};
	calls = resets = msix_resets = 0;
	map_result = 0;
	test_log_clear();
	assert_int_equal(
		vpci_init(&vf, &fn, 3 << 3, NULL, &msix, &room, &backend, NULL),
		0);
	bus = (struct vpci_bus){.function = {&vf}, .count = 1};
	return 0;
}

static u64 at(u16 reg)
{
	return 3 << 15 | reg;
}

static u64 get(u16 reg, unsigned int size)
{
	u64 value = 0xaaaaaaaaaaaaaaaa;

	vpci_access(&bus, at(reg), size, false, &value);
	return size == 8 ? value : value & (BIT(8 * size) - 1);
}

static void put(u16 reg, unsigned int size, u64 value)
{
	vpci_access(&bus, at(reg), size, true, &value);
}

static void header_is_a_normal_endpoint(void **state)
{
	(void)state;
	assert_int_equal(get(0x00, 4), 0x10ca8086);
	assert_int_equal(get(0x04, 4), 0x00100000);
	assert_int_equal(get(0x08, 4), 0x02000001);
	assert_int_equal(get(0x0c, 4), 0);
	assert_int_equal(get(0x2c, 4), 0x11001af4);
	assert_int_equal(get(0x30, 4), 0);
	assert_int_equal(get(0x34, 4), 0xa0);
	assert_int_equal(get(0x3c, 4), 0);
}

/* Mechanism #1: CONFIG_ADDRESS at 0, CONFIG_DATA at 4 (PCI 3.0 3.2.2.3.2) */
static u64 port_get(u64 port, unsigned int size)
{
	u64 value = 0;

	vpci_ports_access(&bus, port, size, false, &value);
	return value & (BIT(8 * size) - 1);
}

static void port_put(u64 port, unsigned int size, u64 value)
{
	vpci_ports_access(&bus, port, size, true, &value);
}

static void mechanism_1_reaches_the_same(void **state)
{
	(void)state;
	port_put(0, 4, 0x80001808); /* 00:03.0, register 8 */
	assert_int_equal(port_get(0, 4), 0x80001808);
	assert_int_equal(port_get(4, 4), 0x02000001);
	assert_int_equal(port_get(7, 1), 0x02);
	port_put(0, 4, 0x80001804);
	port_put(4, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(get(0x04, 2), PCI_COMMAND_MEMORY);
}

static void mechanism_1_needs_enable_and_bus_0(void **state)
{
	(void)state;
	port_put(0, 4, 0x00001800);
	assert_int_equal(port_get(4, 4), 0xffffffff);
	port_put(0, 4, 0x80011800);
	assert_int_equal(port_get(4, 4), 0xffffffff);
	port_put(0, 4, 0x80001803); /* the low bits are not there */
	assert_int_equal(port_get(0, 4), 0x80001800);
	port_put(0, 1, 0xff); /* bytes do not reach the address */
	assert_int_equal(port_get(0, 4), 0x80001800);
	assert_int_equal(port_get(0, 1), 0xff);
}

static void host_bridge_is_there_and_read_only(void **state)
{
	(void)state;
	port_put(0, 4, 0x80000008);
	assert_int_equal(port_get(4, 4) >> 16, 0x0600); /* host bridge */
	port_put(0, 4, 0x80000000);
	assert_int_equal(port_get(4, 4), 0x00081b36);
	port_put(4, 4, 0);
	assert_int_equal(port_get(4, 4), 0x00081b36);
	port_put(0, 4, 0x80000010);
	assert_int_equal(port_get(4, 4), 0); /* no BAR */
}

static void read_only_registers_stay(void **state)
{
	u8 before[256], after[256];

	(void)state;
	for (unsigned int i = 0; i < 256; i++)
		before[i] = get(i, 1);
	for (unsigned int i = 0; i < 256; i += 4)
		if (i != 0x04 && (i < 0x10 || i > 0x24) && i != 0xa8 &&
		    i != 0xc8 && i != 0x70)
			put(i, 4, 0xffffffff);
	for (unsigned int i = 0; i < 256; i++)
		after[i] = get(i, 1);
	assert_memory_equal(before, after, 256);
	assert_int_equal(calls + resets, 0);
}

static void all_sizes_and_alignments(void **state)
{
	u64 value = 0;

	(void)state;
	assert_int_equal(get(0x00, 1), 0x86);
	assert_int_equal(get(0x01, 1), 0x80);
	assert_int_equal(get(0x02, 2), 0x10ca);
	assert_int_equal(get(0x01, 2), 0xca80);
	assert_int_equal(get(0x03, 2), 0x0010);
	assert_int_equal(get(0x06, 4), 0x00010010);
	assert_true(get(0x00, 8) == 0x0010000010ca8086);
	/* 09-0Bh class 020000h, 0C-0Fh zero, 10h BAR0 flags */
	assert_true(get(0x09, 8) == 0x0c00000000020000);
	/* Out of the function's page: the next one is absent. */
	vpci_access(&bus, at(0xffe), 4, false, &value);
	assert_int_equal(value & 0xffffffff, 0xffff0000);
}

static void absent_functions_read_ones(void **state)
{
	static const u64 absent[] = {1 << 15,
				     2 << 15,
				     3 << 15 | 1 << 12,
				     4 << 15,
				     GUEST_ECAM_SIZE | 3 << 15,
				     ~0ULL & ~7ULL};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(absent); i++) {
		u64 value = 0;

		vpci_access(&bus, absent[i], 4, false, &value);
		assert_int_equal(value & 0xffffffff, 0xffffffff);
		vpci_access(&bus, absent[i], 8, false, &value);
		assert_true(value == ~0ULL);
		vpci_access(&bus, absent[i], 4, true, &value);
	}
	bus.count = 0;
	assert_int_equal(get(0x00, 2), 0xffff);
}

static void command_forwards_bus_master_only(void **state)
{
	(void)state;
	/* Memory decoding on, INTx off, bus master off from the start */
	assert_int_equal(pci_read16(&fn, 4), 0x0402);
	put(0x04, 2, 0xffff);
	/* MEM, MASTER, parity, SERR, INTx disable */
	assert_int_equal(get(0x04, 2), 0x0546);
	assert_int_equal(pci_read16(&fn, 4), 0x0406);
	assert_int_equal(get(0x06, 2), 0x0010);
	put(0x04, 1, 0); /* the lower byte alone */
	assert_int_equal(get(0x04, 2), 0x0500);
	assert_int_equal(pci_read16(&fn, 4), 0x0402);
	put(0x05, 1, 0);
	assert_int_equal(get(0x04, 2), 0);
	assert_int_equal(pci_read16(&fn, 4), 0x0402);
	put(0x04, 4, 0xffff0004);
	assert_int_equal(pci_read16(&fn, 4), 0x0406);
	assert_int_equal(pci_read16(&fn, 6), 0); /* status untouched */
}

static void bars_start_in_the_window(void **state)
{
	(void)state;
	assert_int_equal(get(0x10, 4), 0xc000000c);
	assert_int_equal(get(0x14, 4), 0);
	assert_int_equal(get(0x18, 4), 0);
	assert_int_equal(get(0x1c, 4), 0xc000400c);
	assert_int_equal(get(0x20, 4), 0);
	assert_int_equal(get(0x24, 4), 0);
	assert_int_equal(room.memory, 0xc0008000);
	/* The real one is where it was */
	assert_true(vf.fn->bar[0].base == 0xe000020000);
	assert_int_equal(calls, 0);
}

static void bars_tell_their_size(void **state)
{
	(void)state;
	for (u16 reg = 0x10; reg < 0x28; reg += 4)
		put(reg, 4, 0xffffffff);
	assert_int_equal(get(0x10, 4), 0xffffc00c);
	assert_int_equal(get(0x14, 4), 0xffffffff);
	assert_int_equal(get(0x18, 4), 0);
	assert_int_equal(get(0x1c, 4), 0xffffc00c);
	assert_int_equal(get(0x20, 4), 0xffffffff);
	assert_int_equal(get(0x24, 4), 0);
	put(0x30, 4, 0xfffff800);
	assert_int_equal(get(0x30, 4), 0);
	assert_int_equal(calls, 0);
}

static void decoding_maps_and_unmaps(void **state)
{
	(void)state;
	put(0x04, 2, 2);
	assert_int_equal(calls, 2);
	assert_int_equal(call[0].bar, 0);
	assert_int_equal(call[0].address, 0xc0000000);
	assert_int_equal(call[1].bar, 3);
	assert_int_equal(call[1].address, 0xc0004000);
	put(0x04, 2, 6); /* no change of decoding: no call */
	assert_int_equal(calls, 2);
	put(0x04, 2, 0);
	assert_int_equal(calls, 4);
	assert_int_equal(call[2].address, 0);
	assert_int_equal(call[2].mapped, 0xc0000000);
	assert_int_equal(vf.bar[0].mapped, 0);
	assert_int_equal(vf.bar[3].mapped, 0);
}

/* Unmapped first: from then on nothing answers, whatever it is told. */
static void lost_function_reads_ones(void **state)
{
	(void)state;
	put(0x04, 2, 6);
	assert_int_equal(calls, 2);
	vpci_lose(&vf);
	assert_int_equal(calls, 4);
	assert_int_equal(call[2].address | call[3].address, 0);
	assert_int_equal(vf.bar[0].mapped | vf.bar[3].mapped, 0);
	set16(4, 0);
	put(0x04, 2, 6);
	put(0xa8, 2, 0x8000);
	assert_int_equal(calls, 4);
	assert_int_equal(resets, 0);
	assert_int_equal(pci_read16(&fn, 4), 0);
	for (u16 reg = 0; reg < 256; reg += 4)
		assert_int_equal(get(reg, 4), 0xffffffff);
}

static void moves_while_decoding(void **state)
{
	(void)state;
	put(0x04, 2, 2);
	put(0x10, 4, 0xc0100000);
	assert_int_equal(calls, 4);
	assert_int_equal(call[2].bar, 0);
	assert_int_equal(call[2].address, 0);
	assert_int_equal(call[2].mapped, 0xc0000000);
	assert_int_equal(call[3].address, 0xc0100000);
	assert_int_equal(call[3].mapped, 0);
	put(0x10, 4, 0xc0100fff); /* the same place */
	assert_int_equal(calls, 4);
	put(0x14, 4, 1); /* the upper half moves it too */
	assert_int_equal(calls, 6);
	assert_true(call[5].address == 0x1c0100000);
	put(0x12, 1, 0x20); /* a single byte */
	assert_true(call[7].address == 0x1c0200000);
}

static void refused_address_is_not_mapped(void **state)
{
	(void)state;
	map_result = -EINVAL;
	put(0x04, 2, 2);
	assert_int_equal(calls, 2);
	assert_int_equal(vf.bar[0].mapped, 0);
	assert_int_equal(get(0x10, 4), 0xc000000c); /* still reads back */
	map_result = 0;
	put(0x10, 4, 0xc0200000);
	assert_int_equal(vf.bar[0].mapped, 0xc0200000);
	assert_int_equal(vf.bar[3].mapped, 0xc0004000);
	put(0x04, 2, 0);
	calls = 0;
	put(0x04, 2, 0);
	assert_int_equal(calls, 0);
}

static void address_zero_is_nowhere(void **state)
{
	(void)state;
	put(0x10, 4, 0);
	put(0x04, 2, 2);
	assert_int_equal(calls, 1);
	assert_int_equal(call[0].bar, 3);
}

static void pcie_capability(void **state)
{
	(void)state;
	/* next = MSI-X, version 2, root complex integrated endpoint (9) */
	assert_int_equal(get(0xa0, 4), 0x00927010);
	assert_int_equal(get(0xa4, 4), 0x10008021);
	assert_int_equal(get(0xa8, 4), 0x00200000);
	for (u16 reg = 0xac; reg < 0xc4; reg += 4)
		assert_int_equal(get(reg, 4), 0);
	assert_int_equal(get(0xc4, 4), 0x1f);
	put(0xa8, 2, 0x7fff);
	assert_int_equal(get(0xa8, 4), 0x00207fff);
	put(0xc8, 4, 0xffffffff);
	assert_int_equal(get(0xc8, 4), 0x1f);
	/* None of it reached the device. */
	assert_int_equal(pci_read32(&fn, 0xa8), 0x00200000);
	assert_int_equal(pci_read32(&fn, 0xc8), 0);
	assert_int_equal(resets, 0);
}

static void flr_goes_to_the_backend(void **state)
{
	(void)state;
	put(0x04, 2, 6);
	put(0xa8, 2, 0x2810);
	put(0xc8, 2, 0x5);
	calls = 0;
	put(0xa8, 1, 0x8010); /* what is above the byte does not count */
	assert_int_equal(resets, 0);
	put(0xa9, 1, 0x80 | 0x28);
	assert_int_equal(resets, 1);
	assert_int_equal(pci_read32(&fn, 0xa8), 0x00200000);
	/* As after vpci_reset() */
	assert_int_equal(msix_resets, 1);
	assert_int_equal(calls, 2);
	assert_int_equal(call[0].address, 0);
	assert_int_equal(call[1].address, 0);
	assert_int_equal(get(0x04, 2), 0);
	assert_int_equal(get(0x10, 4), 0xc);
	assert_int_equal(get(0x14, 4), 0);
	assert_int_equal(get(0x1c, 4), 0xc);
	assert_int_equal(get(0xa8, 2), 0);
	assert_int_equal(get(0xc8, 2), 0);
	/* The hypervisor still reaches the device's registers. */
	assert_int_equal(pci_read16(&fn, 4), 0x0402);
	put(0x10, 4, 0xc0000000); /* Linux restores it */
	put(0x04, 2, 2);
	assert_int_equal(vf.bar[0].mapped, 0xc0000000);
}

static void no_flr_where_the_device_has_none(void **state)
{
	(void)state;
	set32(0xa4, 0x00008021);
	put(0xa8, 2, 0x8000);
	assert_int_equal(resets, 0);
	assert_int_equal(get(0xa8, 2), 0);
}

static void msix_capability(void **state)
{
	(void)state;
	assert_int_equal(get(0x70, 4), 0x00020011);
	assert_int_equal(get(0x74, 4), 0x00000003);
	assert_int_equal(get(0x78, 4), 0x00002003);
	put(0x72, 2, 0xffff);
	assert_int_equal(get(0x72, 2), 0xc002);
	assert_int_equal(pci_read32(&fn, 0x70), 0xc002a011);
	put(0x73, 1, 0x80);
	assert_int_equal(pci_read16(&fn, 0x72), 0x8002);
	put(0x72, 1, 0); /* the size field's byte */
	assert_int_equal(pci_read16(&fn, 0x72), 0x8002);
	put(0x74, 8, ~0ULL);
	assert_int_equal(pci_read32(&fn, 0x74), 0x00000003);
}

static void everything_else_is_hidden(void **state)
{
	(void)state;
	assert_int_equal(get(0x40, 4), 0); /* PM */
	assert_int_equal(get(0x100, 4), 0);
	put(0x100, 4, 0xffffffff);
	put(0x40, 8, ~0ULL);
	assert_int_equal(pci_read32(&fn, 0x40), 0x00037001);
	assert_int_equal(pci_read32(&fn, 0x100), 0x15020001);
	for (u16 reg = 0xdc; reg < 0x1000; reg += 4)
		assert_int_equal(get(reg, 4), 0);
}

static int init(u8 devfn, struct msix *m)
{
	return vpci_init(&vf, &fn, devfn, NULL, m, &room, &backend, NULL);
}

static void capability_list_without_msix_or_pcie(void **state)
{
	(void)state;
	assert_int_equal(init(3 << 3, NULL), 0);
	assert_int_equal(get(0xa0, 2), 0x0010);
	assert_int_equal(get(0x70, 4), 0);
	put(0x72, 2, 0xffff);
	assert_int_equal(pci_read16(&fn, 0x72), 0x0002);
	put(0x00, 4, 0);
	assert_int_equal(pci_read32(&fn, 0x00), 0xffffffff);
	pcie_at = 0;
	assert_int_equal(init(3 << 3, &msix), 0);
	assert_int_equal(get(0x34, 1), 0x70);
	assert_int_equal(get(0x70, 2), 0x0011);
	assert_int_equal(init(3 << 3, NULL), 0);
	assert_int_equal(get(0x34, 1), 0);
	assert_int_equal(get(0x04, 4), 0);
}

static int route(void *ctx, unsigned int index, const struct msix_entry *entry,
		 u64 *address, u32 *data)
{
	(void)ctx, (void)index, (void)entry;
	*address = 0xfee00010;
	*data = 0;
	return 0;
}

static int init_with_msi(struct msix *m)
{
	static const struct msix_backend messages = {.route = route};
	static struct msi msi;

	set32(0x50, 0x008a7005); /* MSI, 64-bit, 32 vectors */
	msi_at = 0x50;
	assert_int_equal(msi_init(&msi, &fn, messages), 0);
	return vpci_init(&vf, &fn, 3 << 3, &msi, m, &room, &backend, NULL);
}

static void capability_list_with_msi(void **state)
{
	(void)state;
	assert_int_equal(init_with_msi(&msix), 0);
	assert_int_equal(get(0x34, 1), 0xa0);
	assert_int_equal(get(0xa0, 2), 0x5010);
	assert_int_equal(get(0x50, 4), 0x00807005);
	assert_int_equal(get(0x70, 2), 0x0011);
	assert_int_equal(init_with_msi(NULL), 0);
	assert_int_equal(get(0x50, 2), 0x0005);
	pcie_at = 0;
	assert_int_equal(init_with_msi(NULL), 0);
	assert_int_equal(get(0x34, 1), 0x50);
	assert_int_equal(get(0x06, 2) & 0x10, 0x10);
}

static void msi_capability(void **state)
{
	(void)state;
	assert_int_equal(init_with_msi(NULL), 0);
	put(0x54, 4, 0xfee01000);
	put(0x5c, 2, 0x4031);
	put(0x52, 2, 0x0071);
	assert_int_equal(get(0x54, 8), 0xfee01000);
	assert_int_equal(get(0x5c, 2), 0x4031);
	assert_int_equal(get(0x52, 2), 0x0081);
	assert_int_equal(pci_read32(&fn, 0x54), 0xfee00010);
	assert_int_equal(pci_read16(&fn, 0x52) & 0x71, 1);
	vpci_reset(&vf);
	assert_int_equal(get(0x54, 8), 0);
	assert_int_equal(pci_read16(&fn, 0x52) & 1, 0);
}

/* Version 1 ends at 14h, and there may be nothing behind it. */
static void old_pcie_capability(void **state)
{
	(void)state;
	set32(0xe0, 0x00010010);
	set32(0xe4, 0x10008fe1);
	set32(0xf4, 0xdeadbeef);
	pcie_at = 0xe0;
	assert_int_equal(init(3 << 3, &msix), 0);
	assert_int_equal(get(0x34, 1), 0xe0);
	assert_int_equal(get(0xe0, 4), 0x00917010);
	assert_int_equal(get(0xf4, 4), 0);
	set32(0xe0, 0x00020010); /* version 2 does not fit there */
	assert_int_equal(init(3 << 3, &msix), 0);
	assert_int_equal(get(0x34, 1), 0x70);
}

/* The guest has fewer vectors than the function. */
static void msix_vectors_are_those_given(void **state)
{
	struct msix few = {.vectors = 64};

	(void)state;
	set32(0x70, 0x00ffa011);
	assert_int_equal(init(3 << 3, &few), 0);
	assert_int_equal(get(0x72, 2), 63);
}

static void capability_in_an_impossible_place(void **state)
{
	(void)state;
	set32(0xc8, 0x00020010);
	pcie_at = 0xc8; /* would end at 104h */
	msix_at = 0x3c; /* in the header */
	assert_int_equal(init(3 << 3, &msix), 0);
	assert_int_equal(get(0x34, 1), 0);
	set32(0xc4, 0x00020010);
	pcie_at = 0xc4; /* ends at 100h */
	assert_int_equal(init(3 << 3, &msix), 0);
	assert_int_equal(get(0x34, 1), 0xc4);
	pcie_at = 0x52;
	assert_int_equal(init(3 << 3, &msix), 0);
	assert_int_equal(get(0x34, 1), 0);
}

static void bars_that_cannot_be_given(void **state)
{
	(void)state;
	memset(fn.bar, 0, sizeof(fn.bar));
	fn.bar[0] = (struct pci_bar){0, 0x1000, true, false, false};
	fn.bar[1] = (struct pci_bar){0, 0x800, false, false, false};
	fn.bar[2] = (struct pci_bar){0xfe000000, 0x3000, false, false, false};
	fn.bar[4] = (struct pci_bar){0xfe010000, 0x1000, false, false, false};
	fn.bar[5] = (struct pci_bar){0xfe020000, 0x1000, false, true, false};
	room.memory = 0xc0000800;
	assert_int_equal(init(3 << 3, &msix), 0);
	assert_int_equal(get(0x10, 4), 0);
	assert_int_equal(get(0x14, 4), 0);
	assert_int_equal(get(0x18, 4), 0);
	assert_int_equal(get(0x20, 4), 0xc0001000);
	assert_int_equal(get(0x24, 4), 0);
	assert_non_null(strstr(test_log, "vpci: 0000:01:10.0: BAR 1 not given "
					 "to the guest\n"));
	/* A 32-bit BAR has no upper half. */
	put(0x20, 4, 0xffffffff);
	put(0x24, 4, 0xffffffff);
	assert_int_equal(get(0x20, 4), 0xfffff000);
	assert_int_equal(get(0x24, 4), 0);
}

/* Each on a page of its own, whatever its size */
static void small_bars(void **state)
{
	(void)state;
	memset(fn.bar, 0, sizeof(fn.bar));
	fn.bar[0] = (struct pci_bar){0xfe000100, 0x100, false, false, false};
	fn.bar[1] = (struct pci_bar){0xfe000010, 0x10, false, false, false};
	fn.bar[2] = (struct pci_bar){0xfe001000, 0x1000, false, false, false};
	room.memory = GUEST_PCI_WINDOW;
	assert_int_equal(init(3 << 3, &msix), 0);
	assert_int_equal(get(0x10, 4), 0xc0000000);
	assert_int_equal(get(0x14, 4), 0xc0001000);
	assert_int_equal(get(0x18, 4), 0xc0002000);
	put(0x14, 4, 0xffffffff);
	assert_int_equal(get(0x14, 4), 0xfffffff0);
	put(0x14, 4, 0xc0001230);
	put(0x04, 2, 2);
	assert_int_equal(call[calls - 2].bar, 1);
	assert_int_equal(call[calls - 2].address, 0xc0001230);
}

static void io_bars(void **state)
{
	(void)state;
	memset(fn.bar, 0, sizeof(fn.bar));
	fn.bar[0] = (struct pci_bar){0x7020, 0x20, true, false, false};
	fn.bar[1] = (struct pci_bar){0xfe000000, 0x1000, false, false, false};
	fn.bar[2] = (struct pci_bar){0x7100, 0x100, true, false, false};
	room.memory = GUEST_PCI_WINDOW;
	assert_int_equal(init(3 << 3, &msix), 0);
	assert_int_equal(get(0x10, 4), 0xc001);
	assert_int_equal(get(0x14, 4), 0xc0000000);
	assert_int_equal(get(0x18, 4), 0xc101);
	put(0x18, 4, 0xffffffff);
	assert_int_equal(get(0x18, 4), 0xffffff01);
	put(0x18, 4, 0xc200);
	/* The device decodes both from the start, the guest by choice */
	assert_int_equal(pci_read16(&fn, 4), 0x0403);
	put(0x04, 2, 1);
	assert_int_equal(get(0x04, 2), 1);
	assert_int_equal(pci_read16(&fn, 4), 0x0403);
	assert_int_equal(calls, 2);
	assert_int_equal(call[0].bar, 0);
	assert_int_equal(call[0].address, 0xc000);
	assert_int_equal(call[1].bar, 2);
	assert_int_equal(call[1].address, 0xc200);
	put(0x04, 2, 2);
	assert_int_equal(calls, 5);
	assert_int_equal(call[2].address, 0);
	assert_int_equal(call[2].mapped, 0xc000);
	assert_int_equal(call[4].bar, 1);
	assert_int_equal(vf.bar[0].mapped, 0);
}

static void ports_are_bounded(void **state)
{
	(void)state;
	memset(fn.bar, 0, sizeof(fn.bar));
	fn.bar[0] = (struct pci_bar){0x7000, 0x800, true, false, false};
	fn.bar[1] = (struct pci_bar){0x8000, 0x800, true, false, false};
	assert_int_equal(init(3 << 3, &msix), 0);
	assert_int_equal(room.ports, 0xd000);
	assert_int_equal(init(3 << 3, &msix), -ENOSPC);
	assert_non_null(strstr(test_log, "no room for BAR 0 of 2 KiB in the "
					 "guest's PCI ports"));
}

static void window_is_bounded(void **state)
{
	(void)state;
	fn.bar[0].base = 0x40000000;
	fn.bar[3].base = 0x80000000;
	fn.bar[3].size = 512 * MIB;
	room.memory = GUEST_PCI_WINDOW;
	assert_int_equal(init(3 << 3, &msix), -ENOSPC);
	fn.bar[3].size = GIB;
	fn.bar[0].size = 0;
	room.memory = GUEST_PCI_WINDOW;
	assert_int_equal(init(3 << 3, &msix), -ENOSPC);
	fn.bar[0].size = 0x4000;
	fn.bar[3].size = BIT(63);
	assert_int_equal(init(3 << 3, &msix), -ENOSPC);
	fn.bar[3].size = 256 * MIB;
	room.memory = GUEST_PCI_WINDOW;
	assert_int_equal(init(3 << 3, &msix), 0);
	assert_int_equal(get(0x1c, 4), 0xd000000c); /* naturally aligned */
	assert_int_equal(room.memory, 0xe0000000);
	assert_int_equal(init(3 << 3, &msix), -ENOSPC);
}

/* A card with large memory of its own: its BARs of 64 bits above 4 GiB have
 * their host addresses, the others places in the low window. */
static void high_bars(void **state)
{
	(void)state;
	memset(fn.bar, 0, sizeof(fn.bar));
	fn.bar[0] = (struct pci_bar){0xfe000000, 16 * MIB, false, false, false};
	fn.bar[1] =
		(struct pci_bar){0x38000000000, 128 * GIB, false, true, true};
	fn.bar[3] =
		(struct pci_bar){0x3a000000000, 32 * MIB, false, true, true};
	room = (struct vpci_room){GUEST_PCI_WINDOW, GUEST_PCI_IO_WINDOW, 0, 0};
	assert_int_equal(init(3 << 3, &msix), 0);
	assert_int_equal(get(0x10, 4), 0xc0000000);
	assert_int_equal(get(0x14, 4), 0x0000000c);
	assert_int_equal(get(0x18, 4), 0x380);
	assert_int_equal(get(0x1c, 4), 0x0000000c);
	assert_int_equal(get(0x20, 4), 0x3a0);
	assert_true(room.high_start == 0x38000000000);
	assert_true(room.high_end == 0x3a000000000 + 32 * MIB);
	put(0x14, 4, 0xffffffff);
	put(0x18, 4, 0xffffffff);
	assert_int_equal(get(0x14, 4), 0x0000000c);
	assert_int_equal(get(0x18, 4), 0xffffffe0);
	/* All small: as ever */
	fn.bar[1].size = 32 * MIB;
	room = (struct vpci_room){GUEST_PCI_WINDOW, GUEST_PCI_IO_WINDOW, 0, 0};
	assert_int_equal(init(3 << 3, &msix), 0);
	assert_int_equal(get(0x14, 4), 0xc200000c);
	assert_int_equal(get(0x18, 4), 0);
	assert_true(room.high_end == 0);
}

static void impossible_functions(void **state)
{
	(void)state;
	assert_int_equal(init(3 << 3 | 1, &msix), -EINVAL);
	fn.bridge = true;
	assert_int_equal(init(3 << 3, &msix), -EINVAL);
}

static void any_access_is_safe(void **state)
{
	u64 random = 1;

	(void)state;
	for (int i = 0; i < 500000; i++) {
		u64 offset, value;

		random = random * 6364136223846793005 + 1442695040888963407;
		value = random >> 8 ^ random << 40;
		offset = random >> 62 ? at(random >> 30 & 0xff) : random >> 30;
		map_result = random >> 20 & 1 ? 0 : -EINVAL;
		vpci_access(&bus, offset, 1 << (random >> 58 & 3),
			    random >> 57 & 1, &value);
		/* What the device may be told, and nothing else */
		assert_int_equal(pci_read16(&fn, 4) & ~0x4, 0x0402);
		assert_int_equal(pci_read32(&fn, 0x70) & 0x3fffffff,
				 0x0002a011);
	}
	assert_true(resets > 0);
	set16(4, 0);
	set16(0x72, 2);
	assert_int_equal(pci_read32(&fn, 0x00), 0xffffffff);
	assert_int_equal(pci_read32(&fn, 0x10), 0);
	assert_int_equal(pci_read32(&fn, 0xa8), 0x00200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(header_is_a_normal_endpoint, setup),
		cmocka_unit_test_setup(read_only_registers_stay, setup),
		cmocka_unit_test_setup(all_sizes_and_alignments, setup),
		cmocka_unit_test_setup(absent_functions_read_ones, setup),
		cmocka_unit_test_setup(command_forwards_bus_master_only, setup),
		cmocka_unit_test_setup(bars_start_in_the_window, setup),
		cmocka_unit_test_setup(bars_tell_their_size, setup),
		cmocka_unit_test_setup(decoding_maps_and_unmaps, setup),
		cmocka_unit_test_setup(lost_function_reads_ones, setup),
		cmocka_unit_test_setup(moves_while_decoding, setup),
		cmocka_unit_test_setup(refused_address_is_not_mapped, setup),
		cmocka_unit_test_setup(address_zero_is_nowhere, setup),
		cmocka_unit_test_setup(pcie_capability, setup),
		cmocka_unit_test_setup(flr_goes_to_the_backend, setup),
		cmocka_unit_test_setup(no_flr_where_the_device_has_none, setup),
		cmocka_unit_test_setup(msix_capability, setup),
		cmocka_unit_test_setup(everything_else_is_hidden, setup),
		cmocka_unit_test_setup(capability_list_without_msix_or_pcie,
				       setup),
		cmocka_unit_test_setup(capability_list_with_msi, setup),
		cmocka_unit_test_setup(msi_capability, setup),
		cmocka_unit_test_setup(old_pcie_capability, setup),
		cmocka_unit_test_setup(msix_vectors_are_those_given, setup),
		cmocka_unit_test_setup(capability_in_an_impossible_place,
				       setup),
		cmocka_unit_test_setup(bars_that_cannot_be_given, setup),
		cmocka_unit_test_setup(small_bars, setup),
		cmocka_unit_test_setup(io_bars, setup),
		cmocka_unit_test_setup(ports_are_bounded, setup),
		cmocka_unit_test_setup(window_is_bounded, setup),
		cmocka_unit_test_setup(high_bars, setup),
		cmocka_unit_test_setup(impossible_functions, setup),
		cmocka_unit_test_setup(mechanism_1_reaches_the_same, setup),
		cmocka_unit_test_setup(mechanism_1_needs_enable_and_bus_0,
				       setup),
		cmocka_unit_test_setup(host_bridge_is_there_and_read_only,
				       setup),
		cmocka_unit_test_setup(any_access_is_safe, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
