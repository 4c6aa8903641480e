/*
 * The guest's processor: an allow-list over the real CPUID (Intel SDM 2A,
 * CPUID).  What is not listed reads 0.
 */
#ifndef HV_VMX_CPUID_H
#define HV_VMX_CPUID_H

#include "hv/cpu.h"

/* Parts of exit handling, one file each. */
void exit_cpuid(struct cpu *cpu);

#endif
