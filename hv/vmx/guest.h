/* The one guest: what all its vCPUs share. */
#ifndef HV_VMX_GUEST_H
#define HV_VMX_GUEST_H

#include "hv/memory_map.h"
#include "hv/paging.h"

enum guest_end { GUEST_RUNS, GUEST_POWEROFF, GUEST_REBOOT, GUEST_CRASH };

struct guest {
	struct memory_map map;
	struct page_table ept;
	u64 eptp;	    /* EPT pointer (Intel SDM 3C 24.6.11) */
	u32 ept_generation; /* grows when mappings were taken away */
	enum guest_end end; /* how it ended */
	char end_reason[96];
};

extern struct guest guest;

/* What the machine does at events of the guest. */
struct guest_events {
	/* An NMI came that no CPU sent: true if it was the hypervisor's own, of
	 * a VT-d fault. */
	bool (*nmi)(void);
	/* Before each VM entry: work that is left over; quick where there is
	 * none. */
	void (*before_entry)(void);
	/* After all vCPUs have stopped, on CPU 0, or on another one if that
	 * does not come: counters, device, power.  Does not come back. */
	void (*after_end)(void) __attribute__((noreturn));
};

/* Set before the first vCPU runs. */
extern const struct guest_events *guest_events;

/* True if a vCPU has this APIC ID. */
bool guest_has_apic_id(u32 apic_id);

/*
 * Send an interrupt, as the ICR's low half says it, to those of the guest's
 * processors that @destination names; to no other.
 */
void guest_send_ipi(u32 destination, u32 icr_low);

/*
 * The guest asked for its end, or did what cannot go on.  Notes the first
 * reason and asks every vCPU to stop; returns, and the caller's CPU stops
 * before its next VM entry.
 */
void guest_end(enum guest_end how, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
