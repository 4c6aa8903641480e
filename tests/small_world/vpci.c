/* sources: guest/vpci.c drivers/pci/pci_bars.c guest/vpci_bus.c guest/vmsi.c hv/format.c hv/string.c */
/*
 * The PCI configuration filter, guest/vpci.c with the bus and MSI: a function
 * that has all it can have; every register, every width, every place, every
 * bit; and every pair of writes of one bit, or of all, to two doublewords.
 *
 * Claims: of what the guest sees, a write changes bits of its own bytes alone,
 * and of these the ones that software may write; those read back as written.
 * Of the function itself it changes bus mastering, the MSI-X enable and mask,
 * and MSI's enable and mask alone, and MSI's message is ours.  BARs are mapped
 * at multiples of their size, where the guest reads them, and only while it
 * decodes them.  A reset is asked for by its bit alone.
 */
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_caps.h"
#include "guest/vpci_bus.h"
#include "hv/guest_layout.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGISTERS 64U /* of the first 256 bytes */
#define MSI_AT 0x50
#define MSIX_AT 0x70
#define PCIE_AT 0xa0
#define SLOT (3U << 3)
#define MESSAGE_ADDRESS 0xfee00018U
#define FLR BIT(15)

static u8 config[4096]; /* the function's */
static struct pci_function fn;
static struct msi msi;
static struct msix msix = {.vectors = 3};
static struct vpci_function v;
static struct vpci_bus bus = {.function = {&v}, .count = 1};
static bool reset_asked;
static unsigned long writes;

static _Noreturn void fail(const char *why, u32 reg, u64 value)
{
	printf("write %lu, register %x: %s (%lx)\n", writes, reg, why, value);
	exit(1);
}

void hv_log(const char *format, ...)
{
	(void)format;
}

/* --- The function */

u16 pci_find_cap(const struct pci_function *f, u8 id)
{
	(void)f;
	return id == PCI_CAP_PCIE   ? PCIE_AT
	       : id == PCI_CAP_MSI  ? MSI_AT
	       : id == PCI_CAP_MSIX ? MSIX_AT
				    : 0;
}

u16 pci_read16(const struct pci_function *f, u16 reg)
{
	u16 value;

	(void)f;
	memcpy(&value, config + reg, sizeof(value));
	return value;
}

u32 pci_read32(const struct pci_function *f, u16 reg)
{
	u32 value;

	(void)f;
	memcpy(&value, config + reg, sizeof(value));
	return value;
}

/* What may be changed in the function, and to what */
static void check_real(u16 reg, u32 old, u32 new)
{
	u32 allowed = 0;

	switch (reg) {
	case PCI_COMMAND:
		allowed = PCI_COMMAND_MASTER;
		break;
	case MSIX_AT + 2:
		allowed = 0xc000;
		break;
	case MSI_AT + 2:
		allowed = 1;
		break;
	case MSI_AT + 0x10: /* the mask */
		allowed = 1;
		break;
	case MSI_AT + 4:
	case MSI_AT + 8:
	case MSI_AT + 0xc:
		if (new != (reg == MSI_AT + 4 ? MESSAGE_ADDRESS : 0))
			fail("another message", reg, new);
		return;
	}
	if ((old ^ new) & ~allowed)
		fail("changes the function", reg, new);
}

void pci_write16(const struct pci_function *f, u16 reg, u16 value)
{
	check_real(reg, pci_read16(f, reg), value);
	memcpy(config + reg, &value, sizeof(value));
}

void pci_write32(const struct pci_function *f, u16 reg, u32 value)
{
	check_real(reg, pci_read32(f, reg), value);
	memcpy(config + reg, &value, sizeof(value));
}

static int route(void *ctx, unsigned int index, const struct msix_entry *entry,
		 u64 *address, u32 *data)
{
	(void)ctx;
	(void)index;
	*address = MESSAGE_ADDRESS;
	*data = 0;
	return entry->data & BIT(10) ? -EINVAL : 0;
}

void msix_reset(struct msix *m)
{
	(void)m;
}

static u32 peek(u16 reg)
{
	u64 value = 0;

	vpci_access(&bus, SLOT << 12 | reg, 4, false, &value);
	return (u32)value;
}

static int map_bar(struct vpci_function *of, unsigned int i, u64 address)
{
	const struct vpci_bar *b = &of->bar[i];
	u32 decodes =
		b->flags & PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	u32 shown = peek(PCI_BAR(i));

	if (!address)
		return 0;
	if (address % b->size)
		fail("not at a multiple of its size", i, address);
	if ((u32)address != (shown & ~(b->flags & PCI_BAR_IO ? 3U : 15U)))
		fail("mapped elsewhere than it reads", i, address);
	if (!(peek(PCI_COMMAND) & decodes))
		fail("mapped while it is not decoded", i, address);
	return 0;
}

static void reset(struct vpci_function *of)
{
	reset_asked = true;
	vpci_reset(of);
}

static void set32(u16 reg, u32 value)
{
	memcpy(config + reg, &value, sizeof(value));
}

static void set_up(void)
{
	static const struct vpci_backend backend = {map_bar, reset};
	struct vpci_room room = {
		.memory = GUEST_PCI_WINDOW,
		.ports = GUEST_PCI_IO_WINDOW,
	};

	for (unsigned int i = 0; i < sizeof(config); i++)
		config[i] = (u8)(i * 37 + 11); /* what nobody should see */
	fn = (struct pci_function){
		.vendor = 0x8086,
		.device = 0x10ca,
		.config = config,
		.bar = {[0] = {0xe000020000, 0x4000, false, true, true},
			[2] = {0xe0000000, 0x1000, false, false, false},
			[3] = {0x6000, 0x20, true, false, false}},
	};
	set32(PCI_COMMAND, 0x00100403);
	set32(MSI_AT, 0x01806005);
	set32(MSI_AT + 0x10, 0);
	set32(MSIX_AT, 0x0002a011);
	set32(PCIE_AT, 0x00020010);
	set32(PCIE_AT + PCIE_DEVCAP, 0x10008fe1);
	if (msi_init(&msi, &fn, (struct msix_backend){.route = route}) ||
	    vpci_init(&v, &fn, SLOT, &msi, &msix, &room, &backend, NULL))
		fail("cannot be made", 0, 0);
}

/* --- What software may write (PCI 3.0 6, PCIe 7.5.3, 7.7) */

static u32 writable(u16 reg)
{
	switch (reg) {
	case PCI_COMMAND:
		return 0x0547; /* ports, memory, master, parity, SERR, INTx */
	case PCI_BAR(0):
		return 0xffffc000;
	case PCI_BAR(1):
		return 0xffffffff;
	case PCI_BAR(2):
		return 0xfffff000;
	case PCI_BAR(3):
		return 0xffffffe0;
	case MSI_AT:
		return 0x00010000;
	case MSI_AT + 4:
		return 0xfffffffc;
	case MSI_AT + 8:
		return 0xffffffff;
	case MSI_AT + 0xc:
		return 0xffff;
	case MSI_AT + 0x10:
		return 1;
	case MSIX_AT:
		return 0xc0000000;
	case PCIE_AT + PCIE_DEVCTL:
		return 0x7fff;
	case PCIE_AT + PCIE_DEVCTL2:
		return 0x1f;
	default:
		return 0;
	}
}

/* --- Writes */

struct state {
	u8 config[sizeof(config)];
	struct msi msi;
	struct vpci_function v;
};

static void save(struct state *s)
{
	memcpy(s->config, config, sizeof(config));
	s->msi = msi;
	s->v = v;
}

static void restore(const struct state *s)
{
	memcpy(config, s->config, sizeof(config));
	msi = s->msi;
	v = s->v;
}

static void see(u32 *seen)
{
	for (unsigned int i = 0; i < REGISTERS; i++)
		seen[i] = peek(4 * i);
}

/* The bytes [@at, @at + @size) that lie in the doubleword at @reg, as a mask */
static u32 bytes_of(u16 reg, unsigned int at, unsigned int size)
{
	u32 mask = 0;

	for (unsigned int i = 0; i < 4; i++)
		if (reg + i >= at && reg + i < at + size)
			mask |= 0xffU << (8 * i);
	return mask;
}

/* The value that a write of @value at @at gives the doubleword at @reg. */
static u32 value_for(u16 reg, unsigned int at, u64 value)
{
	return reg >= at ? (u32)(value >> (8 * (reg - at)))
			 : (u32)(value << (8 * (at - reg)));
}

static void put(unsigned int at, unsigned int size, u64 value)
{
	u32 before[REGISTERS], after[REGISTERS];
	bool asks = bytes_of(PCIE_AT + PCIE_DEVCTL, at, size) & FLR &&
		    value_for(PCIE_AT + PCIE_DEVCTL, at, value) & FLR;

	writes++;
	see(before);
	reset_asked = false;
	vpci_access(&bus, SLOT << 12 | at, size, true, &value);
	if (reset_asked != asks)
		fail("a reset, or none", at, value);
	if (asks)
		return;
	see(after);
	for (unsigned int i = 0; i < REGISTERS; i++) {
		u32 mask = bytes_of(4 * i, at, size) & writable(4 * i);
		u32 bits = mask ? value_for(4 * i, at, value) : 0;

		if (after[i] != ((before[i] & ~mask) | (bits & mask)))
			fail("reads otherwise after a write", 4 * i, after[i]);
	}
}

/* Every place, width and bit, from the state that there is */
static void single_writes(void)
{
	struct state s;

	save(&s);
	for (unsigned int at = 0; at < 4 * REGISTERS; at++) {
		for (unsigned int size = 1; size <= 8; size *= 2) {
			if (at + size > 4 * REGISTERS)
				continue;
			for (unsigned int bit = 0; bit <= 8 * size + 1; bit++) {
				put(at, size,
				    bit < 8 * size ? 1ULL << bit
						   : 0ULL - (bit == 8 * size));
				restore(&s);
			}
		}
	}
}

/* Write @n of all to doublewords: single bits, none and all.  False: nothing
 * can be written there. */
static bool put_nth(unsigned int n)
{
	unsigned int reg = n / 34 * 4, bit = n % 34;

	if (!writable(reg))
		return false;
	put(reg, 4, bit < 32 ? 1ULL << bit : bit == 32 ? 0 : ~0U);
	return true;
}

/* Each of them after each */
static void pairs(void)
{
	struct state s, t;

	save(&s);
	for (unsigned int a = 0; a < 34 * REGISTERS; a++) {
		if (!put_nth(a))
			continue;
		save(&t);
		for (unsigned int b = 0; b < 34 * REGISTERS; b++)
			if (put_nth(b))
				restore(&t);
		restore(&s);
	}
}

/* Beyond the first 256 bytes there is nothing; nor in other functions. */
static void elsewhere(void)
{
	for (u32 at = 0; at < 0x100000; at += 4) {
		u64 value = ~0ULL;
		bool ours = at >> 12 == SLOT;

		if (ours && (at & 0xfff) < 4 * REGISTERS)
			continue;
		writes++;
		vpci_access(&bus, at, 4, true, &value);
		vpci_access(&bus, at, 4, false, &value);
		if (at >> 12 && (u32)value != (ours ? 0 : ~0U))
			fail("something elsewhere", at, value);
	}
}

int main(void)
{
	set_up();
	single_writes();
	pairs();
	elsewhere();
	/* Decoding and bus mastering on, MSI on with a message, MSI-X too */
	put(PCI_COMMAND, 2, 7);
	put(MSI_AT + 0xc, 2, 0x31);
	put(MSI_AT + 2, 2, 1);
	put(MSIX_AT + 2, 2, 0x8000);
	single_writes();
	pairs();
	printf("%lu writes\n", writes);
	printf("[  PASSED  ] 1 test.\n");
	return 0;
}
