/* What the guest may write to the interrupt command register, where that must
 * be looked at (hv/vmx/msr.c). */
#ifndef HV_VMX_ICR_H
#define HV_VMX_ICR_H

#include "hv/types.h"

/*
 * True if the guest's writes to it exit, set before vcpu_bitmaps_init(): by
 * ipis=checked, or because this machine has, or may have, processors that are
 * not under Gangway.  Whatever such a processor takes, it takes in the host.
 */
extern bool icr_exits;

enum icr_verdict {
	ICR_GOES,    /* to those of the guest's processors that it names */
	ICR_DROPPED, /* SMI, and what no software sends */
	ICR_FAULTS,  /* #GP: reserved bits */
};

enum icr_verdict icr_check(u64 icr);

/* True if @icr, written on the processor with APIC ID @sender, names the one
 * with @apic_id. */
bool icr_reaches(u64 icr, u32 sender, u32 apic_id);

#endif
