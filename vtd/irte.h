/* Interrupt remapping table entries (VT-d 9.10). */
#ifndef VTD_IRTE_H
#define VTD_IRTE_H

#include "drivers/pci/pci.h"

/* Where an interrupt goes (VT-d 9.10) */
struct vtd_interrupt {
	u32 destination; /* APIC ID */
	u8 vector;
	u8 delivery_mode; /* 0 fixed, 1 lowest priority, 4 NMI */
	bool logical;	  /* destination mode */
	bool level;	  /* trigger mode */
	bool redirection_hint;
};

/* The words of an entry that delivers @interrupt, present; @eim: with a 32-bit
 * destination.  -EINVAL if the destination has more bits than fit. */
int vtd_irte_encode(const struct vtd_interrupt *interrupt, bool eim, u64 *low);

/* The high word: only requests of @sid may use the entry. */
u64 vtd_irte_source(u16 sid);

/*
 * An interrupt remapping table entry for @fn, source-validated to its
 * requester ID, not present yet.  Returns its index, opaque outside of vtd/
 * (unit number << 16 | entry there); -ENOSPC or -ENODEV.
 */
int vtd_irte_alloc(const struct pci_function *fn);

/* Same for the interrupts of the IOAPIC with @ioapic_id. */
int vtd_irte_alloc_ioapic(u8 ioapic_id);

/* Point entry @index to @interrupt, or make it not present (NULL); invalidates
 * the interrupt entry cache.  -EINVAL: no such entry, or a destination above
 * 255 where the unit has no x2APIC mode; -EIO, -ETIMEDOUT. */
int vtd_irte_set(int index, const struct vtd_interrupt *interrupt);

/* Make it not present, and give it back. */
void vtd_irte_free(int index);

/* The remappable-format message for @index (VT-d 5.1.2.2). */
void vtd_message(int index, u64 *address, u32 *data);

#endif
