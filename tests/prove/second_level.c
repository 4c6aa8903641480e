/* Claims about entries of VT-d's second-level tables. */
#include "vtd/second_level.c"
#include "tests/prove/fields.h"

/* VT-d 9.8.  R 0, W 1, X 2 as 0, ignored 6:3 as 0, PS 7 in a leaf above level
 * 1, ignored 10:8 as 0, SNP 11 as 0, address 51:12 (what is below the leaf's
 * size as 0), TM 62 and the rest as 0. */
bool claim_second_level_leaf(u64 pa, u32 attr, unsigned int level)
{
	u64 entry;

	if (level < 1 || level > 3 || pa & ~PT_ADDR_MASK ||
	    !IS_ALIGNED(pa, PT_LEVEL_SIZE(level)))
		return true;
	entry = sl_leaf(pa, attr, level);
	return FIELD(entry, 0, 0) == ((attr & PT_READ) != 0) &&
	       FIELD(entry, 1, 1) == ((attr & PT_WRITE) != 0) &&
	       FIELD(entry, 6, 2) == 0 && FIELD(entry, 7, 7) == (level > 1) &&
	       FIELD(entry, 11, 8) == 0 &&
	       FIELD(entry, 51, 12) == FIELD(pa, 51, 12) &&
	       FIELD(entry, 63, 52) == 0 &&
	       IS_ALIGNED(entry & PT_ADDR_MASK, PT_LEVEL_SIZE(level)) &&
	       sl_present(entry) == ((attr & (PT_READ | PT_WRITE)) != 0) &&
	       sl_attributes(entry) == (attr & (PT_READ | PT_WRITE));
}

/* The same with R and W, and PS 0 */
bool claim_second_level_table(u64 pa)
{
	u64 entry;

	if (pa & ~PT_ADDR_MASK)
		return true;
	entry = sl_table(pa);
	return FIELD(entry, 11, 0) == 3 && FIELD(entry, 63, 12) == pa >> 12 &&
	       sl_present(entry);
}
