/* This file decides what the guest may write to the interrupt command
 * register, where that must be looked at. */
#include "hv/vmx/icr.h"
#include "hv/apic.h"

/* Intel SDM 3A 11.12.9, figure 11-28 */
#define ICR_RESERVED 0xfff33000ULL
#define ICR_MODE(icr) ((u32)(icr) & (7u << 8))
#define ICR_DESTINATION(icr) ((u32)((icr) >> 32))
#define ICR_SHORTHAND(icr) ((icr) >> 18 & 3)
#define EVERYBODY 0xffffffffu

enum { NO_SHORTHAND, SELF, ALL, OTHERS };

bool icr_exits;

enum icr_verdict icr_check(u64 icr)
{
	if (icr & ICR_RESERVED)
		return ICR_FAULTS;
	switch (ICR_MODE(icr)) {
	case ICR_FIXED:
	case ICR_NMI:
		return ICR_GOES;
	case ICR_INIT:
	case ICR_STARTUP: /* not to itself (table 11-4) */
		return ICR_SHORTHAND(icr) == SELF || ICR_SHORTHAND(icr) == ALL
			       ? ICR_DROPPED
			       : ICR_GOES;
	default:
		return ICR_DROPPED;
	}
}

/* 11.12.10.2: the cluster's number, and 16 bits of members */
static bool in_logical(u32 destination, u32 apic_id)
{
	return destination >> 16 == apic_id >> 4 &&
	       destination >> (apic_id & 15) & 1;
}

bool icr_reaches(u64 icr, u32 sender, u32 apic_id)
{
	u32 destination = ICR_DESTINATION(icr);

	switch (ICR_SHORTHAND(icr)) {
	case SELF:
		return apic_id == sender;
	case ALL:
		return true;
	case OTHERS:
		return apic_id != sender;
	}
	if (destination == EVERYBODY)
		return true;
	return icr & ICR_LOGICAL ? in_logical(destination, apic_id)
				 : destination == apic_id;
}
