#ifndef HV_SMP_H
#define HV_SMP_H

#include "hv/cpu.h"

/* Where a started CPU arrives, on its own stack with the hypervisor's page
 * tables: hv/machine/main.c. */
_Noreturn void ap_main(struct cpu *cpu);

#endif
