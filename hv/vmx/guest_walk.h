/* Reading the guest's memory by its own linear addresses. */
#ifndef HV_VMX_GUEST_WALK_H
#define HV_VMX_GUEST_WALK_H

#include "hv/memory_map.h"
#include "hv/types.h"

/* How the guest translates now. */
struct guest_paging {
	const struct memory_map *map;
	u64 cr0, cr3, cr4, efer;
};

/*
 * Guest-physical address of linear address @la, by the paging mode in use
 * (none, 32-bit, PAE, 4-level; Intel SDM 3A 4.3 to 4.5).  Permissions are not
 * checked: the processor did, for it ran the instruction.  False where an
 * entry is not present or lies outside RAM.
 */
bool guest_translate(const struct guest_paging *p, u64 la, gpa_t *gpa);

/* Up to @size bytes at @la, across pages; returns how many could be read. */
unsigned int guest_read_linear(const struct guest_paging *p, u64 la, u8 *buf,
			       unsigned int size);

#endif
