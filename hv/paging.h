/*
 * One page-table walker for three formats: EPT, VT-d second level, and the
 * hypervisor's own page tables.  All are trees of 512-entry tables with 9 bits
 * of the input address a level; they differ in the bits of an entry alone
 * (Intel SDM 3A 4.5, 3C 28.3.2; VT-d 9.8).
 */
#ifndef HV_PAGING_H
#define HV_PAGING_H

#include "hv/alloc.h"
#include "hv/types.h"

/* 9 in all formats; the exhaustive test makes smaller ones. */
#ifndef PT_INDEX_BITS
#define PT_INDEX_BITS 9
#endif
#define PT_ENTRIES (1 << PT_INDEX_BITS)
#define PT_ADDR_MASK 0x000ffffffffff000ULL

/* Permissions and memory type, format-independent. */
#define PT_READ BIT(0)
#define PT_WRITE BIT(1)
#define PT_EXEC BIT(2)
#define PT_UNCACHED BIT(3)
#define PT_WRITE_COMBINING BIT(4) /* the host's format alone */
#define PT_DEVICE (PT_UNCACHED | PT_WRITE_COMBINING)

/* The size of what one entry at @level maps: 1 = 4 KiB, 2 = 2 MiB, 3 = 1 GiB */
#define PT_LEVEL_SHIFT(level) (PAGE_SHIFT + PT_INDEX_BITS * ((level) - 1))
#define PT_LEVEL_SIZE(level) (1ULL << PT_LEVEL_SHIFT(level))

struct pt_format {
	const char *name;
	enum page_use use;
	u64 (*leaf)(hpa_t pa, u32 attr, unsigned int level);
	u64 (*table)(hpa_t pa);
	bool (*present)(u64 entry);
	/* Attributes of a leaf, so that it can be split. */
	u32 (*attributes)(u64 entry);
};

struct page_table {
	const struct pt_format *format;
	u64 *root;
	unsigned int levels; /* 3 or 4 */
	u32 leaf_levels;     /* bit n: leaves may stand at level n; no gaps */
	bool flush;	     /* the walker does not snoop: write lines back */
	u64 *retired;	     /* tables out of use that pt_release() frees */
};

/* One step of a walk, for messages: the entry that was read at @level. */
struct pt_step {
	unsigned int level;
	hpa_t table;
	unsigned int index;
	u64 entry;
};

/*
 * Set up an empty table of @levels levels; @flush: its walker does not snoop
 * the caches.  Bit n of @leaf_levels: leaves may stand at level n, if they may
 * at level n - 1, for a leaf is split into those.  -ENOMEM when the pool has no
 * page.
 */
int pt_init(struct page_table *pt, const struct pt_format *format,
	    unsigned int levels, u32 leaf_levels, bool flush);

/*
 * Map [va, va + size) to [pa, pa + size) with @attr (PT_*), with the largest
 * leaves that alignment and @leaf_levels allow, replacing what was there
 * (a large leaf in the way is split).  All three are multiples of 4 KiB, and
 * the range lies within the table's reach: else -EINVAL.  -ENOMEM when a table
 * page is missing; what was mapped until then stays.  The caller invalidates.
 * Tables that a large leaf replaces are retired.
 */
int pt_map(struct page_table *pt, u64 va, hpa_t pa, u64 size, u32 attr);

/*
 * Remove [va, va + size), splitting large leaves at its ends.  Errors as above.
 * Tables that are not needed any more are retired: they no longer belong to the
 * tree, but a walker that has cached where they were may still read them, so
 * they stay allocated, and hold nothing that was not there before.
 */
int pt_unmap(struct page_table *pt, u64 va, u64 size);

/* Free the retired tables.  No walker knows them any more: the caller has
 * flushed what it took away, on all CPUs. */
void pt_release(struct page_table *pt);

/*
 * Follow @va from the root.  Fills @steps (at least 4) with each entry read
 * and returns their number; the last one is the leaf, or the first entry that
 * is not present.
 */
unsigned int pt_walk(const struct page_table *pt, u64 va,
		     struct pt_step *steps);

/* True if any page of [va, va + size) is mapped, and not as PT_DEVICE; false
 * also where pt_map() would refuse the range. */
bool pt_maps_memory(const struct page_table *pt, u64 va, u64 size);

/* True if @entry at @level is a leaf (of a present entry). */
bool pt_is_leaf(u64 entry, unsigned int level);

/* Free every table page; nobody walks it any more. */
void pt_destroy(struct page_table *pt);

#endif
