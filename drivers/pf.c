/* This file lists the physical functions that Gangway can drive. */
#include "drivers/pf.h"
#include "drivers/igb.h"
#include "drivers/nvme_pf.h"

static const struct pf_driver *const drivers[] = {
	&igb_pf_driver,
	&nvme_pf_driver,
};

static bool is_for(const struct pf_driver *d, const struct pci_function *pf)
{
	if (!d->vendor)
		return d->class == pf->class;
	for (unsigned int i = 0; i < PF_DEVICES_MAX && d->device[i]; i++)
		if (d->vendor == pf->vendor && d->device[i] == pf->device)
			return true;
	return false;
}

const struct pf_driver *pf_driver_for(const struct pci_function *pf)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(drivers); i++)
		if (is_for(drivers[i], pf))
			return drivers[i];
	return NULL;
}
