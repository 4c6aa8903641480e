/*
 * Physical-function drivers: what Gangway must do to a PF so that an
 * unmodified guest can drive one of its VFs.  One file a device family.
 */
#ifndef DRIVERS_PF_H
#define DRIVERS_PF_H

#include "drivers/pci/pci.h"

/* From offset @first of a page to @last */
struct pf_registers {
	u16 first, last;
};

/* A page of a VF's BAR that the hypervisor mediates: writes are forwarded to
 * the device, then the PF driver's service() runs.  Reads go straight to the
 * device, so that drivers which poll it cost no exit, but for where the machine
 * is itself a guest (hv/vmx/below.h). */
struct pf_trapped_page {
	u8 bar;
	u32 offset; /* multiple of 4 KiB */
	/* A write that does not lie in one of these is ignored; NULL: all go */
	const struct pf_registers *writable;
	unsigned int writable_count;
};

/* Memory that a PF reads and writes itself, such as its queues. */
struct pf_dma {
	void *pages; /* zeroed; NULL if the driver wants none */
	u64 address; /* of the same pages, as the PF's requests name it */
};

/* Calls for one PF must not overlap: the caller holds the trap lock, or no
 * guest runs. */
#define PF_DEVICES_MAX 8
struct pf_driver {
	const char *name;	    /* "igb" */
	u16 vendor;		    /* 0: every function of @class instead */
	u16 device[PF_DEVICES_MAX]; /* IDs of the same chip; 0 ends them */
	u32 class;		    /* 24 bits, as struct pci_function's */

	/* Contiguous pages of memory that the PF's own DMA needs; 0: it does
	 * none.  The PF gets a VT-d domain that holds them and nothing else. */
	unsigned int dma_pages;

	/* Reset and configure @pf so that VF 0..count-1 can work; called before
	 * sriov_enable().  @dma is open to @pf until stop().  -ERANGE: not that
	 * many; -EOPNOTSUPP, -ENOSPC: the device lacks something; -ETIMEDOUT,
	 * -EIO; all logged, and the PF then does no DMA. */
	int (*start)(struct pci_function *pf, u16 count,
		     const struct pf_dma *dma);

	/* End @pf's own DMA, after stop_vf() of all its VFs; bounded.  NULL if
	 * it does none. */
	void (*stop)(struct pci_function *pf);

	/* The address that @vf is to have, before enable_vf().  -EINVAL:
	 * another VF has it, logged.  NULL: VFs have none, or keep their own.
	 */
	int (*set_mac)(struct pci_function *vf, const u8 *mac);

	/* Put @vf into VLAN @vlan, 1 to 4094, before enable_vf(): its frames
	 * are tagged and untagged by the device, and it gets no others. */
	void (*set_vlan)(struct pci_function *vf, u16 vlan);

	/* Called after sriov_enable(): per-VF state (pools, MAC addresses,
	 * queues).  What VF capabilities show may depend on it. */
	int (*enable_vf)(struct pci_function *vf);

	/* Ask @vf, enabled and bus master, attached to the PF's domain, what
	 * its driver may command that reaches beyond it, and, if @restrain,
	 * take that from it where the device can.  0: nothing is left; -EPERM:
	 * something is; others: it does not answer; all logged.  @vf does no
	 * DMA afterwards, but has to be reset.  For drivers with dma_pages.
	 * NULL: VFs cannot. */
	int (*check_vf)(struct pci_function *vf, bool restrain);

	/* @vf was reset by FLR: make it ready for its driver again.  Runs in
	 * the exit of a guest CPU, bounded, after service().  NULL if nothing
	 * is to be done; else 0, or an error, logged, and the VF is unusable.
	 */
	int (*after_reset)(struct pci_function *vf);

	/* Answer what VFs asked of the PF (mailbox, VF reset).  Runs in the
	 * exit of a guest CPU, bounded, never waits for the guest.  -ENODEV:
	 * the PF's registers read all ones, it is gone; nothing was done. */
	int (*service)(struct pci_function *pf);

	/* Stop @vf's queues and interrupts and take its filters away, so that
	 * nothing of one guest is left for the next; without delay if the PF is
	 * gone.  The VF works again after its next driver reset it through the
	 * mailbox. */
	void (*stop_vf)(struct pci_function *vf);

	/* One line of the VF's identity for the log ("MAC 52:54:..."). */
	void (*describe_vf)(struct pci_function *vf, char *buf, size_t size);

	const struct pf_trapped_page *trapped;
	unsigned int trapped_count;
};

/* The driver for @pf, or NULL. */
const struct pf_driver *pf_driver_for(const struct pci_function *pf);

#endif
