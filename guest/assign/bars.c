/*
 * BARs of the guest's functions: the guest reaches them directly, but for the
 * pages that hold the MSI-X table or that the PF driver mediates, for those of
 * less than a page, whose page may have others' registers, and for ports.
 */
#include "guest/assign/bars.h"
#include "guest/assign/assigned.h"
#include "guest/assign/ports.h"
#include "guest/assign/stop.h"
#include "hv/guest_layout.h"
#include "hv/log.h"
#include "hv/mmio.h"
#include "hv/vmx/below.h"
#include "hv/vmx/ept.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/trap.h"
#include "hv/weaken.h"

/* --- Trapped pages ------------------------------------------------------- */

static bool in_msix_table(const struct trapped_page *t, u32 offset,
			  unsigned int size)
{
	const struct msix *m = &t->owner->msix;
	u32 table_size = m->vectors * MSIX_ENTRY_SIZE;

	return t->bar == m->table_bar && offset >= m->table_offset &&
	       offset - m->table_offset < table_size &&
	       size <= table_size - (offset - m->table_offset);
}

static u64 device_read(hpa_t at, unsigned int size)
{
	const volatile void *p = (const volatile void *)at;

	switch (size) {
	case 1:
		return mmio_read8(p);
	case 2:
		return mmio_read16(p);
	case 4:
		return mmio_read32(p);
	default:
		return mmio_read64(p);
	}
}

static void device_write(hpa_t at, unsigned int size, u64 value)
{
	volatile void *p = (volatile void *)at;

	switch (size) {
	case 1:
		mmio_write8(p, (u8)value);
		break;
	case 2:
		mmio_write16(p, (u16)value);
		break;
	case 4:
		mmio_write32(p, (u32)value);
		break;
	default:
		mmio_write64(p, value);
	}
}

static bool touches_msix_table(const struct trapped_page *t, u32 offset,
			       unsigned int size)
{
	const struct msix *m = &t->owner->msix;

	return m->real_vectors && t->bar == m->table_bar &&
	       offset < m->table_offset + m->real_vectors * MSIX_ENTRY_SIZE &&
	       offset + size > m->table_offset;
}

/* May the guest write @size bytes @offset into the BAR?  By the place, as a
 * page can be trapped for more than one reason. */
static bool may_write(const struct trapped_page *t, u32 offset,
		      unsigned int size)
{
	const struct pf_driver *driver = t->owner->pf_driver;

	for (unsigned int i = 0; driver && i < driver->trapped_count; i++) {
		const struct pf_trapped_page *p = &driver->trapped[i];

		if (p->bar != t->bar || p->offset != t->offset || !p->writable)
			continue;
		for (unsigned int n = 0; n < p->writable_count; n++)
			if (offset - p->offset >= p->writable[n].first &&
			    offset - p->offset + size - 1 <=
				    p->writable[n].last)
				return true;
		return false;
	}
	return true;
}

/* The guest can try as often as it likes */
static void say_ignored(struct assigned *a, const struct trapped_page *t,
			u32 offset)
{
	if (!a->ignored_said)
		hv_log("assign: " PCI_FMT ": the guest wrote to offset %xh of "
		       "BAR %u, which reaches beyond the function or is not "
		       "defined: ignored; further ones are not logged\n",
		       PCI_ARG(a->fn->addr), offset, t->bar);
	a->ignored_said = true;
}

/* trap_fn over one trapped page: the MSI-X table is kept by us, everything
 * else on the page that the guest may write goes to the device. */
static void trapped_access(void *ctx, u64 offset, unsigned int size, bool write,
			   u64 *value)
{
	struct trapped_page *t = ctx;
	struct assigned *a = t->owner;
	u32 at = t->offset + (u32)offset;
	hpa_t hpa = a->fn->bar[t->bar].base + at;

	if (in_msix_table(t, at, size)) {
		at -= a->msix.table_offset;
		if (write)
			msix_table_write(&a->msix, at, size, *value);
		else
			*value = msix_table_read(&a->msix, at, size);
		return;
	}
	if (touches_msix_table(t, at, size))
		return; /* across an end, or a vector that is not the guest's */
	if (write && !may_write(t, at, size)) {
		say_ignored(a, t, at);
		return;
	}
	if (write)
		device_write(hpa, size, *value);
	else
		*value = device_read(hpa, size);
	/* The other VFs of a PF that is gone are lost with this one */
	if (assigned_service(a))
		assign_poll();
}

static int add_trapped(struct assigned *a, u8 bar, u32 offset, bool readable,
		       enum stat_cause cause)
{
	if (a->trapped_count == ASSIGNED_TRAPPED_MAX) {
		hv_log("assign: " PCI_FMT ": more than %u pages that must "
		       "be mediated\n",
		       PCI_ARG(a->fn->addr), ASSIGNED_TRAPPED_MAX);
		return -ENOSPC;
	}
	a->trapped[a->trapped_count++] =
		(struct trapped_page){a, bar, offset, readable, cause};
	return 0;
}

static bool is_small(const struct pci_bar *bar)
{
	return bar->size && !bar->io && bar->size < PAGE_SIZE;
}

static int add_small_bars(struct assigned *a)
{
	int err = 0;

	for (u8 i = 0; !err && i < PCI_BARS; i++)
		if (is_small(&a->fn->bar[i]))
			err = add_trapped(a, i, 0, false, STAT_CAUSE_BAR);
	return err;
}

/* Where reads cannot go straight to the device, a driver that polls it costs
 * exits: said, because there were to be none. */
static int add_pf_pages(struct assigned *a)
{
	const struct pf_driver *pf = a->pf_driver;
	bool readable = below_keeps_read_only();
	int err = 0;

	for (unsigned int i = 0; !err && pf && i < pf->trapped_count; i++) {
		const struct pf_trapped_page *p = &pf->trapped[i];

		err = add_trapped(a, p->bar, p->offset, readable,
				  p->writable ? STAT_CAUSE_BAR
					      : STAT_CAUSE_PF_MAILBOX);
		if (!err && !readable)
			hv_log("assign: " PCI_FMT ": the guest's reads of BAR "
			       "%u at 0x%x exit too: the hypervisor below "
			       "(%s) may report a wrong address when a page "
			       "that can be read is written\n",
			       PCI_ARG(a->fn->addr), p->bar, p->offset,
			       below_signature());
	}
	return err;
}

int assigned_find_trapped_pages(struct assigned *a)
{
	const struct msix *m = &a->msix;
	u32 end = m->table_offset + m->real_vectors * MSIX_ENTRY_SIZE;
	u32 page = ALIGN_DOWN(m->table_offset, PAGE_SIZE);
	int err = add_small_bars(a);

	/* With its BAR, if that is small */
	if (is_small(&a->fn->bar[m->table_bar]))
		end = page;
	if (weaken & WEAKEN_MSIX_TRAP)
		end = page;
	for (; !err && page < end; page += PAGE_SIZE)
		err = add_trapped(a, m->table_bar, page, false,
				  STAT_CAUSE_MSIX_TABLE);
	return err ? err : add_pf_pages(a);
}

/* --- Page tables ------------------------------------------------------------
 */

#define TABLE_SPAN (2 * MIB) /* of one table of 4 KiB leaves */

/* In the high window: for each BAR a table of each level below the highest; a
 * trapped page splits a leaf of 1 GiB and one of 2 MiB. */
#define HIGH_TABLES (PCI_BARS / 2 * 3 + ASSIGNED_TRAPPED_MAX * 2)

/*
 * BARs are naturally aligned, also where the guest puts them: one of less than
 * 2 MiB is in the reach of one table; a larger one takes leaves of 2 MiB but
 * where there is a trapped page.  And never more than the whole window has,
 * which a table of the next level holds.  None is in the high window without
 * large pages (assigned_whole_refused()).
 */
size_t assigned_table_pages(unsigned int functions, unsigned int high,
			    bool large_pages)
{
	size_t all = GUEST_PCI_WINDOW_SIZE / TABLE_SPAN;
	size_t apart = functions * (PCI_BARS + ASSIGNED_TRAPPED_MAX);

	_Static_assert(GUEST_PCI_WINDOW / GIB ==
			       (GUEST_PCI_WINDOW + GUEST_PCI_WINDOW_SIZE - 1) /
				       GIB,
		       "one table of the next level");
	if (!functions)
		return 0;
	return large_pages ? 1 + MIN(apart, all) + high * HIGH_TABLES : 1 + all;
}

/* --- Mapping -------------------------------------------------------------- */

/* A part of a BAR: one trapped page, or what lies between two. */
struct piece {
	u64 offset, size;
	struct trapped_page *trapped; /* NULL: mapped */
};

static struct piece piece_at(struct assigned *a, unsigned int bar, u64 offset)
{
	struct piece p = {offset, a->fn->bar[bar].size - offset, NULL};

	for (unsigned int i = 0; i < a->trapped_count; i++) {
		struct trapped_page *t = &a->trapped[i];

		if (t->bar != bar || t->offset < offset)
			continue;
		if (t->offset == offset)
			return (struct piece){offset, MIN(PAGE_SIZE, p.size),
					      t};
		p.size = MIN(p.size, t->offset - offset);
	}
	return p;
}

static void unmap_region(u64 gpa, u64 size)
{
	memory_map_remove(&guest.map, gpa);
	ept_remove(gpa, size);
}

static int map_region(const struct region *r)
{
	int err = memory_map_add(&guest.map, r->gpa, r->hpa, r->size, r->kind);

	if (err)
		return err;
	err = ept_add(r);
	if (err)
		unmap_region(r->gpa, r->size);
	return err;
}

/* True if the guest reaches @p without an exit, if only to read. */
static bool is_mapped(const struct piece *p)
{
	return !p->trapped || p->trapped->readable;
}

static int map_piece(struct assigned *a, unsigned int bar, u64 address,
		     const struct piece *p)
{
	struct region r = {address + p->offset,
			   a->fn->bar[bar].base + p->offset, p->size,
			   p->trapped ? REGION_BAR_READ : REGION_BAR};
	struct trap_range range = {r.gpa, r.size, trapped_access, p->trapped,
				   STAT_CAUSE_NONE};
	int err = is_mapped(p) ? map_region(&r) : 0;

	if (err || !p->trapped)
		return err;
	range.cause = p->trapped->cause;
	err = trap_memory(&range);
	if (err && is_mapped(p))
		unmap_region(r.gpa, r.size);
	return err;
}

/* Undo map_piece() for the pieces of [0, end) of @bar. */
static void unmap(struct assigned *a, unsigned int bar, u64 address, u64 end)
{
	struct piece p;

	for (u64 at = 0; at < end; at += p.size) {
		p = piece_at(a, bar, at);
		if (p.trapped)
			trap_memory_remove(address + at);
		if (is_mapped(&p))
			unmap_region(address + at, p.size);
	}
}

static int map(struct assigned *a, unsigned int bar, u64 address, u64 size)
{
	struct piece p;
	int err;

	for (u64 at = 0; at < size; at += p.size) {
		p = piece_at(a, bar, at);
		err = map_piece(a, bar, address, &p);
		if (err) {
			unmap(a, bar, address, at);
			return err;
		}
	}
	return 0;
}

/* The guest may move a BAR within the window that it was in at first. */
static bool in_its_window(bool high, u64 address, u64 size)
{
	u64 start = high ? assigned_room.high_start : GUEST_PCI_WINDOW;
	u64 end = high ? assigned_room.high_end
		       : GUEST_PCI_WINDOW + GUEST_PCI_WINDOW_SIZE;

	return address >= start && address < end && size <= end - address;
}

static int map_memory_bar(struct vpci_function *v, unsigned int bar,
			  u64 address)
{
	struct assigned *a = v->ctx;
	u64 size = a->fn->bar[bar].size;

	if (!address) {
		unmap(a, bar, v->bar[bar].mapped, size);
		return 0;
	}
	if (!in_its_window(v->bar[bar].high, address, size))
		return -EINVAL;
	return map(a, bar, address, size);
}

int assigned_map_bar(struct vpci_function *v, unsigned int bar, u64 address)
{
	struct assigned *a = v->ctx;
	int err = a->fn->bar[bar].io ? assigned_map_ports(v, bar, address)
				     : map_memory_bar(v, bar, address);

	/* The guest can try as often as it likes */
	if ((err == -ENOSPC || err == -ENOMEM) && !a->no_room_said) {
		a->no_room_said = true;
		hv_log("assign: " PCI_FMT ": BAR %u does not work for the "
		       "guest: %s; give it fewer functions\n",
		       PCI_ARG(a->fn->addr), bar,
		       err == -ENOMEM ? "no memory is left for page tables"
				      : "its functions have more parts of BARs "
					"than Gangway can keep apart");
	}
	return err;
}
