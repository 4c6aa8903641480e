/* Taking processors out of the guest. */
#ifndef HV_CPU_STOP_H
#define HV_CPU_STOP_H

#include "hv/cpu.h"

/* Halt this CPU for good, where it is. */
_Noreturn void cpu_park(void);

/* Make @cpu, which is not this one, come out of the guest and look at what it
 * was asked: by an NMI. */
void cpu_interrupt(struct cpu *cpu);

/* Ask @cpu, which may be this one, to stop; does not wait. */
void cpu_ask_to_stop(struct cpu *cpu);

/* The same for every CPU of the guest but this one. */
void cpu_stop_others(void);

/* Ask @cpu again and again until it has stopped, @limit_us at most; false if it
 * does not, which is logged. */
bool cpu_wait_stopped(struct cpu *cpu, u64 limit_us);

/* The same for every CPU of the guest but this one, with a panic's limit. */
void cpu_wait_others_stopped(void);

#endif
