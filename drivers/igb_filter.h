/*
 * Which frames reach a VF's pool: MAC address, multicast hashes, VLANs, frame
 * size (82576 7.10).  The tables are shared by all pools: each function here
 * changes what one VF contributes and leaves the others' share alone.
 */
#ifndef DRIVERS_IGB_FILTER_H
#define DRIVERS_IGB_FILTER_H

#include "drivers/igb.h"

/* The MAC of VF @vf on the port that has @pf_mac: locally administered, and
 * different from those of a card's other ports, which count in the last byte.
 */
void igb_vf_mac(const u8 *pf_mac, u16 vf, u8 *mac);

/* Let frames for VF @vf in, with the filters of a VF that was just reset. */
void igb_set_filters(struct igb_pf *p, u16 vf);

/* Take every filter of VF @vf away. */
void igb_clear_filters(struct igb_pf *p, u16 vf);

/* Filters that a VF may ask for.  0, or -EINVAL or -ENOSPC for what it may not
 * have. */
int igb_set_multicast(struct igb_pf *p, u16 vf, const u16 *hash, u32 count);

int igb_set_frame_size(struct igb_pf *p, u16 vf, u32 size);

int igb_add_vlan(struct igb_pf *p, u16 vf, u32 vlan);

int igb_remove_vlan(struct igb_pf *p, u16 vf, u32 vlan);

#endif
