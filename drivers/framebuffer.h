/* The log on the screen that firmware left us: text in a linear framebuffer. */
#ifndef DRIVERS_FRAMEBUFFER_H
#define DRIVERS_FRAMEBUFFER_H

#include "hv/types.h"

/* The mode as the firmware tells it (UEFI 12.9.2); 32 bits a pixel. */
struct framebuffer {
	hpa_t base;
	u64 size;	      /* bytes; 0: there is none */
	u32 width, height;    /* pixels */
	u32 pitch;	      /* pixels from one line to the next */
	u32 red, green, blue; /* masks */
};

/* Glyphs of the characters 20H to 7EH, a byte a line, leftmost pixel in bit 7;
 * made by tools/font.py. */
#define FONT_FIRST 0x20
#define FONT_GLYPHS 95
#define FONT_WIDTH 8
#define FONT_HEIGHT 16
extern const u8 font[FONT_GLYPHS][FONT_HEIGHT];

/* Bytes of the visible lines; 0: the mode makes no sense, or is too small for
 * text. */
u64 framebuffer_bytes(const struct framebuffer *mode);

/* Clear the screen and use it for text from now on.  framebuffer_bytes() of
 * @mode at its base are mapped.  Modes of 2560 pixels a line and more get
 * larger letters. */
void framebuffer_init(const struct framebuffer *mode);

/*
 * Write text.  \n starts a line; lines that are too long are continued; when
 * the screen is full it moves up by a quarter.  Obeys hv/colour.h; other
 * escape sequences of ECMA-48 (CSI) are left out.  The caller holds the log's
 * lock.  Nothing before framebuffer_init().
 */
void framebuffer_write(const char *text, size_t length);

/*
 * Clear the screen and write of @text as many whole lines, but one at least, as
 * leave its last row free.  Returns how many bytes these are; @length if there
 * is no screen.  The caller is as for framebuffer_write().
 */
size_t framebuffer_page(const char *text, size_t length);

/* True if the screen in use has a visible pixel in the page at @page. */
bool framebuffer_has(hpa_t page);

/* Stop using the screen if any of it lies in [base, base + size): a guest gets
 * it. */
void framebuffer_give_up(hpa_t base, u64 size);

#endif
