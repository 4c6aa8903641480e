/* What the guest may do about its processors' speed and idle states. */
#ifndef HV_VMX_GUEST_POWER_H
#define HV_VMX_GUEST_POWER_H

#include "hv/asm.h"

struct guest_power {
	/* MONITOR and MWAIT, and MSRs that go with them on real processors */
	bool mwait;
	/* Hardware-controlled P-states */
	bool hwp;
};

extern struct guest_power guest_power;

/* Decide it; @wanted: by configuration.  Before the first VMX control is. */
void guest_power_init(bool wanted);

/* CPUID leaf 6 for the guest, of the processor's own @r. */
struct cpuid_regs guest_power_leaf_6(struct cpuid_regs r);

#endif
