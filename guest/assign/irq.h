/*
 * Interrupts of the guest's functions: the message that the guest wrote becomes
 * an interrupt remapping entry, and the function sends a message that names
 * that entry (VT-d 5.1.2).
 */
#ifndef GUEST_ASSIGN_IRQ_H
#define GUEST_ASSIGN_IRQ_H

#include "guest/assign/assigned.h"

/*
 * guest/assign/irq.c: read @a's MSI and MSI-X capabilities, and allocate an
 * interrupt remapping entry for each vector.  Errors as msi_init(), msix_init()
 * and vtd_irte_alloc(), logged; it is none to have neither.
 */
int assigned_init_interrupts(struct assigned *a);

void assigned_free_interrupts(struct assigned *a);

#endif
