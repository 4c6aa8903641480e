/* The end of the machine's life under Gangway. */
#ifndef HV_POWER_H
#define HV_POWER_H

#include "hv/machine/handover.h"

/*
 * Power off, reset, or halt.  The first two by the firmware's ResetSystem()
 * (UEFI 8.5.1), on its own page tables, which were kept, and after VMXOFF; if
 * it comes back or takes an exception, a reset is done without it, and
 * power-off becomes halt.  To halt, this CPU stays in VMX root operation.  All
 * DMA is stopped.
 */
_Noreturn void power_end(const struct handover *h, enum end_action action);

/* Reset, from any state and without the firmware's code. */
_Noreturn void power_reset(void);

/* An exception now is the firmware's, in ResetSystem(): then this is what
 * follows. */
bool power_in_firmware(void);
_Noreturn void power_firmware_failed(const char *exception, u64 rip);

#endif
