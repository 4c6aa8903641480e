/*
 * The guest's model-specific registers (Intel SDM 4).  A short list reaches
 * the hardware without an exit; some are emulated; every other access gets #GP
 * and, the first time, a log line.
 */
#ifndef HV_VMX_MSR_H
#define HV_VMX_MSR_H

#include "hv/cpu.h"

void exit_rdmsr(struct cpu *cpu);

void exit_wrmsr(struct cpu *cpu);

/* MSRs that the guest reaches without an exit (hv/vmx/msr.c). */
void msr_bitmap_fill(u8 *bitmap);

void msr_reset_mtrrs(struct cpu *cpu);

#endif
