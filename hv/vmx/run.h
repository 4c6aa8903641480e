/* The loop of a vCPU: what must be done before an entry, the entry, the exit.
 */
#ifndef HV_VMX_RUN_H
#define HV_VMX_RUN_H

/* Enter and handle exits until the guest ends. */
_Noreturn void vcpu_run(void);

#endif
