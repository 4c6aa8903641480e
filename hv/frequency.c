/* This file asks the processor for performance (Intel SDM 3B 14.1, 14.4). */
#include "hv/frequency.h"
#include "hv/asm.h"
#include "hv/log.h"
#include "hv/x86.h"

#define LEAF1_ECX_EST BIT(7)
#define LEAF1_ECX_HYPERVISOR BIT(31)
#define LEAF6_EAX_HWP BIT(7)
#define LEAF6_EAX_HWP_EPP BIT(10)

/* IA32_HWP_CAPABILITIES, IA32_HWP_REQUEST (14.4.3, 14.4.4) */
#define HWP_HIGHEST(cap) ((cap) & 0xff)
#define HWP_LOWEST(cap) ((cap) >> 24 & 0xff)
#define HWP_BALANCED (0x80UL << 24)

/* Once for a package, and kept until a reset; the request is each CPU's. */
static void set_hwp(bool preference, bool log)
{
	u64 cap;

	wrmsr(MSR_PM_ENABLE, 1);
	cap = rdmsr(MSR_HWP_CAPABILITIES);
	wrmsr(MSR_HWP_REQUEST, (preference ? HWP_BALANCED : 0) |
				       HWP_HIGHEST(cap) << 8 | HWP_LOWEST(cap));
	if (log)
		hv_log("power: the processor chooses its speed (HWP), %lu to "
		       "%lu\n",
		       HWP_LOWEST(cap), HWP_HIGHEST(cap));
}

/* Every processor with EPT has these MSRs; a hypervisor below may not. */
static void set_p_state(bool log)
{
	u64 ratio = rdmsr(MSR_TURBO_RATIO_LIMIT) & 0xff;

	if (!ratio)
		ratio = rdmsr(MSR_PLATFORM_INFO) >> 8 & 0xff;
	wrmsr(MSR_PERF_CTL, ratio << 8);
	if (log)
		hv_log("power: P-state %lu (IA32_PERF_CTL), the highest\n",
		       ratio);
}

void frequency_set(bool log)
{
	u32 ecx = cpuid(1, 0).ecx;
	u32 eax = cpuid(0, 0).eax >= 6 ? cpuid(6, 0).eax : 0;

	if (eax & LEAF6_EAX_HWP)
		set_hwp(eax & LEAF6_EAX_HWP_EPP, log);
	else if (ecx & LEAF1_ECX_EST && !(ecx & LEAF1_ECX_HYPERVISOR))
		set_p_state(log);
	else if (log)
		hv_log("power: the processor's speed is as firmware left it\n");
}
