/* This file holds the table of the guest's functions, and finds them on the
 * machine. */
#include "guest/assign/table.h"
#include "drivers/pci/sriov.h"
#include "hv/log.h"
#include "vtd/context.h"

struct assigned assigned[ASSIGN_MAX];
unsigned int assigned_count;

static int find_by_ids(const struct assign_request *request, struct assigned *a)
{
	unsigned int count;
	struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++) {
		if (fn[i].pf || fn[i].vendor != request->vendor ||
		    fn[i].device != request->device)
			continue;
		a->pf = &fn[i];
		a->vf = request->vf;
		return 0;
	}
	hv_log("assign: no PCI function %04x:%04x here: check `lspci -nn` and "
	       "the assign= line\n",
	       request->vendor, request->device);
	return -ENODEV;
}

/* A function that is there, or a VF: its PF is the one that SR-IOV numbering
 * leads to. */
static int find_by_address(const struct assign_request *request,
			   struct assigned *a)
{
	unsigned int count;
	struct pci_function *fn = pci_functions(&count);

	a->fn = pci_find(request->addr);
	if (a->fn)
		return 0;
	for (unsigned int i = 0; i < count; i++) {
		if (!sriov_vf_number(&fn[i], request->addr, &a->vf))
			continue;
		a->pf = &fn[i];
		return 0;
	}
	hv_log("assign: " PCI_FMT ": no such function here, nor the VF of "
	       "one: check the assign= line\n",
	       PCI_ARG(request->addr));
	return -ENODEV;
}

/* True if both are the same, or a PF and its VF: Gangway drives that PF. */
static bool conflict(const struct assigned *a, const struct assigned *b)
{
	if (a->pf && b->pf)
		return a->pf == b->pf && a->vf == b->vf;
	return (a->pf ? a->pf : a->fn) == (b->pf ? b->pf : b->fn);
}

int assigned_add(const struct assign_request *request)
{
	struct assigned *a = &assigned[assigned_count];
	int err;

	if (assigned_count == ASSIGN_MAX)
		return -ENOSPC;
	a->request = request;
	err = request->kind == ASSIGN_VF ? find_by_ids(request, a)
					 : find_by_address(request, a);
	if (err)
		return err;
	/* Before anything of it is touched; a VF is not there yet */
	if (a->fn && vtd_reserved(a->fn))
		return -EBUSY;
	for (unsigned int i = 0; i < assigned_count; i++) {
		if (!conflict(a, &assigned[i]))
			continue;
		hv_log("assign: entry %u of assign= is in conflict with entry "
		       "%u: the same function, or a PF and its VF\n",
		       assigned_count + 1, i + 1);
		return -EINVAL;
	}
	assigned_count++;
	return 0;
}

bool is_assigned_whole(const struct pci_function *fn)
{
	for (unsigned int i = 0; i < assigned_count; i++)
		if (!assigned[i].pf && assigned[i].fn == fn)
			return true;
	return false;
}
