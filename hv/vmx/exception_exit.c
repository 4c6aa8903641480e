/*
 * This file gives exceptions that exit back to the guest: debug and alignment
 * check (hv/vmx/vmcs.c says why they exit).  What delivery does beside calling
 * the handler is done here (Intel SDM 3C 27.1, 3B 17.2.3).
 */
#include "hv/vmx/exception_exit.h"
#include "hv/vmx/vcpu.h"
#include "hv/vmx/vmx.h"
#include "hv/x86.h"

/* The exit has left DR6, DR7.GD and IA32_DEBUGCTL as they were. */
static void note_debug_causes(u64 causes)
{
	u64 dr6;

	__asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
	dr6 &= ~DR6_CAUSES;
	dr6 |= causes & (DR6_CAUSES | DR6_BD | DR6_BS);
	__asm__ volatile("mov %0, %%dr6" : : "r"(dr6));
	vmwrite(GUEST_DR7, vmread(GUEST_DR7) & ~DR7_GD);
	vmwrite(GUEST_DEBUGCTL, vmread(GUEST_DEBUGCTL) & ~DEBUGCTL_BTF);
}

/* Where the next instruction is in the shadow of STI or MOV SS, the processor
 * wants to see the single step that TF makes of it, but none with BTF, with
 * which only branches are steps (26.3.1.5). */
static void keep_step_in_shadow(void)
{
	if (vmread(GUEST_INTERRUPTIBILITY) & (BLOCKING_STI | BLOCKING_MOV_SS) &&
	    vmread(GUEST_RFLAGS) & RFLAGS_TF &&
	    !(vmread(GUEST_DEBUGCTL) & DEBUGCTL_BTF))
		vmwrite(GUEST_PENDING_DEBUG,
			vmread(GUEST_PENDING_DEBUG) | PENDING_DEBUG_BS);
}

void exit_exception(void)
{
	u64 info = vmread(EXIT_INTERRUPTION);
	u8 vector = INTERRUPTION_VECTOR(info);

	/* An IRET that unblocked NMIs and did not end is done again (27.2.3) */
	if (info & INTERRUPTION_NMI_UNBLOCKED &&
	    !(vmread(IDT_VECTORING) & INTERRUPTION_VALID))
		vmwrite(GUEST_INTERRUPTIBILITY,
			vmread(GUEST_INTERRUPTIBILITY) | BLOCKING_NMI);
	if (vector != VECTOR_DB) {
		vcpu_inject(vector, vmread(EXIT_INTERRUPTION_ERROR));
		return;
	}
	/* A trap may come out of HLT; what is injected there must be just so
	 * (26.3.1.5) */
	vmwrite(GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	if (INTERRUPTION_TYPE(info) == TYPE_PRIV_SOFT_EXCEPTION) {
		/* ICEBP: no cause in DR6, and the handler returns behind it */
		keep_step_in_shadow();
		vmwrite(ENTRY_INSTRUCTION_LENGTH,
			vmread(EXIT_INSTRUCTION_LENGTH));
		vmwrite(ENTRY_INTERRUPTION,
			INTERRUPTION_VALID | TYPE_PRIV_SOFT_EXCEPTION << 8 |
				VECTOR_DB);
		return;
	}
	note_debug_causes(vmread(EXIT_QUALIFICATION));
	keep_step_in_shadow();
	vcpu_inject(VECTOR_DB, 0);
}
