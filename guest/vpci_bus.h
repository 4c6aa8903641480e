/* The guest's PCI bus 0. */
#ifndef GUEST_VPCI_BUS_H
#define GUEST_VPCI_BUS_H

#include "guest/vpci.h"

#define VPCI_MAX_FUNCTIONS 8

/* Bus 0: its functions, and at 00.0 a host bridge with nothing behind it. */
struct vpci_bus {
	struct vpci_function *function[VPCI_MAX_FUNCTIONS];
	unsigned int count;
	u32 address; /* CONFIG_ADDRESS */
};

/*
 * trap_fn over GUEST_PCI_PORT, 8 ports; @ctx is a struct vpci_bus.  Mechanism
 * #1 (PCI 3.0 3.2.2.3.2), by which Linux probes the bus before it has read the
 * MCFG table.
 */
void vpci_ports_access(void *ctx, u64 offset, unsigned int size, bool write,
		       u64 *value);

/* trap_fn over GUEST_ECAM; @ctx is a struct vpci_bus. */
void vpci_access(void *ctx, u64 offset, unsigned int size, bool write,
		 u64 *value);

#endif
