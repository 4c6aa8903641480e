/*
 * I/O BARs of the guest's functions.  Each access exits and is done for the
 * guest: which ports a guest may use without exits is one list for all of them,
 * and a mistake in it would open the machine's own.
 */
#ifndef GUEST_ASSIGN_PORTS_H
#define GUEST_ASSIGN_PORTS_H

#include "guest/vpci.h"

/* guest/assign/ports.c: take its I/O BARs from @fn, in the log, if not all of
 * their ports are led to it, and to nothing else. */
void assigned_check_ports(struct pci_function *fn);

/* As assigned_map_bar(), of an I/O BAR. */
int assigned_map_ports(struct vpci_function *v, unsigned int bar, u64 address);

#endif
