/* sources: hv/paging.c hv/vmx/ept_format.c hv/host_format.c vtd/second_level.c */
/*
 * hv/paging.c in a world so small that nothing is left out: tables of two
 * entries, 8 or 16 pages, and every sequence of calls of pt_map() and
 * pt_unmap() with every range and every alignment of the target, for each
 * format, each set of leaf levels, walkers that snoop and that do not, and with
 * the pool empty at each allocation.  What the tables say is read by a reader
 * of this file's own.
 *
 * Claims, the first two also after every single store: no page outside of the
 * range changes; a page inside is as before or as asked; afterwards each is as
 * asked, or as before where the pool was empty; no entry has a reserved bit, no
 * leaf stands where none may; after pt_release() every table in use is in the
 * tree; a walker that does not snoop sees the same.
 */
#include "hv/paging.h"
#include "hv/host_format.h"
#include "hv/vmx/ept_format.h"
#include "vtd/second_level.h"
#include "vtd/unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(PT_INDEX_BITS == 1, "a small world");

#define PAGES_MAX 16
#define POOL 128
#define TARGETS 4
#define NEVER (~0U)

/* The pool; what of it has been written back; which of it is in use */
static u64 pool[POOL][512] __attribute__((aligned(PAGE_SIZE)));
static u64 memory[POOL][PT_ENTRIES];
static bool used[POOL];
static unsigned int until_empty = NEVER;
static bool empty_too; /* try that at the last call of a sequence */

static struct page_table pt;
static u64 pages;	      /* of the world */
static u64 now[PAGES_MAX];    /* what each should be */
static u64 first, last, want; /* the range of the call, and its new first */
static bool in_call;
static unsigned long calls, stores;

static _Noreturn void fail(const char *why, u64 page)
{
	printf("%s, %u levels, leaves %x, flush %d: page %lu of [%lu, %lu): "
	       "%s\n",
	       pt.format->name, pt.levels, pt.leaf_levels, pt.flush, page,
	       first, last, why);
	exit(1);
}

/* --- What the walker stands on */

struct vtd_unit vtd_units[DMAR_MAX_UNITS];
unsigned int vtd_unit_count;

void hv_log(const char *format, ...)
{
	(void)format;
}

size_t page_count(enum page_use use)
{
	(void)use;
	return 0;
}

static unsigned int index_of(const void *page)
{
	size_t index = ((uintptr_t)page - (uintptr_t)pool) / PAGE_SIZE;

	if (index >= POOL || !used[index])
		fail("a table that is not allocated", index);
	return (unsigned int)index;
}

void *page_alloc(size_t count, enum page_use use)
{
	(void)count;
	(void)use;
	if (until_empty != NEVER && until_empty-- == 0)
		return NULL;
	for (unsigned int i = 0; i < POOL; i++) {
		if (used[i])
			continue;
		used[i] = true;
		memset(pool[i], 0, sizeof(memory[i]));
		memset(memory[i], 0xff, sizeof(memory[i]));
		return pool[i];
	}
	fail("the pool is too small for this test", 0);
}

void page_free(void *page, size_t count, enum page_use use)
{
	(void)count;
	(void)use;
	used[index_of(page)] = false;
}

/* --- The reader: Intel SDM 3A 4.5, 3C 28.3.2; VT-d 3.7, 9.8 */

/* @read, @write: what a page permits that may be read alone, or also written */
struct bits {
	u64 present, permission, large, reserved, exec_disable, read, write;
};

static const struct bits host_bits = {
	0x1, 0x2, 0x80, 0x000f000000000000, BIT(63), BIT(63), BIT(63) | 2,
};
static const struct bits ept_bits = {
	0x7, 0x7, 0x80, 0x000f000000000000, 0, 1, 3,
};
static const struct bits vtd_bits = {
	0x3, 0x3, 0x80, 0x400f000000000800, 0, 1, 3,
};
static const struct bits *bits;

static u64 entry_at(u64 table, u64 index)
{
	unsigned int page = index_of((void *)table);

	return pt.flush ? memory[page][index] : pool[page][index];
}

static u64 page_frame(u64 entry)
{
	return entry & 0x000ffffffffff000;
}

/* Address and permissions of @page, 0 if it is not mapped. */
static u64 read_page(u64 page)
{
	u64 table = (u64)pt.root, rights = bits->permission;

	for (unsigned int level = pt.levels;; level--) {
		u64 span = 1ULL << (level - 1);
		u64 entry = entry_at(table, page / span % 2);
		bool leaf = level == 1 || (entry & bits->large);

		if (!(entry & bits->present))
			return 0;
		if (entry & bits->reserved)
			fail("a reserved bit", page);
		rights &= entry;
		if (!leaf) {
			table = page_frame(entry);
			continue;
		}
		if (!(pt.leaf_levels >> level & 1))
			fail("a leaf at a level without", page);
		if (page_frame(entry) / PAGE_SIZE % span)
			fail("a large leaf that is not aligned", page);
		return page_frame(entry) + page % span * PAGE_SIZE + rights +
		       (entry & bits->exec_disable);
	}
}

/* --- After each store */

static u64 asked(u64 page)
{
	return want ? want + (page - first) * PAGE_SIZE : 0;
}

static void check_store(void)
{
	stores++;
	for (u64 page = 0; page < pages; page++) {
		u64 is = read_page(page);
		bool inside = page >= first && page < last;

		if (is != now[page] && !inside)
			fail("outside, and changed at a store", page);
		if (is != now[page] && is != asked(page))
			fail("neither old nor new at a store", page);
	}
}

void cache_flush(const void *p, size_t size)
{
	unsigned int page =
		index_of((const void *)ALIGN_DOWN((uintptr_t)p, PAGE_SIZE));
	size_t at = ((uintptr_t)p & (PAGE_SIZE - 1)) / sizeof(u64);

	for (size_t i = at; i < at + size / sizeof(u64) && i < PT_ENTRIES; i++)
		memory[page][i] = pool[page][i];
	if (in_call)
		check_store();
}

/* --- After each call */

static void mark(u64 table, unsigned int level, bool *in_tree)
{
	in_tree[index_of((void *)table)] = true;
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		u64 entry = entry_at(table, i);

		if (level > 1 && (entry & bits->present) &&
		    !(entry & bits->large))
			mark(page_frame(entry), level - 1, in_tree);
	}
}

static void check_tables(void)
{
	bool in_tree[POOL] = {false};

	mark((u64)pt.root, pt.levels, in_tree);
	for (unsigned int i = 0; i < POOL; i++)
		if (used[i] != in_tree[i])
			fail("a table is lost", i);
}

static void check_call(bool failed)
{
	for (u64 page = 0; page < pages; page++) {
		bool inside = page >= first && page < last;
		u64 is = read_page(page);

		if (is != (inside ? asked(page) : now[page]) &&
		    !(failed && is == now[page]))
			fail("wrong after the call", page);
		now[page] = is;
	}
	pt_release(&pt);
	check_tables();
}

/* --- All sequences */

struct saved {
	struct page_table pt;
	u64 now[PAGES_MAX];
	u64 pool[POOL][PT_ENTRIES], memory[POOL][PT_ENTRIES];
	bool used[POOL];
};

static void save(struct saved *s)
{
	s->pt = pt;
	memcpy(s->now, now, sizeof(now));
	memcpy(s->used, used, sizeof(used));
	for (unsigned int i = 0; i < POOL; i++) {
		if (!used[i])
			continue;
		memcpy(s->pool[i], pool[i], sizeof(s->pool[i]));
		memcpy(s->memory[i], memory[i], sizeof(memory[i]));
	}
}

static void restore(const struct saved *s)
{
	pt = s->pt;
	memcpy(now, s->now, sizeof(now));
	memcpy(used, s->used, sizeof(used));
	for (unsigned int i = 0; i < POOL; i++) {
		if (!used[i])
			continue;
		memcpy(pool[i], s->pool[i], sizeof(s->pool[i]));
		memcpy(memory[i], s->memory[i], sizeof(memory[i]));
	}
}

/* A map to each class of alignment, or an unmap; -ENOMEM alone may fail it. */
static int call(unsigned int target, unsigned int depth)
{
	static const u64 shift[TARGETS] = {0, 1, 2, 4};
	u32 attr = depth % 2 ? PT_READ | PT_WRITE : PT_READ;
	u64 size = (last - first) * PAGE_SIZE;
	u64 pa = target < TARGETS
			 ? (first + PAGES_MAX + shift[target]) * PAGE_SIZE
			 : 0;
	int err;

	want = pa ? pa + (attr & PT_WRITE ? bits->write : bits->read) : 0;
	in_call = true;
	err = pa ? pt_map(&pt, first * PAGE_SIZE, pa, size, attr)
		 : pt_unmap(&pt, first * PAGE_SIZE, size);
	in_call = false;
	calls++;
	return err;
}

/* The same with the pool empty at the first allocation, at the second ... */
static void calls_without_memory(unsigned int target, unsigned int depth,
				 const struct saved *before)
{
	int err;

	for (unsigned int n = 0;; n++) {
		until_empty = n;
		err = call(target, depth);
		until_empty = NEVER;
		if (err && err != -ENOMEM)
			fail("an error", first);
		check_call(err);
		restore(before);
		if (!err)
			return;
	}
}

static void one_call(unsigned int target, unsigned int depth,
		     const struct saved *before)
{
	if (depth == 1 && empty_too)
		calls_without_memory(target, depth, before);
	if (call(target, depth))
		fail("an error", first);
	check_call(false);
}

static void sequences(unsigned int depth)
{
	struct saved before;

	save(&before);
	for (u64 a = 0; a < pages; a++)
		for (u64 b = a + 1; b <= pages; b++)
			for (unsigned int target = 0; target <= TARGETS;
			     target++) {
				first = a;
				last = b;
				one_call(target, depth, &before);
				if (depth > 1)
					sequences(depth - 1);
				restore(&before);
			}
}

static void world(const struct pt_format *format, unsigned int levels,
		  u32 leaves, bool flush, unsigned int depth)
{
	memset(used, 0, sizeof(used));
	memset(now, 0, sizeof(now));
	pages = 1ULL << levels;
	bits = format == &host_format  ? &host_bits
	       : format == &ept_format ? &ept_bits
				       : &vtd_bits;
	if (pt_init(&pt, format, levels, leaves, flush))
		fail("pt_init", 0);
	sequences(depth);
}

/* The second level's format is its file's own: take it from a domain. */
static const struct pt_format *vtd_format(void)
{
	static const struct memory_map nothing;
	struct vtd_domain domain;

	vtd_units[0].cap = 1ULL << 10 | 47ULL << 16; /* SAGAW: 4 levels; MGAW */
	vtd_unit_count = 1;
	if (vtd_domain_init(&domain, 1, &nothing))
		exit(1);
	return domain.table.format;
}

int main(void)
{
	const struct pt_format *format[] = {&ept_format, vtd_format(),
					    &host_format};
	/* Leaves of 4 KiB; and 2 MiB; and 1 GiB; and 1 GiB without 2 MiB */
	static const u32 leaves[] = {0x2, 0x6, 0xe, 0xa};

	for (unsigned int f = 0; f < ARRAY_SIZE(format); f++) {
		for (unsigned int l = 0; l < ARRAY_SIZE(leaves); l++) {
			empty_too = false;
			world(format[f], 4, leaves[l], true, 2);
			empty_too = true;
			world(format[f], 3, leaves[l], true, 2);
			world(format[f], 3, leaves[l], false, 2);
		}
	}
	empty_too = false;
	world(&ept_format, 3, 0xe, true, 3);
	printf("%lu calls, %lu single stores\n", calls, stores);
	printf("[  PASSED  ] 1 test.\n");
	return 0;
}
