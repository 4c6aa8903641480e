/* This file has what every step with one of the guest's functions needs. */
#include "guest/assign/assigned.h"
#include "drivers/pci/pci_room.h"
#include "hv/host_paging.h"
#include "hv/log.h"

int assigned_service(const struct assigned *a)
{
	return a->pf_driver ? a->pf_driver->service(a->pf) : 0;
}

int assigned_map_for_host(const struct pci_function *fn)
{
	char reason[ASSIGNED_REASON_SIZE];
	int err = 0;

	if (pci_bars_refused(fn, reason, sizeof(reason))) {
		hv_log("assign: " PCI_FMT " (%04x:%04x): %s\n",
		       PCI_ARG(fn->addr), fn->vendor, fn->device, reason);
		return -EOPNOTSUPP;
	}
	for (unsigned int i = 0; !err && i < PCI_BARS; i++)
		if (fn->bar[i].size && !fn->bar[i].io)
			err = host_map_device(fn->bar[i].base, fn->bar[i].size);
	return err;
}
