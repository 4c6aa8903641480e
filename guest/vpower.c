/* This file powers the guest off and resets it, by the three ways that Linux
 * tries. */
#include "guest/vpower.h"
#include "guest/bytewise.h"
#include "hv/guest_layout.h"
#include "hv/vmx/guest.h"

/* Sleep control register (ACPI 6.3 4.8.3.7); the status register's wake
 * bit is never set, for nothing but S5 exists. */
#define SLEEP_CONTROL 0
#define SLP_TYP_SHIFT 2
#define SLP_TYP_MASK 7
#define SLP_EN BIT(5)

/* Reset control register, CF9H: the bit that resets the processor */
#define RST_CPU BIT(2)

/* Keyboard controller (8042) command: pulse the reset line */
#define KEYBOARD_RESET 0xfe

static void end(struct vpower *p, enum guest_end how)
{
	if (p->ended)
		return;
	p->ended = true;
	guest_end(how, "as it asked");
}

static u8 sleep_cycle(void *ctx, u64 offset, bool write, u8 value)
{
	unsigned int type = value >> SLP_TYP_SHIFT & SLP_TYP_MASK;

	if (write && offset == SLEEP_CONTROL && value & SLP_EN &&
	    type == GUEST_S5_TYPE)
		end(ctx, GUEST_POWEROFF);
	return 0;
}

void vpower_sleep_access(void *ctx, u64 offset, unsigned int size, bool write,
			 u64 *value)
{
	bytewise_access(sleep_cycle, ctx, offset, size, write, value);
}

static u8 reset_cycle(void *ctx, u64 offset, bool write, u8 value)
{
	if (write && offset == 0 && value & RST_CPU)
		end(ctx, GUEST_REBOOT);
	return 0;
}

void vpower_reset_access(void *ctx, u64 offset, unsigned int size, bool write,
			 u64 *value)
{
	bytewise_access(reset_cycle, ctx, offset, size, write, value);
}

static u8 keyboard_cycle(void *ctx, u64 offset, bool write, u8 value)
{
	if (write && offset == 0 && value == KEYBOARD_RESET)
		end(ctx, GUEST_REBOOT);
	return 0xff; /* as where no controller is */
}

void vpower_keyboard_access(void *ctx, u64 offset, unsigned int size,
			    bool write, u64 *value)
{
	bytewise_access(keyboard_cycle, ctx, offset, size, write, value);
}
