/* A processor for tests: its MSRs, control registers and CPUID. */
#ifndef TESTS_UNIT_PROCESSOR_MODEL_H
#define TESTS_UNIT_PROCESSOR_MODEL_H

#include "tests/unit/processor/hv/asm.h"

extern struct processor {
	u64 cr0, cr4, xcr0, tsc;
	unsigned int msr_writes;
} processor;

/* No MSR, no CPUID leaf, all registers 0. */
void processor_reset(void);

/* From now on there is this MSR; an access to another fails the test. */
void processor_has_msr(u32 msr, u64 value);
u64 processor_msr(u32 msr);

/* What CPUID answers from now on; leaves that were not set are 0.  Leaf 0 says
 * 1FH unless it is set. */
void processor_cpuid(u32 leaf, u32 subleaf, struct cpuid_regs r);

#endif
