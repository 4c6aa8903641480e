/* Devices of byte-wide registers: a wider access is as many byte cycles, in
 * the order of their addresses, as the ISA bus makes them. */
#ifndef GUEST_BYTEWISE_H
#define GUEST_BYTEWISE_H

#include "hv/types.h"

/* One register: returns what it holds if !@write. */
typedef u8 bytewise_fn(void *ctx, u64 offset, bool write, u8 value);

/* Do an access of @size bytes (at most 8) by @cycle; a read fills *value, its
 * upper bytes with 0. */
static inline void bytewise_access(bytewise_fn *cycle, void *ctx, u64 offset,
				   unsigned int size, bool write, u64 *value)
{
	u64 result = 0;

	for (unsigned int i = 0; i < size && i < 8; i++) {
		u8 byte = cycle(ctx, offset + i, write, *value >> (8 * i));

		result |= (u64)byte << (8 * i);
	}
	if (!write)
		*value = result;
}

#endif
