/* The end of the guest, and of the machine. */
#ifndef HV_MACHINE_END_H
#define HV_MACHINE_END_H

#include "hv/power.h"

/* Leave VMX operation, unless this CPU halts, and end as power_end() does. */
_Noreturn void machine_end(enum end_action action);

/* There can be no guest: say that it is because of @what, and halt.  Without a
 * panic's dump, because this is no error of the hypervisor. */
_Noreturn void machine_stop(const char *what);

/* When no vCPU runs any more, on one CPU: stop the guest's functions, print the
 * counters, and do what the configuration wants. */
void machine_after_end(void) __attribute__((noreturn));

#endif
