/* One function of the guest's, as guest/assign*.c share it. */
#ifndef GUEST_ASSIGNED_H
#define GUEST_ASSIGNED_H

#include "drivers/msix.h"
#include "drivers/pf.h"
#include "guest/vpci.h"
#include "hv/trap.h"

#define ASSIGNED_TRAPPED_MAX 4

struct assigned;

/* A page of a BAR whose accesses exit. */
struct trapped_page {
	struct assigned *owner;
	u8 bar;
	u32 offset;
	enum stat_cause cause;
};

struct assigned {
	struct pci_function *pf; /* of VF number @vf */
	u16 vf;
	struct pci_function *fn; /* NULL until the VFs are enabled */
	const struct pf_driver *pf_driver;
	struct msix msix;
	int irte[MSIX_MAX_VECTORS];
	struct vpci_function vpci;
	struct trapped_page trapped[ASSIGNED_TRAPPED_MAX];
	unsigned int trapped_count;
};

/* Let the PF driver answer what the VF has just asked for. */
void assigned_service(const struct assigned *a);

/*
 * guest/assign_irq.c: read @a's MSI-X capability, and allocate an interrupt
 * remapping entry for each vector.  Errors as msix_init() and vtd_irte_alloc(),
 * logged.
 */
int assigned_init_interrupts(struct assigned *a);
void assigned_free_interrupts(struct assigned *a);

/* guest/assign_bars.c: note which pages are not given to the guest.  -ENOSPC:
 * too many, logged. */
int assigned_find_trapped_pages(struct assigned *a);

/* vpci_backend's map_bar: inside the guest's PCI window, and not over another
 * BAR; else -EINVAL or -EEXIST, and nothing has changed. */
int assigned_map_bar(struct vpci_function *v, unsigned int bar, u64 address);

#endif
