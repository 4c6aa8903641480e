/* What the guest may write to the interrupt command register, where that must
 * be looked at (hv/msr.c). */
#ifndef HV_ICR_H
#define HV_ICR_H

#include "hv/types.h"

enum icr_verdict {
	ICR_GOES,    /* to the hardware, as it is */
	ICR_DROPPED, /* as where the destination is not there */
	ICR_FAULTS,  /* #GP: reserved bits */
};

/*
 * Fixed interrupts and NMIs go to any processor; INIT and SIPI to one of the
 * guest's by its APIC ID; nothing else goes.  @is_guest says if a processor
 * with this APIC ID is the guest's.
 */
enum icr_verdict icr_check(u64 icr, bool (*is_guest)(u32 apic_id));

#endif
