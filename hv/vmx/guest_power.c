/*
 * This file decides whether the guest has power management: HWP and MWAIT.
 * Both are without exits, and its processors are its own.  An NMI, INIT or SIPI
 * gets through MWAIT as through HLT (Intel SDM 3A 8.10.2).
 */
#include "hv/vmx/guest_power.h"
#include "hv/log.h"
#include "hv/x86.h"

#define LEAF1_ECX_MONITOR BIT(3)
#define LEAF1_ECX_HYPERVISOR BIT(31)
/* Timer runs in every idle state; HWP, activity window, energy preference: not
 * what is about interrupts or the package */
#define LEAF6_EAX_ARAT BIT(2)
#define LEAF6_EAX_HWP BIT(7)
#define LEAF6_EAX_HWP_SHOWN (BIT(7) | BIT(9) | BIT(10))
/* IA32_APERF and IA32_MPERF */
#define LEAF6_ECX_COUNTERS BIT(0)

struct guest_power guest_power;

void guest_power_init(bool wanted)
{
	u32 ecx = cpuid(1, 0).ecx;
	u32 eax = cpuid(0, 0).eax >= 6 ? cpuid(6, 0).eax : 0;

	/* A hypervisor below would exit for MWAIT, and may lack the MSRs */
	guest_power.mwait = wanted && ecx & LEAF1_ECX_MONITOR &&
			    !(ecx & LEAF1_ECX_HYPERVISOR);
	guest_power.hwp = wanted && eax & LEAF6_EAX_HWP;
	hv_log("power: the guest has %s and %s\n",
	       guest_power.mwait ? "MWAIT" : "HLT",
	       guest_power.hwp ? "HWP" : "no P-states");
}

struct cpuid_regs guest_power_leaf_6(struct cpuid_regs r)
{
	struct cpuid_regs shown = {0};

	/* With HLT alone the timer always runs */
	shown.eax = guest_power.mwait ? r.eax & LEAF6_EAX_ARAT : LEAF6_EAX_ARAT;
	if (guest_power.hwp)
		shown.eax |= r.eax & LEAF6_EAX_HWP_SHOWN;
	if (guest_power.mwait)
		shown.ecx = r.ecx & LEAF6_ECX_COUNTERS;
	return shown;
}
