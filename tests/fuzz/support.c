/* What the fuzz targets give to the product in place of the hypervisor.  Log
 * lines are formatted by the product's own hv/format.c, and thrown away. */
#include "hv/alloc.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/panic.h"
#include "hv/time.h"
#include "hv/weaken.h"
#include "tests/fuzz/fuzz.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A wait of a second is over after ten looks at the clock. */
#define CLOCK_STEP_US 100000

__attribute__((weak)) u32 weaken; /* hv/weaken.h: nothing */
char fuzz_log[1024];
size_t fuzz_pages_left;
static u64 now;
static size_t pages_used[PAGE_USES];

/* The models of hardware are not freed between inputs. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

void fuzz_begin(void)
{
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

/* From the heap, so that what is free may not be touched. */
void *page_alloc(size_t count, enum page_use use)
{
	void *pages;

	if (count > fuzz_pages_left)
		return NULL;
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
