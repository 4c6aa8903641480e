/* sources: guest/vmsix.c hv/format.c drivers/pci/pci_caps.c */
/* longest input: 1024 */
/*
 * The MSI-X capability of a function that says what it likes, and the guest's
 * accesses to the table.  After each, no entry of the real table may be open
 * but with the message that the backend gave for what the guest has there now.
 */
#include "drivers/pci/pci_access.h"
#include "guest/vmsix.h"
#include "tests/fuzz/fuzz.h"
#include <string.h>

#define BAR_SIZE 0x1000

static u8 space[256];
static u8 bar[BAR_SIZE] __attribute__((aligned(4096)));
static u8 before[BAR_SIZE];
static struct pci_function fn;
static struct msix m;

u8 pci_read8(const struct pci_function *f, u16 reg)
{
	(void)f;
	CHECK(reg < sizeof(space));
	return space[reg];
}

u16 pci_read16(const struct pci_function *f, u16 reg)
{
	CHECK(reg % 2 == 0);
	return pci_read8(f, reg) | pci_read8(f, reg + 1) << 8;
}

u32 pci_read32(const struct pci_function *f, u16 reg)
{
	CHECK(reg % 4 == 0);
	return pci_read16(f, reg) | (u32)pci_read16(f, reg + 2) << 16;
}

void pci_write16(const struct pci_function *f, u16 reg, u16 value)
{
	(void)f;
	(void)reg;
	(void)value;
	CHECK(!"written to configuration space");
}

void pci_write32(const struct pci_function *f, u16 reg, u32 value)
{
	pci_write16(f, reg, value);
}

static u32 dword(const u8 *at)
{
	u32 value;

	memcpy(&value, at, 4);
	return value;
}

static const u8 *real(unsigned int index)
{
	return bar + m.table_offset + 16 * index;
}

static bool acceptable(const struct msix_entry *e)
{
	return e->address >> 20 == 0xfee && (e->data & 0xff) >= 16;
}

static int route(void *ctx, unsigned int index, const struct msix_entry *e,
		 u64 *address, u32 *data)
{
	CHECK(ctx == &fn && index < m.vectors);
	CHECK(!(e->control & 1));
	CHECK(dword(real(index) + 12) & 1);
	if (!acceptable(e))
		return -EINVAL;
	/* A message that tells whose it is, and for what */
	*address = 0xfee00010 | (u64)index << 5;
	*data = e->data ^ (u32)e->address;
	return 0;
}

static void check_entry(unsigned int index)
{
	const struct msix_entry *e = &m.entry[index];

	CHECK(!(e->control & ~1u));
	CHECK(!(e->address & 3));
	CHECK((dword(real(index) + 12) & ~1u) ==
	      (dword(before + m.table_offset + 16 * index + 12) & ~1u));
	if (dword(real(index) + 12) & 1)
		return;
	CHECK(!(e->control & 1) && acceptable(e));
	CHECK(dword(real(index)) == (0xfee00010 | index << 5));
	CHECK(dword(real(index) + 4) == 0);
	CHECK(dword(real(index) + 8) == (e->data ^ (u32)e->address));
}

static void check_table(void)
{
	u32 end = m.table_offset + 16 * m.real_vectors;

	CHECK(end <= BAR_SIZE);
	CHECK(!memcmp(bar, before, m.table_offset));
	CHECK(!memcmp(bar + end, before + end, BAR_SIZE - end));
	for (unsigned int i = 0; i < m.vectors; i++)
		check_entry(i);
	/* More than the guest has stay as they were, and masked. */
	for (unsigned int i = m.vectors; i < m.real_vectors; i++) {
		const u8 *was = before + m.table_offset + 16 * i;

		CHECK(!memcmp(real(i), was, 12));
		CHECK(dword(real(i) + 12) == (dword(was + 12) | 1));
	}
}

/* Within the table, as its callers see to; any width. */
static void one_access(struct input *in)
{
	u8 how = take(in, 1);
	unsigned int size = 1u << (how & 3);
	u32 offset = take(in, 2) % (16 * m.vectors);
	u64 value;

	offset = MIN(offset, 16 * m.vectors - size);
	if (how & 8)
		offset = ALIGN_DOWN(offset, 4);
	if (how & 4) {
		value = take(in, size);
		if (how & 0x10)
			value = 0xfee01000;
		msix_table_write(&m, offset, size, value);
	} else {
		msix_table_read(&m, offset, size);
	}
	if (how == 0xff)
		msix_reset(&m);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	struct input in = {bytes, size};
	u8 at;

	fuzz_begin();
	memset(space, 0, sizeof(space));
	memset(bar, take(&in, 1), sizeof(bar));
	memcpy(before, bar, sizeof(bar));
	fn = (struct pci_function){
		.bar = {[3] = {(hpa_t)bar, BAR_SIZE, false, false, false}}};
	space[6] = 0x10;
	at = space[0x34] = take(&in, 1) & 0xfc;
	space[at] = 0x11;
	for (unsigned int i = 2; i < 12 && at + i < 256; i++)
		space[at + i] = take(&in, 1);
	space[6] |= 0x10;
	if (msix_init(&m, &fn, (struct msix_backend){route, &fn}))
		return 0;
	check_table();
	while (in.left) {
		one_access(&in);
		check_table();
	}
	return 0;
}
