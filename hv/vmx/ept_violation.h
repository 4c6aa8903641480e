/* Accesses to guest-physical addresses that EPT does not map (Intel SDM 3C
 * 27.2.1 table 27-7). */
#ifndef HV_VMX_EPT_VIOLATION_H
#define HV_VMX_EPT_VIOLATION_H

#include "hv/cpu.h"

void exit_ept_violation(struct cpu *cpu);

#endif
