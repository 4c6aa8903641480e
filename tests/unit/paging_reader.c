#include "tests/unit/paging_reader.h"

/* Bits @high to @low of @entry, as the manuals write them. */
static u64 bits(u64 entry, unsigned int high, unsigned int low)
{
	return entry << (63 - high) >> (63 - high + low);
}

static bool is_large(u64 entry, unsigned int level)
{
	return level > 1 && bits(entry, 7, 7);
}

bool reader_present(enum reader_format format, u64 entry)
{
	switch (format) {
	case READER_HOST:
		return bits(entry, 0, 0);
	case READER_EPT: /* 28.2.2: if bits 2:0 are 0 */
		return bits(entry, 2, 0);
	default: /* VT-d 3.7: neither R nor W */
		return bits(entry, 1, 0);
	}
}

/* Table 4-14 (PML4E) to 4-19 (PTE).  A table's own PCD and PWT are 0, for
 * walks shall be cached. */
static void check_host(u64 entry, unsigned int level, bool leaf)
{
	if (!leaf)
		assert_true(bits(entry, 4, 3) == 0);
	if (level == 3 && leaf)
		assert_true(bits(entry, 29, 13) == 0);
	if (level == 2 && leaf)
		assert_true(bits(entry, 20, 13) == 0);
	/* The PAT bit chooses entries 4 to 7; we use 0 and 3 alone */
	if (leaf)
		assert_true(bits(entry, level > 1 ? 12 : 7,
				 level > 1 ? 12 : 7) == 0);
}

/* 28.2.3.1: what makes an EPT misconfiguration. */
static void check_ept(u64 entry, unsigned int level, bool leaf)
{
	u64 type = bits(entry, 5, 3);

	assert_true(bits(entry, 0, 0)); /* W or X without R */
	if (!leaf)
		assert_true(bits(entry, 6, 3) == 0);
	else
		assert_true(type == 0 || type == 6);
	if (level == 3 && leaf)
		assert_true(bits(entry, 29, 12) == 0);
	if (level == 2 && leaf)
		assert_true(bits(entry, 20, 12) == 0);
}

/* VT-d 9.8: SNP (11) and TM (62) are reserved in a unit without them. */
static void check_vtd(u64 entry, unsigned int level, bool leaf)
{
	assert_true(bits(entry, 11, 11) == 0 && bits(entry, 62, 62) == 0);
	if (level == 3 && leaf)
		assert_true(bits(entry, 29, 12) == 0);
	if (level == 2 && leaf)
		assert_true(bits(entry, 20, 12) == 0);
}

static void check(enum reader_format format, const struct page_table *pt,
		  u64 entry, unsigned int level)
{
	bool leaf = level == 1 || is_large(entry, level);

	assert_true(bits(entry, 51, 48) == 0);
	if (leaf)
		assert_true(bits(pt->leaf_levels, level, level) && level < 4);
	if (format == READER_HOST)
		check_host(entry, level, leaf);
	else if (format == READER_EPT)
		check_ept(entry, level, leaf);
	else
		check_vtd(entry, level, leaf);
}

/* What @entry permits, together with those above it. */
static void restrict_to(enum reader_format format, struct reading *r, u64 entry)
{
	if (format == READER_HOST) {
		r->write &= bits(entry, 1, 1);
		r->exec &= !bits(entry, 63, 63);
		return;
	}
	r->read &= bits(entry, 0, 0);
	r->write &= bits(entry, 1, 1);
	r->exec &= format == READER_EPT && bits(entry, 2, 2);
}

/* Host: PAT entry by PCD and PWT, of which 0 is WB, 3 UC as after a reset
 * (11.12.4), and 1 WC.  EPT: memory type 0 or 6.  VT-d has none. */
static bool uncached(enum reader_format format, u64 entry)
{
	if (format == READER_HOST) {
		assert_true(bits(entry, 4, 3) != 2);
		return bits(entry, 4, 3) == 3;
	}
	return format == READER_EPT && bits(entry, 5, 3) == 0;
}

static const u64 *table_at(u64 entry)
{
	return (const u64 *)(bits(entry, 47, 12) << 12);
}

/* The bits of an address that a leaf at @level does not translate. */
static unsigned int offset_bits(unsigned int level)
{
	static const unsigned int by_level[] = {0, 12, 21, 30, 39};

	return by_level[level];
}

struct reading reader_translate(enum reader_format format,
				const struct page_table *pt, u64 va)
{
	struct reading r = {.read = true, .write = true, .exec = true};
	const u64 *table = pt->root;

	for (unsigned int level = pt->levels;; level--) {
		unsigned int low = offset_bits(level);
		u64 entry = table[bits(va, low + 8, low)];

		if (!reader_present(format, entry))
			return (struct reading){0};
		check(format, pt, entry, level);
		restrict_to(format, &r, entry);
		if (level == 1 || is_large(entry, level)) {
			r.level = level;
			r.pa = bits(entry, 47, low) << low |
			       bits(va, low - 1, 0);
			r.uncached = uncached(format, entry);
			r.combining =
				format == READER_HOST && bits(entry, 4, 3) == 1;
			return r;
		}
		table = table_at(entry);
	}
}

static size_t count_below(enum reader_format format, const u64 *table,
			  unsigned int level, bool *empty)
{
	size_t count = 1;

	*empty = true;
	for (unsigned int i = 0; i < 512; i++) {
		bool below_empty = false;

		if (!reader_present(format, table[i]))
			continue;
		*empty = false;
		if (level == 1 || is_large(table[i], level))
			continue;
		count += count_below(format, table_at(table[i]), level - 1,
				     &below_empty);
		assert_false(below_empty);
	}
	return count;
}

size_t reader_tables(enum reader_format format, const struct page_table *pt)
{
	bool empty;

	return count_below(format, pt->root, pt->levels, &empty);
}
