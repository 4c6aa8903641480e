/*
 * This file says who may do DMA: root table[bus] -> context table[devfn] ->
 * domain.  An entry that is not present blocks (VT-d 9.1, 9.3):
 *
 *    root entry (128 bits), one a bus
 *    127                               64 63                12 11      1  0
 *   | reserved (0)                       | context table pointer | 0    | P |
 *
 *    context entry (128 bits), one a device and function
 *    127      88 87        72 71 70  67 66 64
 *   | 0        | domain ID   | 0| avail| AW  |     AW: levels of the table - 2
 *    63                     12 11      4 3  2  1   0
 *   | second-level pointer    | 0       | TT  |FPD| P |
 *
 *    TT 00b: by the second-level table; 10b: pass-through (weaken=)
 *    FPD: requests that find P = 0 are blocked without a fault record
 */
#include "vtd/context.h"
#include "drivers/pci/pci_facts.h"
#include "hv/log.h"
#include "hv/weaken.h"
#include "vtd/invalidate.h"
#include "vtd/regs.h"
#include "vtd/reserved.h"
#include "vtd/scope.h"

/* Context entry (VT-d 9.3): low word P, FPD, translation type 3:2 = 00
 * (untranslated requests go through the second level, translation requests are
 * refused), second-level table; high word address width 2:0, domain ID 23:8. */
#define CONTEXT_WIDTH(levels) ((u64)(levels) - 2)
#define CONTEXT_FPD BIT(1)	    /* no fault is reported, whatever P is */
#define CONTEXT_PASS_THROUGH BIT(3) /* 10: not translated at all */
#define CONTEXT_DOMAIN(id) ((u64)(id) << 8)

/* In caching mode, what is not present is cached under this ID (VT-d 6.1). */
#define DOMAIN_OF_NOT_PRESENT 0

struct vtd_attachment vtd_attached[VTD_MAX_ATTACHED];

static struct vtd_attachment *find_attachment(const struct vtd_unit *unit,
					      u16 sid)
{
	for (unsigned int i = 0; i < VTD_MAX_ATTACHED; i++) {
		struct vtd_attachment *a = &vtd_attached[i];

		if (a->domain && a->unit == unit && a->sid == sid)
			return a;
	}
	return NULL;
}

static struct vtd_attachment *free_attachment(void)
{
	for (unsigned int i = 0; i < VTD_MAX_ATTACHED; i++)
		if (!vtd_attached[i].domain)
			return &vtd_attached[i];
	return NULL;
}

const struct vtd_domain *vtd_domain_of(const struct vtd_unit *unit, u16 sid)
{
	const struct vtd_attachment *a = find_attachment(unit, sid);

	return a ? a->domain : NULL;
}

bool vtd_in_use(const struct vtd_domain *domain)
{
	for (unsigned int i = 0; i < VTD_MAX_ATTACHED; i++)
		if (vtd_attached[i].domain == domain)
			return true;
	return false;
}

volatile struct vtd_entry *vtd_context_entry(const struct vtd_unit *unit,
					     u16 sid)
{
	u64 root = unit->root[sid >> 8].low;
	volatile struct vtd_entry *table =
		(volatile struct vtd_entry *)(uintptr_t)VTD_TABLE(root);

	return root & VTD_PRESENT ? &table[sid & 0xff] : NULL;
}

static u64 root_entry(volatile struct vtd_entry *table)
{
	return (uintptr_t)table | VTD_PRESENT;
}

/* The entry of @sid, with a context table added to the bus if it has none. */
static volatile struct vtd_entry *make_context_entry(struct vtd_unit *unit,
						     u16 sid)
{
	volatile struct vtd_entry *entry = vtd_context_entry(unit, sid);
	volatile struct vtd_entry *table;

	if (entry)
		return entry;
	table = vtd_unit_table(unit, 1, "context table");
	if (!table)
		return NULL;
	vtd_unit_store(unit, &unit->root[sid >> 8].low, root_entry(table));
	return &table[sid & 0xff];
}

static u64 second_level(const struct vtd_domain *domain)
{
	return weaken & WEAKEN_DMA_ISOLATION ? CONTEXT_PASS_THROUGH
					     : (uintptr_t)domain->table.root;
}

/* Of the table; for pass-through the largest that the unit has (VT-d 9.3, AW).
 */
static u64 address_width(const struct vtd_unit *unit,
			 const struct vtd_domain *domain)
{
	if (!(weaken & WEAKEN_DMA_ISOLATION))
		return CONTEXT_WIDTH(domain->table.levels);
	return 31 - (u64)__builtin_clz((u32)VTD_CAP_SAGAW(unit->cap));
}

/* The high word, then the low word with P (VT-d 6.2.2.1). */
static void write_entry(struct vtd_unit *unit, volatile struct vtd_entry *entry,
			const struct vtd_domain *domain)
{
	vtd_unit_store(unit, &entry->high,
		       CONTEXT_DOMAIN(domain->id) |
			       address_width(unit, domain));
	vtd_unit_store(unit, &entry->low, second_level(domain) | VTD_PRESENT);
}

/* Not present to present: the unit cached nothing of it, except in caching
 * mode. */
static int open_entry(struct vtd_unit *unit, volatile struct vtd_entry *entry,
		      u16 sid, const struct vtd_domain *domain)
{
	int err;

	write_entry(unit, entry, domain);
	err = vtd_unit_flush_buffers(unit);
	if (err || !(unit->cap & VTD_CAP_CM))
		return err;
	err = vtd_invalidate_context(unit, DOMAIN_OF_NOT_PRESENT, sid);
	return err ? err : vtd_invalidate_domain(unit, domain->id);
}

/*
 * Present to not present (VT-d 6.2.2.1): clear P, then the context cache, then
 * the IOTLB, with what is under way drained.  In that order: the IOTLB could
 * be filled again from a context that is still cached.  A step that fails keeps
 * none of the others from being tried.
 */
static int close_entry(struct vtd_unit *unit, volatile struct vtd_entry *entry,
		       u16 sid)
{
	u16 domain = VTD_CONTEXT_DOMAIN(entry->high);
	int buffers, context, iotlb;

	vtd_unit_store(unit, &entry->low, 0);
	buffers = vtd_unit_flush_buffers(unit);
	context = vtd_invalidate_context(unit, domain, sid);
	iotlb = vtd_invalidate_domain(unit, domain);
	if (buffers || context || iotlb)
		return buffers ? buffers : context ? context : iotlb;
	vtd_unit_store(unit, &entry->high, 0);
	return 0;
}

static bool id_fits(const struct vtd_unit *unit,
		    const struct vtd_domain *domain)
{
	return domain->id < 1u << (4 + 2 * VTD_CAP_ND(unit->cap));
}

int vtd_context_fill(struct vtd_unit *unit, u16 sid,
		     const struct vtd_domain *domain)
{
	volatile struct vtd_entry *entry;

	if (!id_fits(unit, domain)) {
		hv_log("vtd: %s: has no domain ID %u\n", unit->name,
		       domain->id);
		return -EINVAL;
	}
	entry = make_context_entry(unit, sid);
	if (!entry)
		return -ENOMEM;
	write_entry(unit, entry, domain);
	return 0;
}

/* The entry of @sid, closed if it was open to memory that firmware reserves. */
static int take_entry(struct vtd_unit *unit, u16 sid,
		      volatile struct vtd_entry **entry)
{
	int err = 0;

	*entry = make_context_entry(unit, sid);
	if (!*entry)
		return -ENOMEM;
	if (vtd_reserved_domain(unit, sid))
		err = close_entry(unit, *entry, sid);
	if (!err)
		vtd_reserved_forget(unit, sid);
	return err;
}

static int refuse(const struct pci_function *fn, int err, const char *why)
{
	hv_log("vtd: " PCI_FMT ": %s\n", PCI_ARG(fn->addr), why);
	return err;
}

/* Firmware's reserved memory would have to be mapped for the function, and
 * would then be reachable by the guest. */
bool vtd_reserved(const struct pci_function *fn)
{
	const struct dmar_rmrr *rmrr = vtd_rmrr_against(fn);

	if (rmrr)
		hv_log("vtd: " PCI_FMT ": firmware demands memory 0x%lx-0x%lx"
		       " for it (RMRR, VT-d 8.4)\n",
		       PCI_ARG(fn->addr), rmrr->base, rmrr->limit);
	return rmrr;
}

/* Requests of @sid below @unit, which are @fn's, reach @domain from now on. */
static int attach(struct vtd_domain *domain, const struct pci_function *fn,
		  struct vtd_unit *unit, u16 sid)
{
	volatile struct vtd_entry *entry;
	struct vtd_attachment *slot;
	int err;

	if (find_attachment(unit, sid))
		return refuse(fn, -EBUSY, "its requests carry another's ID");
	slot = free_attachment();
	if (!slot)
		return refuse(fn, -ENOSPC, "too many assigned functions");
	err = unit->left ? vtd_unit_translate(unit) : 0;
	if (!err)
		err = take_entry(unit, sid, &entry);
	if (err)
		return err;
	*slot = (struct vtd_attachment){domain, unit, sid};
	return open_entry(unit, entry, sid, domain);
}

static int detach(struct vtd_domain *domain, struct vtd_unit *unit, u16 sid)
{
	struct vtd_attachment *slot = find_attachment(unit, sid);
	volatile struct vtd_entry *entry = vtd_context_entry(unit, sid);
	int err = 0;

	if (!slot || slot->domain != domain)
		return -ENODEV;
	if (entry)
		err = close_entry(unit, entry, sid);
	if (!err)
		slot->domain = NULL;
	return err;
}

int vtd_attach(struct vtd_domain *domain, const struct pci_function *fn)
{
	struct vtd_unit *unit = vtd_unit_of(fn);
	u16 sid = PCI_RID(fn->addr);
	struct pci_addr alias;
	int err;

	if (!unit)
		return refuse(fn, -ENODEV, "no remapping unit covers it");
	if (weaken & WEAKEN_DMA_ISOLATION && !(unit->ecap & VTD_ECAP_PT))
		return refuse(fn, -EOPNOTSUPP,
			      "weaken=dma-isolation: its unit has no "
			      "pass-through");
	if (vtd_reserved(fn))
		return refuse(fn, -EBUSY, "cannot be assigned");
	if (!id_fits(unit, domain))
		return refuse(fn, -EINVAL, "domain ID too large for its unit");
	if (find_attachment(unit, sid))
		return refuse(fn, -EBUSY, "is attached already");
	err = attach(domain, fn, unit, sid);
	if (!err && pci_request_alias(fn, &alias))
		err = attach(domain, fn, unit, PCI_RID(alias));
	if (err) {
		if (vtd_domain_of(unit, sid) == domain &&
		    vtd_detach(domain, fn))
			refuse(fn, err,
			       "could not be closed again: its DMA "
			       "may still pass");
		return err;
	}
	hv_log("vtd: " PCI_FMT ": attached to domain %u by %s\n",
	       PCI_ARG(fn->addr), domain->id, unit->name);
	return 0;
}

int vtd_detach(struct vtd_domain *domain, const struct pci_function *fn)
{
	struct vtd_unit *unit = vtd_unit_of(fn);
	int own = unit ? detach(domain, unit, PCI_RID(fn->addr)) : -ENODEV;
	struct pci_addr alias;
	int other = 0;

	if (own == -ENODEV)
		return refuse(fn, own, "is not attached to this domain");
	/* Not there if it could not be attached */
	if (pci_request_alias(fn, &alias))
		other = detach(domain, unit, PCI_RID(alias));
	return own ? own : other == -ENODEV ? 0 : other;
}

/* That a context entry is missing is a qualified fault, which FPD holds back;
 * that its table is missing is none (VT-d 7.1.3), so it gets one.  Nothing that
 * is not present is cached, except in caching mode. */
int vtd_mute(struct vtd_unit *unit, u16 sid)
{
	const struct vtd_domain *reserved = vtd_reserved_domain(unit, sid);
	volatile struct vtd_entry *entry;
	int err;

	if (find_attachment(unit, sid))
		return -EBUSY;
	entry = make_context_entry(unit, sid);
	if (!entry)
		return -ENOMEM;
	vtd_unit_store(unit, &entry->low,
		       (reserved ? entry->low : 0) | CONTEXT_FPD);
	err = vtd_unit_flush_buffers(unit);
	if (!err && reserved)
		return vtd_invalidate_context(unit, reserved->id, sid);
	if (err || !(unit->cap & VTD_CAP_CM))
		return err;
	return vtd_invalidate_context(unit, DOMAIN_OF_NOT_PRESENT, sid);
}

/* All of @bus but what firmware reserves memory for. */
static void close_bus(struct vtd_unit *unit, u8 bus)
{
	volatile struct vtd_entry *entry =
		vtd_context_entry(unit, (u16)(bus << 8));

	if (!vtd_reserved_on(unit, bus))
		vtd_unit_store(unit, &unit->root[bus].low, 0);
	else
		for (unsigned int devfn = 0; entry && devfn < 256; devfn++)
			if (!vtd_reserved_domain(unit, bus << 8 | devfn))
				vtd_unit_store(unit, &entry[devfn].low, 0);
}

static int close_all(struct vtd_unit *unit)
{
	int buffers, caches;

	for (unsigned int bus = 0; bus < VTD_BUSES; bus++)
		close_bus(unit, bus);
	buffers = vtd_unit_flush_buffers(unit);
	caches = vtd_invalidate_all(unit);
	return buffers ? buffers : caches;
}

static bool block(struct vtd_unit *unit)
{
	int err;

	if (unit->left)
		return true;
	if (!unit->root)
		return false;
	err = close_all(unit);
	if (err) {
		/* If somebody holds the queue, he does not come back. */
		try_lock_release(&unit->queue.lock);
		err = close_all(unit);
	}
	return unit->blocking && !err;
}

bool vtd_block_all(void)
{
	bool all = vtd_unit_count && !vtd_dmar->dropped_count;

	for (unsigned int i = 0; i < vtd_unit_count; i++)
		all &= block(&vtd_units[i]);
	return all;
}
