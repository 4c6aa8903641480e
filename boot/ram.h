/* Which of the machine's free memory becomes the guest's RAM. */
#ifndef BOOT_RAM_H
#define BOOT_RAM_H

#include "hv/machine/handover.h"
#include "hv/types.h"

#define RAM_FREE_MAX 64
#define RAM_PIECE (2 * MIB)

/* Free memory: ranges without overlap, multiples of RAM_PIECE. */
struct ram_free {
	struct hpa_range range[RAM_FREE_MAX];
	unsigned int count;
};

/*
 * Note that [base, base + size) is free: what of it is aligned, from RAM_PIECE
 * on.  A range that continues the last one given lengthens it.  When the table
 * is full, the smallest range is forgotten.
 */
void ram_add_free(struct ram_free *free, u64 base, u64 size);

/* Fill @free with what of @map nobody has. */
void ram_collect(const struct uefi_memory_map *map, struct ram_free *free);

/*
 * Choose up to @size bytes, a multiple of RAM_PIECE: first whole GiBs at
 * multiples of 1 GiB, so that guest addresses from 0 up can have 1 GiB leaves,
 * then the rest, the largest ranges first.  Fills @ram, of HANDOVER_RAM_MAX
 * entries, and @count; returns the sum of their sizes, less than @size if there
 * is no more memory, or no more entries.
 */
u64 ram_choose(const struct ram_free *free, u64 size, struct hpa_range *ram,
	       unsigned int *count);

#endif
