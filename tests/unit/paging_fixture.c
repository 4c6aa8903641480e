#include "tests/unit/paging_fixture.h"
#include "hv/host_format.h"
#include "hv/vmx/ept_format.h"
#include "vtd/second_level.h"
#include "vtd/unit.h"

/* VT-d 10.4.2: SAGAW 12:8, MGAW 21:16 */
#define CAP_SAGAW_48 (1ULL << 10)
#define CAP_MGAW_48 (47ULL << 16)

/* In place of vtd/vtd.c: the unit that vtd_domain_init() asks. */
struct vtd_unit vtd_units[DMAR_MAX_UNITS];
unsigned int vtd_unit_count;

/* The second level's format is its file's own: take it from a domain. */
static const struct pt_format *vtd_format(void)
{
	static struct memory_map nothing;
	struct vtd_domain domain;

	vtd_units[0].cap = CAP_SAGAW_48 | CAP_MGAW_48;
	vtd_unit_count = 1;
	assert_int_equal(vtd_domain_init(&domain, 1, &nothing), 0);
	pt_destroy(&domain.table);
	return domain.table.format;
}

static const struct pt_format *format_of(enum reader_format format)
{
	switch (format) {
	case READER_HOST:
		return &host_format;
	case READER_EPT:
		return &ept_format;
	default:
		return vtd_format();
	}
}

struct page_table pt;
enum reader_format fmt;

void begin(enum reader_format format, unsigned int levels, u32 leaves)
{
	const struct pt_format *f = format_of(format);

	fmt = format;
	test_pages_left = SIZE_MAX;
	assert_int_equal(pt_init(&pt, f, levels, leaves, false), 0);
}

size_t tables_used(void)
{
	return page_count(pt.format->use);
}

void end(void)
{
	test_pages_left = SIZE_MAX;
	pt_destroy(&pt);
	assert_int_equal(tables_used(), 0);
}

void expect(u64 va, u64 pa, u32 attr, unsigned int level)
{
	struct reading r = reader_translate(fmt, &pt, va);

	assert_int_equal(r.level, level);
	assert_true(r.pa == pa);
	assert_true(r.read == !!(attr & PT_READ));
	assert_true(r.write == !!(attr & PT_WRITE));
	assert_true(r.exec == !!(attr & PT_EXEC));
	assert_true(r.uncached == !!(attr & PT_UNCACHED));
	assert_true(r.combining == !!(attr & PT_WRITE_COMBINING));
}

void expect_nothing(u64 va)
{
	assert_int_equal(reader_translate(fmt, &pt, va).level, 0);
}

void expect_tables(size_t count)
{
	pt_release(&pt);
	assert_int_equal(tables_used(), count);
	assert_int_equal(reader_tables(fmt, &pt), count);
}
