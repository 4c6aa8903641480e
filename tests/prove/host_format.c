/* Claims about entries of the hypervisor's own page tables. */
#include "hv/host_format.c"
#include "tests/prove/fields.h"

/* SDM 3A 4.5.4, tables 4-16, 4-18, 4-20.  P 0, R/W 1, U/S 2 as 0, PWT 3, PCD 4,
 * A and D 6:5 as 0, PS 7 in a leaf above level 1 (at level 1 PAT, 0), G 8 as 0,
 * 11:9 as 0, address 51:12 (what is below the leaf's size, with PAT 12, as 0),
 * 62:52 as 0, XD 63. */
bool claim_host_leaf(u64 pa, u32 attr, unsigned int level)
{
	u64 entry;

	if (level < 1 || level > 3 || pa & ~PT_ADDR_MASK ||
	    !IS_ALIGNED(pa, PT_LEVEL_SIZE(level)))
		return true;
	entry = host_leaf(pa, attr, level);
	return FIELD(entry, 0, 0) == 1 &&
	       FIELD(entry, 1, 1) == ((attr & PT_WRITE) != 0) &&
	       FIELD(entry, 2, 2) == 0 &&
	       FIELD(entry, 3, 3) == ((attr & PT_DEVICE) != 0) &&
	       FIELD(entry, 4, 4) == ((attr & PT_UNCACHED) != 0) &&
	       FIELD(entry, 6, 5) == 0 && FIELD(entry, 7, 7) == (level > 1) &&
	       FIELD(entry, 11, 8) == 0 &&
	       FIELD(entry, 51, 12) == FIELD(pa, 51, 12) &&
	       FIELD(entry, 62, 52) == 0 &&
	       FIELD(entry, 63, 63) == !(attr & PT_EXEC) &&
	       IS_ALIGNED(entry & PT_ADDR_MASK, PT_LEVEL_SIZE(level)) &&
	       host_present(entry);
}

/* What is split keeps what it was: not both kinds of device memory at once. */
bool claim_host_attributes(u64 pa, u32 attr, unsigned int level)
{
	const u32 all = PT_WRITE | PT_EXEC | PT_DEVICE;

	if (level < 1 || level > 3 || pa & ~PT_ADDR_MASK ||
	    (attr & PT_DEVICE) == PT_DEVICE)
		return true;
	return host_attributes(host_leaf(pa, attr, level)) ==
	       (PT_READ | (attr & all));
}

/* SDM 3A 4.5.4, tables 4-14, 4-15, 4-17, 4-19.  P and R/W, all others 0. */
bool claim_host_table(u64 pa)
{
	u64 entry;

	if (pa & ~PT_ADDR_MASK)
		return true;
	entry = host_table(pa);
	return FIELD(entry, 11, 0) == 3 && FIELD(entry, 63, 12) == pa >> 12 &&
	       host_present(entry);
}
