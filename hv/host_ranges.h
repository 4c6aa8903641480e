/*
 * Which host-physical addresses are whose, but for BARs: memory, and registers
 * of the machine's own.  Filled before the first device is used by whoever
 * finds out (hv/host_paging.c, hv/machine/, drivers/pci/mcfg.c).
 */
#ifndef HV_HOST_RANGES_H
#define HV_HOST_RANGES_H

#include "hv/types.h"

#define HOST_RANGES_MAX 1024

struct host_range {
	hpa_t base;
	u64 size;
	const char *name; /* for messages: "RAM", "a remapping unit" */
};

/*
 * [@base, @base + @size), cut at the end of the address space, is taken.  Those
 * of one name that touch become one.  If there are more than HOST_RANGES_MAX,
 * everything is taken from then on.
 */
void host_range_take(hpa_t base, u64 size, const char *name);

/* The first range noted that has part of [@base, @base + @size), which does not
 * wrap; NULL: that is nobody's, as far as is known here. */
const struct host_range *host_range_of(hpa_t base, u64 size);

/* True if [a, a + a_size) and [b, b + b_size), neither of which wraps, have
 * something in common; what is empty has nothing. */
static inline bool ranges_overlap(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a_size && b_size && a < b + b_size && b < a + a_size;
}

#endif
