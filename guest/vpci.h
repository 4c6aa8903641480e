/*
 * An assigned function as the guest sees it: a configuration space that is
 * partly the function's own and partly ours (vpci.c has the list).
 */
#ifndef GUEST_VPCI_H
#define GUEST_VPCI_H

#include "drivers/pci/pci.h"
#include "guest/vmsi.h"
#include "guest/vmsix.h"

struct vpci_bar {
	u64 size;    /* 0: none; bytes of memory, or ports */
	u64 address; /* as the guest programmed it */
	u64 mapped;  /* where it is mapped now; 0: nowhere */
	u32 flags;   /* low 4 bits of the register */
	bool high;   /* in the high window */
};

/* Where the next BAR may go: in the guest's PCI window, and its ports; and the
 * high window, from the first to the last of those that keep their host address
 * (pci_bar_is_high()). */
struct vpci_room {
	u64 memory, ports;
	u64 high_start, high_end; /* both 0: there are none */
};

struct vpci_function;

/* What happens outside when the guest moves things: guest/assign/ */
struct vpci_backend {
	/*
	 * Decoding of @bar is on at @address (0: off now); the guest
	 * chose the address, any multiple of the BAR's size.  A failure leaves
	 * the BAR unmapped, and is tried again at the guest's next write to the
	 * command register or a BAR.  A move is two calls, off and on;
	 * v->bar[bar].mapped is the old place during the call.
	 */
	int (*map_bar)(struct vpci_function *v, unsigned int bar, u64 address);
	/* The guest started a function-level reset: do it, then call
	 * vpci_reset(). */
	void (*reset)(struct vpci_function *v);
};

struct vpci_function {
	struct pci_function *fn;
	u8 devfn;    /* on the guest's bus 0 */
	bool lost;   /* reads all ones */
	u16 command; /* as the guest sees it */
	u16 decodes; /* its bits for memory, and for ports if it has any */
	u16 device_control, device_control2;
	u16 pcie_cap; /* offset of the PCIe capability; 0: none */
	u16 pcie_size;
	u16 msi_cap;
	u16 msix_cap;
	struct vpci_bar bar[PCI_BARS];
	struct msi *msi; /* NULL: none */
	struct msix *msix;
	const struct vpci_backend *backend;
	void *ctx; /* the backend's */
};

/*
 * Fill @v for @fn at @devfn (function 0 of a device): BARs with addresses
 * from @room (advanced; naturally aligned, small ones a page apart), or their
 * own,
 * capabilities PCIe, MSI and MSI-X; everything else reads 0.  @fn->vendor,
 * device and bar[] are what the guest will see.  BARs that nobody can have
 * (malformed, or without an address) are hidden, with a log line.  Decoding of
 * the function is on from here, bus mastering off.  -EINVAL: a bridge, or not
 * function 0; -ENOSPC: the guest's window for BARs, or for ports, is full.
 */
int vpci_init(struct vpci_function *v, struct pci_function *fn, u8 devfn,
	      struct msi *msi, struct msix *msix, struct vpci_room *room,
	      const struct vpci_backend *backend, void *ctx);

/*
 * The function was reset: decoding and bus mastering off, BARs unmapped and 0,
 * controls and MSI-X entries as after power-on.
 */
void vpci_reset(struct vpci_function *v);

/* The function is gone: BARs unmapped; from now on its configuration space
 * reads all ones and takes no write. */
void vpci_lose(struct vpci_function *v);

/* One doubleword of @v's configuration space, at the offset @reg: its value;
 * or the bits of @mask are written. */
u32 vpci_read(struct vpci_function *v, u16 reg);
void vpci_write(struct vpci_function *v, u16 reg, u32 value, u32 mask);

#endif
