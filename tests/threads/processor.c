/* Processors for the scheduler: what their instructions do, what their guests
 * do, and what the hypervisor finds beside them. */
#include "guest/assign/irq.h"
#include "guest/assign/stop.h"
#include "guest/assign/table.h"
#include "hv/apic.h"
#include "hv/asm.h"
#include "hv/machine/end.h"
#include "hv/vmx/ept.h"
#include "hv/vmx/exits.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/nmi.h"
#include "hv/vmx/trap.h"
#include "hv/vmx/vmcs.h"
#include "hv/vmx/vmentry.h"
#include "hv/vmx/vmx.h"
#include "tests/threads/model.h"
#include "tests/threads/schedule.h"
#include "vtd/faults.h"
#include "vtd/vtd.h"

#define EXIT_MOVE 100 /* the guest moves a BAR */
#define EXIT_END 101  /* it powers off */

struct cpu *this_cpu(void)
{
	return &here->cpu;
}

u32 model_walks(unsigned int index)
{
	return processors[index].place == GUEST ? processors[index].tlb : ~0u;
}

u64 vmread(enum vmcs_field field)
{
	switch (field) {
	case EXIT_REASON:
		return here->reason;
	case GUEST_INTERRUPTIBILITY:
		return here->interruptibility;
	case GUEST_ACTIVITY:
		return here->activity;
	case ENTRY_INTERRUPTION:
		return here->entry;
	default:
		return 0;
	}
}

void vmwrite(enum vmcs_field field, u64 value)
{
	model_step();
	if (field == GUEST_INTERRUPTIBILITY)
		here->interruptibility = value;
	else if (field == GUEST_ACTIVITY)
		here->activity = value;
	else if (field == ENTRY_INTERRUPTION)
		here->entry = value;
	else if (field == PROC_CONTROLS)
		here->controls = value;
}

bool invept(u64 type, const struct invept_descriptor *descriptor)
{
	u32 version = model_version;

	(void)type;
	(void)descriptor;
	model_step();
	here->tlb = version;
	return true;
}

void vmx_unblock_nmis(void)
{
	here->nmi_blocked = false;
	model_step();
}

/* NMI and INIT wait at a processor, a SIPI is lost where none is expected. */
void apic_send_ipi(u32 destination, u32 icr_low)
{
	struct processor *p = &processors[destination];

	model_step();
	if ((icr_low & 0x700) == ICR_NMI)
		p->nmi = true;
	else if ((icr_low & 0x700) == ICR_INIT)
		p->init |= p->place != WAIT_FOR_SIPI;
	else if ((icr_low & 0x700) == ICR_STARTUP && p->place == WAIT_FOR_SIPI)
		p->sipi = FIRST_VECTOR;
}

/* A device does DMA that is blocked: an event, if none is told of yet. */
static void block_dma(void)
{
	if (run.unit.faults++ == run.unit.told)
		processors[run.unit.cpu].nmi = true;
}

/* What the guest does, if it does not exit by it; else the reason. */
static int act(void)
{
	static const u32 ipi[] = {ICR_NMI, ICR_INIT, ICR_STARTUP, ICR_STARTUP};

	if (!here->actions) {
		here->interruptibility = 0;
		here->idle = true;
		return run.asked_for_end ? EXIT_END : -1;
	}
	here->actions--;
	here->executed = true;
	switch (any(8)) {
	case 0:
		return any(4) ? EXIT_CPUID : EXIT_END;
	case 1:
	case 2:
		return EXIT_MOVE;
	case 3:
		block_dma();
		return -1;
	case 4: /* IRET */
		here->interruptibility = 0;
		return -1;
	default:
		apic_send_ipi(any(CPUS), ipi[any(ARRAY_SIZE(ipi))]);
		return -1;
	}
}

/* The exit that comes before the next instruction, or -1 (6.9 of volume 3A has
 * the order) */
static int event(void)
{
	if (here->init) {
		here->init = false;
		return EXIT_INIT;
	}
	if (here->nmi) {
		here->nmi = false;
		here->nmi_blocked = true;
		return EXIT_EXCEPTION_NMI;
	}
	return window_opens(here) ? EXIT_NMI_WINDOW : -1;
}

static int wait_for_sipi(void)
{
	here->place = WAIT_FOR_SIPI;
	while (here->sipi < 0)
		model_step();
	here->sipi = -1;
	return EXIT_SIPI;
}

static int run_guest(void)
{
	int reason = -1;

	if (here->activity == ACTIVITY_WAIT_FOR_SIPI)
		return wait_for_sipi();
	here->place = GUEST;
	while (reason < 0) {
		model_step();
		reason = event();
		if (reason < 0)
			reason = act();
	}
	return reason;
}

int vmx_enter(struct guest_regs *regs, bool resume, u64 *host_rsp)
{
	(void)regs;
	(void)resume;
	(void)host_rsp;
	model_step();
	here->nmi_blocked = false;
	if (here->entry & INTERRUPTION_VALID) {
		if (here->activity == ACTIVITY_WAIT_FOR_SIPI)
			model_broken("an NMI into a vCPU that waits for SIPI");
		here->interruptibility |= BLOCKING_NMI;
		here->entry = 0;
		here->idle = false; /* its handler comes to an end */
	}
	here->reason = run_guest();
	here->place = ROOT;
	return 0;
}

void vcpu_take_init(struct cpu *cpu)
{
	if (!cpu->started || here->executed) {
		here->interruptibility = here->entry = 0;
		here->activity = ACTIVITY_WAIT_FOR_SIPI;
		cpu->nmi_to_inject = false;
		model_step();
		__atomic_store_n(&cpu->state, CPU_WAIT_FOR_SIPI,
				 __ATOMIC_RELEASE);
	}
	cpu->started = false;
}

static void start(struct cpu *cpu)
{
	here->interruptibility = 0;
	here->activity = ACTIVITY_ACTIVE;
	here->executed = false;
	here->idle = false;
	cpu->started = true;
	model_step();
	__atomic_store_n(&cpu->state, CPU_GUEST, __ATOMIC_RELEASE);
}

static void enter_trap(void)
{
	trap_lock();
	if (run.in_trap)
		model_broken("two CPUs hold the trap lock");
	run.in_trap = here;
}

static void leave_trap(void)
{
	run.in_trap = NULL;
	trap_unlock();
}

void exit_dispatch(struct cpu *cpu, u32 reason)
{
	switch (reason) {
	case EXIT_EXCEPTION_NMI:
		exit_nmi(cpu);
		break;
	case EXIT_SIPI:
		start(cpu);
		break;
	case EXIT_MOVE:
		enter_trap();
		ept_remove(0xc0000000, PAGE_SIZE);
		leave_trap();
		break;
	case EXIT_END:
		guest_end(GUEST_POWEROFF, "asked for");
		break;
	}
}

/* --- what the machine does between exits */

bool vtd_remapping(void)
{
	return true;
}

bool vtd_service_faults(void)
{
	bool any_fault = run.unit.faults != run.unit.told;

	model_step();
	run.unit.told = run.unit.faults;
	return any_fault;
}

bool vtd_faults_pending(void)
{
	return false;
}

void vtd_send_faults_to(u32 apic_id)
{
	model_step();
	run.unit.cpu = apic_id;
}

bool pci_answers(const struct pci_function *fn)
{
	(void)fn;
	return !run.function_is_gone;
}

void assigned_free_interrupts(struct assigned *a)
{
	(void)a;
	if (run.stops++)
		model_broken("a function is stopped twice");
	model_step();
}

/* On one CPU, and no other is in the guest any more. */
void machine_after_end(void)
{
	static u64 last;

	if (last == model_seed)
		model_broken("a second end");
	last = model_seed;
	for (unsigned int i = 0; i < CPUS; i++)
		if (processors[i].cpu.state != CPU_STOPPED &&
		    !stands_still(&processors[i]))
			model_broken("cpu %u runs at the end", i);
	if (run.in_trap && !stands_still(run.in_trap))
		model_broken("the trap lock is held at the end");
	if (guest.end != GUEST_POWEROFF && !run.still_from)
		model_broken("the guest's end: %s", guest.end_reason);
	assigned_stop(&assigned[0]);
	run.ended = true;
	/* One that is late finds that all is done */
	run.still_from = 0;
	model_halt();
}
