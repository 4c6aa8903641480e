/*
 * Exceptions that exit and go back to the guest: debug and alignment check
 * (hv/vmx/vcpu.c says why).  What delivery does beside calling the handler is
 * done here (Intel SDM 3C 27.1, 3B 17.2.3).
 */
#ifndef HV_VMX_EXCEPTION_EXIT_H
#define HV_VMX_EXCEPTION_EXIT_H

void exit_exception(void);

#endif
