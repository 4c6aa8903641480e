/* Functions of the guest: from the configuration's assign= to a device on the
 * guest's bus, and back again when the guest is gone. */
#ifndef GUEST_ASSIGN_H
#define GUEST_ASSIGN_H

#include "boot/config.h"
#include "guest/vpci.h"

/*
 * Find the function that @what names, make it ready (PF driver, SR-IOV,
 * function-level reset), and put it on @bus.  It cannot do DMA yet.  Errors are
 * logged in words: -ENODEV: no such function; -EOPNOTSUPP: it cannot be
 * assigned; others from the steps.
 */
int assign_prepare(const struct assign *what, struct vpci_bus *bus);

/* Open VT-d for all that assign_prepare() made ready: DMA into guest.map.
 * Errors as vtd_domain_init() and vtd_attach(). */
int assign_attach(void);

/* Stop the guest's functions: bus mastering off, queues stopped, reset, VT-d
 * closed.  Before anything of the guest's memory is used again. */
void assign_stop(void);

#endif
