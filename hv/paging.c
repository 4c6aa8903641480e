/*
 * This file is the one page-table walker for three formats: the hypervisor's
 * own tables, EPT and VT-d's second level.  They differ in their bits, which a
 * struct pt_format knows; the tree is the same (Intel SDM 3A 4.5, 3C 28.2.2,
 * VT-d 3.7):
 *
 *    address   63    48 47    39 38    30 29    21 20    12 11      0
 *             | 0      | level 4| level 3| level 2| level 1| offset  |
 *                         |        |        |        |
 *    root --> table of 512 entries |        |        |
 *                         `-> entry -> table |        |
 *                                  `-> entry -> table  |     a leaf at level 3
 *                                           `-> entry -> table   maps 1 GiB,
 *                                                    `-> entry   at level 2
 *                                                                2 MiB
 *    entry     63        52 51                  12 11   7    2          0
 *             | format's   | address of the table | ... |leaf| permission |
 *             | own        | or of the page       |     |    | bits       |
 */
#include "hv/paging.h"

#include "hv/cache.h"

#define PT_LARGE BIT(7) /* the same bit in all three formats */

static unsigned int index_at(u64 va, unsigned int level)
{
	return (va >> PT_LEVEL_SHIFT(level)) & (PT_ENTRIES - 1);
}

static u64 *entry_table(u64 entry)
{
	return (u64 *)(entry & PT_ADDR_MASK);
}

bool pt_is_leaf(u64 entry, unsigned int level)
{
	return level == 1 || (entry & PT_LARGE);
}

/* A remapping unit that does not snoop reads memory: put the line there
 * (VT-d 6.8.1; Intel SDM 2A CLFLUSH). */
static void set_entry(const struct page_table *pt, u64 *entry, u64 value)
{
	*(volatile u64 *)entry = value;
	if (pt->flush)
		cache_flush(entry, sizeof(*entry));
}

static u64 *new_table(const struct page_table *pt)
{
	u64 *table = page_alloc(1, pt->format->use);

	if (table && pt->flush)
		cache_flush(table, PAGE_SIZE);
	return table;
}

int pt_init(struct page_table *pt, const struct pt_format *format,
	    unsigned int levels, u32 leaf_levels, bool flush)
{
	*pt = (struct page_table){
		.format = format,
		.levels = levels,
		.leaf_levels = leaf_levels & BIT(2) ? leaf_levels : BIT(1),
		.flush = flush,
	};
	pt->root = new_table(pt);
	return pt->root ? 0 : -ENOMEM;
}

/* Replace the large leaf *entry at @level by a table of smaller leaves. */
static int split(const struct page_table *pt, u64 *entry, unsigned int level)
{
	const struct pt_format *f = pt->format;
	u64 size = PT_LEVEL_SIZE(level - 1);
	hpa_t pa = *entry & PT_ADDR_MASK & ~(PT_LEVEL_SIZE(level) - 1);
	u64 *table = new_table(pt);

	if (!table)
		return -ENOMEM;
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		set_entry(pt, &table[i],
			  f->leaf(pa + i * size, f->attributes(*entry),
				  level - 1));
	set_entry(pt, entry, f->table((hpa_t)table));
	return 0;
}

/* The table below *entry at @level, made where there is none. */
static int descend(const struct page_table *pt, u64 *entry, unsigned int level,
		   u64 **table)
{
	int err = 0;

	if (!pt->format->present(*entry)) {
		*table = new_table(pt);
		if (!*table)
			return -ENOMEM;
		set_entry(pt, entry, pt->format->table((hpa_t)*table));
	} else if (pt_is_leaf(*entry, level)) {
		err = split(pt, entry, level);
	}
	*table = entry_table(*entry);
	return err;
}

/*
 * Put @table and those below it on the list of retired ones.  It is linked by
 * their first entries: whoever still walks one reads the address of a page
 * there, and without a bit below 12 that is present in none of the formats.
 */
static void retire(struct page_table *pt, u64 *table, unsigned int level)
{
	for (unsigned int i = 0; level > 1 && i < PT_ENTRIES; i++)
		if (pt->format->present(table[i]) &&
		    !pt_is_leaf(table[i], level))
			retire(pt, entry_table(table[i]), level - 1);
	set_entry(pt, table, (u64)pt->retired);
	pt->retired = table;
}

void pt_release(struct page_table *pt)
{
	while (pt->retired) {
		u64 *table = pt->retired;

		pt->retired = (u64 *)*table;
		page_free(table, 1, pt->format->use);
	}
}

/* Give *entry at @level a new value, a leaf or nothing. */
static void replace(struct page_table *pt, u64 *entry, u64 value,
		    unsigned int level)
{
	u64 old = *entry;

	set_entry(pt, entry, value);
	if (pt->format->present(old) && !pt_is_leaf(old, level))
		retire(pt, entry_table(old), level - 1);
}

/* True if one leaf at @level can serve the start of the range. */
static bool leaf_fits(const struct page_table *pt, unsigned int level, u64 va,
		      hpa_t pa, u64 size)
{
	u64 leaf = PT_LEVEL_SIZE(level);

	return (pt->leaf_levels & BIT(level)) && size >= leaf &&
	       IS_ALIGNED(va | pa, leaf);
}

/* Map the start of the range with one leaf; returns its size or an error. */
static s64 map_one(struct page_table *pt, u64 va, hpa_t pa, u64 size, u32 attr)
{
	u64 *table = pt->root;
	unsigned int level = pt->levels;
	int err;

	while (level > 1 && !leaf_fits(pt, level, va, pa, size)) {
		err = descend(pt, &table[index_at(va, level)], level, &table);
		if (err)
			return err;
		level--;
	}
	replace(pt, &table[index_at(va, level)],
		pt->format->leaf(pa, attr, level), level);
	return PT_LEVEL_SIZE(level);
}

static bool range_ok(const struct page_table *pt, u64 va, u64 size)
{
	u64 reach = PT_LEVEL_SIZE(pt->levels + 1);

	return IS_ALIGNED(va | size, PAGE_SIZE) && size <= reach &&
	       va <= reach - size;
}

int pt_map(struct page_table *pt, u64 va, hpa_t pa, u64 size, u32 attr)
{
	if (!range_ok(pt, va, size) || !IS_ALIGNED(pa, PAGE_SIZE) ||
	    pa > PT_ADDR_MASK || size > PT_ADDR_MASK + PAGE_SIZE - pa)
		return -EINVAL;
	while (size) {
		s64 done = map_one(pt, va, pa, size, attr);

		if (done < 0)
			return (int)done;
		va += done;
		pa += done;
		size -= done;
	}
	return 0;
}

static bool is_empty(const struct page_table *pt, const u64 *table)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		if (pt->format->present(table[i]))
			return false;
	return true;
}

static int unmap_in(struct page_table *pt, u64 *table, unsigned int level,
		    u64 va, u64 size);

/* Remove a part of what *entry at @level maps, and the table below if nothing
 * is left there. */
static int unmap_below(struct page_table *pt, u64 *entry, unsigned int level,
		       u64 va, u64 size)
{
	u64 *table;
	int err = descend(pt, entry, level, &table);

	if (!err)
		err = unmap_in(pt, table, level - 1, va, size);
	if (!err && is_empty(pt, table))
		replace(pt, entry, 0, level);
	return err;
}

/* Remove [va, va + size), which lies in the reach of @table at @level. */
static int unmap_in(struct page_table *pt, u64 *table, unsigned int level,
		    u64 va, u64 size)
{
	u64 span = PT_LEVEL_SIZE(level);
	int err = 0;

	while (!err && size) {
		u64 *entry = &table[index_at(va, level)];
		u64 piece = MIN(span - (va & (span - 1)), size);

		if (piece == span)
			replace(pt, entry, 0, level);
		else if (pt->format->present(*entry))
			err = unmap_below(pt, entry, level, va, piece);
		va += piece;
		size -= piece;
	}
	return err;
}

int pt_unmap(struct page_table *pt, u64 va, u64 size)
{
	if (!range_ok(pt, va, size))
		return -EINVAL;
	return unmap_in(pt, pt->root, pt->levels, va, size);
}

unsigned int pt_walk(const struct page_table *pt, u64 va, struct pt_step *steps)
{
	u64 *table = pt->root;
	unsigned int n = 0;

	for (unsigned int level = pt->levels; level; level--) {
		struct pt_step *s = &steps[n++];

		s->level = level;
		s->table = (hpa_t)table;
		s->index = index_at(va, level);
		s->entry = table[s->index];
		if (!pt->format->present(s->entry) ||
		    pt_is_leaf(s->entry, level))
			break;
		table = entry_table(s->entry);
	}
	return n;
}

bool pt_maps_memory(const struct page_table *pt, u64 va, u64 size)
{
	struct pt_step step[4];

	if (!range_ok(pt, va, size))
		return false;
	while (size) {
		const struct pt_step *last = &step[pt_walk(pt, va, step) - 1];
		u64 span = PT_LEVEL_SIZE(last->level);
		u64 piece = MIN(span - (va & (span - 1)), size);

		if (pt->format->present(last->entry) &&
		    !(pt->format->attributes(last->entry) & PT_DEVICE))
			return true;
		va += piece;
		size -= piece;
	}
	return false;
}

void pt_destroy(struct page_table *pt)
{
	retire(pt, pt->root, pt->levels);
	pt_release(pt);
	pt->root = NULL;
}
