/* The screens that firmware has set up (UEFI 2.9 12.9). */
#ifndef BOOT_GRAPHICS_H
#define BOOT_GRAPHICS_H

#include "drivers/framebuffer.h"

/* graphics.c: fill @screen with the firmware's graphics modes that have a
 * linear framebuffer of 32 bits a pixel, at most @max; returns how many.  Some
 * may have the same one. */
unsigned int graphics_find(struct framebuffer *screen, unsigned int max);

#endif
