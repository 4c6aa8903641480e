/* In place of hv/asm.h: the instructions, as functions of a processor model. */
#ifndef HV_ASM_H
#define HV_ASM_H

#include "hv/types.h"

struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

u64 rdmsr(u32 msr);
void wrmsr(u32 msr, u64 value);
struct cpuid_regs cpuid(u32 leaf, u32 subleaf);
u64 rdtsc(void);
void xsetbv(u32 index, u64 value);
u64 read_cr4(void);
void write_cr0(u64 value);
void write_cr4(u64 value);
void cpu_pause(void);

#endif
