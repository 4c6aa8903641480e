/* Instructions that the host cannot run, as the model of the processor has
 * them.  Stands in place of hv/asm.h. */
#ifndef TESTS_THREADS_ASM_H
#define TESTS_THREADS_ASM_H

#include "hv/types.h"

void model_step(void);
_Noreturn void model_halt(void);

static inline void cpu_pause(void)
{
	model_step();
}

/* Nobody here asks when. */
static inline u64 rdtsc(void)
{
	return 1;
}

static inline void halt(void)
{
	model_halt();
}

#endif
