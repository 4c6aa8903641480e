/* sources: guest/vmsix.c hv/format.c */
/*
 * guest/vmsix.c: a table of two entries, of which the guest has one or both,
 * and every sequence of four accesses: each doubleword and quadword of each
 * entry with values that can be routed and that cannot, masked and not,
 * accesses of other widths, and a reset.
 *
 * Claims, at every single store to the real table: an entry is changed only
 * while it is masked; an entry is unmasked only if the guest has unmasked it,
 * with the message that was made for what the guest wrote, and bits that are
 * not ours stay (PCIe 7.7.2).  After every access the guest reads what it
 * wrote, and each real entry is unmasked exactly if it can be routed.
 */
#include "guest/vmsix.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_caps.h"
#include "hv/mmio.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES 2U
#define DEPTH 4U
#define PRESERVED 0xabcdef00U
#define TABLE_AT 0x100U

/* An entry of the real table, or as the guest should read it */
struct entry {
	u32 low, high, data, control;
};

static u32 bar[0x100];
static struct entry *const real = (void *)((u8 *)bar + TABLE_AT);
static struct entry guest[ENTRIES];
static struct msix msix;
static bool in_init;
static unsigned long accesses, stores;

static _Noreturn void fail(const char *why, unsigned int index)
{
	printf("access %lu, entry %u: %s\n", accesses, index, why);
	exit(1);
}

void hv_log(const char *format, ...)
{
	(void)format;
}

/* --- The function */

u16 pci_find_cap(const struct pci_function *fn, u8 id)
{
	(void)fn;
	return id == PCI_CAP_MSIX ? 0x70 : 0;
}

u16 pci_read16(const struct pci_function *fn, u16 reg)
{
	(void)fn;
	return reg == 0x72 ? ENTRIES - 1 : 0;
}

u32 pci_read32(const struct pci_function *fn, u16 reg)
{
	(void)fn;
	return reg == 0x74 ? TABLE_AT : 0;
}

/* --- Messages: of the entry's own place and content, so that each is another
 */

static bool can_be_routed(const struct entry *e)
{
	return e->high == 0 && e->data != 0;
}

static struct entry message(unsigned int index, const struct entry *e)
{
	return (struct entry){0xfee00010 + index, e->low ^ 0x80, e->data + 7,
			      0};
}

static int route(void *ctx, unsigned int index, const struct msix_entry *entry,
		 u64 *address, u32 *data)
{
	const struct entry e = {entry->address, entry->address >> 32,
				entry->data, entry->control};
	struct entry m = message(index, &e);

	(void)ctx;
	if (memcmp(&e, &guest[index], sizeof(e)) != 0)
		fail("another entry is routed", index);
	if (!(real[index].control & 1))
		fail("routed while the real one is not masked", index);
	if (!can_be_routed(&e))
		return -EINVAL;
	*address = m.low | (u64)m.high << 32;
	*data = m.data;
	return 0;
}

/* --- Each store */

u32 mmio_read32(const volatile void *p)
{
	return *(const volatile u32 *)p;
}

static void check_unmasked(unsigned int index)
{
	struct entry m = message(index, &guest[index]);

	if (guest[index].control & 1)
		fail("unmasked, and not by the guest", index);
	if (!can_be_routed(&guest[index]))
		fail("unmasked, and not routed", index);
	if (real[index].low != m.low || real[index].high != m.high ||
	    real[index].data != m.data)
		fail("unmasked with another message", index);
}

void mmio_write32(volatile void *p, u32 value)
{
	size_t at = (size_t)((volatile u8 *)p - (u8 *)real);
	unsigned int index = (unsigned int)(at / sizeof(struct entry));
	bool masked;

	if (index >= ENTRIES || at % 4)
		fail("a store outside of the table", index);
	masked = real[index].control & 1;
	stores++;
	if (at % sizeof(struct entry) != 12 && !masked)
		fail("changed while it is not masked", index);
	*(volatile u32 *)p = value;
	if ((real[index].control & ~1U) != PRESERVED)
		fail("bits that are not ours", index);
	if (!in_init && !(real[index].control & 1))
		check_unmasked(index);
}

/* --- All sequences */

static void check(void)
{
	for (unsigned int i = 0; i < ENTRIES; i++) {
		const struct entry *e = &guest[i];
		bool has = i < msix.vectors;
		bool open = has && !(e->control & 1) && can_be_routed(e);

		if (!(real[i].control & 1) != open)
			fail("masked, or not", i);
		for (unsigned int j = 0; j < 4; j++)
			if (msix_table_read(&msix, 16 * i + 4 * j, 4) !=
			    (has ? ((const u32 *)e)[j] : ~0ULL))
				fail("reads otherwise", i);
	}
}

static void keep(u32 at, u32 value)
{
	static const u32 kept[] = {~3U, ~0U, ~0U, 1};

	if (at < msix.vectors * sizeof(struct entry))
		((u32 *)guest)[at / 4] = value & kept[at / 4 % 4];
}

static void put(u32 at, unsigned int size, u64 value)
{
	if (at % size == 0 && (size == 4 || size == 8)) {
		keep(at, (u32)value);
		if (size == 8)
			keep(at + 4, (u32)(value >> 32));
	}
	msix_table_write(&msix, at, size, value);
}

static void reset(void)
{
	for (unsigned int i = 0; i < ENTRIES; i++)
		guest[i] = (struct entry){.control = 1};
	/* As the function does (7.7.2), but for what firmware left */
	for (unsigned int i = 0; i < ENTRIES; i++)
		real[i].control = PRESERVED | 1;
	msix_reset(&msix);
}

struct access {
	u32 at;
	unsigned int size;
	u64 value;
};

static struct access all[100];
static unsigned int count;

static void add(u32 at, unsigned int size, u64 value)
{
	all[count++] = (struct access){at, size, value};
}

static void list_accesses(void)
{
	for (u32 at = 0; at < 16 * ENTRIES; at += 16) {
		add(at, 4, 0xfee00003);
		add(at + 4, 4, 1);
		add(at + 4, 4, 0);
		add(at + 8, 4, 0x31);
		add(at + 8, 4, 0);
		add(at + 12, 4, 1);
		add(at + 12, 4, 0xfffffffe);
		add(at, 8, 0x1fee01000);
		add(at, 8, 0xfee02000);
		add(at + 8, 8, 0x41);
		add(at + 8, 8, 0x100000042);
		add(at + 12, 1, 0);
		add(at + 4, 8, 0);
		add(at + 12, 2, 0);
	}
	add(16 * ENTRIES, 4, 0);
}

static void sequences(unsigned int depth)
{
	struct msix old_msix = msix;
	struct entry old_guest[ENTRIES], old_real[ENTRIES];

	memcpy(old_guest, guest, sizeof(guest));
	memcpy(old_real, real, sizeof(old_real));
	for (unsigned int i = 0; i <= count; i++) {
		accesses++;
		if (i < count)
			put(all[i].at, all[i].size, all[i].value);
		else
			reset();
		check();
		if (depth > 1)
			sequences(depth - 1);
		msix = old_msix;
		memcpy(guest, old_guest, sizeof(guest));
		memcpy(real, old_real, sizeof(old_real));
	}
}

static void world(unsigned int vectors)
{
	struct pci_function fn = {
		.bar = {[0] = {.base = (u64)bar, .size = sizeof(bar)}},
	};

	for (unsigned int i = 0; i < ENTRIES; i++)
		real[i].control = PRESERVED; /* firmware left it open */
	in_init = true;
	if (msix_init(&msix, &fn, (struct msix_backend){.route = route}))
		fail("msix_init", 0);
	in_init = false;
	msix.vectors = vectors;
	reset();
	check();
	sequences(DEPTH);
}

int main(void)
{
	list_accesses();
	for (unsigned int vectors = 1; vectors <= ENTRIES; vectors++)
		world(vectors);
	printf("%lu accesses, %lu single stores\n", accesses, stores);
	printf("[  PASSED  ] 1 test.\n");
	return 0;
}
