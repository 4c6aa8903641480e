/* The one guest: what all its vCPUs share. */
#ifndef HV_VMX_GUEST_H
#define HV_VMX_GUEST_H

#include "guest/vpower.h"
#include "hv/cpu.h"
#include "hv/memory_map.h"
#include "hv/paging.h"

struct guest {
	struct memory_map map;
	struct page_table ept;
	u64 eptp;	    /* EPT pointer (Intel SDM 3C 24.6.11) */
	u32 ept_generation; /* grows when mappings were taken away */
	unsigned int vcpus; /* CPU 0 to vcpus-1 have one */
	enum guest_end end; /* how it ended */
	char end_reason[96];
};

extern struct guest guest;

/* True if a vCPU has this APIC ID. */
bool guest_has_apic_id(u32 apic_id);

/*
 * Send an interrupt, as the ICR's low half says it, to those of the guest's
 * processors that @destination names; to no other.
 */
void guest_send_ipi(u32 destination, u32 icr_low);

/* EPT from guest.map, whole.  -ENOMEM. */
int ept_init(void);

/* Bring EPT in line after a region was added to the map, or removed from it;
 * removal waits until no vCPU can use the old mapping. */
int ept_add(const struct region *region);
void ept_remove(gpa_t gpa, u64 size);

/* Flush what this CPU has cached of EPT (28.3.3.3). */
void ept_invalidate(void);

/*
 * The guest asked for its end, or did what cannot go on.  Notes the first
 * reason and asks every vCPU to stop; returns, and the caller's CPU stops
 * before its next VM entry.
 */
void guest_end(enum guest_end how, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Ask every vCPU but this CPU's to stop; does not wait. */
void guest_stop_others(void);

/* Wait until they have stopped, and ask again; a bounded time. */
void guest_wait_stopped(void);

/*
 * What to do when an NMI came that no CPU sent: true if it was the
 * hypervisor's own (a VT-d fault, console input).  Set by hv/machine/build.c.
 */
extern bool (*guest_platform_nmi)(void);

/* Work that is left over from an NMI, before each VM entry; quick where there
 * is none. */
extern void (*guest_before_entry)(void);

/* After all vCPUs have stopped, on CPU 0: counters, device, power. */
extern void (*guest_after_end)(void);

#endif
