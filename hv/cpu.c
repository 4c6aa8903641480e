/* This file holds the list of processors. */
#include "hv/cpu.h"

struct cpu *cpus[MAX_CPUS];
unsigned int cpu_count, vcpu_count;
