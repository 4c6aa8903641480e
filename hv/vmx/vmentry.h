/* Entering the guest, and coming back (vmentry.asm). */
#ifndef HV_VMX_VMENTRY_H
#define HV_VMX_VMENTRY_H

#include "hv/cpu.h"

/* Load the guest's registers, enter, and come back after the exit with them
 * saved.  0, or 1 (VMfailInvalid), 2 (VMfailValid): Intel SDM 3C 30.2. */
int vmx_enter(struct guest_regs *regs, bool resume, u64 *host_rsp);

/* After an exit for an NMI further ones are blocked until the next IRET or
 * entry (27.1): no longer than this. */
void vmx_unblock_nmis(void);

#endif
