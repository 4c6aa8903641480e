#include "tests/unit/support.h"
#include "hv/alloc.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/panic.h"
#include "hv/time.h"
#include "hv/weaken.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The tests of hv/format.c and hv/alloc.c link the real ones instead. */
#define WEAK __attribute__((weak))

__attribute__((weak)) u32 weaken; /* hv/weaken.h: nothing */
char test_log[65536];
size_t test_pages_left = SIZE_MAX;
u64 test_time, test_character_us;
static size_t pages_used[PAGE_USES];

void test_log_clear(void)
{
	test_log[0] = '\0';
}

void hv_log(const char *fmt, ...)
{
	size_t used = strlen(test_log);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(test_log + used, sizeof(test_log) - used, fmt, ap);
	va_end(ap);
	test_time += test_character_us * strlen(test_log + used);
	if (getenv("V"))
		fputs(test_log + used, stderr);
}

void panic(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fail_msg("panic: %s", text);
	abort();
}

WEAK int format_va(char *buf, size_t size, const char *fmt, va_list ap)
{
	return vsnprintf(buf, size, fmt, ap);
}

WEAK int format(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return length;
}

static size_t allocation_size(size_t count)
{
	size_t size = PAGE_SIZE;

	while (size < count * PAGE_SIZE)
		size *= 2;
	return size;
}

WEAK void *page_alloc(size_t count, enum page_use use)
{
	void *pages;

	if (count > test_pages_left)
		return NULL;
	if (test_pages_left != SIZE_MAX)
		test_pages_left -= count;
	pages = aligned_alloc(allocation_size(count), allocation_size(count));
	assert_non_null(pages);
	memset(pages, 0, count * PAGE_SIZE);
	pages_used[use] += count;
	return pages;
}

WEAK void page_free(void *pages, size_t count, enum page_use use)
{
	assert_true(pages_used[use] >= count);
	pages_used[use] -= count;
	if (test_pages_left != SIZE_MAX)
		test_pages_left += count;
	free(pages);
}

WEAK size_t page_count(enum page_use use)
{
	return pages_used[use];
}

WEAK u64 time_us(void)
{
	return test_time++;
}

void delay_us(u64 us, const char *why)
{
	(void)why;
	test_time += us;
}

WEAK int wait_timed_out(const char *what)
{
	hv_log("timeout: %s\n", what);
	return -ETIMEDOUT;
}
