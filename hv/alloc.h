/* The hypervisor's page allocator: a fixed pool, taken before the guest. */
#ifndef HV_ALLOC_H
#define HV_ALLOC_H

#include "hv/types.h"

/* What a page is used for; the totals are printed before the guest starts. */
enum page_use {
	PAGES_CPU,     /* stacks, VMCS, bitmaps, per-CPU data */
	PAGES_HOST_PT, /* the hypervisor's own page tables */
	PAGES_EPT,
	PAGES_VTD_SL, /* VT-d second-level tables */
	PAGES_VTD,    /* root and context tables, queues, IRTEs */
	PAGES_DEVICE, /* PF drivers, PCI functions */
	PAGES_GUEST,  /* virtual devices */
	PAGE_USES
};

/* Give [base, base + size) to page_alloc(). */
void alloc_init(hpa_t base, u64 size);

/*
 * @count contiguous zeroed pages, aligned to @count rounded up to a power of
 * two.  NULL when the pool is empty: the caller says what it needed it for.
 * Address = HPA.
 */
void *page_alloc(size_t count, enum page_use use);

/* Give back what page_alloc(@count) returned for @use. */
void page_free(void *pages, size_t count, enum page_use use);

/*
 * From now on @use can have @count pages more than it has, one at a time,
 * whatever others take and whichever it gives back.  False: the pool has not
 * that many.
 */
bool page_reserve(size_t count, enum page_use use);

/* Pages in use for @use now. */
size_t page_count(enum page_use use);

#endif
