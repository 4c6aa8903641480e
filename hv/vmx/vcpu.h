/* A guest processor: its VMCS, its state, its loop of entries and exits. */
#ifndef HV_VMX_VCPU_H
#define HV_VMX_VCPU_H

#include "hv/cpu.h"

/* Go on after the instruction that exited, or at @rip behind one that was
 * decoded here. */
void vcpu_skip_instruction(void);
void vcpu_go_to(u64 rip);

/* True if the guest runs 64-bit code (CS.L counts in IA-32e mode alone). */
bool vcpu_in_64bit_code(void);

/* Inject exception @vector; with an error code where the vector has one. */
void vcpu_inject(u8 vector, u32 error_code);

/* A general register of the guest, RSP included. */
u64 vcpu_reg(const struct cpu *cpu, unsigned int n);
void vcpu_set_reg(struct cpu *cpu, unsigned int n, u64 value);

#endif
