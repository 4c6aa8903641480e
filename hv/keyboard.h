/* The PS/2 keyboard, or what the chipset shows as one. */
#ifndef HV_KEYBOARD_H
#define HV_KEYBOARD_H

#include "hv/types.h"

/* Take what the controller holds; true if a key went down. */
bool keyboard_pressed(void);

#endif
