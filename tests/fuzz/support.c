/* What the fuzz targets give to the product in place of the hypervisor.  Log
 * lines are formatted by the product's own hv/format.c, and thrown away. */
#include "hv/alloc.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/panic.h"
#include "hv/time.h"
#include "hv/weaken.h"
#include "tests/fuzz/fuzz.h"
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A wait of a second is over after ten looks at the clock. */
#define CLOCK_STEP_US 100000

#define POOL_PAGES 512

__attribute__((weak)) u32 weaken; /* hv/weaken.h: nothing */
char fuzz_log[1024];
size_t fuzz_pages_left;
static u64 now;
static size_t pages_used[PAGE_USES];

/*
 * Pages are taken in turn from this, because the heap's cost most of the time.
 * What is free may not be touched, and neither may a page behind each piece.
 */
static u8 pool[POOL_PAGES][PAGE_SIZE] __attribute__((aligned(4096)));
static bool taken[POOL_PAGES];

/* The models of hardware are not freed between inputs. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

void fuzz_begin(void)
{
	static bool begun;

	if (!begun)
		ASAN_POISON_MEMORY_REGION(pool, sizeof(pool));
	begun = true;
	now = 0;
	fuzz_pages_left = SIZE_MAX / 2; /* more may be freed */
	fuzz_log[0] = '\0';
}

_Noreturn void check_failed(const char *file, int line, const char *cond)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, cond);
	abort();
}

u64 take(struct input *in, unsigned int bytes)
{
	u64 value = 0;

	for (unsigned int i = 0; i < bytes && in->left; i++, in->left--)
		value |= (u64)*in->at++ << (8 * i);
	return value;
}

void hv_log(const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = format_va(fuzz_log, sizeof(fuzz_log), fmt, ap);
	va_end(ap);
	CHECK(length >= 0);
	CHECK(memchr(fuzz_log, '\0', sizeof(fuzz_log)));
}

void panic(const char *fmt, ...)
{
	fprintf(stderr, "panic: %s\n", fmt);
	abort();
}

/* The first of @count pages and the one behind, or NULL. */
static void *pool_take(size_t count)
{
	static size_t next;

	for (size_t seen = 0, free = 0; seen < 2 * POOL_PAGES; seen++) {
		if (!next) /* what is around the end is not one piece */
			free = 0;
		free = taken[next] ? 0 : free + 1;
		next = (next + 1) % POOL_PAGES;
		if (free > count) {
			size_t first = (next + POOL_PAGES - free) % POOL_PAGES;

			memset(&taken[first], true, free);
			ASAN_UNPOISON_MEMORY_REGION(pool[first],
						    count * PAGE_SIZE);
			return pool[first];
		}
	}
	return NULL;
}

/* Beyond the last one if @pages are not of the pool */
static size_t pool_index(const void *pages)
{
	return ((uintptr_t)pages - (uintptr_t)pool) / PAGE_SIZE;
}

static void pool_give(void *pages, size_t count)
{
	size_t first = pool_index(pages);

	for (size_t i = first; i <= first + count; i++) {
		CHECK(taken[i]);
		taken[i] = false;
	}
	ASAN_POISON_MEMORY_REGION(pages, count * PAGE_SIZE);
}

void *page_alloc(size_t count, enum page_use use)
{
	void *pages;

	if (count > fuzz_pages_left)
		return NULL;
	pages = pool_take(count);
	if (!pages)
		pages = aligned_alloc(PAGE_SIZE, count * PAGE_SIZE);
	CHECK(pages);
	memset(pages, 0, count * PAGE_SIZE);
	fuzz_pages_left -= count;
	pages_used[use] += count;
	return pages;
}

void page_free(void *pages, size_t count, enum page_use use)
{
	CHECK(pages && !((uintptr_t)pages % PAGE_SIZE));
	CHECK(pages_used[use] >= count);
	pages_used[use] -= count;
	fuzz_pages_left += count;
	if (pool_index(pages) < POOL_PAGES)
		pool_give(pages, count);
	else
		free(pages);
}

size_t page_count(enum page_use use)
{
	return pages_used[use];
}

u64 time_us(void)
{
	return now += CLOCK_STEP_US;
}

void delay_us(u64 us, const char *why)
{
	(void)why;
	now += us;
}

int wait_timed_out(const char *what)
{
	hv_log("timeout: %s\n", what);
	return -ETIMEDOUT;
}
