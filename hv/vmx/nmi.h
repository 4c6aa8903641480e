/* NMIs: the only interrupts of the hypervisor (docs/architecture.md). */
#ifndef HV_VMX_NMI_H
#define HV_VMX_NMI_H

#include "hv/cpu.h"

/* An NMI arrived in VMX root operation: note it, and make sure that this CPU
 * comes back to look, also if it is already on its way into the guest. */
void nmi_in_root(void);

/* An exit for an NMI: the same. */
void exit_nmi(struct cpu *cpu);

/* Find out whose the NMI was that came: sent by another CPU, of a device of
 * ours, or the guest's, which then gets it. */
void nmi_whose(struct cpu *cpu);

/* Give the guest its NMI if it can take one, or open the NMI window (Intel SDM
 * 3C 24.6.2).  Right before an entry. */
void nmi_inject(struct cpu *cpu);

#endif
