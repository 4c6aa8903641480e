/* This file finds VF BARs a place behind the bridges above (PCIe 9.3.3.14). */
#include "drivers/pci/sriov_bars.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_bars.h"
#include "drivers/pci/pci_caps.h"
#include "drivers/pci/pci_room.h"
#include "drivers/pci/pci_windows.h"
#include "hv/log.h"

/* The VF BARs of @pf placed so far, as ranges for all VFs. */
struct placement {
	const struct pci_function *pf;
	u16 count;
	struct pci_bar *bar; /* PCI_BARS */
	bool placed[PCI_BARS];
};

/* True if part of the range is another's, or that of a VF BAR placed before. */
static bool is_taken(const struct placement *p, hpa_t base, u64 size,
		     struct pci_owner *owner)
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		struct host_range vfs = {p->bar[i].base,
					 p->bar[i].size * p->count, "a VF BAR"};

		if (!p->placed[i] ||
		    !ranges_overlap(base, size, vfs.base, vfs.size))
			continue;
		*owner = (struct pci_owner){vfs, p->pf};
		return true;
	}
	return pci_range_taken(p->pf, NULL, base, size, owner);
}

/* A free, aligned place of @size bytes in a window of the bridge; 0: none.
 * Each round leaves at least one range behind, so the rounds are bounded. */
static hpa_t find_place(const struct placement *p, bool prefetch, u64 align,
			u64 size)
{
	unsigned int rounds;
	struct pci_owner owner;
	hpa_t window, base;
	u64 length;

	pci_functions(&rounds);
	rounds = rounds * (PCI_BARS + 2) + PCI_BARS + HOST_RANGES_MAX;

	if (!p->pf->parent ||
	    !pci_bridge_window(p->pf->parent, prefetch, &window, &length))
		return 0;
	base = window;
	while (rounds--) {
		base = ALIGN_UP(base, align);
		if (base < window || base - window > length ||
		    length - (base - window) < size)
			return 0;
		if (!is_taken(p, base, size, &owner))
			return pci_is_forwarded(p->pf, base, size) ? base : 0;
		base = owner.range.base + owner.range.size;
	}
	return 0;
}

/* True if VF BAR @i, @size bytes in all, can stay where firmware put it. */
static bool can_stay(const struct placement *p, unsigned int i, u64 size)
{
	hpa_t base = p->bar[i].base;
	struct pci_owner owner;
	char text[120];

	if (!base || base + size < base)
		return false;
	if (!is_taken(p, base, size, &owner))
		return pci_is_forwarded(p->pf, base, size);
	pci_describe_owner(&owner, text, sizeof(text));
	hv_log("sriov: " PCI_FMT ": firmware put VF BAR%u on %s; it gets "
	       "another place\n",
	       PCI_ARG(p->pf->addr), i, text);
	return false;
}

static void write_vf_bar(const struct pci_function *pf, u16 reg,
			 const struct pci_bar *bar)
{
	pci_write32(pf, reg, bar->base);
	if (bar->is64)
		pci_write32(pf, reg + 4, bar->base >> 32);
}

static bool path_is_pcie(const struct pci_function *pf)
{
	const struct pci_function *bridge = pf->parent;

	for (unsigned int depth = 0; bridge && depth <= PCI_MAX_DEPTH;
	     depth++) {
		u16 cap = pci_find_cap(bridge, PCI_CAP_PCIE);
		u8 type = cap ? pci_read16(bridge, cap + PCIE_FLAGS) >> 4 & 0xf
			      : PCIE_TO_PCI_BRIDGE;

		if (type != PCIE_PORT_ROOT && type != PCIE_PORT_UPSTREAM &&
		    type != PCIE_PORT_DOWNSTREAM)
			return false;
		bridge = bridge->parent;
	}
	return true;
}

static hpa_t find_place_or_widen(const struct placement *p, bool prefetch,
				 u64 align, u64 size, bool widen)
{
	if (widen && !pci_widen_window(p->pf, prefetch, align, size))
		return 0;
	return find_place(p, prefetch, align, size);
}

/* A place for @bar in the window that suits it, or in the other one. */
static hpa_t seek(const struct placement *p, const struct pci_bar *bar,
		  u64 size, bool widen)
{
	/* Where all bridges are PCI Express none merges writes or reads ahead:
	 * the prefetchable window will do for all (7.5.1.2.1, implementation
	 * note). */
	bool high = bar->is64 && path_is_pcie(p->pf);
	hpa_t base = 0;

	if (bar->prefetch)
		base = find_place_or_widen(p, true, bar->size, size, widen);
	if (!base || (!bar->is64 && base >> 32))
		base = find_place_or_widen(p, false, bar->size, size, widen);
	if (!base && high)
		base = find_place_or_widen(p, true, bar->size, size, widen);
	return base;
}

/* Leave VF BAR @i where firmware put it, or find it a place. */
static int place_bar(struct placement *p, u16 reg, unsigned int i)
{
	struct pci_bar *bar = &p->bar[i];
	u64 size = bar->size * p->count;

	if (!bar->size || bar->io) {
		*bar = (struct pci_bar){0}; /* no I/O space (9.3.4.1.11) */
		return 0;
	}
	if (bar->size > UINT64_MAX / p->count)
		return -ENOSPC;
	if (!can_stay(p, i, size)) {
		bar->base = seek(p, bar, size, false);
		if (!bar->base)
			bar->base = seek(p, bar, size, true);
		if (!bar->base) {
			hv_log("sriov: " PCI_FMT ": no room for VF BAR%u, "
			       "%u times %lu KiB, in the windows of the bridge "
			       "above: turn on \"SR-IOV Support\" and \"Above "
			       "4G Decoding\" in the firmware's set-up\n",
			       PCI_ARG(p->pf->addr), i, p->count,
			       bar->size / KIB);
			return -ENOSPC;
		}
		write_vf_bar(p->pf, reg + 4 * i, bar);
	}
	p->placed[i] = true;
	return 0;
}

int sriov_place_bars(const struct pci_function *pf, u16 reg, u16 count,
		     struct pci_bar *bar)
{
	struct placement p = {.pf = pf, .count = count, .bar = bar};
	int err = 0;

	pci_size_bars(pf, reg, PCI_BARS, bar);
	for (unsigned int i = 0; i < PCI_BARS && !err; i++)
		err = place_bar(&p, reg, i);
	return err;
}
