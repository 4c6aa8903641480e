/* This file takes processors out of the guest: by NMI, or by SIPI where one
 * waits for that. */
#include "hv/cpu_stop.h"
#include "hv/apic.h"
#include "hv/asm.h"
#include "hv/log.h"
#include "hv/time.h"

/* In a panic a CPU is stopped wherever it is. */
#define PANIC_LIMIT_US 2000000

void cpu_interrupt(struct cpu *cpu)
{
	__atomic_store_n(&cpu->kicked, true, __ATOMIC_SEQ_CST);
	apic_send_ipi(cpu->apic_id, ICR_NMI | ICR_ASSERT);
}

/* A CPU that waits for SIPI takes no NMI (26.7.2): a SIPI gets it out, and it
 * looks at its requests before it takes the SIPI for the guest's. */
void cpu_ask_to_stop(struct cpu *cpu)
{
	__atomic_or_fetch(&cpu->requests, REQUEST_STOP, __ATOMIC_SEQ_CST);
	if (cpu == this_cpu())
		return;
	cpu_interrupt(cpu);
	if (__atomic_load_n(&cpu->state, __ATOMIC_ACQUIRE) == CPU_WAIT_FOR_SIPI)
		apic_send_ipi(cpu->apic_id, ICR_STARTUP | ICR_ASSERT);
}

static bool stopped(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->state, __ATOMIC_ACQUIRE) == CPU_STOPPED;
}

/* Asked again and again: a SIPI or NMI sent while the CPU changed from one
 * state to the other is lost. */
bool cpu_wait_stopped(struct cpu *cpu, u64 limit_us)
{
	if (ask_until(stopped(cpu), cpu_ask_to_stop(cpu), limit_us))
		return true;
	hv_log("gangway: cpu %u does not leave the guest\n", cpu->index);
	return false;
}

void cpu_stop_others(void)
{
	for (unsigned int i = 0; i < vcpu_count; i++)
		if (cpus[i] != this_cpu())
			cpu_ask_to_stop(cpus[i]);
}

void cpu_park(void)
{
	struct cpu *cpu = this_cpu();

	cpu->vmcs_loaded = false;
	__atomic_store_n(&cpu->state, CPU_STOPPED, __ATOMIC_RELEASE);
	for (;;)
		halt();
}

void cpu_wait_others_stopped(void)
{
	for (unsigned int i = 0; i < vcpu_count; i++)
		if (cpus[i] != this_cpu())
			cpu_wait_stopped(cpus[i], PANIC_LIMIT_US);
}
