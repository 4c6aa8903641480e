/* This file resets a function by the way that touches the least of what it
 * offers, up to its bus. */
#include "drivers/pci/pci_reset.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_caps.h"
#include "hv/log.h"
#include "hv/time.h"

#define FLR_PENDING_US 1000000 /* longest completion time-out in use */
#define FLR_DELAY_US 100000
#define READY_US 1000000 /* PCIe 6.6.1: one second after a reset */

/* Advanced features (PCI AF ECN) */
#define AF_CAP 0x03
#define AF_CAP_PENDING BIT(0)
#define AF_CAP_FLR BIT(1)
#define AF_CONTROL 0x04
#define AF_CONTROL_FLR BIT(0)
#define AF_STATUS 0x05
#define AF_STATUS_PENDING BIT(0)

/* Power management (PCI PM 1.2 3.2.4) */
#define PM_CONTROL 0x04
#define PM_STATE 3U
#define PM_D3HOT 3U
#define PM_NO_SOFT_RESET BIT(3)
#define PM_STATUS BIT(15) /* written as 1 clears it */
#define PM_DELAY_US 10000 /* 5.6.1: to D3hot, and from it */

#define BUS_RESET_US 2000   /* 1 ms at least (PCI 3.0 4.3.2, Trst) */
#define BUS_READY_US 100000 /* PCIe 6.6.1: before the first request */

/* What a reset of a whole function takes away and firmware had set. */
struct saved_function {
	struct pci_function *fn;
	u32 bar[PCI_BARS];
	u16 command;
	u16 devctl;
};

static struct saved_function save_function(struct pci_function *fn)
{
	u16 pcie = pci_find_cap(fn, PCI_CAP_PCIE);
	struct saved_function saved = {.fn = fn};

	for (unsigned int i = 0; i < PCI_BARS; i++)
		saved.bar[i] = pci_read32(fn, PCI_BAR(i));
	saved.command = pci_read16(fn, PCI_COMMAND);
	if (pcie)
		saved.devctl = pci_read16(fn, pcie + PCIE_DEVCTL);
	return saved;
}

static void restore_function(const struct saved_function *saved)
{
	u16 pcie = pci_find_cap(saved->fn, PCI_CAP_PCIE);

	for (unsigned int i = 0; i < PCI_BARS; i++)
		pci_write32(saved->fn, PCI_BAR(i), saved->bar[i]);
	if (pcie)
		pci_write16(saved->fn, pcie + PCIE_DEVCTL,
			    saved->devctl & (u16)~PCIE_DEVCTL_FLR);
}

static bool has_flr(const struct pci_function *fn)
{
	u16 pcie = pci_find_cap(fn, PCI_CAP_PCIE);

	return pcie && !fn->bridge &&
	       pci_read32(fn, pcie + PCIE_DEVCAP) & PCIE_DEVCAP_FLR;
}

static bool is_gone(const struct pci_function *fn)
{
	if (pci_answers(fn))
		return false;
	hv_log("pci: " PCI_FMT ": its configuration space reads all ones: it "
	       "is gone\n",
	       PCI_ARG(fn->addr));
	return true;
}

int pci_flr(struct pci_function *fn)
{
	u16 pcie = pci_find_cap(fn, PCI_CAP_PCIE);
	struct saved_function saved;
	int err;

	if (is_gone(fn))
		return -ENODEV;
	if (!has_flr(fn)) {
		hv_log("pci: " PCI_FMT ": no function-level reset\n",
		       PCI_ARG(fn->addr));
		return -EOPNOTSUPP;
	}
	saved = save_function(fn);
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
	err = wait_until(pci_read8(fn, pcie) == PCI_CAP_PCIE, READY_US,
			 "configuration space after a function-level reset");
	if (err) {
		hv_log("pci: " PCI_FMT ": did not come back from its reset\n",
		       PCI_ARG(fn->addr));
		return err;
	}
	if (!fn->pf)
		restore_function(&saved);
	return 0;
}

/* --- The other kinds ------------------------------------------------------ */

static bool has_af_flr(const struct pci_function *fn)
{
	const u8 needed = AF_CAP_PENDING | AF_CAP_FLR;
	u16 af = pci_find_cap(fn, PCI_CAP_AF);

	return af && (pci_read8(fn, af + AF_CAP) & needed) == needed;
}

static bool has_power_reset(const struct pci_function *fn)
{
	u16 pm = pci_find_cap(fn, PCI_CAP_PM);

	return pm && !(pci_read16(fn, pm + PM_CONTROL) & PM_NO_SOFT_RESET);
}

enum pci_reset pci_reset_kind(const struct pci_function *fn, bool bus)
{
	if (fn->bridge)
		return PCI_RESET_NONE;
	if (has_flr(fn))
		return PCI_RESET_FLR;
	if (has_af_flr(fn))
		return PCI_RESET_AF;
	if (has_power_reset(fn))
		return PCI_RESET_POWER;
	return bus && fn->parent ? PCI_RESET_BUS : PCI_RESET_NONE;
}

const char *pci_reset_name(enum pci_reset kind)
{
	static const char *const name[] = {
		[PCI_RESET_NONE] = "no reset",
		[PCI_RESET_FLR] = "function-level reset",
		[PCI_RESET_AF] = "function-level reset (AF)",
		[PCI_RESET_POWER] = "power state reset",
		[PCI_RESET_BUS] = "secondary bus reset",
	};

	return name[kind];
}

static int wait_ready(const struct pci_function *fn)
{
	int err = wait_until(pci_read16(fn, PCI_VENDOR_ID) == fn->vendor,
			     READY_US, "configuration space after a reset");

	if (err)
		hv_log("pci: " PCI_FMT ": did not come back from its reset\n",
		       PCI_ARG(fn->addr));
	return err;
}

static int af_reset(struct pci_function *fn)
{
	u16 af = pci_find_cap(fn, PCI_CAP_AF);

	/* If they never end, the reset is still the only way on */
	if (wait_until(!(pci_read8(fn, af + AF_STATUS) & AF_STATUS_PENDING),
		       FLR_PENDING_US, "pending transactions before a reset"))
		hv_log("pci: " PCI_FMT ": reset with transactions pending\n",
		       PCI_ARG(fn->addr));
	pci_write8(fn, af + AF_CONTROL, AF_CONTROL_FLR);
	delay_us(FLR_DELAY_US, "PCI AF: function-level reset");
	return wait_ready(fn);
}

static int power_reset(struct pci_function *fn)
{
	u16 at = pci_find_cap(fn, PCI_CAP_PM) + PM_CONTROL;
	u16 control = pci_read16(fn, at) & (u16) ~(PM_STATE | PM_STATUS);

	pci_write16(fn, at, control | PM_D3HOT);
	delay_us(PM_DELAY_US, "PCI PM 5.6.1: to D3hot");
	pci_write16(fn, at, control);
	delay_us(PM_DELAY_US, "PCI PM 5.6.1: from D3hot to D0");
	return wait_ready(fn);
}

/* Every function below @bridge, saved; the number of them, or -EOPNOTSUPP. */
static int save_below(const struct pci_function *bridge,
		      struct saved_function *saved)
{
	unsigned int count;
	struct pci_function *fn = pci_functions(&count);
	int found = 0;

	for (unsigned int i = 0; i < count; i++) {
		if (&fn[i] == bridge || !pci_is_below(&fn[i], bridge))
			continue;
		if (fn[i].bridge || found == PCI_RESET_BUS_MAX)
			return -EOPNOTSUPP;
		saved[found++] = save_function(&fn[i]);
	}
	return found;
}

static int bus_reset(struct pci_function *fn)
{
	struct saved_function saved[PCI_RESET_BUS_MAX];
	struct pci_function *bridge = fn->parent;
	int count = save_below(bridge, saved), err = 0;
	u16 control = pci_read16(bridge, PCI_BRIDGE_CONTROL);

	if (count < 0)
		return count;
	pci_write16(bridge, PCI_BRIDGE_CONTROL,
		    control | (u16)PCI_BRIDGE_CONTROL_RESET);
	delay_us(BUS_RESET_US, "PCI 4.3.2: secondary bus reset");
	pci_write16(bridge, PCI_BRIDGE_CONTROL,
		    control & (u16)~PCI_BRIDGE_CONTROL_RESET);
	delay_us(BUS_READY_US, "PCIe 6.6.1: after a secondary bus reset");
	for (int i = 0; i < count && !err; i++) {
		err = wait_ready(saved[i].fn);
		if (err)
			break;
		restore_function(&saved[i]);
		if (saved[i].fn != fn)
			pci_write16(saved[i].fn, PCI_COMMAND, saved[i].command);
	}
	return err;
}

int pci_reset(struct pci_function *fn, enum pci_reset kind)
{
	struct saved_function saved;
	int err;

	if (kind == PCI_RESET_FLR)
		return pci_flr(fn);
	if (is_gone(fn))
		return -ENODEV;
	if (kind == PCI_RESET_NONE)
		return -EOPNOTSUPP;
	saved = save_function(fn);
	pci_write16(fn, PCI_COMMAND, 0);
	if (kind == PCI_RESET_BUS)
		return bus_reset(fn);
	err = kind == PCI_RESET_AF ? af_reset(fn) : power_reset(fn);
	if (err)
		return err;
	pci_write16(fn, PCI_COMMAND, 0);
	restore_function(&saved);
	return 0;
}
