/* Which physical functions Gangway can drive. */
#include "drivers/pf.h"

static const struct pf_driver *const drivers[] = {
	&igb_pf_driver,
};

const struct pf_driver *pf_driver_for(const struct pci_function *pf)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(drivers); i++)
		if (drivers[i]->vendor == pf->vendor &&
		    drivers[i]->device == pf->device)
			return drivers[i];
	return NULL;
}
