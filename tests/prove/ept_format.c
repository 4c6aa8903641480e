/* Claims about entries of extended page tables. */
#include "hv/vmx/ept_format.c"
#include "tests/prove/fields.h"

/* SDM 3C 28.2.2, tables 28-3, 28-5, 28-6.  R 0, W 1, X 2, memory type 5:3 (0
 * UC, 6 WB), ignore PAT 6 as 0, 7 in a leaf above level 1, 11:8 as 0, address
 * 51:12 (what is below the leaf's size as 0), 63:52 as 0. */
bool claim_ept_leaf(u64 pa, u32 attr, unsigned int level)
{
	const u32 all = PT_READ | PT_WRITE | PT_EXEC | PT_UNCACHED;
	u64 entry;

	if (level < 1 || level > 3 || pa & ~PT_ADDR_MASK ||
	    !IS_ALIGNED(pa, PT_LEVEL_SIZE(level)))
		return true;
	entry = ept_leaf(pa, attr, level);
	return FIELD(entry, 0, 0) == ((attr & PT_READ) != 0) &&
	       FIELD(entry, 1, 1) == ((attr & PT_WRITE) != 0) &&
	       FIELD(entry, 2, 2) == ((attr & PT_EXEC) != 0) &&
	       FIELD(entry, 5, 3) == (attr & PT_UNCACHED ? 0 : 6) &&
	       FIELD(entry, 6, 6) == 0 && FIELD(entry, 7, 7) == (level > 1) &&
	       FIELD(entry, 11, 8) == 0 &&
	       FIELD(entry, 51, 12) == FIELD(pa, 51, 12) &&
	       FIELD(entry, 63, 52) == 0 &&
	       IS_ALIGNED(entry & PT_ADDR_MASK, PT_LEVEL_SIZE(level)) &&
	       ept_present(entry) ==
		       ((attr & (PT_READ | PT_WRITE | PT_EXEC)) != 0) &&
	       ept_attributes(entry) == (attr & all);
}

/* SDM 3C 28.2.2, tables 28-1, 28-2, 28-4.  R, W and X 2:0, reserved 7:3, 11:8
 * as 0, address 51:12, 63:52 as 0. */
bool claim_ept_table(u64 pa)
{
	u64 entry;

	if (pa & ~PT_ADDR_MASK)
		return true;
	entry = ept_table(pa);
	return FIELD(entry, 11, 0) == 7 && FIELD(entry, 63, 12) == pa >> 12 &&
	       ept_present(entry);
}
