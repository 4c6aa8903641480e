/* The guest's ways to end: ACPI sleep control, reset port, keyboard
 * controller. */
#ifndef GUEST_VPOWER_H
#define GUEST_VPOWER_H

#include "hv/types.h"
#include "hv/vmx/trap.h"

enum guest_end { GUEST_RUNS, GUEST_POWEROFF, GUEST_REBOOT, GUEST_CRASH };

/* The context of all three handlers below. */
struct vpower {
	/* Called once, when the guest asked for its end; the vCPU does not
	 * enter again.  Runs in a handler, under the trap lock. */
	void (*end)(enum guest_end how);
	bool ended; /* false at the start */
};

/* trap_fn over GUEST_SLEEP_CONTROL_PORT, 2 ports (ACPI 6.3 4.8.3.7) */
void vpower_sleep_access(void *ctx, u64 offset, unsigned int size, bool write,
			 u64 *value);
/* trap_fn over GUEST_RESET_PORT, 1 port */
void vpower_reset_access(void *ctx, u64 offset, unsigned int size, bool write,
			 u64 *value);
/* trap_fn over the keyboard controller's port 64H, 1 port: FEH written there
 * resets; there is no keyboard. */
void vpower_keyboard_access(void *ctx, u64 offset, unsigned int size,
			    bool write, u64 *value);

#endif
