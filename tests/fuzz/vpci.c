/* sources: guest/vpci.c guest/vpci_bus.c guest/vmsi.c guest/vmsix.c drivers/pci/pci_bars.c drivers/pci/pci_caps.c hv/vmx/trap.c */
/* longest input: 1024 */
/*
 * Configuration space as the guest reaches it, by ECAM and by mechanism #1.
 * The input: what the backend says, which capabilities the function has; then
 * accesses.
 */
#include "drivers/pci/pci_access.h"
#include "guest/vpci_bus.h"
#include "hv/guest_layout.h"
#include "hv/vmx/trap.h"
#include "tests/fuzz/fuzz.h"
#include <string.h>

#define DEVFN 0x08
#define ECAM_OF_FUNCTION ((u64)DEVFN << 12)

static u8 space[PCI_CONFIG_SIZE], before[PCI_CONFIG_SIZE];
static u8 bar0[0x4000] __attribute__((aligned(4096)));
static u8 bar3[0x4000] __attribute__((aligned(4096)));
static u8 bar5[0x100] __attribute__((aligned(256)));
static struct pci_function fn;
static struct vpci_function v;
static struct vpci_bus bus;
static struct msix msix;
static u64 mapped[PCI_BARS];
#define OTHER_BARS 0x80
static u8 map_failures; /* a bit for each BAR, and the above */

static u8 *reg_at(const struct pci_function *f, u16 reg, unsigned int size)
{
	CHECK(f == &fn && reg % size == 0 && reg + size <= sizeof(space));
	return space + reg;
}

u8 pci_read8(const struct pci_function *f, u16 reg)
{
	return *reg_at(f, reg, 1);
}

u16 pci_read16(const struct pci_function *f, u16 reg)
{
	u16 value;

	memcpy(&value, reg_at(f, reg, 2), 2);
	return value;
}

u32 pci_read32(const struct pci_function *f, u16 reg)
{
	u32 value;

	memcpy(&value, reg_at(f, reg, 4), 4);
	return value;
}

/* What the function decodes, by what kinds of BARs it has */
static u16 decodes(void)
{
	return PCI_COMMAND_MEMORY |
	       (map_failures & OTHER_BARS ? PCI_COMMAND_IO : 0);
}

/* The only registers of the function that the guest's accesses may change:
 * the command register, and two bits of the MSI-X control. */
void pci_write16(const struct pci_function *f, u16 reg, u16 value)
{
	u8 *at = reg_at(f, reg, 2);
	u16 old = pci_read16(f, reg);

	if (reg == PCI_COMMAND)
		CHECK((value & ~PCI_COMMAND_MASTER) ==
		      (decodes() | PCI_COMMAND_INTX_OFF));
	else
		CHECK(v.msix_cap && reg == v.msix_cap + 2 &&
		      !((value ^ old) & 0x3fff));
	memcpy(at, &value, 2);
}

void pci_write8(const struct pci_function *f, u16 reg, u8 value)
{
	(void)value;
	reg_at(f, reg, 1);
	CHECK(!"8-bit write to the function");
}

void pci_write32(const struct pci_function *f, u16 reg, u32 value)
{
	(void)value;
	reg_at(f, reg, 4);
	CHECK(!"32-bit write to the function");
}

static int route(void *ctx, unsigned int index, const struct msix_entry *entry,
		 u64 *address, u32 *data)
{
	(void)ctx;
	(void)entry;
	*address = 0xfee00010 | index << 5;
	*data = 0;
	return 0;
}

/* Off, then on: never at two places, and where the guest may have it. */
static int map_bar(struct vpci_function *f, unsigned int bar, u64 address)
{
	CHECK(f == &v && bar < PCI_BARS && v.bar[bar].size);
	CHECK(!address || !mapped[bar]);
	CHECK(IS_ALIGNED(address, v.bar[bar].size));
	if (address && map_failures & 1u << bar)
		return -EINVAL;
	mapped[bar] = address;
	return 0;
}

static void reset(struct vpci_function *f)
{
	vpci_reset(f);
}

static const struct vpci_backend backend = {map_bar, reset};

static void set32(u16 reg, u32 value)
{
	memcpy(space + reg, &value, 4);
}

/* An 82576 VF, with BARs that none has if the input says so, its capabilities
 * chained as the input says. */
static void make_function(struct input *in)
{
	u8 first = take(in, 1) & 0xfc, second = take(in, 1) & 0xfc;

	memset(space, 0, sizeof(space));
	fn = (struct pci_function){
		.vendor = 0x8086,
		.device = 0x10ca,
		.bar = {[0] = {(hpa_t)bar0, sizeof(bar0), false, true, true},
			[3] = {(hpa_t)bar3, sizeof(bar3), false, true, true}},
	};
	if (map_failures & OTHER_BARS) {
		fn.bar[2] = (struct pci_bar){
			.base = 0x7020, .size = 0x20, .io = true};
		fn.bar[5] = (struct pci_bar){.base = (hpa_t)bar5,
					     .size = sizeof(bar5)};
	}
	set32(0x00, 0xffffffff);
	set32(0x04, 0x00100000);
	set32(0x08, 0x02000001);
	set32(0x34, first);
	set32(first & 0xfc, 0x00020010 | (u32)second << 8);
	set32(second & 0xfc, 0x00020011);
	set32((second + 4) & 0xfc, take(in, 4));
	set32((second + 8) & 0xfc, take(in, 4));
	set32((first + 4) & 0xfc, take(in, 4));
	/* The header again, where a capability lay upon it */
	set32(0x04, 0x00100000);
	set32(0x34, first);
}

static void set_up(struct input *in)
{
	const struct msix_backend msix_backend = {.route = route};
	struct vpci_room room = {GUEST_PCI_WINDOW, GUEST_PCI_IO_WINDOW, 0, 0};
	bool has_msix;

	map_failures = take(in, 1);
	make_function(in);
	memset(mapped, 0, sizeof(mapped));
	memset(&v, 0, sizeof(v));
	has_msix = msix_init(&msix, &fn, msix_backend) == 0;
	CHECK(vpci_init(&v, &fn, DEVFN, NULL, has_msix ? &msix : NULL, &room,
			&backend, NULL) == 0);
	CHECK(room.memory <= GUEST_PCI_WINDOW + GUEST_PCI_WINDOW_SIZE);
	bus = (struct vpci_bus){.function = {&v}, .count = 1};
	trap_reset();
	CHECK(!trap_memory(&(struct trap_range){GUEST_ECAM, GUEST_ECAM_SIZE,
						vpci_access, &bus, 0}));
	CHECK(!trap_ports(&(struct trap_range){GUEST_PCI_PORT, 8,
					       vpci_ports_access, &bus, 0}));
}

static u32 guest_reads(u16 reg)
{
	u64 value = 0;

	CHECK(trap_memory_access(GUEST_ECAM + ECAM_OF_FUNCTION + reg, 4, false,
				 &value, NULL));
	CHECK(value <= UINT32_MAX);
	return value;
}

static void check_state(void)
{
	u16 command = v.command;

	CHECK(guest_reads(0x00) == 0x10ca8086);
	CHECK(guest_reads(0x08) == pci_read32(&fn, 0x08));
	CHECK(guest_reads(0x30) == 0);
	CHECK(guest_reads(0x3c) == 0);
	CHECK(guest_reads(0x100) == 0);
	CHECK((guest_reads(0x04) & 0xffff) == command);
	CHECK(!(command & ~(0x0544 | decodes())));
	/* What of the function changed was checked as it was written; bus
	 * mastering is what the guest chose. */
	CHECK(!((pci_read16(&fn, PCI_COMMAND) ^ command) & PCI_COMMAND_MASTER));
	CHECK(!memcmp(before + 6, space + 6, 0x40 - 6) || v.msix_cap < 0x40);
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		CHECK(v.bar[i].mapped == mapped[i]);
		CHECK(!mapped[i] ||
		      (mapped[i] == v.bar[i].address &&
		       command & (fn.bar[i].io ? PCI_COMMAND_IO
					       : PCI_COMMAND_MEMORY)));
	}
}

static void one_access(struct input *in)
{
	u8 how = take(in, 1);
	u64 offset = take(in, 2), value = 0;
	unsigned int size = 1u << (how >> 1 & 3);
	bool write = how & 1;

	if (write)
		value = take(in, size);
	if (how & 8) {
		if (size < 8)
			trap_port_access(GUEST_PCI_PORT + offset % 8, size,
					 write, &value, NULL);
		return;
	}
	if (!(how & 0x10)) /* most of them to the function */
		offset = ECAM_OF_FUNCTION + (offset & 0xfff);
	trap_memory_access(GUEST_ECAM + offset, size, write, &value, NULL);
	if (!write && size < 8)
		CHECK(!(value >> (8 * size)));
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	struct input in = {bytes, size};

	fuzz_begin();
	set_up(&in);
	memcpy(before, space, sizeof(before));
	while (in.left) {
		one_access(&in);
		check_state();
	}
	return 0;
}
