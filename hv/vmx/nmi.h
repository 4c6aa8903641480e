/* NMIs: the only interrupts of the hypervisor (docs/architecture.md). */
#ifndef HV_VMX_NMI_H
#define HV_VMX_NMI_H

#include "hv/cpu.h"

/* An NMI arrived in VMX root operation: note it, and make sure that this CPU
 * comes back to look, also if it is already on its way into the guest. */
void nmi_in_root(void);

#endif
