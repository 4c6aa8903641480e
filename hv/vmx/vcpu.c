/* This file changes the running vCPU: its registers, skipping an instruction,
 * injecting an exception. */
#include "hv/vmx/vcpu.h"
#include "hv/vmx/vmx.h"
#include "hv/x86.h"

void vcpu_skip_instruction(void)
{
	u64 rip = vmread(GUEST_RIP) + vmread(EXIT_INSTRUCTION_LENGTH);

	vcpu_go_to(rip);
}

bool vcpu_in_64bit_code(void)
{
	return vmread(GUEST_EFER) & EFER_LMA &&
	       vmread(GUEST_ACCESS(SEG_CS)) & ACCESS_LONG;
}

void vcpu_go_to(u64 rip)
{
	u64 blocking = vmread(GUEST_INTERRUPTIBILITY);
	u64 rflags = vmread(GUEST_RFLAGS);

	if (!vcpu_in_64bit_code())
		rip = (u32)rip;
	vmwrite(GUEST_RIP, rip);
	vmwrite(GUEST_INTERRUPTIBILITY,
		blocking & ~(BLOCKING_STI | BLOCKING_MOV_SS));
	/* RF is for one instruction (3B 17.3.1.1); an EPT violation sets it */
	if (rflags & RFLAGS_RF)
		vmwrite(GUEST_RFLAGS, rflags & ~RFLAGS_RF);
	/* The single step that the instruction did not take (26.3.1.5); with
	 * BTF only branches are steps */
	if (rflags & RFLAGS_TF && !(vmread(GUEST_DEBUGCTL) & DEBUGCTL_BTF))
		vmwrite(GUEST_PENDING_DEBUG,
			vmread(GUEST_PENDING_DEBUG) | PENDING_DEBUG_BS);
}

static bool has_error_code(u8 vector)
{
	return vector == VECTOR_DF || vector == VECTOR_AC ||
	       (vector >= VECTOR_TS && vector <= VECTOR_PF);
}

void vcpu_inject(u8 vector, u32 error_code)
{
	u32 event = INTERRUPTION_VALID | TYPE_EXCEPTION << 8 | vector;
	bool protected_mode = vmread(GUEST_CR0) & CR0_PE;

	/* In real mode no exception has an error code (26.2.1.3) */
	if (has_error_code(vector) && protected_mode) {
		event |= INTERRUPTION_ERROR_CODE;
		vmwrite(ENTRY_EXCEPTION_ERROR, error_code);
	}
	vmwrite(ENTRY_INTERRUPTION, event);
}

u64 vcpu_reg(const struct cpu *cpu, unsigned int n)
{
	return n == RSP ? vmread(GUEST_RSP) : cpu->regs.reg[n];
}

void vcpu_set_reg(struct cpu *cpu, unsigned int n, u64 value)
{
	if (n == RSP)
		vmwrite(GUEST_RSP, value);
	else
		cpu->regs.reg[n] = value;
}
