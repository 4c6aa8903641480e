/* This file enables the VFs of a PF by its SR-IOV capability (PCIe 9.3.3). */
#include "drivers/pci/sriov.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_bars.h"
#include "drivers/pci/pci_buses.h"
#include "drivers/pci/pci_caps.h"
#include "drivers/pci/sriov_bars.h"
#include "hv/log.h"
#include "hv/time.h"

/* The capability, offsets from its start */
#define SRIOV_CTRL 0x08
#define SRIOV_CTRL_VFE BIT(0)
#define SRIOV_CTRL_MSE BIT(3)
#define SRIOV_CTRL_ARI BIT(4)
#define SRIOV_NUM_VFS 0x10
#define SRIOV_VF_OFFSET 0x14
#define SRIOV_VF_STRIDE 0x16
#define SRIOV_VF_DEVICE 0x1a
#define SRIOV_PAGES_SUPPORTED 0x1c
#define SRIOV_PAGE_SIZE 0x20
#define SRIOV_PAGE_4K 1
#define SRIOV_VF_BAR 0x24
#define SRIOV_SIZE 0x40

#define VF_ENABLE_US 100000
#define VF_DISABLE_US 1000000
#define VF_READY_US 1000000 /* PCIe 6.6.1: it may ask to retry so long */

static u16 sriov_cap(const struct pci_function *pf)
{
	u16 cap = pci_find_ext_cap(pf, PCI_EXT_CAP_SRIOV);

	return cap <= PCI_CONFIG_SIZE - SRIOV_SIZE ? cap : 0;
}

static int no_capability(const struct pci_function *pf)
{
	hv_log("sriov: " PCI_FMT ": no SR-IOV capability\n", PCI_ARG(pf->addr));
	return -ENODEV;
}

u16 sriov_total_vfs(const struct pci_function *fn)
{
	u16 cap = fn->pf ? 0 : sriov_cap(fn);

	return cap ? pci_read16(fn, cap + SRIOV_TOTAL_VFS) : 0;
}

/*
 * VF numbers above 7 are device numbers to a port that does not forward by
 * ARI, and it drops what is not for device 0 (PCIe 6.13).  True if @port
 * forwards them now.
 */
static bool enable_ari_forwarding(const struct pci_function *port)
{
	u16 pcie, flags;
	u8 type;

	if (!port)
		return false;
	pcie = pci_find_cap(port, PCI_CAP_PCIE);
	if (!pcie)
		return false;
	flags = pci_read16(port, pcie + PCIE_FLAGS);
	type = flags >> 4 & 0xf;
	if ((flags & 0xf) < 2 ||
	    (type != PCIE_PORT_ROOT && type != PCIE_PORT_DOWNSTREAM) ||
	    !(pci_read32(port, pcie + PCIE_DEVCAP2) & PCIE_DEVCAP2_ARI))
		return false;
	pci_write16(port, pcie + PCIE_DEVCTL2,
		    pci_read16(port, pcie + PCIE_DEVCTL2) |
			    (u16)PCIE_DEVCTL2_ARI);
	return true;
}

static void set_control_ari(struct pci_function *pf, u16 ari)
{
	u16 cap = pf->pf ? 0 : sriov_cap(pf), control;

	control = cap ? pci_read16(pf, cap + SRIOV_CTRL) : SRIOV_CTRL_VFE;
	if (!(control & SRIOV_CTRL_VFE))
		pci_write16(pf, cap + SRIOV_CTRL,
			    (control & (u16)~SRIOV_CTRL_ARI) | ari);
}

/* VF numbers depend on ARI, and the bit is in the lowest PF of the device alone
 * (9.3.3.3.5).  Returns the control register's bit. */
static u16 set_ari(struct pci_function *pf)
{
	u16 ari = enable_ari_forwarding(pf->parent) ? SRIOV_CTRL_ARI : 0;
	struct pci_addr addr = pf->addr;
	struct pci_function *lowest;

	addr.devfn &= 0xf8;
	lowest = pci_find(addr);
	if (lowest && lowest != pf)
		set_control_ari(lowest, ari);
	set_control_ari(pf, ari);
	return ari;
}

/* Requester ID of VF @index; above 0xffff if the bus numbers end before.
 * Valid once NumVFs and ARI are set (9.3.3.9). */
static u32 vf_rid(const struct pci_function *pf, u16 cap, u16 index)
{
	return PCI_RID(pf->addr) + pci_read16(pf, cap + SRIOV_VF_OFFSET) +
	       index * (u32)pci_read16(pf, cap + SRIOV_VF_STRIDE);
}

static struct pci_addr rid_address(const struct pci_function *pf, u32 rid)
{
	return (struct pci_addr){
		.segment = pf->addr.segment, .bus = rid >> 8, .devfn = rid};
}

/* The last bus that every bridge above @pf forwards to; VFs may have their
 * own bus numbers (9.2.1.2), but what is on no bridge's way is lost. */
static u8 last_bus(const struct pci_function *pf)
{
	const struct pci_function *bridge = pf->parent;
	u8 last = 0xff;

	for (unsigned int depth = 0; bridge && depth <= PCI_MAX_DEPTH;
	     depth++) {
		last = MIN(last, bridge->subordinate);
		bridge = bridge->parent;
	}
	return last;
}

/* The function that has @bus, or forwards to it.  VFs do not count: those of
 * several PFs may share a bus, each at its own address. */
static const struct pci_function *owner_of_bus(const struct pci_function *pf,
					       u8 bus)
{
	unsigned int count;
	const struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++) {
		if (fn[i].addr.segment != pf->addr.segment)
			continue;
		if (fn[i].addr.bus == bus && !fn[i].pf)
			return &fn[i];
		if (fn[i].bridge && !pci_is_below(pf, &fn[i]) &&
		    fn[i].secondary && bus >= fn[i].secondary &&
		    bus <= fn[i].subordinate)
			return &fn[i];
	}
	return NULL;
}

/* Buses of VFs behind the PF's own, up to @last, must be nobody's. */
static int check_more_buses(const struct pci_function *pf, u8 last)
{
	const struct pci_function *owner;

	for (unsigned int bus = pf->addr.bus + 1U; bus <= last; bus++) {
		owner = owner_of_bus(pf, bus);
		if (!owner)
			continue;
		hv_log("sriov: " PCI_FMT ": VFs on buses up to %02x, and %02x "
		       "is " PCI_FMT "'s: firmware left no numbers for them; "
		       "turn on \"SR-IOV Support\" and \"ARI\" in its set-up\n",
		       PCI_ARG(pf->addr), last, bus, PCI_ARG(owner->addr));
		return -ERANGE;
	}
	return 0;
}

static bool bus_numbers_fit(const struct pci_function *pf, u16 cap, u16 count)
{
	unsigned int last = vf_rid(pf, cap, count - 1) >> 8;

	for (unsigned int bus = pf->addr.bus + 1U; bus <= last; bus++)
		if (bus > last_bus(pf) || owner_of_bus(pf, bus))
			return false;
	return true;
}

/* The numbers behind @pf's own bus that all VFs need of all PFs there: once
 * there are VFs they stay. */
static unsigned int more_buses(const struct pci_function *pf)
{
	unsigned int count, more = 0;
	const struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++) {
		u16 total = sriov_total_vfs(&fn[i]);

		if (!total || fn[i].parent != pf->parent)
			continue;
		more = MAX(more,
			   (vf_rid(&fn[i], sriov_cap(&fn[i]), total - 1) >> 8) -
				   fn[i].addr.bus);
	}
	return more;
}

static int check_bus_numbers(const struct pci_function *pf, u16 cap, u16 count)
{
	u16 offset = pci_read16(pf, cap + SRIOV_VF_OFFSET);
	u16 stride = pci_read16(pf, cap + SRIOV_VF_STRIDE);
	u32 last = vf_rid(pf, cap, count - 1);
	u8 end = last_bus(pf);

	if (offset && (stride || count == 1) && last >> 8 <= end)
		return check_more_buses(pf, last >> 8);
	hv_log("sriov: " PCI_FMT ": VFs at offset %u, stride %u need buses up "
	       "to %02x, and the bridges above forward up to %02x: turn on "
	       "\"SR-IOV Support\" and \"ARI\" in the firmware's set-up, or "
	       "use "
	       "another slot\n",
	       PCI_ARG(pf->addr), offset, stride, last >> 8, end);
	return -ERANGE;
}

/* The PCI function of VF @index, which is enabled.  IDs and BARs are not in
 * its own configuration space (9.3.4.1.1, 9.3.4.1.11). */
static int add_vf(struct pci_function *pf, const struct pci_bar *bar, u16 cap,
		  u16 index)
{
	struct pci_addr addr = rid_address(pf, vf_rid(pf, cap, index));
	struct pci_function *vf = pci_find(addr);
	char bars[160];

	if (vf && vf->pf != pf) {
		hv_log("sriov: " PCI_FMT ": VF %u where another function is\n",
		       PCI_ARG(addr), index);
		return -EIO;
	}
	vf = pci_add(addr);
	if (!vf)
		return -ENOSPC;
	if (wait_until(pci_read32(vf, PCI_REVISION) != 0xffffffff, VF_READY_US,
		       "a VF's configuration space")) {
		hv_log("sriov: " PCI_FMT ": VF does not answer: turn the "
		       "machine's power off and on\n",
		       PCI_ARG(addr));
		return -EIO;
	}
	vf->vendor = pf->vendor;
	vf->device = pci_read16(pf, cap + SRIOV_VF_DEVICE);
	vf->class = pci_read32(vf, PCI_REVISION) >> 8;
	vf->parent = pf->parent;
	vf->pf = pf;
	vf->vf_index = index;
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		vf->bar[i] = bar[i];
		vf->bar[i].base += index * vf->bar[i].size;
	}
	/* VF MSE decides (9.3.3.3.4); emulators look here instead. */
	pci_write16(vf, PCI_COMMAND, PCI_COMMAND_MEMORY);
	pci_describe_bars(vf, bars, sizeof(bars));
	hv_log("sriov: " PCI_FMT ": VF %u of " PCI_FMT ", %04x:%04x, %s\n",
	       PCI_ARG(addr), index, PCI_ARG(pf->addr), vf->vendor, vf->device,
	       bars);
	return 0;
}

/* What must be set while VF Enable is clear; *ari: for the control register */
static int prepare(struct pci_function *pf, u16 cap, u16 count, u16 *ari)
{
	u16 total = pci_read16(pf, cap + SRIOV_TOTAL_VFS);

	if (!count || count > total) {
		hv_log("sriov: " PCI_FMT ": it has %u VFs, and no VF %d\n",
		       PCI_ARG(pf->addr), total, count - 1);
		return -ERANGE;
	}
	if (!(pci_read32(pf, cap + SRIOV_PAGES_SUPPORTED) & SRIOV_PAGE_4K)) {
		hv_log("sriov: " PCI_FMT ": no 4 KiB pages\n",
		       PCI_ARG(pf->addr));
		return -ENODEV;
	}
	sriov_disable(pf); /* firmware may have left it on */
	*ari = set_ari(pf);
	pci_write16(pf, cap + SRIOV_CTRL, *ari);
	pci_write32(pf, cap + SRIOV_PAGE_SIZE, SRIOV_PAGE_4K);
	pci_write16(pf, cap + SRIOV_NUM_VFS, count);
	return 0;
}

int sriov_number_buses(struct pci_function *pf, u16 count,
		       bool (*keep)(const struct pci_function *fn))
{
	u16 cap = sriov_cap(pf), ari;
	int err;

	if (!cap)
		return no_capability(pf);
	err = prepare(pf, cap, count, &ari);
	if (err)
		return err;
	if (!bus_numbers_fit(pf, cap, count))
		pci_make_buses(pf, more_buses(pf), keep);
	return check_bus_numbers(pf, cap, count);
}

int sriov_enable(struct pci_function *pf, u16 count)
{
	struct pci_bar bar[PCI_BARS];
	u16 cap = sriov_cap(pf), ari;
	int err;

	if (!cap)
		return no_capability(pf);
	err = prepare(pf, cap, count, &ari);
	if (!err)
		err = check_bus_numbers(pf, cap, count);
	if (!err)
		err = sriov_place_bars(pf, cap + SRIOV_VF_BAR, count, bar);
	if (err)
		return err;
	pci_write16(pf, cap + SRIOV_CTRL,
		    ari | (u16)(SRIOV_CTRL_VFE | SRIOV_CTRL_MSE));
	delay_us(VF_ENABLE_US, "PCIe 9.3.3.3.1: VF Enable set");
	for (u16 i = 0; i < count && !err; i++)
		err = add_vf(pf, bar, cap, i);
	if (err)
		sriov_disable(pf);
	return err;
}

struct pci_function *sriov_vf(struct pci_function *pf, u16 index)
{
	u16 cap = sriov_cap(pf);
	struct pci_function *vf;

	if (!cap || !(pci_read16(pf, cap + SRIOV_CTRL) & SRIOV_CTRL_VFE) ||
	    index >= pci_read16(pf, cap + SRIOV_NUM_VFS) ||
	    vf_rid(pf, cap, index) > 0xffff)
		return NULL;
	vf = pci_find(rid_address(pf, vf_rid(pf, cap, index)));
	return vf && vf->pf == pf ? vf : NULL;
}

void sriov_disable(struct pci_function *pf)
{
	u16 cap = sriov_cap(pf);

	if (!cap || !(pci_read16(pf, cap + SRIOV_CTRL) & SRIOV_CTRL_VFE))
		return;
	pci_write16(pf, cap + SRIOV_CTRL,
		    pci_read16(pf, cap + SRIOV_CTRL) &
			    (u16) ~(SRIOV_CTRL_VFE | SRIOV_CTRL_MSE));
	delay_us(VF_DISABLE_US, "PCIe 9.3.3.3.1: VF Enable cleared");
}

bool sriov_vf_number(struct pci_function *pf, struct pci_addr addr, u16 *number)
{
	u16 cap = pf->pf ? 0 : sriov_cap(pf);
	u16 stride, total;
	u32 rid = PCI_RID(addr), first;

	if (!cap || addr.segment != pf->addr.segment)
		return false;
	if (pf->parent && (addr.bus < pf->parent->secondary ||
			   addr.bus > pf->parent->subordinate))
		return false;
	set_ari(pf);
	total = pci_read16(pf, cap + SRIOV_TOTAL_VFS);
	stride = pci_read16(pf, cap + SRIOV_VF_STRIDE);
	first = vf_rid(pf, cap, 0);
	if (rid < first || rid == PCI_RID(pf->addr))
		return false;
	*number = stride ? (rid - first) / stride : 0;
	return *number < total && vf_rid(pf, cap, *number) == rid;
}
