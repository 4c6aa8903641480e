/* sources: hv/machine/pager.c */
#include "drivers/framebuffer.h"
#include "hv/alloc.h"
#include "hv/log.h"
#include "hv/machine/pager.h"
#include "hv/panic.h"
#include "hv/panic_state.h"
#include "tests/unit/support.h"
#include <string.h>

/* In place of the framebuffer: pages of four lines with the head, and what is
 * written on the last one */
static char shown[1000];

static void screen(const char *text, size_t length)
{
	strncat(shown, text, length);
}

void (*log_screen)(const char *text, size_t length) = screen;

void framebuffer_write(const char *text, size_t length)
{
	screen(text, length);
}

size_t framebuffer_page(const char *head, size_t head_length, const char *text,
			size_t length)
{
	unsigned int lines = head_length ? 1 : 0;
	size_t at = 0;

	shown[0] = '\0';
	screen(head, head_length);
	while (at < length && lines < 4)
		lines += text[at++] == '\n';
	screen(text, at);
	return at;
}

bool panic_here(void)
{
	return false;
}

static void log_line(const char *text)
{
	log_screen(text, strlen(text));
}

#define MORE(n) "-- page " #n "; a PS/2 key: the next, or wait"

static void pages_of_a_table_have_its_head(void **state)
{
	(void)state;
	pager_start();
	log_line("before\n");
	pager_table(true);
	log_line("head\n");
	log_line("1\n");
	log_line("2\n");
	log_line("3\n");
	log_line("4\n");
	log_line("5\n");
	log_line("6\n");
	pager_table(false);
	log_line("after\n");
	pager_last_page();
	pager_hold(true);
	log_line("verdict\n");
	assert_false(pager_turn());
	assert_string_equal(shown, "before\nhead\n1\n2\n" MORE(1));
	assert_false(pager_turn());
	assert_string_equal(shown, "head\n3\n4\n5\n" MORE(2));
	/* Its last row is one of the table's, and what follows is not */
	assert_false(pager_turn());
	assert_string_equal(shown, "head\n6\nafter\n" MORE(3));
	assert_true(pager_turn());
	assert_string_equal(shown, "verdict\n");
	assert_false(pager_turn());
	assert_string_equal(shown, "before\nhead\n1\n2\n" MORE(1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_a_table_have_its_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
