/* This file builds second-level tables (VT-d 3.7, 9.8): a guest's RAM, as its
 * devices see it. */
#include "vtd/second_level.h"
#include "hv/log.h"
#include "vtd/regs.h"
#include "vtd/unit.h"

#define SL_READ BIT(0)
#define SL_WRITE BIT(1)
#define SL_PAGE_SIZE BIT(7) /* a leaf above level 1 */
/* Bits 11 (snoop) and 62 (transient mapping) stay clear: reserved in units
 * without these abilities. */

/* Requests to this range are interrupts and never reach memory; a leaf that
 * translates to it, even in part, faults (VT-d 3.14, LGN.4). */

static u64 sl_leaf(hpa_t pa, u32 attr, unsigned int level)
{
	return pa | (attr & PT_READ ? SL_READ : 0) |
	       (attr & PT_WRITE ? SL_WRITE : 0) |
	       (level > 1 ? SL_PAGE_SIZE : 0);
}

/* Every level must permit what the leaf permits (VT-d 3.7). */
static u64 sl_table(hpa_t pa)
{
	return pa | SL_READ | SL_WRITE;
}

static bool sl_present(u64 entry)
{
	return entry & (SL_READ | SL_WRITE);
}

static u32 sl_attributes(u64 entry)
{
	return (entry & SL_READ ? PT_READ : 0) |
	       (entry & SL_WRITE ? PT_WRITE : 0);
}

static const struct pt_format second_level = {
	.name = "VT-d second level",
	.use = PAGES_VTD_SL,
	.leaf = sl_leaf,
	.table = sl_table,
	.present = sl_present,
	.attributes = sl_attributes,
};

/* What all units can do, since a domain's functions may be below any. */
struct common {
	u64 sagaw, sllps;
	unsigned int address_bits;
	bool coherent;
};

static struct common common_abilities(void)
{
	struct common all = {~0ULL, ~0ULL, 64, true};

	for (unsigned int i = 0; i < vtd_unit_count; i++) {
		all.sagaw &= VTD_CAP_SAGAW(vtd_units[i].cap);
		all.sllps &= VTD_CAP_SLLPS(vtd_units[i].cap);
		all.address_bits =
			MIN(all.address_bits, VTD_CAP_MGAW(vtd_units[i].cap));
		all.coherent &= vtd_units[i].ecap & VTD_ECAP_C;
	}
	return all;
}

static unsigned int common_levels(const struct common *all)
{
	if (all->sagaw & VTD_SAGAW_48)
		return 4;
	return all->sagaw & VTD_SAGAW_39 ? 3 : 0;
}

int vtd_domain_map(struct vtd_domain *domain, const struct region *region)
{
	unsigned int bits = MIN(PT_LEVEL_SHIFT(domain->table.levels + 1),
				common_abilities().address_bits);

	if ((region->gpa + region->size - 1) >> bits) {
		hv_log("vtd: memory at 0x%lx is beyond the %u bits that "
		       "the remapping units translate\n",
		       region->gpa, bits);
		return -EINVAL;
	}
	if (region->hpa < INTERRUPT_RANGE + INTERRUPT_RANGE_SIZE &&
	    region->hpa + region->size > INTERRUPT_RANGE) {
		hv_log("vtd: memory on the interrupt range 0x%lx\n",
		       INTERRUPT_RANGE);
		return -EINVAL;
	}
	return pt_map(&domain->table, region->gpa, region->hpa, region->size,
		      PT_READ | PT_WRITE);
}

int vtd_domain_init(struct vtd_domain *domain, u16 id,
		    const struct memory_map *map)
{
	struct common all = common_abilities();
	u32 leaves = BIT(1) | (all.sllps & VTD_SLLPS_2M ? BIT(2) : 0) |
		     (all.sllps & VTD_SLLPS_1G ? BIT(3) : 0);
	unsigned int levels = common_levels(&all);
	size_t before = page_count(PAGES_VTD_SL);
	int err;

	if (!vtd_unit_count || !id)
		return -EINVAL;
	if (!levels) {
		hv_log("vtd: the remapping units have no table width in "
		       "common\n");
		return -EINVAL;
	}
	*domain = (struct vtd_domain){.id = id, .map = map};
	err = pt_init(&domain->table, &second_level, levels, leaves,
		      !all.coherent);
	if (err)
		return err;
	for (unsigned int i = 0; !err && i < map->count; i++)
		if (map->region[i].kind == REGION_RAM)
			err = vtd_domain_map(domain, &map->region[i]);
	if (err)
		pt_destroy(&domain->table);
	else
		hv_log("vtd: domain %u: %u levels, %zu KiB of tables\n", id,
		       levels, (page_count(PAGES_VTD_SL) - before) * 4);
	return err;
}
