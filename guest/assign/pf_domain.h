/* Physical functions that do DMA of their own: each in a VT-d domain that holds
 * its queues and nothing else. */
#ifndef GUEST_ASSIGN_PF_DOMAIN_H
#define GUEST_ASSIGN_PF_DOMAIN_H

#include "drivers/pf.h"

/* More PFs that do DMA of their own than have VFs of one guest */
#define PF_DOMAINS_MAX 4
/* Its structure, the pages that the device reaches, and a table a level */
#define PF_DOMAIN_PAGES(dma_pages) (1 + (dma_pages) + 4)

/*
 * Start @pf, whose registers are mapped, with @driver for VF 0..count-1, with
 * the domain that the driver asks for.  -ENOSPC: more PFs than there are
 * domains; -ENOMEM; errors of VT-d and of the driver.  Logged.
 */
int pf_start(struct pci_function *pf, const struct pf_driver *driver,
	     u16 count);

/*
 * check_vf() of @vf's driver, with @vf meanwhile in the domain of its PF, which
 * was started.  Errors as that, or of VT-d: if @vf cannot be detached its DMA
 * may still reach the PF's pages.  0 without a check_vf(); -ENODEV: the PF has
 * no domain.
 */
int pf_check_vf(struct pci_function *vf, const struct pf_driver *driver,
		bool restrain);

/* @pf does not answer any more: bus mastering off, in case it can still be
 * told, and its domain closed, if it has one.  After its VFs were stopped; may
 * come again. */
void pf_lose(struct pci_function *pf);

/* Stop the PFs that do DMA and are not lost, and close their domains.  After
 * their VFs were stopped. */
void pf_stop_all(void);

#endif
