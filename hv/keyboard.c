/* This file polls the keyboard controller (8042) as firmware left it, without
 * setting it up. */
#include "hv/keyboard.h"
#include "hv/asm.h"

#define KEYBOARD_DATA 0x60
#define KEYBOARD_STATUS 0x64
#define STATUS_OUTPUT_FULL BIT(0)
#define STATUS_MOUSE BIT(5)
#define STATUS_ABSENT 0xff
#define CODE_RELEASED 0x80 /* and above: answers of the keyboard */

bool keyboard_pressed(void)
{
	u8 status = inb(KEYBOARD_STATUS), code;

	if (status == STATUS_ABSENT || !(status & STATUS_OUTPUT_FULL))
		return false;
	code = inb(KEYBOARD_DATA);
	return !(status & STATUS_MOUSE) && code && code < CODE_RELEASED;
}
