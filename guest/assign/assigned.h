/* One function of the guest's, as the files of guest/assign/ share it. */
#ifndef GUEST_ASSIGN_ASSIGNED_H
#define GUEST_ASSIGN_ASSIGNED_H

#include "drivers/pf.h"
#include "guest/assign/request.h"
#include "guest/vmsi.h"
#include "guest/vmsix.h"
#include "guest/vpci.h"
#include "hv/stat_abi.h"
#include "vtd/second_level.h"

/* The largest MSI-X table (PCIe 7.7.2: 2048 entries) that is not aligned, and
 * a mailbox, or other BARs of less than a page */
#define ASSIGNED_TRAPPED_MAX 14

/* Bytes of a sentence that says why a function cannot be the guest's */
#define ASSIGNED_REASON_SIZE 280

struct assigned;

/* The guest's windows for BARs */
extern struct vpci_room assigned_room;

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
	const struct assign_request *request;
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
	unsigned int missed_looks; /* one after the other, all ones */
	bool no_room_said;	   /* for one of its BARs */
	bool ignored_said;	   /* a write to one of its registers */
	bool stopped;
	bool pf_lost; /* pf_lose() was called */
};

/* Let the PF driver answer what a VF has just asked for.  -ENODEV: the PF is
 * gone. */
int assigned_service(const struct assigned *a);

/* Map the memory BARs of @fn for the hypervisor; of a large one what holds the
 * MSI-X table.  -EOPNOTSUPP: one of them has
 * no address, or one that is not its alone, logged with the way out; others as
 * host_map_device(). */
int assigned_map_for_host(const struct pci_function *fn);

#endif
