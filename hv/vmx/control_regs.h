/* CR0, CR4 and XCR0 of the guest, where it does not own a bit (Intel SDM 3A
 * 2.5, 2.6; 3C 25.1.3). */
#ifndef HV_VMX_CONTROL_REGS_H
#define HV_VMX_CONTROL_REGS_H

#include "hv/cpu.h"

void exit_cr_access(struct cpu *cpu);

void exit_xsetbv(struct cpu *cpu);

/* XCR0 bits that the guest may set. */
u64 guest_xcr0_allowed(void);

/* CR4 bits that the guest may set. */
u64 guest_cr4_allowed(void);

#endif
