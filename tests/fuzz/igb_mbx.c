/* sources: drivers/igb_mbx.c drivers/igb_filter.c */
/* longest input: 256 */
/*
 * What VFs write into their mailboxes.  A message may change what its own VF
 * gets, and nothing of another pool.
 */
#include "drivers/igb_mbx.h"
#include "drivers/igb.h"
#include "drivers/igb_filter.h"
#include "drivers/igb_regs.h"
#include "tests/fuzz/fuzz.h"
#include <string.h>

/* The registers up to the last that the mailbox may need */
static u32 regs[0x6000 / 4], before[0x6000 / 4];
#define BLOCK 1024 /* compared at once */
static struct pci_function pf;
static struct igb_pf state;
static bool holds_buffer;

static u32 at(u32 reg)
{
	CHECK(reg % 4 == 0 && reg < sizeof(regs));
	return regs[reg / 4];
}

u32 igb_read(const struct pci_function *fn, u32 reg)
{
	CHECK(fn == &pf);
	/* The VF's side of the mailbox clears bits when read. */
	CHECK(reg < 0xc40 || reg >= 0xc60);
	return at(reg);
}

void igb_write(const struct pci_function *fn, u32 reg, u32 value)
{
	CHECK(fn == &pf);
	at(reg);
	if (reg == 0xc80 || reg == 0xc88) /* MBVFICR, VFLRE */
		regs[reg / 4] &= ~value;
	else if (reg >= 0xc00 && reg < 0xc20) /* P2VMAILBOX: PFU */
		regs[reg / 4] = value & 8 && !holds_buffer ? 8 : 0;
	else
		regs[reg / 4] = value;
}

/* What else a register may hold that VF @vf's message can change. */
static u32 may_change(u32 reg, unsigned int vf)
{
	if (reg >= 0x800 + 0x40 * vf && reg < 0x840 + 0x40 * vf)
		return ~0u; /* its mailbox memory */
	if (reg == 0xc00 + 4 * vf || reg == 0x5ad0 + 4 * vf)
		return ~0u; /* its mailbox, its VMOLR */
	if (reg == 0x5400 + 8 * vf || reg == 0x5404 + 8 * vf)
		return ~0u; /* its address filter */
	if (reg == 0xc80 || reg == 0xc88)
		return 0x00010001u << vf;
	if (reg == 0xc8c || reg == 0xc90) /* VFRE, VFTE */
		return 1u << vf;
	if ((reg >= 0x5200 && reg < 0x5400) || (reg >= 0x5600 && reg < 0x5800))
		return ~0u; /* MTA, VFTA: shared, checked elsewhere */
	if (reg >= 0x5d00 && reg < 0x5d80)
		return ~0u; /* VLVF: the same */
	return 0;
}

static void check_registers(unsigned int vf)
{
	for (u32 block = 0; block < sizeof(regs); block += BLOCK) {
		if (!memcmp(&regs[block / 4], &before[block / 4], BLOCK))
			continue;
		for (u32 reg = block; reg < block + BLOCK; reg += 4)
			CHECK(!((at(reg) ^ before[reg / 4]) &
				~may_change(reg, vf)));
	}
}

/* Other pools' places in the VLAN table, and their VLANs' bits */
static void check_vlans(unsigned int vf)
{
	unsigned int used[IGB_MAX_VFS] = {0};
	u32 mine = 1u << (12 + vf);

	for (unsigned int i = 0; i < 32; i++) {
		u32 now = at(0x5d00 + 4 * i), old = before[0x5d00 / 4 + i];
		u32 vlan = now & 0xfff;

		CHECK((now & 0xff000 & ~mine) == (old & 0xff000 & ~mine));
		CHECK(!(now >> 31) == !(now & 0xff000));
		if (old & 0xff000 & ~mine)
			CHECK(vlan == (old & 0xfff));
		if (now >> 31)
			CHECK(at(0x5600 + vlan / 32 * 4) >> (vlan % 32) & 1);
		for (unsigned int n = 0; n < IGB_MAX_VFS; n++)
			used[n] += now >> (12 + n) & 1;
	}
	for (unsigned int n = 0; n < state.count; n++) {
		CHECK(used[n] == state.vf[n].vlans);
		CHECK(used[n] <= 32u / state.count);
	}
}

/* Every hash that a VF asked for has its bit, and no bit is for nobody. */
static void check_multicast(void)
{
	u32 mta[128] = {0};

	for (unsigned int n = 0; n < state.count; n++)
		for (unsigned int i = 0; i < state.vf[n].hashes; i++) {
			u16 hash = state.vf[n].hash[i] & 0xfff;

			mta[hash / 32] |= 1u << hash % 32;
		}
	for (unsigned int i = 0; i < 128; i++)
		CHECK(at(0x5200 + 4 * i) == mta[i]);
}

static void check_filter(unsigned int vf)
{
	u32 high = at(0x5404 + 8 * vf);

	CHECK(state.vf[vf].hashes <= IGB_MAX_HASHES);
	CHECK(!(high & 0x3fc0000 & ~(1u << (18 + vf))));
	/* Neither promiscuous mode (bits 28 and 26 of VMOLR) */
	CHECK(!(at(0x5ad0 + 4 * vf) & 0x14000000));
}

static void one_message(struct input *in)
{
	u8 how = take(in, 1);
	unsigned int vf = how % state.count;
	unsigned int dwords = how >> 4;

	holds_buffer = how & 8;
	if (take(in, 1) % 16 == 0)
		regs[0xc88 / 4] |= 1u << vf;
	/* Nobody else asks: what he left is seen by his own next message. */
	regs[0xc80 / 4] = 0x00010001u << vf;
	for (unsigned int i = 0; i <= dwords; i++)
		regs[(0x800 + 0x40 * vf) / 4 + i] = take(in, i ? 2 : 4);
	memcpy(before, regs, sizeof(regs));
	igb_service(&pf);
	check_registers(vf);
	check_vlans(vf);
	check_multicast();
	check_filter(vf);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	static const u8 mac[IGB_MAC_SIZE] = {0x52, 0x54, 0, 0xaa, 0xbb, 1};
	struct input in = {bytes, size};

	fuzz_begin();
	memset(regs, 0, sizeof(regs));
	memset(&state, 0, sizeof(state));
	pf = (struct pci_function){.vendor = 0x8086, .driver = &state};
	state.fn = &pf;
	state.count = 1 + take(&in, 1) % IGB_MAX_VFS;
	for (u16 vf = 0; vf < state.count; vf++) {
		igb_vf_mac(mac, vf, state.vf[vf].mac);
		regs[(0x5ad0 + 4 * vf) / 4] = 0x80002600;
	}
	while (in.left)
		one_message(&in);
	return 0;
}
