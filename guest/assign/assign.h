/* Functions of the guest: from the configuration's assign= to a device on the
 * guest's bus, and back again when the guest is gone. */
#ifndef GUEST_ASSIGN_ASSIGN_H
#define GUEST_ASSIGN_ASSIGN_H

#include "guest/assign/request.h"
#include "guest/vpci_bus.h"

/*
 * Find the functions of @count requests (at most ASSIGN_MAX), make them ready
 * (PF driver, SR-IOV, function-level reset), and put them on @bus in the order
 * of the list. They cannot do DMA yet.  Errors are logged in words: -ENODEV: no
 * such function; -EINVAL: named twice; -EOPNOTSUPP: it cannot be assigned;
 * -EPERM: its driver can command what reaches beyond it, and not @allow_unsafe;
 * others from the steps.
 */
int assign_prepare(const struct assign_request *request, unsigned int count,
		   bool allow_unsafe, struct vpci_bus *bus);

/* After assign_prepare(): the guest's PCI window above 4 GiB; 0, 0: none. */
void assign_high_window(u64 *start, u64 *end);

/* May all that assign_prepare() made ready go to one guest?  @strict: as
 * groups_check() (drivers/pci/groups.h); else other members of their groups may
 * stay behind, held, and lose what they decode where nobody drives them. */
int assign_check_groups(bool strict, bool allow_unsafe);

/* After ept_init(): what EPT needs to follow BARs that the guest moves is set
 * aside.  False: there is not that much memory. */
bool assign_reserve_tables(void);

/* Open VT-d for all that assign_prepare() made ready: DMA into guest.map.
 * Errors as vtd_domain_init() and vtd_attach(). */
int assign_attach(void);

/* Stop the guest's functions that are not stopped yet: bus mastering off, VT-d
 * closed, queues stopped, reset.  Before anything of the guest's memory is used
 * again. */
void assign_stop(void);

#endif
