/*
 * Which frames reach a VF's pool: MAC address, multicast hashes, VLANs, frame
 * size (82576 7.10).  The tables are shared by all pools: each function here
 * changes what one VF contributes and leaves the others' share alone.
 */
#include "drivers/igb_filter.h"
#include "drivers/igb.h"
#include "drivers/igb_regs.h"
#include "hv/string.h"

#define FILTERS_OFF ((u32)VMOLR_STRCRC | 0x2600)
#define FILTERS_ON (FILTERS_OFF | (u32)(VMOLR_BAM | VMOLR_AUPE))
#define VLAN_IDS 4096

static void change(struct igb_pf *p, u32 reg, u64 clear, u64 set)
{
	igb_write(p->fn, reg, (igb_read(p->fn, reg) & (u32)~clear) | (u32)set);
}

/* The table is what all VFs want together. */
static void write_multicast_table(struct igb_pf *p)
{
	u32 mta[MTA_REGS] = {0};
	u16 hash;

	for (unsigned int vf = 0; vf < IGB_MAX_VFS; vf++)
		for (unsigned int i = 0; i < p->vf[vf].hashes; i++) {
			hash = p->vf[vf].hash[i];
			mta[hash >> 5 & (MTA_REGS - 1)] |= BIT(hash & 31);
		}
	for (unsigned int i = 0; i < MTA_REGS; i++) {
		if (mta[i] == p->mta[i])
			continue;
		p->mta[i] = mta[i];
		igb_write(p->fn, MTA(i), mta[i]);
	}
}

int igb_set_multicast(struct igb_pf *p, u16 vf, const u16 *hash, u32 count)
{
	if (count > IGB_MAX_HASHES)
		return -EINVAL;
	memcpy(p->vf[vf].hash, hash, count * sizeof(*hash));
	p->vf[vf].hashes = count;
	write_multicast_table(p);
	change(p, VMOLR(vf), VMOLR_ROMPE, count ? VMOLR_ROMPE : 0);
	return 0;
}

int igb_set_frame_size(struct igb_pf *p, u16 vf, u32 size)
{
	if (size < IGB_MIN_FRAME || size > IGB_MAX_FRAME)
		return -EINVAL;
	change(p, VMOLR(vf), VMOLR_RLPML_MASK, VMOLR_LPE | size);
	return 0;
}

/* The VLVF entry of @vlan, or the first free one, or VLVF_ENTRIES. */
static unsigned int find_vlan(struct igb_pf *p, u32 vlan, bool or_free)
{
	unsigned int unused = VLVF_ENTRIES;
	u32 entry;

	for (unsigned int i = 0; i < VLVF_ENTRIES; i++) {
		entry = igb_read(p->fn, VLVF(i));
		if (!(entry & VLVF_EN) && unused == VLVF_ENTRIES)
			unused = i;
		if (entry & VLVF_EN && (entry & VLVF_VLAN_MASK) == vlan)
			return i;
	}
	return or_free ? unused : VLVF_ENTRIES;
}

int igb_add_vlan(struct igb_pf *p, u16 vf, u32 vlan)
{
	unsigned int i;

	if (vlan >= VLAN_IDS)
		return -EINVAL;
	i = find_vlan(p, vlan, true);
	if (i < VLVF_ENTRIES && igb_read(p->fn, VLVF(i)) & VLVF_POOL(vf))
		return 0;
	/* No VF may use up the entries of the others. */
	if (i == VLVF_ENTRIES || p->vf[vf].vlans >= VLVF_ENTRIES / p->count)
		return -ENOSPC;
	p->vf[vf].vlans++;
	change(p, VLVF(i), VLVF_VLAN_MASK, VLVF_EN | VLVF_POOL(vf) | vlan);
	change(p, VFTA(vlan / 32), 0, BIT(vlan % 32));
	return 0;
}

/* Take VF @vf out of entry @i; the last one out frees it. */
static void leave_vlan(struct igb_pf *p, u16 vf, unsigned int i)
{
	u32 entry = igb_read(p->fn, VLVF(i)) & (u32)~VLVF_POOL(vf);
	u32 vlan = entry & VLVF_VLAN_MASK;

	p->vf[vf].vlans--;
	if (entry & VLVF_POOLS) {
		igb_write(p->fn, VLVF(i), entry);
		return;
	}
	igb_write(p->fn, VLVF(i), 0);
	change(p, VFTA(vlan / 32), BIT(vlan % 32), 0);
}

int igb_remove_vlan(struct igb_pf *p, u16 vf, u32 vlan)
{
	unsigned int i;

	if (vlan >= VLAN_IDS)
		return -EINVAL;
	i = find_vlan(p, vlan, false);
	if (i < VLVF_ENTRIES && igb_read(p->fn, VLVF(i)) & VLVF_POOL(vf))
		leave_vlan(p, vf, i);
	return 0;
}

static void leave_all_vlans(struct igb_pf *p, u16 vf)
{
	for (unsigned int i = 0; i < VLVF_ENTRIES && p->vf[vf].vlans; i++)
		if (igb_read(p->fn, VLVF(i)) & VLVF_POOL(vf))
			leave_vlan(p, vf, i);
}

/* Entry 0 holds the PF's own address after a reset; VF n has entry n, and the
 * PF receives nothing. */
static void write_mac(struct igb_pf *p, u16 vf, u32 flags)
{
	const u8 *mac = p->vf[vf].mac;

	igb_write(p->fn, RAH(vf), 0);
	igb_write(p->fn, RAL(vf),
		  mac[0] | mac[1] << 8 | mac[2] << 16 | (u32)mac[3] << 24);
	igb_write(p->fn, RAH(vf), mac[4] | mac[5] << 8 | flags);
}

void igb_clear_filters(struct igb_pf *p, u16 vf)
{
	igb_write(p->fn, RAH(vf), 0);
	igb_write(p->fn, RAL(vf), 0);
	igb_write(p->fn, VMOLR(vf), FILTERS_OFF);
	igb_write(p->fn, VMVIR(vf), 0);
	p->vf[vf].hashes = 0;
	write_multicast_table(p);
	leave_all_vlans(p, vf);
}

/* The VF knows nothing of it: the device tags what it sends, and it receives
 * what has the tag alone, without it. */
static void set_port_vlan(struct igb_pf *p, u16 vf)
{
	u32 vlan = p->vf[vf].port_vlan;

	change(p, VMOLR(vf), VMOLR_AUPE, VMOLR_STRVLAN);
	igb_write(p->fn, VMVIR(vf), VMVIR_DEFAULT | vlan);
	igb_add_vlan(p, vf, vlan);
}

void igb_set_filters(struct igb_pf *p, u16 vf)
{
	igb_clear_filters(p, vf);
	igb_write(p->fn, VMOLR(vf), FILTERS_ON);
	if (p->vf[vf].port_vlan)
		set_port_vlan(p, vf);
	write_mac(p, vf, RAH_AV | RAH_POOL(vf));
}

void igb_vf_mac(const u8 *pf_mac, u16 vf, u8 *mac)
{
	memcpy(mac, pf_mac, IGB_MAC_SIZE);
	mac[0] |= 0x02; /* locally administered (IEEE 802) */
	mac[3] ^= (vf + 1) << 4;
}
