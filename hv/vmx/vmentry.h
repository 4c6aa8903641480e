/* FIXME */
#ifndef HV_VMX_VMENTRY_H
#define HV_VMX_VMENTRY_H

#include "hv/cpu.h"

int vmx_enter(struct guest_regs *regs, bool resume, u64 *host_rsp);

#endif
