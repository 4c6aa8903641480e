/* One table that the tests of hv/paging.c work on. */
#ifndef TESTS_UNIT_PAGING_FIXTURE_H
#define TESTS_UNIT_PAGING_FIXTURE_H

#include "tests/unit/paging_reader.h"

#define LEAF_4K BIT(1)
#define LEAF_2M (BIT(1) | BIT(2))
#define LEAF_1G (BIT(1) | BIT(2) | BIT(3))

#define RW (PT_READ | PT_WRITE)
#define RWX (PT_READ | PT_WRITE | PT_EXEC)

extern struct page_table pt;
extern enum reader_format fmt;

/* Make it, empty; and free it, with nothing lost. */
void begin(enum reader_format format, unsigned int levels, u32 leaves);
void end(void);

/* Pages in use for its format: those of the tree, and retired ones. */
size_t tables_used(void);

/* @va leads to @pa by a leaf at @level with @attr; or nowhere. */
void expect(u64 va, u64 pa, u32 attr, unsigned int level);
void expect_nothing(u64 va);

/* After pt_release() the tree has @count tables, and no other page is used. */
void expect_tables(size_t count);

#endif
