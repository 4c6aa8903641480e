/* This file encodes the entries of extended page tables (Intel SDM 3C 28.2.2,
 * tables 28-1 to 28-6). */
#include "hv/vmx/ept_format.h"
#include "hv/paging.h"

#define EPT_R BIT(0)
#define EPT_W BIT(1)
#define EPT_X BIT(2)
#define EPT_TYPE_UC (0ULL << 3)
#define EPT_TYPE_WB (6ULL << 3)
#define EPT_TYPE_MASK (7ULL << 3)
#define EPT_LARGE BIT(7)

static u64 ept_leaf(hpa_t pa, u32 attr, unsigned int level)
{
	u64 entry = pa;

	if (attr & PT_READ)
		entry |= EPT_R;
	if (attr & PT_WRITE)
		entry |= EPT_W;
	if (attr & PT_EXEC)
		entry |= EPT_X;
	entry |= attr & PT_UNCACHED ? EPT_TYPE_UC : EPT_TYPE_WB;
	if (level > 1)
		entry |= EPT_LARGE;
	return entry;
}

static u64 ept_table(hpa_t pa)
{
	return pa | EPT_R | EPT_W | EPT_X;
}

static bool ept_present(u64 entry)
{
	return entry & (EPT_R | EPT_W | EPT_X);
}

static u32 ept_attributes(u64 entry)
{
	return (entry & EPT_R ? PT_READ : 0) | (entry & EPT_W ? PT_WRITE : 0) |
	       (entry & EPT_X ? PT_EXEC : 0) |
	       ((entry & EPT_TYPE_MASK) == EPT_TYPE_UC ? PT_UNCACHED : 0);
}

const struct pt_format ept_format = {
	.name = "EPT",
	.use = PAGES_EPT,
	.leaf = ept_leaf,
	.table = ept_table,
	.present = ept_present,
	.attributes = ept_attributes,
};
