/* This file says in words whether a function can be given to a guest, before
 * it is tried. */
#include "guest/assign/verdict.h"
#include "drivers/pci/groups.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_room.h"
#include "drivers/pci/sriov.h"
#include "drivers/pf.h"
#include "guest/assign/whole.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/string.h"
#include "vtd/scope.h"

#define SUBSYSTEM_HP 0x103c
#define SUBSYSTEM_HPE 0x1590

/* What to do about an RMRR depends on who made the machine. */
static const char *rmrr_remedy(const struct pci_function *fn)
{
	u16 maker = pci_read16(fn, PCI_SUBSYSTEM);

	if (maker == SUBSYSTEM_HP || maker == SUBSYSTEM_HPE)
		return "on HPE servers exclude its slot from shared memory "
		       "with HPE's tool conrep (RMRDS_Slot: "
		       "Endpoints_Excluded)";
	return "turn off the firmware's use of it (boot ROM, RAID, remote "
	       "management) in its set-up";
}

/* What stands against @fn and all that it has; false: nothing. */
static bool is_blocked(const struct pci_function *fn, char *buf, size_t size)
{
	const struct pci_function *alias = group_alias(fn);

	if (alias)
		format(buf, size,
		       "its requests carry the ID of " PCI_FMT ": %s",
		       PCI_ARG(alias->addr), group_alias_remedy(alias));
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
	return vtd_rmrr_against(driver->dma_pages ? pf : &vf);
}

/* True if what stays behind of @fn's group can be held: firmware keeps no
 * memory for it. */
static bool can_be_held(const struct pci_function *fn)
{
	unsigned int count;
	const struct pci_function *all = pci_functions(&count);

	for (unsigned int i = 0; !groups_strict && i < count; i++)
		if (&all[i] != fn && groups_together(&all[i], fn) &&
		    !all[i].bridge && vtd_rmrr_of(&all[i]))
			return false;
	return !groups_strict;
}

/* What assign= takes of @pf's VFs, or why there is nothing; false: nothing. */
static bool judge_vfs(const struct pci_function *pf, char *buf, size_t size)
{
	const struct pf_driver *driver = pf_driver_for(pf);
	u16 total = sriov_total_vfs(pf);

	if (!driver) {
		format(buf, size,
		       "its VFs: no, Gangway has no driver for "
		       "this physical function (docs/pf-drivers.md: what "
		       "giving all of it means)");
		return false;
	}
	if (vfs_reserved(pf, driver)) {
		format(buf, size,
		       "its VFs: no, firmware keeps memory for them or for "
		       "the DMA that their physical function needs (RMRR)");
		return false;
	}
	if (!groups_vf_isolated(pf) && !can_be_held(pf)) {
		format(buf, size,
		       "its VFs: in one group with other functions, for a "
		       "port above lacks ACS: use a slot below another port, "
		       "or set allow-unsafe-groups=yes");
		return false;
	}
	/* A preflight asks no device */
	format(buf, size, "VFs: vf:%04x:%04x/0 to /%u%s", pf->vendor,
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
	const struct dmar_rmrr *rmrr = vtd_rmrr_against(fn);
	char others[100], reason[128];
	bool alone;

	if (rmrr) {
		format(buf, size,
		       "firmware keeps memory 0x%lx-0x%lx for it (RMRR): %s",
		       rmrr->base, rmrr->limit, rmrr_remedy(fn));
		return false;
	}
	if (assigned_whole_refused(fn, buf, size))
		return false;
	alone = !groups_others(fn, others, sizeof(others));
	if (!alone && !can_be_held(fn)) {
		groups_reason(fn, reason, sizeof(reason));
		format(buf, size,
		       "only together with %s, %s; or set "
		       "allow-unsafe-groups=yes",
		       others, reason);
		return false;
	}
	format(buf, size, "assign=" PCI_FMT "%s%s%s", PCI_ARG(fn->addr),
	       alone ? "" : " (", alone ? "" : others,
	       alone ? "" : " of its group held)");
	return true;
}

/* Of a PF: the yes, if there is one, before the reason why not. */
static enum verdict judge_pf(const struct pci_function *pf, char *buf,
			     size_t size)
{
	char whole[ASSIGNED_REASON_SIZE], vfs[160];
	bool by_whole = judge_whole(pf, whole, sizeof(whole));
	bool by_vfs = judge_vfs(pf, vfs, sizeof(vfs));

	if (by_vfs && !by_whole)
		format(buf, size, "%s; all of it: no, %s", vfs, whole);
	else
		format(buf, size, "%s; %s", whole, vfs);
	return by_whole || by_vfs ? VERDICT_YES : VERDICT_NO;
}

enum verdict assign_verdict(const struct pci_function *fn, bool have_vtd,
			    char *buf, size_t size)
{
	buf[0] = '\0';
	if (fn->bridge || fn->class >> 16 == PCI_CLASS_BRIDGE)
		return VERDICT_NONE;
	if (!have_vtd) {
		format(buf, size, "no usable VT-d");
		return VERDICT_NO;
	}
	if (is_blocked(fn, buf, size))
		return VERDICT_NO;
	if (sriov_total_vfs(fn))
		return judge_pf(fn, buf, size);
	return judge_whole(fn, buf, size) ? VERDICT_YES : VERDICT_NO;
}

bool assign_choose(struct assign_request *request)
{
	char reason[320];
	unsigned int count;
	const struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++) {
		if (fn[i].class >> 16 != PCI_CLASS_NETWORK ||
		    !sriov_total_vfs(&fn[i]) ||
		    is_blocked(&fn[i], reason, sizeof(reason)) ||
		    !judge_vfs(&fn[i], reason, sizeof(reason)))
			continue;
		*request = (struct assign_request){.kind = ASSIGN_VF,
						   .vendor = fn[i].vendor,
						   .device = fn[i].device};
		return true;
	}
	hv_log("assign: auto: no network card here has VFs that Gangway can "
	       "give, so the guest has no device; what else assign= may name "
	       "stands in the table above\n");
	return false;
}
