/* What the guest may write to the interrupt command register, where that must
 * be looked at (hv/msr.c). */
#ifndef HV_ICR_H
#define HV_ICR_H

#include "hv/types.h"

/*
 * True if the guest's writes to it exit, set before vcpu_bitmaps_init(): by
 * ipis=checked, or because this machine has, or may have, processors that are
 * not in VMX root operation, which INIT and SIPI would take out of Gangway's
 * hands.
 */
extern bool icr_exits;

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
