/* A guest processor: its VMCS, its state, its loop of entries and exits. */
#ifndef HV_VMX_VCPU_H
#define HV_VMX_VCPU_H

#include "guest/linux.h"
#include "hv/cpu.h"
#include "hv/vmx/vmx.h"

/* Bitmaps that all vCPUs share: which ports and MSRs exit.  -ENOMEM. */
int vcpu_bitmaps_init(void);

/* Allocate and load this CPU's VMCS and set its controls and host state; the
 * guest's state is that after INIT, waiting for SIPI.  -EIO. */
int vcpu_create(void);

/* Put this vCPU at Linux's 64-bit entry (Documentation/x86/boot.rst). */
void vcpu_set_linux_entry(const struct linux_entry *entry);

/* Enter and handle exits until the guest ends. */
_Noreturn void vcpu_run(void);

/* State after INIT (Intel SDM 3A table 9-1), waiting for SIPI; and the start
 * that a SIPI with @vector gives. */
void vcpu_reset_for_init(void);
void vcpu_start_at(u8 vector);

/* An exit for INIT: the state after it, unless a SIPI has overtaken it. */
void vcpu_init(struct cpu *cpu);

/* Go on after the instruction that exited, or at @rip behind one that was
 * decoded here. */
void vcpu_skip_instruction(void);
void vcpu_go_to(u64 rip);

/* True if the guest runs 64-bit code (CS.L counts in IA-32e mode alone). */
bool vcpu_in_64bit_code(void);

/* Inject exception @vector; with an error code where the vector has one. */
void vcpu_inject(u8 vector, u32 error_code);

/* Handle the exit that just happened (hv/vmx/exits.c). */
void exit_dispatch(struct cpu *cpu, u32 reason);

/* Parts of exit handling, one file each. */
void exit_cpuid(struct cpu *cpu);
void exit_rdmsr(struct cpu *cpu);
void exit_wrmsr(struct cpu *cpu);
void exit_cr_access(struct cpu *cpu);
void exit_xsetbv(struct cpu *cpu);
void exit_io(struct cpu *cpu);
void exit_ept_violation(struct cpu *cpu);
void exit_exception(void);
void exit_nmi(struct cpu *cpu);

/* MSRs that the guest reaches without an exit (hv/vmx/msr.c). */
void msr_bitmap_fill(u8 *bitmap);
void msr_reset_mtrrs(struct cpu *cpu);

/* XCR0 bits that the guest may set. */
u64 guest_xcr0_allowed(void);

/* CR4 bits that the guest may set. */
u64 guest_cr4_allowed(void);

/* A general register of the guest, RSP included. */
u64 vcpu_reg(const struct cpu *cpu, unsigned int n);
void vcpu_set_reg(struct cpu *cpu, unsigned int n, u64 value);

#endif
