#include "guest/assign.h"
#include "drivers/pf.h"
#include "drivers/sriov.h"
#include "guest/layout.h"
#include "hv/boot_memory.h"
#include "hv/guest.h"
#include "hv/log.h"
#include "hv/mmio.h"
#include "vtd/vtd.h"

#define ASSIGN_MAX VPCI_MAX_FUNCTIONS
#define MAX_TRAPPED 4
#define GUEST_DOMAIN_ID 1

/* MSI messages as the guest writes them (Intel SDM 3A 10.11) */
#define MSI_ADDRESS_MASK 0xfff00000
#define MSI_ADDRESS_BASE 0xfee00000
#define MSI_DESTINATION(a) ((u8)((a) >> 12))
#define MSI_REDIRECTION_HINT BIT(3)
#define MSI_LOGICAL BIT(2)
#define MSI_VECTOR(d) ((u8)(d))
#define MSI_DELIVERY(d) ((d) >> 8 & 7)
#define MSI_LEVEL BIT(15)
#define LOWEST_PRIORITY 1
#define FIRST_VECTOR 16 /* 0 to 15 are illegal (10.5.2) */

struct assigned;

/* A page of a BAR whose accesses exit. */
struct trapped_page {
	struct assigned *owner;
	u8 bar;
	u32 offset;
	enum stat_cause cause;
};

struct assigned {
	struct pci_function *fn;
	const struct pf_driver *pf_driver; /* NULL: no VF */
	struct msix msix;
	int irte[MSIX_MAX_VECTORS];
	struct vpci_function vpci;
	struct trapped_page trapped[MAX_TRAPPED];
	unsigned int trapped_count;
};

static struct assigned assigned[ASSIGN_MAX];
static unsigned int assigned_count;
static struct vtd_domain domain = {.id = GUEST_DOMAIN_ID};
static u64 next_bar_address = GUEST_PCI_WINDOW;

/* --- Interrupts ---------------------------------------------------------- */

static bool message_allowed(const struct msix_entry *e)
{
	return (e->address & ~0xfffffULL) == MSI_ADDRESS_BASE &&
	       !(e->address & MSI_LOGICAL) &&
	       guest_has_apic_id(MSI_DESTINATION(e->address)) &&
	       MSI_VECTOR(e->data) >= FIRST_VECTOR &&
	       MSI_DELIVERY(e->data) <= LOWEST_PRIORITY &&
	       !(e->data & MSI_LEVEL);
}

static int route(void *ctx, unsigned int index, const struct msix_entry *e,
		 u64 *address, u32 *data)
{
	struct assigned *a = ctx;
	struct vtd_interrupt interrupt = {
		.destination = MSI_DESTINATION(e->address),
		.vector = MSI_VECTOR(e->data),
		.delivery_mode = MSI_DELIVERY(e->data),
		.redirection_hint = e->address & MSI_REDIRECTION_HINT,
	};
	int err;

	if (!message_allowed(e))
		return -EINVAL;
	err = vtd_irte_set(a->irte[index], &interrupt);
	if (err)
		return err;
	vtd_message(a->irte[index], address, data);
	return 0;
}

static int allocate_irtes(struct assigned *a)
{
	for (unsigned int i = 0; i < a->msix.vectors; i++) {
		a->irte[i] = vtd_irte_alloc(a->fn);
		if (a->irte[i] < 0) {
			hv_log("assign: " PCI_FMT ": no interrupt remapping "
			       "entry for vector %u (%d)\n",
			       PCI_ARG(a->fn->addr), i, a->irte[i]);
			return a->irte[i];
		}
	}
	return 0;
}

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

static void service_pf(const struct assigned *a)
{
	if (a->pf_driver)
		a->pf_driver->service(a->fn->pf);
}

static bool touches_msix_table(const struct trapped_page *t, u32 offset,
			       unsigned int size)
{
	const struct msix *m = &t->owner->msix;

	return m->vectors && t->bar == m->table_bar &&
	       offset < m->table_offset + m->vectors * MSIX_ENTRY_SIZE &&
	       offset + size > m->table_offset;
}

/* trap_fn over one trapped page: the MSI-X table is kept by us, everything
 * else on the page goes to the device. */
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
		return; /* across its end: undefined, so nothing */
	if (!write) {
		*value = device_read(hpa, size);
		return;
	}
	device_write(hpa, size, *value);
	service_pf(a);
}

static int add_trapped(struct assigned *a, u8 bar, u32 offset,
		       enum stat_cause cause)
{
	if (a->trapped_count == MAX_TRAPPED) {
		hv_log("assign: " PCI_FMT ": its MSI-X table takes more than "
		       "%u pages\n",
		       PCI_ARG(a->fn->addr), MAX_TRAPPED);
		return -ENOSPC;
	}
	a->trapped[a->trapped_count++] =
		(struct trapped_page){a, bar, offset, cause};
	return 0;
}

static int find_trapped_pages(struct assigned *a)
{
	const struct msix *m = &a->msix;
	u32 end = m->table_offset + m->vectors * MSIX_ENTRY_SIZE;
	u32 page = ALIGN_DOWN(m->table_offset, PAGE_SIZE);
	int err = 0;

	for (; !err && page < end; page += PAGE_SIZE)
		err = add_trapped(a, m->table_bar, page, STAT_CAUSE_MSIX_TABLE);
	for (unsigned int i = 0;
	     !err && a->pf_driver && i < a->pf_driver->trapped_count; i++)
		err = add_trapped(a, a->pf_driver->trapped[i].bar,
				  a->pf_driver->trapped[i].offset,
				  STAT_CAUSE_PF_MAILBOX);
	return err;
}

static struct trapped_page *trapped_at(struct assigned *a, u8 bar, u64 offset)
{
	for (unsigned int i = 0; i < a->trapped_count; i++)
		if (a->trapped[i].bar == bar && a->trapped[i].offset == offset)
			return &a->trapped[i];
	return NULL;
}

/* --- BARs ---------------------------------------------------------------- */

static void unmap_bar(struct assigned *a, unsigned int bar, u64 address)
{
	u64 end = address + a->fn->bar[bar].size;

	for (u64 at = address; at < end; at += PAGE_SIZE) {
		const struct region *r;
		u64 size;

		trap_memory_remove(at);
		r = memory_map_find(&guest.map, at);
		if (!r || r->gpa != at || r->kind != REGION_BAR)
			continue;
		size = r->size;
		memory_map_remove(&guest.map, at);
		ept_remove(at, size);
	}
}

/* Map [offset, offset + size) of the BAR, which is not trapped. */
static int map_part(struct assigned *a, unsigned int bar, u64 address,
		    u64 offset, u64 size)
{
	struct region r = {address + offset, a->fn->bar[bar].base + offset,
			   size, REGION_BAR};
	int err;

	if (!size)
		return 0;
	err = memory_map_add(&guest.map, r.gpa, r.hpa, r.size, r.kind);
	if (!err)
		err = ept_add(&r);
	return err;
}

static int trap_page(struct trapped_page *t, u64 address)
{
	struct trap_range range = {address + t->offset, PAGE_SIZE,
				   trapped_access, t, t->cause};

	return trap_memory(&range);
}

static int map_all(struct assigned *a, unsigned int bar, u64 address)
{
	u64 size = a->fn->bar[bar].size, start = 0;
	int err = 0;

	for (u64 at = 0; !err && at < size; at += PAGE_SIZE) {
		struct trapped_page *t = trapped_at(a, bar, at);

		if (!t)
			continue;
		err = map_part(a, bar, address, start, at - start);
		if (!err)
			err = trap_page(t, address);
		start = at + PAGE_SIZE;
	}
	return err ? err : map_part(a, bar, address, start, size - start);
}

/* vpci_backend: only inside the guest's PCI window, and not over another. */
static int map_bar(struct vpci_function *v, unsigned int bar, u64 address)
{
	struct assigned *a = v->ctx;
	u64 size = a->fn->bar[bar].size;
	int err;

	if (!address) {
		unmap_bar(a, bar, v->bar[bar].mapped);
		return 0;
	}
	if (address < GUEST_PCI_WINDOW || size > GUEST_PCI_WINDOW_SIZE ||
	    address - GUEST_PCI_WINDOW > GUEST_PCI_WINDOW_SIZE - size)
		return -EINVAL;
	err = map_all(a, bar, address);
	if (err)
		unmap_bar(a, bar, address);
	return err;
}

static void reset_function(struct vpci_function *v)
{
	struct assigned *a = v->ctx;

	if (pci_flr(a->fn))
		guest_end(GUEST_CRASH,
			  PCI_FMT " did not come back from its reset",
			  PCI_ARG(a->fn->addr));
	service_pf(a);
	vpci_reset(v);
}

static const struct vpci_backend backend = {map_bar, reset_function};

/* --- From the configuration to a device ---------------------------------- */

static struct pci_function *find_pf(const struct assign *what)
{
	unsigned int count;
	struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++)
		if (!fn[i].pf && fn[i].vendor == what->vendor &&
		    fn[i].device == what->device)
			return &fn[i];
	hv_log("assign: no PCI function %04x:%04x here: check `lspci -nn` and "
	       "the assign= line\n",
	       what->vendor, what->device);
	return NULL;
}

static int start_pf(struct pci_function *pf, u16 count)
{
	const struct pf_driver *driver = pf_driver_for(pf);
	int err;

	if (!driver) {
		hv_log("assign: " PCI_FMT " (%04x:%04x): Gangway has no driver "
		       "for this physical function\n",
		       PCI_ARG(pf->addr), pf->vendor, pf->device);
		return -EOPNOTSUPP;
	}
	for (unsigned int i = 0; i < PCI_BARS; i++)
		if (pf->bar[i].size && !pf->bar[i].io &&
		    host_map_device(pf->bar[i].base, pf->bar[i].size))
			return -ENOMEM;
	err = driver->start(pf, count);
	if (!err)
		err = sriov_enable(pf, count);
	return err;
}

/* The VF that @what names, with its PF running. */
static struct pci_function *find_vf(const struct assign *what)
{
	struct pci_function *pf = find_pf(what), *vf;

	if (!pf)
		return NULL;
	if (!sriov_vf(pf, 0) && start_pf(pf, what->vf + 1))
		return NULL;
	vf = sriov_vf(pf, what->vf);
	if (!vf)
		hv_log("assign: " PCI_FMT " has no VF %u\n", PCI_ARG(pf->addr),
		       what->vf);
	return vf;
}

/* A VF by its address: its PF is the one that SR-IOV numbering leads to. */
static struct pci_function *find_by_address(const struct assign *what)
{
	unsigned int count;
	struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++) {
		struct assign vf = {.kind = ASSIGN_VF,
				    .vendor = fn[i].vendor,
				    .device = fn[i].device};

		if (!sriov_vf_number(&fn[i], what->addr, &vf.vf))
			continue;
		return find_vf(&vf);
	}
	hv_log("assign: " PCI_FMT ": no such function here, nor the VF of "
	       "one: check the assign= line\n",
	       PCI_ARG(what->addr));
	return NULL;
}

static int map_function(const struct pci_function *fn)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < PCI_BARS; i++)
		if (fn->bar[i].size && !fn->bar[i].io)
			err = host_map_device(fn->bar[i].base, fn->bar[i].size);
	return err;
}

static int make_ready(struct assigned *a)
{
	char identity[80];
	int err;

	pci_enable_path(a->fn);
	err = map_function(a->fn);
	if (!err)
		err = a->pf_driver->enable_vf(a->fn);
	if (err)
		return err;
	/* Nothing of what it did before is left in it */
	err = pci_flr(a->fn);
	if (err)
		return err;
	service_pf(a);
	a->pf_driver->describe_vf(a->fn, identity, sizeof(identity));
	hv_log("%s: " PCI_FMT ": VF %u of " PCI_FMT ", %s\n",
	       a->pf_driver->name, PCI_ARG(a->fn->addr), a->fn->vf_index,
	       PCI_ARG(a->fn->pf->addr), identity);
	return 0;
}

int assign_prepare(const struct assign *what, struct vpci_bus *bus)
{
	struct assigned *a = &assigned[assigned_count];
	struct msix_backend msix_backend = {route, a};
	int err;

	if (assigned_count == ASSIGN_MAX)
		return -ENOSPC;
	a->fn = what->kind == ASSIGN_VF ? find_vf(what) : find_by_address(what);
	if (!a->fn)
		return -ENODEV;
	a->pf_driver = pf_driver_for(a->fn->pf);
	err = make_ready(a);
	if (!err)
		err = msix_init(&a->msix, a->fn, msix_backend);
	if (!err)
		err = allocate_irtes(a);
	if (!err)
		err = find_trapped_pages(a);
	if (!err)
		err = vpci_init(&a->vpci, a->fn, (bus->count + 1) << 3,
				&a->msix, &next_bar_address, &backend, a);
	if (err)
		return err;
	bus->function[bus->count++] = &a->vpci;
	assigned_count++;
	return 0;
}

int assign_attach(void)
{
	int err = vtd_domain_init(&domain, GUEST_DOMAIN_ID, &guest.map);

	for (unsigned int i = 0; !err && i < assigned_count; i++) {
		err = vtd_attach(&domain, assigned[i].fn);
		if (!err)
			hv_log("assign: " PCI_FMT " is the guest's "
			       "0000:00:%02x.0\n",
			       PCI_ARG(assigned[i].fn->addr),
			       PCI_DEV(assigned[i].vpci.devfn));
	}
	return err;
}

void assign_stop(void)
{
	for (unsigned int i = 0; i < assigned_count; i++) {
		struct assigned *a = &assigned[i];

		pci_write16(a->fn, PCI_COMMAND,
			    pci_read16(a->fn, PCI_COMMAND) &
				    ~PCI_COMMAND_MASTER);
		vtd_detach(&domain, a->fn);
		if (a->pf_driver)
			a->pf_driver->stop_vf(a->fn);
		pci_flr(a->fn);
		for (unsigned int v = 0; v < a->msix.vectors; v++)
			vtd_irte_free(a->irte[v]);
		hv_log("assign: " PCI_FMT " stopped and reset\n",
		       PCI_ARG(a->fn->addr));
	}
}
