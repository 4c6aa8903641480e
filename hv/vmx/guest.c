/* This file is the one guest: how it ends, and where its interrupts go. */
#include "hv/vmx/guest.h"
#include "hv/apic.h"
#include "hv/cpu.h"
#include "hv/cpu_stop.h"
#include "hv/format.h"
#include "hv/vmx/icr.h"

struct guest guest;

const struct guest_events *guest_events;

bool guest_has_apic_id(u32 apic_id)
{
	for (unsigned int i = 0; i < vcpu_count; i++)
		if (cpus[i]->apic_id == apic_id)
			return true;
	return false;
}

void guest_end(enum guest_end how, const char *fmt, ...)
{
	enum guest_end none = GUEST_RUNS;
	va_list ap;

	if (!__atomic_compare_exchange_n(&guest.end, &none, how, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	va_start(ap, fmt);
	format_va(guest.end_reason, sizeof(guest.end_reason), fmt, ap);
	va_end(ap);
	cpu_ask_to_stop(this_cpu());
	cpu_stop_others();
}

/* Of the interrupt command: vector, delivery mode, level, trigger mode */
#define ICR_WHAT 0xc7ffu

/* Each one that is named gets it by its own ID: a broadcast would reach
 * processors that are not the guest's. */
void guest_send_ipi(u32 destination, u32 icr_low)
{
	const struct cpu *sender = this_cpu();
	u64 icr = (u64)destination << 32 | icr_low;
	u32 what = icr_low & ICR_WHAT;

	for (unsigned int i = 0; i < vcpu_count; i++)
		if (icr_reaches(icr, sender->apic_id, cpus[i]->apic_id))
			apic_send_ipi(cpus[i]->apic_id, what);
}
