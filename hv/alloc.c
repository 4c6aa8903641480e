/* This file is the page allocator of the hypervisor: a bitmap over a fixed
 * pool. */
#include "hv/alloc.h"
#include "hv/lock.h"
#include "hv/string.h"

/* The pool: one bit a page, set when taken; the bits stand in its first pages.
 * Found by first fit: pages come and go only when a guest is built or a BAR
 * moves. */
static u8 *pool;
static size_t pool_pages;
static u64 *taken;
static size_t pages_free;
static size_t used[PAGE_USES];
/* Until a use has so many, nobody else gets the rest of them. */
static size_t promised[PAGE_USES];
static struct lock lock;

void alloc_init(hpa_t base, u64 size)
{
	u64 bitmap = ALIGN_UP(size / PAGE_SIZE / 8 + 8, PAGE_SIZE);

	taken = (u64 *)base;
	memset(taken, 0, bitmap);
	pool = (u8 *)base + bitmap;
	pool_pages = pages_free = (size - bitmap) / PAGE_SIZE;
}

static bool is_taken(size_t page)
{
	return taken[page / 64] & BIT(page % 64);
}

static bool run_free(size_t first, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_taken(first + i))
			return false;
	return true;
}

static void mark(size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		taken[i / 64] ^= BIT(i % 64);
}

static size_t alignment(size_t count)
{
	size_t pages = 1;

	while (pages < count)
		pages *= 2;
	return pages * PAGE_SIZE;
}

static void *take(size_t count)
{
	for (size_t i = 0; i + count <= pool_pages; i++) {
		void *pages = pool + i * PAGE_SIZE;

		if (!IS_ALIGNED((hpa_t)pages, alignment(count)) ||
		    !run_free(i, count))
			continue;
		mark(i, count);
		memset(pages, 0, count * PAGE_SIZE);
		return pages;
	}
	return NULL;
}

/* Free pages that are not promised to others than @use. */
static size_t available(enum page_use use)
{
	size_t others = 0;

	for (enum page_use i = 0; i < PAGE_USES; i++)
		if (i != use && promised[i] > used[i])
			others += promised[i] - used[i];
	return pages_free > others ? pages_free - others : 0;
}

void *page_alloc(size_t count, enum page_use use)
{
	void *pages;

	lock_acquire(&lock);
	pages = count <= available(use) ? take(count) : NULL;
	if (pages) {
		used[use] += count;
		pages_free -= count;
	}
	lock_release(&lock);
	return pages;
}

void page_free(void *pages, size_t count, enum page_use use)
{
	lock_acquire(&lock);
	mark(((u8 *)pages - pool) / PAGE_SIZE, count);
	used[use] -= count;
	pages_free += count;
	lock_release(&lock);
}

bool page_reserve(size_t count, enum page_use use)
{
	bool enough;

	lock_acquire(&lock);
	enough = count <= available(use);
	if (enough)
		promised[use] = used[use] + count;
	lock_release(&lock);
	return enough;
}

size_t page_count(enum page_use use)
{
	return used[use];
}
