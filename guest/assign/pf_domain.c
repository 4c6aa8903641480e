/* This file gives each PF that does DMA of its own a VT-d domain of its own. */
#include "guest/assign/pf_domain.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/sriov.h"
#include "hv/alloc.h"
#include "hv/log.h"
#include "vtd/context.h"
#include "vtd/reserved.h"
#include "vtd/second_level.h"

#define FIRST_DOMAIN_ID 0x10 /* the guest's is 1 */

/* Where the pages lie for the PF: not where they lie for the hypervisor, so
 * that nothing works without translation. */
#define DMA_ADDRESS MIB

/* What one PF may reach; one page. */
struct pf_domain {
	struct pci_function *pf;
	const struct pf_driver *driver;
	struct memory_map map;
	struct vtd_domain domain;
	struct pf_dma dma;
	bool closed;
};
_Static_assert(sizeof(struct pf_domain) <= PAGE_SIZE, "one page");

static struct pf_domain *domains[PF_DOMAINS_MAX];
static unsigned int domain_count;
static unsigned int kept; /* whose PF could not be detached: IDs are taken */

static int build(struct pf_domain *d, struct pci_function *pf,
		 const struct pf_driver *driver)
{
	int err;

	d->pf = pf;
	d->driver = driver;
	d->dma.address = DMA_ADDRESS;
	d->dma.pages = page_alloc(driver->dma_pages, PAGES_DEVICE);
	if (!d->dma.pages)
		return -ENOMEM;
	err = memory_map_add(&d->map, DMA_ADDRESS, (hpa_t)d->dma.pages,
			     driver->dma_pages * PAGE_SIZE, REGION_RAM);
	if (!err)
		err = vtd_domain_init(&d->domain,
				      FIRST_DOMAIN_ID + domain_count + kept,
				      &d->map);
	if (err)
		return err;
	err = vtd_attach(&d->domain, pf);
	if (err && !vtd_in_use(&d->domain))
		pt_destroy(&d->domain.table);
	return err;
}

static void give_back(struct pf_domain *d)
{
	if (vtd_in_use(&d->domain)) {
		hv_log("%s: " PCI_FMT ": its memory is given to nobody else\n",
		       d->driver->name, PCI_ARG(d->pf->addr));
		kept++;
		return;
	}
	if (d->dma.pages)
		page_free(d->dma.pages, d->driver->dma_pages, PAGES_DEVICE);
	page_free(d, 1, PAGES_DEVICE);
}

/* A domain with memory for @pf, and @pf attached to it; NULL if that cannot
 * be. */
static struct pf_domain *open_domain(struct pci_function *pf,
				     const struct pf_driver *driver, int *err)
{
	bool full = domain_count == PF_DOMAINS_MAX;
	struct pf_domain *d = full ? NULL : page_alloc(1, PAGES_DEVICE);

	*err = full ? -ENOSPC : -ENOMEM;
	if (d)
		*err = build(d, pf, driver);
	if (!*err) {
		domains[domain_count++] = d;
		hv_log("%s: " PCI_FMT ": reaches its %u KiB of queues and "
		       "nothing else\n",
		       driver->name, PCI_ARG(pf->addr), driver->dma_pages * 4);
		return d;
	}
	hv_log("%s: " PCI_FMT ": no DMA domain for it (%d)\n", driver->name,
	       PCI_ARG(pf->addr), *err);
	if (d)
		give_back(d);
	return NULL;
}

static struct pf_domain *find_domain(const struct pci_function *pf)
{
	for (unsigned int i = 0; i < domain_count; i++)
		if (domains[i]->pf == pf)
			return domains[i];
	return NULL;
}

int pf_start(struct pci_function *pf, const struct pf_driver *driver, u16 count)
{
	static const struct pf_dma none;
	struct pf_domain *d;
	int err = sriov_number_buses(pf, count, vtd_kept);

	if (err)
		return err;
	if (!driver->dma_pages) {
		pci_enable_path(pf);
		return driver->start(pf, count, &none);
	}
	/* The domain of a start that failed serves the next one. */
	d = find_domain(pf);
	if (!d)
		d = open_domain(pf, driver, &err);
	if (err)
		return err;
	pci_enable_path(pf);
	return driver->start(pf, count, &d->dma);
}

int pf_check_vf(struct pci_function *vf, const struct pf_driver *driver,
		bool restrain)
{
	struct pf_domain *d = find_domain(vf->pf);
	int detached, err;

	if (!driver->check_vf)
		return 0;
	if (!d)
		return -ENODEV;
	err = vtd_attach(&d->domain, vf);
	if (err)
		return err;
	pci_write16(vf, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	err = driver->check_vf(vf, restrain);
	pci_write16(vf, PCI_COMMAND, PCI_COMMAND_MEMORY);
	detached = vtd_detach(&d->domain, vf);
	return detached ? detached : err;
}

void pf_lose(struct pci_function *pf)
{
	struct pf_domain *d = find_domain(pf);

	pci_write16(pf, PCI_COMMAND,
		    pci_read16(pf, PCI_COMMAND) & (u16)~PCI_COMMAND_MASTER);
	if (!d || d->closed)
		return;
	d->closed = !vtd_detach(&d->domain, pf);
	hv_log("%s: " PCI_FMT ": lost, %s\n", d->driver->name,
	       PCI_ARG(pf->addr),
	       d->closed ? "its DMA is blocked"
			 : "and NOT detached: its DMA may still pass");
}

void pf_stop_all(void)
{
	for (unsigned int i = 0; i < domain_count; i++) {
		struct pf_domain *d = domains[i];

		if (d->closed)
			continue;
		d->driver->stop(d->pf);
		hv_log("%s: " PCI_FMT ": stopped%s\n", d->driver->name,
		       PCI_ARG(d->pf->addr),
		       vtd_detach(&d->domain, d->pf)
			       ? "; NOT detached: its DMA may still pass"
			       : "");
	}
}
