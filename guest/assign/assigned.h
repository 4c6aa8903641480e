/* One function of the guest's, as guest/assign*.c share it. */
#ifndef GUEST_ASSIGN_ASSIGNED_H
#define GUEST_ASSIGN_ASSIGNED_H

#include "drivers/pf.h"
#include "guest/vmsi.h"
#include "guest/vmsix.h"
#include "guest/vpci.h"
#include "hv/machine/config.h"
#include "hv/vmx/trap.h"

/* The largest MSI-X table (PCIe 7.7.2: 2048 entries) that is not aligned, and
 * a mailbox, or other BARs of less than a page */
#define ASSIGNED_TRAPPED_MAX 14

struct assigned;

/* A page of a BAR whose accesses exit; or whose writes do, if it is readable.
 */
struct trapped_page {
	struct assigned *owner;
	u8 bar;
	u32 offset;
	bool readable;
	enum stat_cause cause;
};

struct assigned {
	const struct assign *what;
	struct pci_function *pf; /* of VF number @vf; NULL: a whole function */
	u16 vf;
	struct pci_function *fn;	   /* of a VF: NULL until enabled */
	const struct pf_driver *pf_driver; /* of a VF */
	struct msi msi;			   /* cap 0: it has none */
	struct msix msix;		   /* same */
	int msi_irte;
	int irte[MSIX_MAX_VECTORS];
	struct vpci_function vpci;
	struct trapped_page trapped[ASSIGNED_TRAPPED_MAX];
	unsigned int trapped_count;
	struct vtd_domain *domain; /* that it is attached to */
	unsigned int away;	   /* looks that found all ones */
	bool no_room_said;	   /* for one of its BARs */
	bool stopped;
	bool pf_lost; /* pf_lose() was called */
};

/* Let the PF driver answer what a VF has just asked for.  -ENODEV: the PF is
 * gone. */
int assigned_service(const struct assigned *a);

/*
 * guest/assign/stop.c: end @a's DMA and interrupts, and reset it: bus mastering
 * off, VT-d closed and flushed, queues stopped by the PF, function-level reset,
 * IRTEs freed.  Bounded, also if it does not answer; says how it went.  Once.
 * The caller holds the trap lock, or no guest CPU runs.
 */
void assigned_stop(struct assigned *a);

/* @a is of no use any more, for the reason @why: the guest finds all ones where
 * it was, until it ends; then assigned_stop(), and pf_lose() if the PF is gone.
 * Under the trap lock. */
void assigned_lose(struct assigned *a, const char *why);

/* Look whether @a and its PF are there; assigned_lose() if not, and pf_lose()
 * if the PF goes after @a.  Under the trap lock. */
void assigned_check(struct assigned *a);

/* Function-level reset, if weaken= lets it.  Errors as pci_flr(). */
int assigned_flr(const struct assigned *a);

/*
 * guest/assign/whole.c: @a, which is no VF, must have interrupts that can be
 * forwarded and BARs that are its own; before anything is mapped for any of the
 * guest's functions, as BARs may share pages.  -EOPNOTSUPP: said in the log.
 */
int assigned_check_whole(const struct assigned *a);

/* Make it ready for the guest: mapped and reset.  Errors as host_map_device()
 * and pci_reset(). */
int assigned_make_whole_ready(struct assigned *a);

/* Why @fn cannot be the guest's as a whole, in words; NULL: it can. */
const char *assigned_whole_refusal(const struct pci_function *fn);

/* Reset it again when the guest is gone.  Errors as pci_reset(). */
int assigned_reset_whole(struct assigned *a);

/* guest/assign/assign.c: true if the guest has all of @fn, by assign=. */
bool assigned_whole(const struct pci_function *fn);

/* Map the memory BARs of @fn for the hypervisor.  -ENOMEM. */
int assigned_map_for_host(const struct pci_function *fn);

/*
 * guest/assign/irq.c: read @a's MSI and MSI-X capabilities, and allocate an
 * interrupt remapping entry for each vector.  Errors as msi_init(), msix_init()
 * and vtd_irte_alloc(), logged; it is none to have neither.
 */
int assigned_init_interrupts(struct assigned *a);
void assigned_free_interrupts(struct assigned *a);

/* guest/assign/bars.c: note which pages are not given to the guest.  -ENOSPC:
 * too many, logged. */
int assigned_find_trapped_pages(struct assigned *a);

/* guest/assign/ports.c: take its I/O BARs from @fn, in the log, if not all of
 * their ports are led to it, and to nothing else. */
void assigned_check_ports(struct pci_function *fn);

/* As assigned_map_bar(), of an I/O BAR. */
int assigned_map_ports(struct vpci_function *v, unsigned int bar, u64 address);

/* vpci_backend's map_bar: inside the guest's PCI window, or its ports, and not
 * over another BAR; else -EINVAL or -EEXIST, and nothing has changed; the same
 * with -ENOSPC, logged once a function: too many ranges of the guest's are
 * mapped or trapped; -ENOMEM. */
int assigned_map_bar(struct vpci_function *v, unsigned int bar, u64 address);

#endif
