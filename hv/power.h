/* The end of the machine's life under Gangway. */
#ifndef HV_POWER_H
#define HV_POWER_H

#include "hv/types.h"

enum end_action { END_POWEROFF, END_RESET, END_HALT };

/* EFI_RUNTIME_SERVICES of the firmware, in physical mode, and the page tables
 * that it ran on; both stay as they are. */
void power_init(void *runtime_services, u64 firmware_cr3);

/*
 * Power off, reset, or halt.  The first two by the firmware's ResetSystem()
 * (UEFI 8.5.1), on its own page tables; if it comes back or takes an exception,
 * a reset is done without it, and power-off becomes halt.  Before the first two
 * the caller has left VMX operation, as some firmware resets by INIT.  All DMA
 * is stopped.
 */
_Noreturn void power_end(enum end_action action);

/* Reset, from any state and without the firmware's code. */
_Noreturn void power_reset(void);

/* An exception now is the firmware's, in ResetSystem(): then this is what
 * follows. */
bool power_in_firmware(void);
_Noreturn void power_firmware_failed(const char *exception, u64 rip);

#endif
