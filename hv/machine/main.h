/* Where the hypervisor starts. */
#ifndef HV_MACHINE_MAIN_H
#define HV_MACHINE_MAIN_H

#include "hv/machine/handover.h"

/* Runs after ExitBootServices, on the firmware's stack and page tables. */
_Noreturn void hv_main(const struct handover *h);

#endif
