/* sources: guest/log_lines.c */
#include "guest/log_lines.h"
#include "tests/unit/support.h"
#include <string.h>

static void say(const char *text)
{
	while (*text)
		log_lines_putc(*text++);
}

static int setup(void **state)
{
	(void)state;
	say("\n");
	test_log_clear();
	return 0;
}

static void lines_are_logged_whole(void **state)
{
	(void)state;
	say("Linux ver");
	assert_string_equal(test_log, "");
	say("sion 6.1\r\n\r\nPA");
	assert_string_equal(test_log, "guest: Linux version 6.1\n");
	say("SS\n");
	assert_string_equal(test_log, "guest: Linux version 6.1\n"
				      "guest: PASS\n");
}

/* Nothing of the guest moves the cursor of who reads the log. */
static void sequences_are_left_out(void **state)
{
	(void)state;
	say("\x1b[2J\x1b[1;31mred\x1b[0m \x1b"
	    "Mx\a\b\ty\n\x1b[1\nz\n");
	assert_string_equal(test_log, "guest: red xy\nguest: z\n");
}

static void long_lines_are_continued(void **state)
{
	char text[300];

	(void)state;
	memset(text, 'A', sizeof(text));
	text[290] = '\n';
	text[291] = '\0';
	say(text);
	/* 120, 120 and 50 of them */
	assert_int_equal(strlen(test_log), 290 + 3 * strlen("guest: \n"));
	assert_memory_equal(test_log + 7 + 120, "\nguest: A", 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lines_are_logged_whole, setup),
		cmocka_unit_test_setup(sequences_are_left_out, setup),
		cmocka_unit_test_setup(long_lines_are_continued, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
