/* What each exit leads to (Intel SDM 3C 25, 3D appendix C). */
#ifndef HV_VMX_EXITS_H
#define HV_VMX_EXITS_H

#include "hv/cpu.h"

/* Handle the exit that just happened (hv/vmx/exits.c). */
void exit_dispatch(struct cpu *cpu, u32 reason);

#endif
