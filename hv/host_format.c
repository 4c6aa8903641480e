/* Entries of the hypervisor's own page tables (Intel SDM 3A 4.5, tables 4-14 to
 * 4-19).  PCD and PWT choose an entry of the PAT (11.12.3): 0 is WB, 1 WC and 3
 * UC (hv/host_state.h). */
#include "hv/host_format.h"
#include "hv/paging.h"

#define HOST_P BIT(0)
#define HOST_W BIT(1)
#define HOST_PWT BIT(3)
#define HOST_PCD BIT(4)
#define HOST_PS BIT(7)
#define HOST_XD BIT(63)

static u64 host_leaf(hpa_t pa, u32 attr, unsigned int level)
{
	u64 entry = pa | HOST_P;

	if (attr & PT_WRITE)
		entry |= HOST_W;
	if (!(attr & PT_EXEC))
		entry |= HOST_XD;
	if (attr & PT_UNCACHED)
		entry |= HOST_PCD | HOST_PWT;
	if (attr & PT_WRITE_COMBINING)
		entry |= HOST_PWT;
	if (level > 1)
		entry |= HOST_PS;
	return entry;
}

static u64 host_table(hpa_t pa)
{
	return pa | HOST_P | HOST_W;
}

static bool host_present(u64 entry)
{
	return entry & HOST_P;
}

static u32 host_attributes(u64 entry)
{
	u32 type = entry & HOST_PCD   ? PT_UNCACHED
		   : entry & HOST_PWT ? PT_WRITE_COMBINING
				      : 0;

	return PT_READ | (entry & HOST_W ? PT_WRITE : 0) |
	       (entry & HOST_XD ? 0 : PT_EXEC) | type;
}

const struct pt_format host_format = {
	.name = "host",
	.use = PAGES_HOST_PT,
	.leaf = host_leaf,
	.table = host_table,
	.present = host_present,
	.attributes = host_attributes,
};
