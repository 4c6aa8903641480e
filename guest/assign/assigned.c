/* This file has what every step with one of the guest's functions needs. */
#include "guest/assign/assigned.h"
#include "hv/host_paging.h"

int assigned_service(const struct assigned *a)
{
	return a->pf_driver ? a->pf_driver->service(a->pf) : 0;
}

int assigned_map_for_host(const struct pci_function *fn)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < PCI_BARS; i++)
		if (fn->bar[i].size && !fn->bar[i].io)
			err = host_map_device(fn->bar[i].base, fn->bar[i].size);
	return err;
}
