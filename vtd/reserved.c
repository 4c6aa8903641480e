/* This file keeps what firmware's own functions reach reachable for them. */
#include "vtd/reserved.h"
#include "hv/log.h"
#include "vtd/regs.h"
#include "vtd/scope.h"

/* The guest's is 1, those of PFs come from 10h on */
#define FIRST_DOMAIN_ID 0x40

/* Stolen memory of a display is the largest thing that firmware reserves. */
#define REGION_MAX GIB

/* One function; one page */
struct reserved {
	struct reserved *next;
	const struct vtd_unit *unit; /* NULL: the function is another's now */
	u16 sid;
	struct memory_map map;
	struct vtd_domain domain;
};
_Static_assert(sizeof(struct reserved) <= PAGE_SIZE, "one page");

static struct reserved *all;
static unsigned int domains;
static const struct host_range *ours;
static unsigned int our_count;

/* A function's structure, its context table, and by region two tables of each
 * level for its ends, and what 4 KiB leaves take. */
static u64 pages_of(const struct dmar_rmrr *rmrr, bool large_pages)
{
	u64 size = rmrr->limit - rmrr->base + 1;

	if (rmrr->limit < rmrr->base || size > REGION_MAX)
		return 0;
	return 2 + 1 + 2 * 3 + (large_pages ? 0 : size / (2 * MIB));
}

u64 vtd_reserved_pages(const struct dmar *dmar, bool large_pages)
{
	u64 pages = 0;

	for (unsigned int r = 0; r < dmar->rmrr_count; r++)
		for (unsigned int i = 0; i < dmar->rmrr[r].scope_count; i++)
			pages += pages_of(&dmar->rmrr[r], large_pages) *
				 (dmar->rmrr[r].scope[i].type ==
						  DMAR_SCOPE_BRIDGE
					  ? VTD_BEHIND_BRIDGE
					  : 1);
	return pages;
}

void vtd_reserved_avoid(const struct host_range *ranges, unsigned int count)
{
	ours = ranges;
	our_count = count;
	all = NULL;
	domains = 0;
}

/* Why @rmrr cannot be mapped; NULL: it can. */
static const char *refused(const struct dmar_rmrr *rmrr)
{
	u64 size = rmrr->limit - rmrr->base + 1;

	if (rmrr->limit < rmrr->base || rmrr->limit >> vtd_dmar->address_width)
		return "its extent is impossible";
	if (!IS_ALIGNED(rmrr->base, PAGE_SIZE) || !IS_ALIGNED(size, PAGE_SIZE))
		return "it is no whole pages";
	if (size > REGION_MAX)
		return "it is larger than 1 GiB";
	for (unsigned int i = 0; i < vtd_dmar->unit_count; i++)
		if (ranges_overlap(rmrr->base, size, vtd_dmar->unit[i].base,
				   VTD_REGISTERS_SIZE))
			return "a remapping unit is there";
	for (unsigned int i = 0; i < our_count; i++)
		if (ranges_overlap(rmrr->base, size, ours[i].base,
				   ours[i].size))
			return ours[i].name;
	return NULL;
}

bool vtd_keeps(const struct pci_function *fn)
{
	const struct vtd_unit *unit = vtd_unit_of(fn);
	const struct dmar_rmrr *rmrr = NULL;

	while ((rmrr = vtd_next_rmrr(fn, rmrr)))
		if (!refused(rmrr))
			return true;
	return unit && vtd_leaves_alone(unit);
}

static struct reserved *find(const struct vtd_unit *unit, u16 sid)
{
	for (struct reserved *r = all; r; r = r->next)
		if (r->unit == unit && r->sid == sid)
			return r;
	return NULL;
}

bool vtd_kept(const struct pci_function *fn)
{
	const struct vtd_unit *unit = vtd_unit_of(fn);

	return unit && (unit->left ||
			(unit->blocking && find(unit, PCI_RID(fn->addr))));
}

const struct vtd_domain *vtd_reserved_domain(const struct vtd_unit *unit,
					     u16 sid)
{
	const struct reserved *r = find(unit, sid);

	return r ? &r->domain : NULL;
}

bool vtd_reserved_any(void)
{
	return all;
}

bool vtd_reserved_on(const struct vtd_unit *unit, u8 bus)
{
	for (const struct reserved *r = all; r; r = r->next)
		if (r->unit == unit && r->sid >> 8 == bus)
			return true;
	return false;
}

void vtd_reserved_forget(const struct vtd_unit *unit, u16 sid)
{
	struct reserved *r = find(unit, sid);

	if (!r)
		return;
	r->unit = NULL;
	pt_destroy(&r->domain.table);
}

/* Map @rmrr one to one; what overlaps another is mapped once. */
static int add_region(struct reserved *r, const struct pci_function *fn,
		      const struct dmar_rmrr *rmrr)
{
	const char *why = refused(rmrr);
	struct region region = {rmrr->base, rmrr->base,
				rmrr->limit - rmrr->base + 1, REGION_RAM};
	int err = why ? -EINVAL : vtd_domain_map(&r->domain, &region);

	if (!why && err)
		why = err == -ENOMEM ? "no memory is left for its tables"
				     : "the remapping units do not reach it";
	hv_log("vtd: " PCI_FMT ": 0x%lx-0x%lx, which firmware reserves for it "
	       "(RMRR), %s%s\n",
	       PCI_ARG(fn->addr), rmrr->base, rmrr->limit,
	       why ? "stays blocked: " : "stays in its reach", why ? why : "");
	/* For messages alone */
	if (!err)
		memory_map_add(&r->map, region.gpa, region.hpa, region.size,
			       REGION_RAM);
	return err;
}

static unsigned int add_regions(struct reserved *r,
				const struct pci_function *fn)
{
	const struct dmar_rmrr *rmrr = NULL;
	unsigned int added = 0;

	while ((rmrr = vtd_next_rmrr(fn, rmrr)))
		added += !add_region(r, fn, rmrr);
	return added;
}

static int open(struct vtd_unit *unit, const struct pci_function *fn,
		struct reserved *r, context_fill *fill)
{
	int err =
		vtd_domain_init(&r->domain, FIRST_DOMAIN_ID + domains, &r->map);

	if (err)
		return err;
	if (add_regions(r, fn))
		err = fill(unit, PCI_RID(fn->addr), &r->domain);
	else
		err = -ENOENT;
	if (err) {
		pt_destroy(&r->domain.table);
		return err;
	}
	r->unit = unit;
	r->sid = PCI_RID(fn->addr);
	r->next = all;
	all = r;
	domains++;
	return 0;
}

/* -ENOENT was said */
static void open_function(struct vtd_unit *unit, const struct pci_function *fn,
			  context_fill *fill)
{
	struct reserved *r = page_alloc(1, PAGES_VTD);
	int err = r ? open(unit, fn, r, fill) : -ENOMEM;

	if (!err)
		return;
	if (err != -ENOENT)
		hv_log("vtd: " PCI_FMT ": stays blocked, though firmware "
		       "reserves memory for it (%d)\n",
		       PCI_ARG(fn->addr), err);
	if (r)
		page_free(r, 1, PAGES_VTD);
}

void vtd_reserved_fill(struct vtd_unit *unit, context_fill *fill)
{
	unsigned int count;
	const struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++)
		if (!fn[i].pf && vtd_rmrr_of(&fn[i]) &&
		    vtd_unit_of(&fn[i]) == unit)
			open_function(unit, &fn[i], fill);
}
