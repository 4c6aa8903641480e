/* The guest's ways to end: ACPI sleep control, reset port, keyboard
 * controller. */
#ifndef GUEST_VPOWER_H
#define GUEST_VPOWER_H

#include "hv/types.h"

/* The context of all three handlers below. */
struct vpower {
	bool ended; /* false at the start; true: guest_end() was called */
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
