/*
 * NVMe physical function: gives each VF its share of the flexible queues and
 * interrupts and brings it online (Virtualization Enhancements, 8.5).  The PF's
 * controller stays enabled while a guest runs, for a reset of it takes every
 * secondary controller offline.  Namespaces are the business of whoever
 * formatted the drive: a VF sees those that are attached to it or shared.
 */
#include "drivers/nvme_pf.h"
#include "drivers/nvme.h"
#include "drivers/nvme_admin.h"
#include "drivers/nvme_reach.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_caps.h"
#include "drivers/pci/pci_reset.h"
#include "hv/alloc.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/string.h"

/* A VF needs the admin queues and one pair for I/O, and one vector (8.5). */
static const u16 least[] = {[NVME_VQ] = 2, [NVME_VI] = 1};

/* Identify Controller (5.15.2, CNS 01h) */
#define IDENTIFY_VID 0 /* the PCI vendor ID */
#define IDENTIFY_OACS 256

/* Primary Controller Capabilities (CNS 14h) */
#define PRIMARY_ID 0
#define PRIMARY_CRT 4 /* which resources are flexible: bit 0 VQ, bit 1 VI */
#define PRIMARY_VQ 32
#define PRIMARY_VI 64
/* in each of the two: */
#define FLEXIBLE_TOTAL 0     /* 4 bytes */
#define FLEXIBLE_ASSIGNED 4  /* 4 bytes: to secondary controllers */
#define FLEXIBLE_PRIMARY 8   /* 2 bytes: kept by the primary one */
#define PRIVATE_PRIMARY 10   /* 2 bytes: what it has beside that */
#define FLEXIBLE_VF_LIMIT 12 /* 2 bytes: most for one secondary one */

/* Secondary Controller List (CNS 15h) */
#define LIST_COUNT 0
#define LIST_MAX 127
#define LIST_ENTRY(n) (32 + 32 * (n))
#define ENTRY_ID 0
#define ENTRY_STATE 4
#define ENTRY_ONLINE BIT(0)
#define ENTRY_VF 8 /* 1: VF 0 */

struct nvme_secondary {
	u16 id;
	bool online;
};

/* pf->driver: one page. */
struct nvme_pf {
	struct nvme_admin admin;
	struct pf_dma vf_dma; /* for a VF that is asked */
	bool lockdown;
	u16 count;    /* VFs */
	u16 share[2]; /* of each VF, NVME_VQ and NVME_VI; 0: not flexible */
};
_Static_assert(sizeof(struct nvme_pf) <= PAGE_SIZE, "one page");

static int identify_primary(struct nvme_pf *p)
{
	struct pci_function *pf = p->admin.fn;
	int err = nvme_identify(&p->admin, NVME_CNS_CONTROLLER);
	u32 oacs;

	if (err)
		return err;
	if (!nvme_get(&p->admin, IDENTIFY_VID, 2)) {
		hv_log("nvme: " PCI_FMT ": what Identify returns did not "
		       "arrive in memory\n",
		       PCI_ARG(pf->addr));
		return -EIO;
	}
	oacs = nvme_get(&p->admin, IDENTIFY_OACS, 2);
	p->lockdown = oacs & NVME_OACS_LOCKDOWN;
	if (!(oacs & NVME_OACS_VIRT_MGMT)) {
		hv_log("nvme: " PCI_FMT ": the drive has no Virtualization "
		       "Management (OACS bit 7): nothing can give its VFs "
		       "queues\n",
		       PCI_ARG(pf->addr));
		return -EOPNOTSUPP;
	}
	return nvme_identify(&p->admin, NVME_CNS_PRIMARY);
}

/* Resources of one type, as the primary controller says (CNS 14h). */
struct nvme_resources {
	u32 total, assigned; /* flexible ones: all, to secondary controllers */
	u32 primary;	     /* flexible ones that the primary keeps */
	u32 own;	     /* that nobody else can have */
	u32 limit;	     /* flexible ones for a VF */
};

/* False: they are not flexible, each VF has its own. */
static bool get_resources(const struct nvme_admin *a, u8 type,
			  struct nvme_resources *r)
{
	u32 at = type == NVME_VQ ? PRIMARY_VQ : PRIMARY_VI;

	r->total = nvme_get(a, at + FLEXIBLE_TOTAL, 4);
	r->assigned = nvme_get(a, at + FLEXIBLE_ASSIGNED, 4);
	r->primary = nvme_get(a, at + FLEXIBLE_PRIMARY, 2);
	r->own = nvme_get(a, at + PRIVATE_PRIMARY, 2);
	r->limit = nvme_get(a, at + FLEXIBLE_VF_LIMIT, 2);
	return nvme_get(a, PRIMARY_CRT, 1) & BIT(type);
}

/* Of each of @count VFs, if the primary keeps @primary. */
static u32 share_of(const struct nvme_resources *r, u32 primary, u16 count)
{
	u32 taken = MIN((u64)primary + r->assigned, r->total);

	return MIN((r->total - taken) / count, r->limit);
}

static const char *name_of(u8 type)
{
	return type == NVME_VQ ? "queues" : "interrupts";
}

/* An equal share for each VF of the flexible resources of one type; the
 * structure is in the buffer. */
static int divide(struct nvme_pf *p, u8 type)
{
	struct nvme_resources r;
	u32 share;

	p->share[type] = 0;
	if (!get_resources(&p->admin, type, &r))
		return 0;
	share = share_of(&r, r.primary, p->count);
	if (share < least[type]) {
		hv_log("nvme: " PCI_FMT ": too few virtual %s for %u VF%s: "
		       "%u are flexible, the primary controller keeps %u, "
		       "%u are assigned, a VF may have %u and needs %u\n",
		       PCI_ARG(p->admin.fn->addr), name_of(type), p->count,
		       p->count == 1 ? "" : "s", r.total, r.primary, r.assigned,
		       r.limit, least[type]);
		return -ENOSPC;
	}
	p->share[type] = share;
	return 0;
}

/* The secondary controller of VF @number: -ENODEV if the list has none. */
static int find_secondary(struct nvme_pf *p, u16 number,
			  struct nvme_secondary *found)
{
	int err = nvme_identify(&p->admin, NVME_CNS_SECONDARY);
	u32 count;

	if (err)
		return err;
	count = nvme_get(&p->admin, LIST_COUNT, 1);
	for (unsigned int i = 0; i < MIN(count, LIST_MAX); i++) {
		u32 at = LIST_ENTRY(i);

		if (nvme_get(&p->admin, at + ENTRY_VF, 2) != number + 1U)
			continue;
		found->id = nvme_get(&p->admin, at + ENTRY_ID, 2);
		found->online =
			nvme_get(&p->admin, at + ENTRY_STATE, 1) & ENTRY_ONLINE;
		return 0;
	}
	hv_log("nvme: " PCI_FMT ": no secondary controller for VF %u in a "
	       "list of %u\n",
	       PCI_ARG(p->admin.fn->addr), number, count);
	return -ENODEV;
}

/* No interrupts from the PF: firmware may have left some on. */
static void interrupts_off(struct pci_function *pf)
{
	u16 msi = pci_find_cap(pf, PCI_CAP_MSI);
	u16 msix = pci_find_cap(pf, PCI_CAP_MSIX);

	if (msi)
		pci_write16(pf, msi + 2, pci_read16(pf, msi + 2) & ~1);
	if (msix)
		pci_write16(pf, msix + 2, pci_read16(pf, msix + 2) & 0x7fff);
}

/* Firmware's queues, if it left any, lie outside the PF's domain: what they
 * still do is blocked until the reset. */
static int start_controller(struct nvme_pf *p, struct pci_function *pf,
			    const struct pf_dma *dma)
{
	interrupts_off(pf);
	pci_write16(pf, PCI_COMMAND,
		    pci_read16(pf, PCI_COMMAND) |
			    (u16)(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
				  PCI_COMMAND_INTX_OFF));
	return nvme_admin_start(&p->admin, pf, dma);
}

/* Where the VFs have too few because of it, what the primary keeps of one type
 * is taken from it, but for one if it has none of its own.  *taken: it was. */
static int take_from_primary(struct nvme_pf *p, u8 type, bool *taken)
{
	struct pci_function *pf = p->admin.fn;
	struct nvme_resources r;
	u16 keep;

	if (!get_resources(&p->admin, type, &r))
		return 0;
	keep = !r.own;
	if (share_of(&r, r.primary, p->count) >= least[type] ||
	    share_of(&r, keep, p->count) < least[type])
		return 0;
	hv_log("nvme: " PCI_FMT ": the primary controller keeps %u of %u "
	       "flexible %s: %u from now on, also without Gangway, until "
	       "Primary Controller Flexible Allocation gives it more\n",
	       PCI_ARG(pf->addr), r.primary, r.total, name_of(type), keep);
	*taken = true;
	return nvme_virt_mgmt(&p->admin, NVME_VIRT_PRIMARY,
			      (u16)nvme_get(&p->admin, PRIMARY_ID, 2), type,
			      keep);
}

/* That takes effect by a Controller Level Reset which is no Controller Reset,
 * that is not by CC.EN (5.22, action 1h). */
static int free_resources(struct nvme_pf *p, struct pci_function *pf,
			  const struct pf_dma *dma)
{
	bool taken = false;
	int err = take_from_primary(p, NVME_VQ, &taken);

	if (!err)
		err = take_from_primary(p, NVME_VI, &taken);
	if (err || !taken)
		return err;
	err = nvme_admin_stop(&p->admin);
	if (!err)
		err = pci_flr(pf);
	if (!err)
		err = start_controller(p, pf, dma);
	return err ? err : identify_primary(p);
}

static void nvme_stop(struct pci_function *pf)
{
	struct nvme_pf *p = pf->driver;

	nvme_admin_stop(&p->admin);
	pci_write16(pf, PCI_COMMAND,
		    pci_read16(pf, PCI_COMMAND) & (u16)~PCI_COMMAND_MASTER);
}

static int nvme_start(struct pci_function *pf, u16 count,
		      const struct pf_dma *dma)
{
	struct nvme_pf *p;
	int err;

	if (!count || pf->bar[0].io || !pf->bar[0].base) {
		hv_log("nvme: " PCI_FMT ": BAR0 is not a controller's\n",
		       PCI_ARG(pf->addr));
		return -EIO;
	}
	p = pf->driver ? pf->driver : page_alloc(1, PAGES_DEVICE);
	if (!p)
		return -ENOMEM;
	memset(p, 0, sizeof(*p));
	pf->driver = p;
	p->count = count;
	p->vf_dma.pages = (u8 *)dma->pages + NVME_ADMIN_PAGES * PAGE_SIZE;
	p->vf_dma.address = dma->address + NVME_ADMIN_PAGES * PAGE_SIZE;
	err = start_controller(p, pf, dma);
	if (!err)
		err = identify_primary(p);
	if (!err)
		err = free_resources(p, pf, dma);
	if (!err)
		err = divide(p, NVME_VQ);
	if (!err)
		err = divide(p, NVME_VI);
	if (err) {
		nvme_stop(pf);
		return err;
	}
	hv_log("nvme: " PCI_FMT ": ready for %u VF%s, %u flexible queue "
	       "pairs and %u flexible vectors for each\n",
	       PCI_ARG(pf->addr), count, count == 1 ? "" : "s",
	       p->share[NVME_VQ], p->share[NVME_VI]);
	return 0;
}

static int bring_online(struct nvme_pf *p, u16 id)
{
	int err = 0;

	for (u8 type = NVME_VQ; !err && type <= NVME_VI; type++)
		if (p->share[type])
			err = nvme_virt_mgmt(&p->admin, NVME_VIRT_ASSIGN, id,
					     type, p->share[type]);
	if (!err)
		err = nvme_virt_mgmt(&p->admin, NVME_VIRT_ONLINE, id, 0, 0);
	return err;
}

/* Resources can be assigned while it is offline only. */
static int nvme_enable_vf(struct pci_function *vf)
{
	struct nvme_pf *p = vf->pf->driver;
	struct nvme_secondary secondary;
	int err;

	if (vf->vf_index >= p->count)
		return -EIO;
	err = find_secondary(p, vf->vf_index, &secondary);
	if (!err && secondary.online)
		err = nvme_virt_mgmt(&p->admin, NVME_VIRT_OFFLINE, secondary.id,
				     0, 0);
	if (!err)
		err = bring_online(p, secondary.id);
	if (!err)
		hv_log("nvme: " PCI_FMT ": VF %u is controller %u, online\n",
		       PCI_ARG(vf->addr), vf->vf_index, secondary.id);
	return err;
}

static int nvme_check_vf(struct pci_function *vf, bool restrain)
{
	struct nvme_pf *p = vf->pf->driver;

	return nvme_check_reach(&p->admin, vf, &p->vf_dma,
				restrain && p->lockdown);
}

/* A function-level reset leaves a secondary controller online (8.5.3; QEMU's
 * does).  One that thinks otherwise is helped. */
static int nvme_after_reset(struct pci_function *vf)
{
	struct nvme_pf *p = vf->pf->driver;
	struct nvme_secondary secondary;
	int err = find_secondary(p, vf->vf_index, &secondary);

	if (err || secondary.online)
		return err;
	hv_log("nvme: " PCI_FMT ": offline after its reset\n",
	       PCI_ARG(vf->addr));
	return bring_online(p, secondary.id);
}

static int nvme_service(struct pci_function *pf)
{
	return nvme_is_gone(pf) ? -ENODEV : 0;
}

static void nvme_stop_vf(struct pci_function *vf)
{
	struct nvme_pf *p = vf->pf->driver;
	struct nvme_secondary secondary;

	if (!find_secondary(p, vf->vf_index, &secondary))
		nvme_virt_mgmt(&p->admin, NVME_VIRT_OFFLINE, secondary.id, 0,
			       0);
}

static void nvme_describe_vf(struct pci_function *vf, char *buf, size_t size)
{
	const struct nvme_pf *p = vf->pf->driver;

	format(buf, size, "%u flexible queue pairs, %u flexible vectors",
	       p->share[NVME_VQ], p->share[NVME_VI]);
}

/*
 * Of the registers (3.1; NVMe 2.0 3.1.3) a guest may write those of its own
 * controller.  Not: NSSR and NSSD, which reset and shut down the whole drive,
 * BPRSEL and BPMBL, which read its boot partitions, those of a persistent
 * memory region, and whatever is not defined.  Doorbells begin on the next
 * page: nothing here is written while commands go and come.
 */
static const struct pf_registers writable[] = {
	{0x0c, 0x17}, /* INTMS, INTMC, CC */
	{0x1c, 0x1f}, /* CSTS */
	{0x24, 0x37}, /* AQA, ASQ, ACQ */
	{0x50, 0x57}, /* CMBMSC */
};
static const struct pf_trapped_page trapped[] = {
	{.writable = writable, .writable_count = ARRAY_SIZE(writable)},
};

const struct pf_driver nvme_pf_driver = {
	.name = "nvme",
	.class = 0x010802, /* mass storage, NVM, I/O controller */
	.dma_pages = NVME_DMA_PAGES,
	.start = nvme_start,
	.stop = nvme_stop,
	.enable_vf = nvme_enable_vf,
	.check_vf = nvme_check_vf,
	.after_reset = nvme_after_reset,
	.service = nvme_service,
	.stop_vf = nvme_stop_vf,
	.describe_vf = nvme_describe_vf,
	.trapped = trapped,
	.trapped_count = ARRAY_SIZE(trapped),
};
