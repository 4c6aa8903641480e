#ifndef HV_SMP_H
#define HV_SMP_H

#include "hv/cpu.h"

/* Where a started CPU arrives, on its own stack with the hypervisor's page
 * tables: hv/main.c. */
_Noreturn void ap_main(struct cpu *cpu);

/* True if this machine has, or may have, processors that are not in VMX root
 * operation: an INIT or SIPI would take these out of Gangway's hands. */
extern bool smp_left_out;

#endif
