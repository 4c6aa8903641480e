/* sources: hv/memory_map.c hv/string.c hv/format.c */
/*
 * hv/memory_map.c in a world of six pages: every sequence of four calls of
 * memory_map_add() and memory_map_remove(), with every range, RAM and BARs.
 * What the map should hold is kept page by page.
 *
 * Claims, after every call: it did what was asked, or changed nothing and says
 * the right error; each page is found in its region, and no other; RAM is what
 * was added as RAM, its end is that of its last page; copies to and from the
 * guest reach RAM alone, each byte at its place.
 */
#include "hv/memory_map.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES 6U
#define DEPTH 4U
#define START 0x100000UL

/* Where the pages may be: two for each, so that neighbours do not follow. */
static u8 host[2 * PAGES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

/* A page of the guest's as it should be; region: the first page of it + 1 */
struct page {
	unsigned int region;
	hpa_t hpa;
	enum region_kind kind;
};

static struct page now[PAGES];
static struct memory_map map;
static unsigned long calls;

static _Noreturn void fail(const char *why, unsigned int page)
{
	printf("call %lu, page %u: %s\n", calls, page, why);
	exit(1);
}

void hv_log(const char *format, ...)
{
	(void)format;
}

static gpa_t address(unsigned int page)
{
	return START + page * PAGE_SIZE;
}

static bool is_ram(unsigned int page)
{
	return now[page].region && now[page].kind == REGION_RAM;
}

static void check_page(unsigned int page)
{
	const struct region *r = memory_map_find(&map, address(page) + 5);
	hpa_t hpa;

	if (!r != !now[page].region)
		fail("found, or not", page);
	if (r && (r->gpa != address(now[page].region - 1) ||
		  r->kind != now[page].kind ||
		  r->hpa + (address(page) - r->gpa) != now[page].hpa))
		fail("another region", page);
	if (memory_map_ram(&map, address(page) + 1, PAGE_SIZE - 1, &hpa) !=
	    is_ram(page))
		fail("RAM, or not", page);
	if (hpa != (is_ram(page) ? now[page].hpa + 1 : 0))
		fail("RAM at another place", page);
	if (memory_map_ram(&map, address(page) + 1, PAGE_SIZE, &hpa) !=
	    (is_ram(page) && page + 1 < PAGES &&
	     now[page + 1].region == now[page].region))
		fail("more than the region", page);
}

/* The two bytes around the start of @page, to the guest and back */
static void check_copy(unsigned int page)
{
	static u8 value;
	u8 sent[2] = {++value, ++value}, got[2] = {0, 0};
	bool ram = page && is_ram(page - 1) && is_ram(page);

	if (guest_ram_write(&map, address(page) - 1, sent, 2) !=
	    (ram ? 0 : -EINVAL))
		fail("written, or not", page);
	if (guest_ram_read(&map, address(page) - 1, got, 2) !=
	    (ram ? 0 : -EINVAL))
		fail("read, or not", page);
	if (!ram)
		return;
	if (((u8 *)now[page - 1].hpa)[PAGE_SIZE - 1] != sent[0] ||
	    *(u8 *)now[page].hpa != sent[1] || memcmp(sent, got, 2) != 0)
		fail("copied to another place", page);
}

static void check(void)
{
	gpa_t end = 0;

	for (unsigned int page = 0; page < PAGES; page++) {
		check_page(page);
		check_copy(page);
		if (is_ram(page))
			end = address(page + 1);
	}
	if (memory_map_ram_end(&map) != end)
		fail("the end of RAM", 0);
	if (memory_map_find(&map, START - 1) ||
	    memory_map_find(&map, address(PAGES)))
		fail("found outside", 0);
}

static void add(unsigned int first, unsigned int last, enum region_kind kind)
{
	hpa_t hpa = (hpa_t)host[first + last % 2 * PAGES];
	bool taken = false;
	int err;

	for (unsigned int page = first; page < last; page++)
		taken |= now[page].region != 0;
	err = memory_map_add(&map, address(first), hpa,
			     (last - first) * PAGE_SIZE, kind);
	if (err != (taken ? -EEXIST : 0))
		fail("added, or not", first);
	for (unsigned int page = first; !err && page < last; page++)
		now[page] = (struct page){
			first + 1, hpa + (page - first) * PAGE_SIZE, kind};
}

static void remove_at(unsigned int first)
{
	bool there = now[first].region == first + 1;

	if (memory_map_remove(&map, address(first)) != (there ? 0 : -ENOENT))
		fail("removed, or not", first);
	for (unsigned int page = first; there && page < PAGES; page++)
		if (now[page].region == first + 1)
			now[page].region = 0;
}

static void sequences(unsigned int depth);

static void after_call(unsigned int depth, const struct memory_map *old_map,
		       const struct page *old)
{
	calls++;
	check();
	if (depth > 1)
		sequences(depth - 1);
	map = *old_map;
	memcpy(now, old, sizeof(now));
}

static void sequences(unsigned int depth)
{
	struct memory_map old_map = map;
	struct page old[PAGES];

	memcpy(old, now, sizeof(now));
	for (unsigned int first = 0; first < PAGES; first++) {
		for (unsigned int last = first + 1; last <= PAGES; last++) {
			add(first, last, REGION_RAM);
			after_call(depth, &old_map, old);
			add(first, last, REGION_BAR);
			after_call(depth, &old_map, old);
		}
		remove_at(first);
		after_call(depth, &old_map, old);
	}
}

/* What is no range of pages is refused, whatever is there. */
static void refusals(void)
{
	static const struct {
		gpa_t gpa;
		hpa_t hpa;
		u64 size;
	} wrong[] = {
		{START, START, 0},
		{START + 1, START, PAGE_SIZE},
		{START, START + 1, PAGE_SIZE},
		{START, START, PAGE_SIZE + 1},
		{-PAGE_SIZE, START, 2 * PAGE_SIZE},
		{START, -PAGE_SIZE, 2 * PAGE_SIZE},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++)
		if (memory_map_add(&map, wrong[i].gpa, wrong[i].hpa,
				   wrong[i].size, REGION_RAM) != -EINVAL)
			fail("no range, and added", i);
	for (unsigned int i = 0; i <= MEMORY_MAP_MAX; i++)
		if (memory_map_add(&map, i * PAGE_SIZE, i * PAGE_SIZE,
				   PAGE_SIZE, REGION_BAR) !=
		    (i < MEMORY_MAP_MAX ? 0 : -ENOSPC))
			fail("full, or not", i);
}

int main(void)
{
	sequences(DEPTH);
	refusals();
	printf("%lu calls\n", calls);
	printf("[  PASSED  ] 1 test.\n");
	return 0;
}
