/* Which processors there are. */
#include "hv/cpu.h"

struct cpu *cpus[MAX_CPUS];
unsigned int cpu_count, vcpu_count;
