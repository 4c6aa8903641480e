/* This file is the guest's CMOS clock: an index and a data port, in front of
 * the real clock. */
#include "guest/vcmos.h"
#include "guest/bytewise.h"

#define INDEX_PORT 0
#define INDEX_MASK 0x7f /* bit 7 turned NMIs off, in the first PCs */
#define DATA_PORT 1

#define LAST_CLOCK_REGISTER 0x0d /* 0-9 time and alarm, 0AH-0DH A-D */
#define CENTURY 0x32		 /* where ACPI's FADT points, in most PCs */

static u8 read_register(const struct vcmos *c)
{
	if (c->index > LAST_CLOCK_REGISTER && c->index != CENTURY)
		return 0;
	return c->read ? c->read(c->index) : 0xff;
}

static u8 vcmos_cycle(void *ctx, u64 offset, bool write, u8 value)
{
	struct vcmos *c = ctx;

	if (write && offset == INDEX_PORT)
		c->index = value & INDEX_MASK;
	if (!write && offset == DATA_PORT)
		return read_register(c);
	return 0xff; /* the index port is write-only */
}

void vcmos_access(void *ctx, u64 offset, unsigned int size, bool write,
		  u64 *value)
{
	bytewise_access(vcmos_cycle, ctx, offset, size, write, value);
}
