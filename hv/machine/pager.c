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
/* Where in what is kept the table begins and ends, and the last page begins */
static size_t table, table_end, last_page;
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

void pager_table(bool begins)
{
	if (begins)
		table = kept_length;
	else
		table_end = kept_length;
}

void pager_last_page(void)
{
	last_page = kept_length;
}

/* A row of the table is nothing without its head, which is its first line. */
static size_t head_length(void)
{
	size_t length = 0;

	if (next <= table || next >= table_end)
		return 0;
	while (kept[table + length] != '\n')
		length++;
	return length + 1;
}

bool pager_turn(void)
{
	size_t end = next < last_page ? last_page : kept_length;
	char more[64];

	if (!kept)
		return true;
	next += framebuffer_page(kept + table, head_length(), kept + next,
				 end - next);
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
