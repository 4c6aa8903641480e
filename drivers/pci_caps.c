/* Capability lists, and the reset that one of them offers. */
#include "drivers/pci.h"
#include "hv/log.h"
#include "hv/time.h"

#define CAP_FIRST 0x40
#define CAP_STEPS 48 /* 4-byte structures that fit above the header */
#define EXT_CAP_FIRST 0x100
#define EXT_CAP_STEPS 960

#define FLR_PENDING_US 1000000 /* longest completion time-out in use */
#define FLR_DELAY_US 100000
#define FLR_READY_US 1000000 /* PCIe 6.6.1: one second after a reset */

u16 pci_find_cap(const struct pci_function *fn, u8 id)
{
	unsigned int step;
	u8 at;

	if (!(pci_read16(fn, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	at = pci_read8(fn, PCI_CAP_POINTER) & ~3;
	for (step = 0; step < CAP_STEPS && at >= CAP_FIRST; step++) {
		if (pci_read8(fn, at) == id)
			return at;
		at = pci_read8(fn, at + 1) & ~3;
	}
	return 0;
}

u16 pci_find_ext_cap(const struct pci_function *fn, u16 id)
{
	u16 at = EXT_CAP_FIRST;
	unsigned int step;
	u32 header;

	for (step = 0; step < EXT_CAP_STEPS && at >= EXT_CAP_FIRST; step++) {
		header = pci_read32(fn, at);
		if (header == 0 || header == 0xffffffff)
			return 0;
		if ((u16)header == id)
			return at;
		at = (header >> 20) & ~3;
	}
	return 0;
}

/* What a reset of a whole function takes away and firmware had set. */
struct saved_function {
	u32 bar[PCI_BARS];
	u16 devctl;
};

static void save_function(const struct pci_function *fn, u16 pcie,
			  struct saved_function *saved)
{
	unsigned int i;

	for (i = 0; i < PCI_BARS; i++)
		saved->bar[i] = pci_read32(fn, PCI_BAR(i));
	saved->devctl = pci_read16(fn, pcie + PCIE_DEVCTL);
}

static void restore_function(const struct pci_function *fn, u16 pcie,
			     const struct saved_function *saved)
{
	unsigned int i;

	for (i = 0; i < PCI_BARS; i++)
		pci_write32(fn, PCI_BAR(i), saved->bar[i]);
	pci_write16(fn, pcie + PCIE_DEVCTL,
		    saved->devctl & (u16)~PCIE_DEVCTL_FLR);
}

int pci_flr(struct pci_function *fn)
{
	u16 pcie = pci_find_cap(fn, PCI_CAP_PCIE);
	struct saved_function saved;
	int err;

	/* A VF's IDs always read FFFFh, its status register does not */
	if (pci_read16(fn, PCI_STATUS) == 0xffff) {
		hv_log("pci: " PCI_FMT ": its configuration space reads all "
		       "ones: it is gone\n",
		       PCI_ARG(fn->addr));
		return -ENODEV;
	}
	if (!pcie || fn->bridge ||
	    !(pci_read32(fn, pcie + PCIE_DEVCAP) & PCIE_DEVCAP_FLR)) {
		hv_log("pci: " PCI_FMT ": no function-level reset\n",
		       PCI_ARG(fn->addr));
		return -EOPNOTSUPP;
	}
	save_function(fn, pcie, &saved);
	pci_write16(fn, PCI_COMMAND, 0);
	/* 6.6.2: a completion that comes after the reset could be taken for
	 * one of a later request.  If they never come, the reset is still the
	 * only way on. */
	err = wait_until(
		!(pci_read16(fn, pcie + PCIE_DEVSTA) & PCIE_DEVSTA_PENDING),
		FLR_PENDING_US,
		"pending transactions before a function-level reset");
	if (err)
		hv_log("pci: " PCI_FMT ": reset with transactions pending\n",
		       PCI_ARG(fn->addr));
	pci_write16(fn, pcie + PCIE_DEVCTL,
		    saved.devctl | (u16)PCIE_DEVCTL_FLR);
	delay_us(FLR_DELAY_US, "PCIe 6.6.2: function-level reset");
	/* A VF's vendor ID always reads FFFFh: ask for the capability ID. */
	err = wait_until(pci_read8(fn, pcie) == PCI_CAP_PCIE, FLR_READY_US,
			 "configuration space after a function-level reset");
	if (err) {
		hv_log("pci: " PCI_FMT ": did not come back from its reset\n",
		       PCI_ARG(fn->addr));
		return err;
	}
	if (!fn->pf)
		restore_function(fn, pcie, &saved);
	return 0;
}
