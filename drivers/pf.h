/*
 * Physical-function drivers: what Gangway must do to a PF so that an
 * unmodified guest can drive one of its VFs.  One file a device family.
 */
#ifndef DRIVERS_PF_H
#define DRIVERS_PF_H

#include "drivers/pci.h"

/* A page of a VF's BAR that the hypervisor mediates: accesses are forwarded
 * to the device, then the PF driver's service() runs. */
struct pf_trapped_page {
	u8 bar;
	u32 offset; /* multiple of 4 KiB */
};

/* Calls for one PF must not overlap: the caller holds the trap lock, or no
 * guest runs. */
struct pf_driver {
	const char *name; /* "igb" */
	u16 vendor, device;

	/* Reset and configure @pf so that VF 0..count-1 can work; called before
	 * sriov_enable().  -ERANGE: not that many;
	 * -ETIMEDOUT, -EIO; all logged. */
	int (*start)(struct pci_function *pf, u16 count);

	/* Called after sriov_enable(): per-VF state (pools, MAC addresses). */
	int (*enable_vf)(struct pci_function *vf);

	/* Answer what VFs asked of the PF (mailbox, VF reset).  Runs in the
	 * exit of a guest CPU, bounded, never waits for the guest. */
	void (*service)(struct pci_function *pf);

	/* Stop @vf's queues and interrupts and take its filters away, so that
	 * nothing of one guest is left for the next.  The VF works again after
	 * its next driver reset it through the mailbox. */
	void (*stop_vf)(struct pci_function *vf);

	/* One line of the VF's identity for the log ("MAC 52:54:..."). */
	void (*describe_vf)(struct pci_function *vf, char *buf, size_t size);

	const struct pf_trapped_page *trapped;
	unsigned int trapped_count;
};

extern const struct pf_driver igb_pf_driver;

/* The driver for @pf, or NULL. */
const struct pf_driver *pf_driver_for(const struct pci_function *pf);

#endif
