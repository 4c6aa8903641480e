/*
 * MSI (PCI 3.0 6.8.1) of an assigned function: what the guest wrote is kept
 * here; the real registers hold the remappable-format message of one interrupt
 * remapping entry.  The guest is shown one vector.
 */
#ifndef GUEST_VMSI_H
#define GUEST_VMSI_H

#include "guest/vmsix.h"

struct msi {
	struct pci_function *fn;
	u16 cap;  /* offset of the capability */
	u16 size; /* of the capability */
	bool is64, maskable;
	bool enabled; /* as the guest wrote it */
	bool real;    /* the real one is enabled */
	u64 address;
	u32 data;
	struct msix_backend backend; /* its route() gets index 0 */
	unsigned int refused;	     /* messages that could not be routed */
};

/* Read the capability of @fn and disable it.  -ENODEV: none; -EINVAL: it does
 * not fit into configuration space (logged). */
int msi_init(struct msi *m, struct pci_function *fn,
	     struct msix_backend backend);

/* The guest's access to the doubleword at @reg, from the capability's start; a
 * write changes the bits of @mask.  The pointer to the next capability reads 0.
 */
u32 msi_read(const struct msi *m, u16 reg);
void msi_write(struct msi *m, u16 reg, u32 value, u32 mask);

/* After a reset of the function: as after power-on. */
void msi_reset(struct msi *m);

#endif
