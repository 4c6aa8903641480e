/* sources: hv/paging.c hv/vmx/ept_format.c hv/host_format.c tests/unit/paging_reader.c */
/* longest input: 256 */
/*
 * Mapping and unmapping in any order.  What each page must lead to follows from
 * the list of calls: the last one that named it.  The tables are read by
 * tests/unit/paging_reader.c, which knows the manuals and not hv/paging.c.
 */
#include "hv/host_format.h"
#include "hv/vmx/ept_format.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/paging_reader.h"

#define MAX_CALLS 24

struct call {
	u64 va, pa, size;
	u32 attr; /* 0: unmap */
};

static struct call call[MAX_CALLS];
static unsigned int calls;

/* An address near the ends of leaves: each level's index is small. */
static u64 take_address(struct input *in)
{
	u64 bits = take(in, 3);

	return (bits & 1) << 39 | (bits >> 1 & 3) << 30 |
	       (bits >> 3 & 7) << 21 | (bits >> 6 & 0x1ff) << 12;
}

/* Pages, or a few leaves of a larger size; not more than is done at once. */
static u64 take_size(struct input *in, const struct page_table *pt)
{
	u8 bits = take(in, 1);
	unsigned int level = 1 + (bits >> 6) % 3;
	u64 count = 1 + (bits & 0x3f);

	if (level > 1)
		count = count % 4 + 1;
	if (level == 3 && !(pt->leaf_levels & BIT(2)))
		level = 2;
	return count << (PAGE_SHIFT + 9 * (level - 1));
}

static u32 take_attributes(struct input *in)
{
	static const u32 some[] = {
		PT_READ, PT_READ | PT_WRITE, PT_READ | PT_WRITE | PT_EXEC,
		PT_READ | PT_EXEC, PT_READ | PT_WRITE | PT_UNCACHED};

	return some[take(in, 1) % ARRAY_SIZE(some)];
}

static void expect(enum reader_format format, const struct page_table *pt,
		   u64 va)
{
	struct reading r = reader_translate(format, pt, va);
	const struct call *last = NULL;

	for (unsigned int i = 0; i < calls; i++)
		if (va >= call[i].va && va - call[i].va < call[i].size)
			last = &call[i];
	if (!last || !last->attr) {
		CHECK(!r.level);
		return;
	}
	CHECK(r.level);
	CHECK(r.pa == last->pa + (va - last->va));
	CHECK(r.write == !!(last->attr & PT_WRITE));
	CHECK(r.exec == !!(last->attr & PT_EXEC));
	CHECK(r.uncached == !!(last->attr & PT_UNCACHED));
}

/* Everything changes at an end of some call, if anywhere. */
static void expect_all(enum reader_format format, const struct page_table *pt)
{
	u64 reach = 1ULL << (12 + 9 * pt->levels);

	for (unsigned int i = 0; i < calls; i++) {
		u64 ends[] = {call[i].va - 1, call[i].va,
			      call[i].va + call[i].size / 2,
			      call[i].va + call[i].size - 1,
			      call[i].va + call[i].size};

		for (unsigned int e = 0; e < ARRAY_SIZE(ends); e++)
			if (ends[e] < reach)
				expect(format, pt, ends[e]);
	}
}

/* One call; false if it failed for want of memory. */
static bool make_call(struct input *in, struct page_table *pt)
{
	bool unmap = take(in, 1) & 1;
	struct call c = {.va = take_address(in), .size = take_size(in, pt)};
	u64 reach = 1ULL << (12 + 9 * pt->levels);
	int err;

	if (!unmap) {
		c.pa = take_address(in);
		c.attr = take_attributes(in);
	}
	if (c.size >= GIB) { /* by 4 KiB leaves that would take too long */
		c.va = ALIGN_DOWN(c.va, 2 * MIB);
		c.pa = ALIGN_DOWN(c.pa, 2 * MIB);
	}
	err = unmap ? pt_unmap(pt, c.va, c.size)
		    : pt_map(pt, c.va, c.pa, c.size, c.attr);
	if (c.va + c.size > reach) {
		CHECK(err == -EINVAL);
		return true;
	}
	CHECK(err == 0 || err == -ENOMEM);
	if (!err)
		call[calls++] = c;
	return !err;
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	static const u32 leaves[] = {BIT(1), BIT(1) | BIT(2),
				     BIT(1) | BIT(2) | BIT(3)};
	struct input in = {bytes, size};
	struct page_table pt;
	u8 flags = take(&in, 1);
	enum reader_format format = flags & 1 ? READER_HOST : READER_EPT;
	const struct pt_format *f = flags & 1 ? &host_format : &ept_format;
	bool good = true;

	fuzz_begin();
	calls = 0;
	if (flags & 2)
		fuzz_pages_left = take(&in, 1);
	if (pt_init(&pt, f, flags & 4 ? 3 : 4, leaves[(flags >> 3) % 3], false))
		return 0;
	while (in.left && calls < MAX_CALLS && good)
		good = make_call(&in, &pt);
	if (good) {
		expect_all(format, &pt);
		pt_release(&pt);
		expect_all(format, &pt);
		CHECK(reader_tables(format, &pt) == page_count(f->use));
	}
	pt_destroy(&pt);
	CHECK(page_count(f->use) == 0);
	return 0;
}
