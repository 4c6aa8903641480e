/* hv/cpu.h, but this_cpu() asks the model. */
#ifndef TESTS_THREADS_CPU_H
#define TESTS_THREADS_CPU_H

#define this_cpu this_cpu_by_gs
#include_next "hv/cpu.h"
#undef this_cpu

struct cpu *this_cpu(void);

#endif
