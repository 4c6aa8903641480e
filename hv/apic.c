/* This file drives the local APIC in x2APIC mode (Intel SDM 3A 10.12). */
#include "hv/apic.h"
#include "hv/asm.h"
#include "hv/x86.h"

#define X2APIC_ID 0x802
#define X2APIC_VERSION 0x803
#define X2APIC_ICR 0x830
#define X2APIC_LVT_TIMER 0x832
#define LVT_MASKED BIT(16)
#define LVT_MODE (7 << 8)
#define LVT_SMI (2 << 8)
#define X2APIC_TIMER_INITIAL 0x838
#define X2APIC_TIMER_CURRENT 0x839
#define X2APIC_TIMER_DIVIDE 0x83e
#define DIVIDE_BY_1 0xb

#define CPUID_1_ECX_X2APIC BIT(21)

int apic_enable_x2apic(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_X2APIC))
		return -EOPNOTSUPP;
	/* From disabled to x2APIC leads through xAPIC mode (11.12.5) */
	wrmsr(MSR_APIC_BASE, base | APIC_BASE_EN);
	wrmsr(MSR_APIC_BASE, base | APIC_BASE_EN | APIC_BASE_EXTD);
	return 0;
}

void apic_quiet(void)
{
	/* In the order in which processors got them (11.4.8): timer, LINT0,
	 * LINT1, error, performance counters, thermal, CMCI */
	static const u32 lvt[] = {0x832, 0x835, 0x836, 0x837,
				  0x834, 0x833, 0x82f};
	u64 last = rdmsr(X2APIC_VERSION) >> 16 & 0xff;

	for (unsigned int i = 0; i < ARRAY_SIZE(lvt) && i <= last; i++) {
		u64 entry = rdmsr(lvt[i]);

		/* An SMI is the firmware's way to cool the processor */
		if ((entry & LVT_MODE) != LVT_SMI)
			wrmsr(lvt[i], entry | LVT_MASKED);
	}
}

u32 apic_id(void)
{
	return (u32)rdmsr(X2APIC_ID);
}

void apic_send_ipi(u32 destination, u32 icr_low)
{
	/* WRMSR to the ICR does not serialize: stores come first (11.12.3) */
	__asm__ volatile("mfence; lfence" : : : "memory");
	wrmsr(X2APIC_ICR, (u64)destination << 32 | icr_low);
}

void apic_timer_start(void)
{
	wrmsr(X2APIC_LVT_TIMER, LVT_MASKED);
	wrmsr(X2APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	wrmsr(X2APIC_TIMER_INITIAL, 0xffffffff);
}

u32 apic_timer_elapsed(void)
{
	return 0xffffffff - (u32)rdmsr(X2APIC_TIMER_CURRENT);
}

void apic_timer_stop(void)
{
	wrmsr(X2APIC_TIMER_INITIAL, 0);
}
