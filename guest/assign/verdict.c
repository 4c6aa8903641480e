/* This file says in words whether a function can be given to a guest, before
 * it is tried. */
#include "guest/assign/verdict.h"
#include "drivers/pci/groups.h"
#include "drivers/pci/pci_room.h"
#include "drivers/pci/sriov.h"
#include "drivers/pf.h"
#include "guest/assign/whole.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/string.h"
#include "vtd/scope.h"

#define CLASS_USB 0x0c03
#define CLASS_DISPLAY 0x03

/* What to do about an RMRR depends on who asked for it. */
static const char *rmrr_remedy(const struct pci_function *fn)
{
	if (fn->class >> 8 == CLASS_USB)
		return "turn off legacy USB support in the firmware's set-up";
	if (fn->class >> 16 == CLASS_DISPLAY)
		return "it is the firmware's display; use another card";
	return "turn off the firmware's use of it (boot ROM, RAID, remote "
	       "management) in its set-up";
}

/* What stands against @fn and all that it has; false: nothing. */
static bool is_blocked(const struct pci_function *fn, char *buf, size_t size)
{
	const struct pci_function *alias = group_alias(fn);

	if (alias)
		format(buf, size,
		       "its requests carry the ID of bridge " PCI_FMT
		       ": put the card into a PCI Express slot",
		       PCI_ARG(alias->addr));
	else if (!vtd_unit_of(fn))
		format(buf, size,
		       "no VT-d unit covers it: look for a newer "
		       "firmware");
	else
		return pci_bars_refused(fn, buf, size);
	return true;
}

/* Firmware's memory for @pf is not for its VFs, unless it is for all that is
 * below a bridge; but then @driver must do without the PF's own DMA. */
static bool vfs_reserved(const struct pci_function *pf,
			 const struct pf_driver *driver)
{
	struct pci_function vf = *pf;

	vf.pf = (struct pci_function *)pf;
	return vtd_rmrr_of(driver->dma_pages ? pf : &vf);
}

/* The part of assign= for @pf's VFs, or why there is none; false: none. */
static bool judge_vfs(const struct pci_function *pf, char *buf, size_t size)
{
	const struct pf_driver *driver = pf_driver_for(pf);
	u16 total = sriov_total_vfs(pf);

	if (!driver) {
		format(buf, size,
		       "; its VFs: no, Gangway has no driver for "
		       "this physical function");
		return false;
	}
	if (vfs_reserved(pf, driver)) {
		format(buf, size,
		       "; its VFs: no, firmware keeps memory for them or for "
		       "the DMA that their physical function needs (RMRR)");
		return false;
	}
	if (!groups_vf_isolated(pf)) {
		format(buf, size,
		       "; its VFs: in one group with other functions, for a "
		       "port above lacks ACS: use a slot below another port, "
		       "or set allow-unsafe-groups=yes");
		return false;
	}
	/* A preflight asks no device */
	format(buf, size, "; VFs: vf:%04x:%04x/0 to /%u%s", pf->vendor,
	       pf->device, total - 1,
	       driver->check_vf
		       ? ", if they take no command that reaches beyond them "
			 "(asked when assigned), or with "
			 "allow-unsafe-commands=yes"
		       : "");
	return true;
}

/* Same of all of @fn. */
static bool judge_whole(const struct pci_function *fn, char *buf, size_t size)
{
	const struct dmar_rmrr *rmrr = vtd_rmrr_of(fn);
	char others[100], reason[128];

	if (rmrr) {
		format(buf, size,
		       "firmware keeps memory 0x%lx-0x%lx for it (RMRR): %s",
		       rmrr->base, rmrr->limit, rmrr_remedy(fn));
		return false;
	}
	if (assigned_whole_refused(fn, buf, size))
		return false;
	if (groups_others(fn, others, sizeof(others))) {
		groups_reason(fn, reason, sizeof(reason));
		format(buf, size,
		       "only together with %s, %s; or set "
		       "allow-unsafe-groups=yes",
		       others, reason);
		return false;
	}
	format(buf, size, "assign=" PCI_FMT, PCI_ARG(fn->addr));
	return true;
}

enum verdict assign_verdict(const struct pci_function *fn, bool have_vtd,
			    char *buf, size_t size)
{
	bool whole, vfs = false;
	size_t length;

	buf[0] = '\0';
	if (fn->bridge || fn->class >> 16 == PCI_CLASS_BRIDGE)
		return VERDICT_NONE;
	if (!have_vtd) {
		format(buf, size, "no usable VT-d");
		return VERDICT_NO;
	}
	if (is_blocked(fn, buf, size))
		return VERDICT_NO;
	whole = judge_whole(fn, buf, size);
	length = strlen(buf);
	if (sriov_total_vfs(fn))
		vfs = judge_vfs(fn, buf + length, size - length);
	return whole || vfs ? VERDICT_YES : VERDICT_NO;
}
