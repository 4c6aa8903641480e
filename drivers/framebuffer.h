/* The log on the screens that firmware left us: text in linear framebuffers. */
#ifndef DRIVERS_FRAMEBUFFER_H
#define DRIVERS_FRAMEBUFFER_H

#include "hv/types.h"

/* A card and an integrated display, each with two monitors.  Nobody knows which
 * of them is looked at, so the log is on all. */
#define FRAMEBUFFERS_MAX 4

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

/* Pages of the pool that framebuffer_add() takes for @mode. */
size_t framebuffer_pages(const struct framebuffer *mode);

/* Clear a screen and use it for text, too, from now on.  framebuffer_bytes() of
 * @mode, which are not 0, are mapped at its base.  Modes of 2560 pixels a line
 * and more get larger letters.  False: there are FRAMEBUFFERS_MAX, or there is
 * no memory. */
bool framebuffer_add(const struct framebuffer *mode);

/*
 * Write text on every screen.  \n starts a line; lines that are too long are
 * continued with the word that does not fit; when the screen is full it moves
 * up by a quarter.  Obeys hv/colour.h; other escape sequences of ECMA-48 (CSI)
 * are left out.  The caller holds the log's lock.  Nothing where there is no
 * screen.
 */
void framebuffer_write(const char *text, size_t length);

/*
 * Clear the screens and write @head, then of @text as many whole lines, but one
 * at least, as leave the last row of each free.  Returns how many bytes of
 * @text these are; @length if there is no screen.  The caller is as for
 * framebuffer_write().
 */
size_t framebuffer_page(const char *head, size_t head_length, const char *text,
			size_t length);

/* True if a screen in use has a visible pixel in the page at @page. */
bool framebuffer_has(hpa_t page);

/* Stop using a screen if any of it lies in [base, base + size): a guest gets
 * it. */
void framebuffer_give_up(hpa_t base, u64 size);

#endif
