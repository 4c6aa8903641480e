/* This file says what each exit leads to (Intel SDM 3C 25, 3D appendix C). */
#include "hv/vmx/exits.h"
#include "hv/asm.h"
#include "hv/log.h"
#include "hv/machine_check.h"
#include "hv/vmx/control_regs.h"
#include "hv/vmx/cpuid.h"
#include "hv/vmx/ept_violation.h"
#include "hv/vmx/exception_exit.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/io.h"
#include "hv/vmx/msr.h"
#include "hv/vmx/nmi.h"
#include "hv/vmx/vcpu.h"
#include "hv/vmx/vmcs.h"
#include "hv/vmx/vmx.h"
#include "hv/x86.h"

static void exit_sipi(void)
{
	vcpu_start_at((u8)vmread(EXIT_QUALIFICATION));
}

static void exit_invd(void)
{
	/* To drop modified lines would hurt everyone: write them back. */
	wbinvd();
	vcpu_skip_instruction();
}

/* Not emulated.  By a task gate in the IDT there is no instruction to blame:
 * the fault could be delivered by the same gate, for ever. */
static void exit_task_switch(const struct cpu *cpu)
{
	u64 event = vmread(IDT_VECTORING);

	if (event & INTERRUPTION_VALID)
		guest_end(GUEST_CRASH,
			  "cpu %u: vector %lu leads to a task gate, which "
			  "Gangway does not emulate",
			  cpu->index, INTERRUPTION_VECTOR(event));
	else
		vcpu_inject(VECTOR_GP, 0);
}

static void exit_machine_check(const struct cpu *cpu)
{
	machine_check_log(cpu->index);
	guest_end(GUEST_CRASH, "machine check on cpu %u, said above",
		  cpu->index);
}

/* No field says which of the many checks it was (26.3.1). */
static void exit_entry_failure(const struct cpu *cpu, u32 reason)
{
	u64 event = vmread(ENTRY_INTERRUPTION);

	if ((u16)reason == EXIT_ENTRY_MACHINE_CHECK) {
		exit_machine_check(cpu);
		return;
	}
	hv_log("vmx: cpu %u: entry with event 0x%lx, activity %lu, "
	       "interruptibility 0x%lx, RFLAGS 0x%lx, RIP 0x%lx, CS 0x%lx, "
	       "SS 0x%lx, CR0 0x%lx, CR4 0x%lx, EFER 0x%lx\n",
	       cpu->index, event & INTERRUPTION_VALID ? event : 0,
	       vmread(GUEST_ACTIVITY), vmread(GUEST_INTERRUPTIBILITY),
	       vmread(GUEST_RFLAGS), vmread(GUEST_RIP),
	       vmread(GUEST_ACCESS(SEG_CS)), vmread(GUEST_ACCESS(SEG_SS)),
	       vmread(GUEST_CR0), vmread(GUEST_CR4), vmread(GUEST_EFER));
	guest_end(GUEST_CRASH,
		  "VM entry on cpu %u: invalid guest state (reason %u, "
		  "qualification %lu)",
		  cpu->index, (u16)reason, vmread(EXIT_QUALIFICATION));
}

/* Instructions that this processor does not have, as far as the guest knows:
 * VMX, GETSEC, MONITOR, MWAIT; TDX; MSRs as immediate operands. */
static bool is_hidden_instruction(u32 reason)
{
	return (reason >= EXIT_VMCALL && reason <= EXIT_VMXON) ||
	       reason == EXIT_GETSEC || reason == EXIT_MWAIT ||
	       reason == EXIT_MONITOR || reason == EXIT_INVEPT ||
	       reason == EXIT_INVVPID || reason == EXIT_SEAMCALL ||
	       reason == EXIT_TDCALL || reason == EXIT_RDMSR_IMMEDIATE ||
	       reason == EXIT_WRMSR_IMMEDIATE;
}

static void exit_other(const struct cpu *cpu, u32 reason)
{
	if (is_hidden_instruction(reason)) {
		vcpu_inject(VECTOR_UD, 0);
		return;
	}
	guest_end(GUEST_CRASH,
		  "cpu %u: exit %u, qualification 0x%lx, not known", cpu->index,
		  reason, vmread(EXIT_QUALIFICATION));
}

static void exit_event(struct cpu *cpu, u64 info)
{
	if (INTERRUPTION_TYPE(info) == TYPE_NMI)
		exit_nmi(cpu);
	else if (INTERRUPTION_VECTOR(info) == VECTOR_MC)
		exit_machine_check(cpu);
	else
		exit_exception();
}

void exit_dispatch(struct cpu *cpu, u32 reason)
{
	if (reason & EXIT_REASON_ENTRY_FAILURE) {
		exit_entry_failure(cpu, reason);
		return;
	}
	switch (reason) {
	case EXIT_EXCEPTION_NMI:
		exit_event(cpu, vmread(EXIT_INTERRUPTION));
		break;
	case EXIT_NMI_WINDOW:
		break;
	case EXIT_TRIPLE_FAULT:
		guest_end(GUEST_CRASH, "triple fault on cpu %u at rip 0x%lx",
			  cpu->index, vmread(GUEST_RIP));
		break;
	case EXIT_SIPI:
		exit_sipi();
		break;
	case EXIT_CPUID:
		exit_cpuid(cpu);
		break;
	case EXIT_INVD:
		exit_invd();
		break;
	case EXIT_RDPMC: /* no counters (CPUID leaf 0AH) */
		vcpu_inject(VECTOR_GP, 0);
		break;
	case EXIT_TASK_SWITCH:
		exit_task_switch(cpu);
		break;
	case EXIT_CR_ACCESS:
		exit_cr_access(cpu);
		break;
	case EXIT_IO:
		exit_io(cpu);
		break;
	case EXIT_RDMSR:
		exit_rdmsr(cpu);
		break;
	case EXIT_WRMSR:
		exit_wrmsr(cpu);
		break;
	case EXIT_EPT_VIOLATION:
		exit_ept_violation(cpu);
		break;
	case EXIT_XSETBV:
		exit_xsetbv(cpu);
		break;
	default:
		exit_other(cpu, reason);
	}
}
