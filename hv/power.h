/* The end of the machine's life under Gangway. */
#ifndef HV_POWER_H
#define HV_POWER_H

#include "hv/types.h"

enum end_action { END_POWEROFF, END_RESET, END_HALT };

/* How the firmware ran its code: its page tables and its stack, which stay as
 * they are, and what they and the code need. */
struct firmware_state {
	u64 cr3, cr4, pat, rsp;
};

/* EFI_RUNTIME_SERVICES of the firmware, in physical mode. */
void power_init(void *runtime_services, struct firmware_state state);

/*
 * Power off, reset, or halt.  The first two by the firmware's ResetSystem()
 * (UEFI 8.5.1), in its own state and on its own stack, which is larger than
 * ours (UEFI 2.3.4: 128 KiB); if it comes back or takes an exception,
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
