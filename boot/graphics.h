/* The screen that firmware has set up (UEFI 2.9 12.9). */
#ifndef BOOT_GRAPHICS_H
#define BOOT_GRAPHICS_H

#include "drivers/framebuffer.h"

/* graphics.c: fill @screen with the firmware's graphics mode, if it has a
 * linear framebuffer of 32 bits a pixel. */
void graphics_find(struct framebuffer *screen);

#endif
