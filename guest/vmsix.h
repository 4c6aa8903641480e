/*
 * MSI-X (PCIe 7.7.2) of an assigned function: the guest's view of the table
 * is kept here; the real table holds remappable-format messages (VT-d 5.1.2.2)
 * to IRTEs of this function.
 */
#ifndef GUEST_VMSIX_H
#define GUEST_VMSIX_H

#include "drivers/pci/pci.h"

/* How many refused messages of a function are logged */
#define MESSAGES_REFUSED_LOGGED 8

#define MSIX_MAX_VECTORS 64
#define MSIX_ENTRY_SIZE 16

/* One entry as the guest wrote it. */
struct msix_entry {
	u64 address;
	u32 data;
	u32 control; /* bit 0: masked */
};

/* How messages become real: given by the VT-d driver. */
struct msix_backend {
	/* Route vector @index of the table to where the guest's @entry points;
	 * returns the message for the real table.  An entry that cannot be
	 * routed (a destination that is not the guest's, a delivery mode other
	 * than fixed or lowest priority, a vector below 16) is refused with
	 * -EINVAL and the real entry stays masked. */
	int (*route)(void *ctx, unsigned int index,
		     const struct msix_entry *entry, u64 *address, u32 *data);
	void *ctx;
};

struct msix {
	struct pci_function *fn;
	u16 cap;		   /* offset of the capability */
	unsigned int vectors;	   /* that the guest has */
	unsigned int real_vectors; /* the others stay masked */
	u8 table_bar, pba_bar;
	u32 table_offset, pba_offset;
	volatile u8 *table;			   /* the real one */
	struct msix_entry entry[MSIX_MAX_VECTORS]; /* the guest's */
	struct msix_backend backend;
	unsigned int refused; /* entries that could not be routed, ever */
};

/* True if the MSI-X capability of @fn cannot be meant: table or PBA outside its
 * BAR, or one over the other; @buf: why, and what to do.  A VF's BARs count. */
bool msix_refused(const struct pci_function *fn, char *buf, size_t size);

/* Read the capability of @fn and mask every real entry; memory decoding of @fn
 * is on.  The guest has MSIX_MAX_VECTORS at most.  -ENODEV: none; -EINVAL:
 * msix_refused(), logged. */
int msix_init(struct msix *m, struct pci_function *fn,
	      struct msix_backend backend);

/*
 * The guest's access of @size bytes at @offset from the start of the table
 * (within it).  Reads give the guest's values.  Writes of 4 and 8 aligned bytes
 * act; others are ignored, reads of others give all ones (PCIe 7.7.2: behaviour
 * undefined).
 */
u64 msix_table_read(struct msix *m, u32 offset, unsigned int size);
void msix_table_write(struct msix *m, u32 offset, unsigned int size, u64 value);

/* After a reset of the function, with memory decoding on again: the guest's
 * entries masked and zero, the real ones masked. */
void msix_reset(struct msix *m);

#endif
