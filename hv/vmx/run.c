/* The loop of a vCPU: what must be done before an entry, the entry, the exit.
 */
#include "hv/apic.h"
#include "hv/asm.h"
#include "hv/log.h"
#include "hv/panic.h"
#include "hv/segments.h"
#include "hv/time.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/nmi.h"
#include "hv/vmx/vcpu.h"
#include "hv/x86.h"

/* A CPU may have a function's reset to wait for, and its PF's answers; in a
 * panic it is stopped wherever it is. */
#define END_LIMIT_US 10000000
#define PANIC_LIMIT_US 2000000
#define STOP_AGAIN_US 1000

struct guest guest;
bool (*guest_platform_nmi)(void);
void (*guest_before_entry)(void);
void (*guest_after_end)(void);

bool guest_has_apic_id(u32 apic_id)
{
	for (unsigned int i = 0; i < guest.vcpus; i++)
		if (cpus[i]->apic_id == apic_id)
			return true;
	return false;
}

static u32 take_requests(struct cpu *cpu)
{
	return __atomic_exchange_n(&cpu->requests, 0, __ATOMIC_ACQ_REL);
}

void cpu_interrupt(struct cpu *cpu)
{
	__atomic_store_n(&cpu->kicked, true, __ATOMIC_SEQ_CST);
	apic_send_ipi(cpu->apic_id, ICR_NMI | ICR_ASSERT);
}

/* A CPU that waits for SIPI takes no NMI (26.7.2): a SIPI gets it out, and it
 * looks at its requests before it takes the SIPI for the guest's. */
static void ask_to_stop(struct cpu *cpu)
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

/* Asks again and again: a SIPI or NMI sent while the CPU changed from one
 * state to the other is lost. */
static void stop_and_wait(struct cpu *cpu, u64 limit_us)
{
	u64 limit = time_us() + limit_us;

	while (!stopped(cpu) && time_us() < limit) {
		u64 again = time_us() + STOP_AGAIN_US;

		ask_to_stop(cpu);
		while (!stopped(cpu) && time_us() < again)
			cpu_pause();
	}
	if (!stopped(cpu))
		hv_log("gangway: cpu %u does not leave the guest\n",
		       cpu->index);
}

void guest_stop_others(void)
{
	for (unsigned int i = 0; i < guest.vcpus; i++)
		if (cpus[i] != this_cpu())
			ask_to_stop(cpus[i]);
}

void cpu_park(void)
{
	struct cpu *cpu = this_cpu();

	cpu->vmcs_loaded = false;
	__atomic_store_n(&cpu->state, CPU_STOPPED, __ATOMIC_RELEASE);
	for (;;)
		halt();
}

void guest_wait_stopped(void)
{
	for (unsigned int i = 0; i < guest.vcpus; i++)
		if (cpus[i] != this_cpu())
			stop_and_wait(cpus[i], PANIC_LIMIT_US);
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
	ask_to_stop(this_cpu());
	guest_stop_others();
}

/*
 * Out of the guest for good.  CPU 0 sees the others off and does what is left
 * to do.  All stay in root operation, in which INIT is blocked (25.2): neither
 * may a guest CPU that still runs start another one outside of it, nor may an
 * INIT that the guest left pending keep CPU 0 from stopping the devices.
 */
static _Noreturn void stop(struct cpu *cpu)
{
	if (panic_elsewhere())
		cpu_park();
	cpu->vmcs_loaded = false;
	__atomic_store_n(&cpu->state, CPU_STOPPED, __ATOMIC_RELEASE);
	if (cpu->index == 0) {
		for (unsigned int i = 1; i < guest.vcpus; i++)
			stop_and_wait(cpus[i], END_LIMIT_US);
		guest_after_end();
	}
	stop_and_wait(cpus[0], END_LIMIT_US);
	for (;;)
		halt();
}

/* A processor that waits for SIPI takes none either, and to inject one there
 * would be no valid state (26.3.1.5). */
static bool nmi_blocked(void)
{
	return vmread(GUEST_INTERRUPTIBILITY) &
		       (BLOCKING_NMI | BLOCKING_MOV_SS | BLOCKING_STI) ||
	       vmread(GUEST_ACTIVITY) == ACTIVITY_WAIT_FOR_SIPI;
}

static void want_nmi_window(bool wanted)
{
	vmwrite(PROC_CONTROLS, vmx.proc | (wanted ? PROC_NMI_WINDOW : 0));
}

/* The guest's NMI: now if it can take one, else as soon as it can (24.6.2). */
static void inject_nmi(struct cpu *cpu)
{
	bool event = vmread(ENTRY_INTERRUPTION) & INTERRUPTION_VALID;

	if (cpu->nmi_to_inject && !event && !nmi_blocked()) {
		vmwrite(ENTRY_INTERRUPTION,
			INTERRUPTION_VALID | TYPE_NMI << 8 | VECTOR_NMI);
		cpu->nmi_to_inject = false;
	}
	want_nmi_window(cpu->nmi_to_inject);
}

static void explain_nmi(struct cpu *cpu)
{
	bool kicked =
		__atomic_exchange_n(&cpu->kicked, false, __ATOMIC_SEQ_CST);
	bool ours = guest_platform_nmi && guest_platform_nmi();

	if (!kicked && !ours)
		cpu->nmi_to_inject = true;
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
		if (guest_before_entry)
			guest_before_entry();
		requests = take_requests(cpu);
		if (requests & REQUEST_STOP)
			stop(cpu);
		if (requests & REQUEST_NMI)
			explain_nmi(cpu);
		/* First this, then the generation: who takes a mapping away
		 * does both the other way round (flush_everywhere()). */
		__atomic_store_n(&cpu->in_guest, true, __ATOMIC_SEQ_CST);
		follow_ept(cpu);
		inject_nmi(cpu);
		/* An NMI that comes from here on sets the NMI window itself. */
	} while (__atomic_load_n(&cpu->requests, __ATOMIC_ACQUIRE));
}

void nmi_in_root(void)
{
	struct cpu *cpu = this_cpu();

	/* Wherever it is, be it waiting for a lock: it is not to go on */
	if (panic_elsewhere())
		cpu_park();
	__atomic_or_fetch(&cpu->requests, REQUEST_NMI, __ATOMIC_SEQ_CST);
	if (cpu->vmcs_loaded)
		want_nmi_window(true);
}

/*
 * After an exit for an NMI further ones are blocked until the next IRET (27.1)
 * or entry.  This CPU may wait for a lock before that, and must then be within
 * reach of a panic on another: an IRET to where we are.
 */
static void unblock_nmis(void)
{
	u64 ss, rsp;

	__asm__ volatile("mov %%ss, %0\n\t"
			 "mov %%rsp, %1\n\t"
			 "push %0\n\t"
			 "push %1\n\t"
			 "pushfq\n\t"
			 "push %2\n\t"
			 "lea 1f(%%rip), %0\n\t"
			 "push %0\n\t"
			 "iretq\n"
			 "1:"
			 : "=&r"(ss), "=&r"(rsp)
			 : "i"(HOST_CS)
			 : "memory", "cc");
}

void exit_nmi(struct cpu *cpu)
{
	unblock_nmis();
	__atomic_or_fetch(&cpu->requests, REQUEST_NMI, __ATOMIC_SEQ_CST);
}

static void note_exit(struct cpu *cpu, u32 reason)
{
	struct recent_exit *r = &cpu->recent[cpu->recent_next];

	cpu->started = false;
	r->reason = reason;
	r->rip = vmread(GUEST_RIP);
	r->qualification = vmread(EXIT_QUALIFICATION);
	cpu->recent_next = (cpu->recent_next + 1) % RECENT_EXITS;
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

static void entry_failed(const struct cpu *cpu, int error)
{
	if (error == 1)
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
		int error;
		u32 reason;

		before_entry(cpu);
		error = vmx_enter(&cpu->regs, cpu->launched, &cpu->host_rsp);
		if (error) {
			entry_failed(cpu, error);
			continue;
		}
		cpu->launched = true;
		__atomic_store_n(&cpu->in_guest, false, __ATOMIC_SEQ_CST);
		reason = vmread(EXIT_REASON);
		/* A processor that waits for SIPI again must not be late: the
		 * sender's SIPI may be on its way (Intel SDM 3C 25.2). */
		if (reason == EXIT_INIT) {
			vcpu_init(cpu);
			cpu->exits[EXIT_INIT]++;
			continue;
		}
		note_exit(cpu, reason);
		reinject();
		exit_dispatch(cpu, reason);
	}
}
