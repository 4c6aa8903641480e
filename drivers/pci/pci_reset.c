/* This file resets a function by the way that touches the least of what it
 * offers, up to its bus. */
#include "drivers/pci/pci_reset.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_caps.h"
#include "drivers/pci/pci_facts.h"
#include "hv/log.h"
#include "hv/time.h"

#define FLR_PENDING_US 1000000 /* longest completion time-out in use */
#define FLR_DELAY_US 100000
#define SLOW_FLR_DELAY_US 150000 /* and the former: 250 ms */
#define READY_US 1000000	 /* PCIe 6.6.1: one second after a reset */
#define LATE_US 59000000	 /* for those that take longer, as Linux does */

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

/* Resizable BAR (PCIe 7.8.6): a capability and a control register for each */
#define REBAR_CONTROL(i) (8 + 8 * (i))
#define REBAR_COUNT(control) ((control) >> 5 & 7)

/* What a reset of a whole function takes away and firmware had set. */
struct saved_function {
	struct pci_function *fn;
	u32 bar[PCI_BARS];
	u32 bar_size[PCI_BARS];
	u16 command;
	u16 devctl, lnkctl, devctl2;
	u16 acs;
};

/* Offsets of what it has; 0: not there */
struct places {
	u16 devctl, lnkctl, devctl2, rebar, acs;
};

static struct places find_places(const struct pci_function *fn)
{
	u16 pcie = pci_find_cap(fn, PCI_CAP_PCIE), flags, acs;
	struct places at = {0};
	u8 type;

	if (!pcie)
		return at;
	flags = pci_read16(fn, pcie + PCIE_FLAGS);
	type = flags >> 4 & 0xf;
	at.devctl = pcie + PCIE_DEVCTL;
	if (type == PCIE_ENDPOINT || type == PCIE_LEGACY_ENDPOINT)
		at.lnkctl = pcie + PCIE_LNKCTL;
	if ((flags & 0xf) >= 2)
		at.devctl2 = pcie + PCIE_DEVCTL2;
	at.rebar = pci_find_ext_cap(fn, PCI_EXT_CAP_REBAR);
	if (at.rebar > PCI_CONFIG_SIZE - REBAR_CONTROL(PCI_BARS))
		at.rebar = 0;
	acs = pci_find_ext_cap(fn, PCI_EXT_CAP_ACS);
	at.acs = acs && acs <= PCI_CONFIG_SIZE - 8 ? acs + PCI_ACS_CONTROL : 0;
	return at;
}

static u16 read_if(const struct pci_function *fn, u16 at)
{
	return at ? pci_read16(fn, at) : 0;
}

static void write_if(const struct pci_function *fn, u16 at, u16 value)
{
	if (at)
		pci_write16(fn, at, value);
}

static unsigned int rebar_count(const struct pci_function *fn, u16 rebar)
{
	u32 control = rebar ? pci_read32(fn, rebar + REBAR_CONTROL(0)) : 0;

	return MIN(REBAR_COUNT(control), PCI_BARS);
}

static struct saved_function save_function(struct pci_function *fn)
{
	struct saved_function saved = {.fn = fn};
	struct places at = find_places(fn);

	for (unsigned int i = 0; i < PCI_BARS; i++)
		saved.bar[i] = pci_read32(fn, PCI_BAR(i));
	saved.command = pci_read16(fn, PCI_COMMAND);
	saved.devctl = read_if(fn, at.devctl);
	saved.lnkctl = read_if(fn, at.lnkctl);
	saved.devctl2 = read_if(fn, at.devctl2);
	saved.acs = read_if(fn, at.acs);
	for (unsigned int i = 0; i < rebar_count(fn, at.rebar); i++)
		saved.bar_size[i] = pci_read32(fn, at.rebar + REBAR_CONTROL(i));
	return saved;
}

static void restore_function(const struct saved_function *saved)
{
	const struct pci_function *fn = saved->fn;
	struct places at = find_places(fn);

	/* A BAR of another size has other bits */
	for (unsigned int i = 0; i < rebar_count(fn, at.rebar); i++)
		pci_write32(fn, at.rebar + REBAR_CONTROL(i),
			    saved->bar_size[i]);
	for (unsigned int i = 0; i < PCI_BARS; i++)
		pci_write32(fn, PCI_BAR(i), saved->bar[i]);
	write_if(fn, at.devctl, saved->devctl & (u16)~PCIE_DEVCTL_FLR);
	write_if(fn, at.lnkctl, saved->lnkctl);
	write_if(fn, at.devctl2, saved->devctl2);
	write_if(fn, at.acs, saved->acs);
}

static bool has_flr(const struct pci_function *fn)
{
	u16 pcie = pci_find_cap(fn, PCI_CAP_PCIE);

	return pcie && !fn->bridge && !(pci_facts(fn) & PCI_FACT_NO_FLR) &&
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

/* A VF's vendor ID always reads FFFFh: ask for the ID of a capability at @cap,
 * or without one for the vendor. */
static bool is_back(const struct pci_function *fn, u16 cap)
{
	return cap ? pci_read8(fn, cap) == PCI_CAP_PCIE
		   : pci_read16(fn, PCI_VENDOR_ID) == fn->vendor;
}

static int wait_ready(const struct pci_function *fn, u16 cap)
{
	int err;

	if (ask_until(is_back(fn, cap), , READY_US))
		return 0;
	hv_log("pci: " PCI_FMT ": not back a second after its reset; it gets a "
	       "minute\n",
	       PCI_ARG(fn->addr));
	err = wait_until(is_back(fn, cap), LATE_US,
			 "configuration space after a reset");
	if (err)
		hv_log("pci: " PCI_FMT ": did not come back from its reset: "
		       "turn the machine's power off and on\n",
		       PCI_ARG(fn->addr));
	return err;
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
	if (pci_facts(fn) & PCI_FACT_SLOW_FLR)
		delay_us(SLOW_FLR_DELAY_US, "pci_facts.c: a slow drive");
	err = wait_ready(fn, pcie);
	if (err)
		return err;
	if (!fn->pf)
		restore_function(&saved);
	return 0;
}

/* --- The other kinds ------------------------------------------------------ */

static bool has_af_flr(const struct pci_function *fn)
{
	const u8 needed = AF_CAP_PENDING | AF_CAP_FLR;
	u16 af = pci_find_cap(fn, PCI_CAP_AF);

	return af && !(pci_facts(fn) & PCI_FACT_NO_FLR) &&
	       (pci_read8(fn, af + AF_CAP) & needed) == needed;
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
	return wait_ready(fn, 0);
}

static int power_reset(struct pci_function *fn)
{
	u16 at = pci_find_cap(fn, PCI_CAP_PM) + PM_CONTROL;
	u16 control = pci_read16(fn, at) & (u16) ~(PM_STATE | PM_STATUS);

	pci_write16(fn, at, control | PM_D3HOT);
	delay_us(PM_DELAY_US, "PCI PM 5.6.1: to D3hot");
	pci_write16(fn, at, control);
	delay_us(PM_DELAY_US, "PCI PM 5.6.1: from D3hot to D0");
	return wait_ready(fn, 0);
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
		err = wait_ready(saved[i].fn, 0);
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
