/* This file is the loop of a vCPU: what must be done before an entry, the
 * entry, the exit. */
#include "hv/vmx/run.h"
#include "hv/asm.h"
#include "hv/cpu_stop.h"
#include "hv/panic_state.h"
#include "hv/vmx/ept.h"
#include "hv/vmx/exits.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/nmi.h"
#include "hv/vmx/vmcs.h"
#include "hv/vmx/vmentry.h"
#include "hv/vmx/vmx.h"
#include "hv/x86.h"

/* A CPU may have a function's reset to wait for, and its PF's answers. */
#define END_LIMIT_US 10000000

/* True for one CPU alone. */
static bool claim_end(void)
{
	static u32 claimed;

	return !__atomic_exchange_n(&claimed, 1, __ATOMIC_SEQ_CST);
}

/* The others are seen off, then what is left to do is done. */
static _Noreturn void end(const struct cpu *cpu)
{
	for (unsigned int i = 0; i < vcpu_count; i++)
		if (cpus[i] != cpu)
			cpu_wait_stopped(cpus[i], END_LIMIT_US);
	guest_events->after_end();
}

/*
 * Out of the guest for good.  CPU 0 does what is left to do, or another one if
 * CPU 0 does not come.  All stay in root operation, in which INIT is blocked
 * (25.2): neither may a guest CPU that still runs start another one outside of
 * it, nor may an INIT that the guest left pending keep them from stopping the
 * devices.
 */
static _Noreturn void stop(struct cpu *cpu)
{
	if (panic_elsewhere())
		cpu_park();
	cpu->vmcs_loaded = false;
	__atomic_store_n(&cpu->state, CPU_STOPPED, __ATOMIC_RELEASE);
	if ((cpu->index == 0 || !cpu_wait_stopped(cpus[0], END_LIMIT_US)) &&
	    claim_end())
		end(cpu);
	for (;;)
		halt();
}

static u32 take_requests(struct cpu *cpu)
{
	return __atomic_exchange_n(&cpu->requests, 0, __ATOMIC_ACQ_REL);
}

static void follow_ept(struct cpu *cpu)
{
	u32 generation =
		__atomic_load_n(&guest.ept_generation, __ATOMIC_SEQ_CST);

	if (cpu->ept_generation == generation)
		return;
	ept_invalidate();
	__atomic_store_n(&cpu->ept_generation, generation, __ATOMIC_SEQ_CST);
}

static void before_entry(struct cpu *cpu)
{
	u32 requests;

	do {
		/* A CPU that takes a mapping away need not wait for this one
		 * (has_flushed()) while it may wait for a lock. */
		__atomic_store_n(&cpu->in_guest, false, __ATOMIC_SEQ_CST);
		requests = take_requests(cpu);
		if (requests & REQUEST_STOP)
			stop(cpu);
		if (requests & REQUEST_NMI)
			nmi_whose(cpu);
		/* After the requests: what another CPU asks to look at is there
		 * before its NMI */
		guest_events->before_entry();
		/* First this, then the generation: who takes a mapping away
		 * does both the other way round (flush_everywhere()). */
		__atomic_store_n(&cpu->in_guest, true, __ATOMIC_SEQ_CST);
		follow_ept(cpu);
		nmi_inject(cpu);
		/* An NMI that comes from here on sets the NMI window itself. */
	} while (__atomic_load_n(&cpu->requests, __ATOMIC_ACQUIRE));
}

/* Whoever reads what was kept must not push it out. */
static bool is_reader(const struct cpu *cpu, u32 reason)
{
	return reason == EXIT_CPUID &&
	       (u32)cpu->regs.reg[RAX] - STAT_LEAF_BASE <=
		       STAT_LEAF_LAST - STAT_LEAF_BASE;
}

static void keep_exit(struct cpu *cpu, u32 reason)
{
	struct recent_exit *r = &cpu->recent[cpu->recent_next];

	__atomic_store_n(&r->tsc, 0, __ATOMIC_RELEASE);
	r->reason = reason;
	r->rip = vmread(GUEST_RIP);
	r->qualification = vmread(EXIT_QUALIFICATION);
	__atomic_store_n(&r->tsc, rdtsc(), __ATOMIC_RELEASE);
	cpu->recent_next = (cpu->recent_next + 1) % STAT_EXITS;
}

static void note_exit(struct cpu *cpu, u32 reason)
{
	cpu->started = false;
	if (!is_reader(cpu, reason))
		keep_exit(cpu, reason);
	if ((u16)reason < STAT_REASONS)
		cpu->exits[(u16)reason]++;
}

/* An event whose delivery the exit interrupted goes in again (27.2.4). */
static void reinject(void)
{
	u64 info = vmread(IDT_VECTORING);

	if (!(info & INTERRUPTION_VALID))
		return;
	if (INTERRUPTION_TYPE(info) == TYPE_NMI)
		vmwrite(GUEST_INTERRUPTIBILITY,
			vmread(GUEST_INTERRUPTIBILITY) & ~BLOCKING_NMI);
	if (INTERRUPTION_TYPE(info) >= TYPE_SOFT_INTERRUPT)
		vmwrite(ENTRY_INSTRUCTION_LENGTH,
			vmread(EXIT_INSTRUCTION_LENGTH));
	if (info & INTERRUPTION_ERROR_CODE)
		vmwrite(ENTRY_EXCEPTION_ERROR, vmread(IDT_VECTORING_ERROR));
	/* Bit 12 is undefined here and must be 0 there */
	vmwrite(ENTRY_INTERRUPTION, info & ~BIT(12));
}

static void entry_failed(const struct cpu *cpu, int err)
{
	if (err == 1)
		guest_end(GUEST_CRASH, "VM entry on cpu %u: no current VMCS",
			  cpu->index);
	else
		guest_end(GUEST_CRASH, "VM entry on cpu %u: error %lu",
			  cpu->index, vmread(VM_INSTRUCTION_ERROR));
}

void vcpu_run(void)
{
	struct cpu *cpu = this_cpu();

	for (;;) {
		int err;
		u32 reason;

		before_entry(cpu);
		err = vmx_enter(&cpu->regs, cpu->launched, &cpu->host_rsp);
		if (err) {
			entry_failed(cpu, err);
			continue;
		}
		cpu->launched = true;
		__atomic_store_n(&cpu->in_guest, false, __ATOMIC_SEQ_CST);
		reason = vmread(EXIT_REASON);
		/* A processor that waits for SIPI again must not be late: the
		 * sender's SIPI may be on its way (Intel SDM 3C 25.2). */
		if (reason == EXIT_INIT) {
			vcpu_take_init(cpu);
			cpu->exits[EXIT_INIT]++;
			continue;
		}
		note_exit(cpu, reason);
		reinject();
		exit_dispatch(cpu, reason);
	}
}
