/* This file shows the log of mode=check on the screen, page by page. */
#include "hv/machine/pager.h"
#include "drivers/framebuffer.h"
#include "hv/alloc.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/panic.h"
#include "hv/panic_state.h"
#include "hv/string.h"

static char *kept;
static size_t kept_length, next;
static unsigned int page; /* that is shown; the first is 1 */
static bool held, full;

static void keep(const char *text, size_t length)
{
	full = full || length > PAGER_PAGES * PAGE_SIZE - kept_length;
	if (!held || full || panic_here())
		framebuffer_write(text, length);
	if (full)
		return;
	memcpy(kept + kept_length, text, length);
	kept_length += length;
}

void pager_start(void)
{
	if (!log_screen)
		return;
	kept = page_alloc(PAGER_PAGES, PAGES_GUEST);
	if (kept)
		log_screen = keep;
}

void pager_hold(bool on)
{
	held = on;
}

bool pager_turn(void)
{
	char more[64];

	if (!kept)
		return true;
	next += framebuffer_page(kept + next, kept_length - next);
	page++;
	if (next < kept_length) {
		format(more, sizeof(more),
		       "-- page %u; a PS/2 key: the next, or wait", page);
		framebuffer_write(more, strlen(more));
		return false;
	}
	next = 0;
	page = 0;
	return true;
}
