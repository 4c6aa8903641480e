/* The guest's CMOS clock (MC146818A): reads the real one, writes nothing. */
#ifndef GUEST_VCMOS_H
#define GUEST_VCMOS_H

#include "hv/types.h"

struct vcmos {
	u8 index;
	/* Read register @index (0-127) of the real clock; NULL: none,
	 * its registers read FFH. */
	u8 (*read)(u8 index);
};

/* trap_fn over GUEST_CMOS_PORT, 2 ports.  Time and alarm registers, A-D and
 * the century are real; other memory reads 0. */
void vcmos_access(void *ctx, u64 offset, unsigned int size, bool write,
		  u64 *value);

#endif
