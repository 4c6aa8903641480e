/*
 * Page tables as the hardware reads them: written from the manuals, and
 * sharing nothing with hv/paging.c but struct page_table.
 */
#ifndef TESTS_UNIT_PAGING_READER_H
#define TESTS_UNIT_PAGING_READER_H

#include "hv/paging.h"
#include "tests/unit/support.h"

enum reader_format { READER_HOST, READER_EPT, READER_VTD };

/* Where an address leads. */
struct reading {
	unsigned int level; /* of the leaf; 0: not mapped */
	u64 pa;
	bool read, write, exec, uncached, combining;
};

/*
 * Translate @va as a processor (Intel SDM 3A 4.5; 3C 28.2.2) or a remapping
 * unit (VT-d 3.7, 9.8) does that has 48 physical address bits.  The test fails
 * at an entry that it would call reserved or misconfigured, and at a large
 * leaf that @pt may not have.
 */
struct reading reader_translate(enum reader_format format,
				const struct page_table *pt, u64 va);

/*
 * The number of tables, the root among them.  The test fails if one below the
 * root is empty.
 */
size_t reader_tables(enum reader_format format, const struct page_table *pt);

/* True if the hardware would follow @entry, or call it an error. */
bool reader_present(enum reader_format format, u64 entry);

#endif
