/* The guest's IOAPIC (82093AA): 24 pins for the virtual devices, which are all
 * edge-triggered.  Interrupts reach the guest's local APIC as IPIs. */
#ifndef GUEST_VIOAPIC_H
#define GUEST_VIOAPIC_H

#include "hv/guest_layout.h"
#include "hv/types.h"

/* How an interrupt leaves: guest_send_ipi() in the hypervisor. */
typedef void vioapic_send_fn(u32 destination, u32 icr_low);

struct vioapic {
	u8 select;
	u8 id;			    /* 4 bits */
	bool refused;		    /* a refused interrupt was logged */
	u64 pin[GUEST_IOAPIC_PINS]; /* redirection entries */
	vioapic_send_fn *send;
	/* If set: the guest changed the redirection entry of @pin. */
	void (*changed)(unsigned int pin, u64 rte);
};

/* Where a redirection entry sends its interrupt. */
struct vioapic_route {
	u8 vector, destination;
	bool logical, lowest_priority;
};

/* False if @rte is masked, or asks for what is refused (vioapic_raise()). */
bool vioapic_route(u64 rte, struct vioapic_route *route);

void vioapic_reset(struct vioapic *v, u8 id, vioapic_send_fn *send);

/*
 * A rising edge at @pin.  Dropped if masked (as for edge pins, 3.2.4) or if
 * there is no such pin.  Only vectors from 16 on with delivery mode fixed or
 * lowest priority are sent; a pin that asks for anything else (SMI, NMI, INIT,
 * ExtINT) is refused, and the first such is logged.  The trigger mode makes no
 * difference: remote IRR stays 0, and no EOI is waited for.
 *
 * Runs in a handler or under trap_lock().
 */
void vioapic_raise(struct vioapic *v, unsigned int pin);

/* trap_fn over GUEST_IOAPIC, 4 KiB */
void vioapic_access(void *ctx, u64 offset, unsigned int size, bool write,
		    u64 *value);

#endif
