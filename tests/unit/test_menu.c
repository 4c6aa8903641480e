/* sources: boot/menu.c */
#include "boot/console.h"
#include "boot/files.h"
#include "boot/menu.h"
#include "tests/unit/support.h"
#include <stdio.h>
#include <string.h>

static char key, said[1000], file[64];
static unsigned int waited;
static bool dropped;
static EFI_STATUS write_status;

void boot_print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said + strlen(said), sizeof(said) - strlen(said), fmt, ap);
	va_end(ap);
}

const char *boot_status(EFI_STATUS status)
{
	(void)status;
	return "write-protected";
}

/* What is typed once the question can be read is an answer. */
void boot_drop_keys(void)
{
	assert_string_equal(said, "");
	dropped = true;
}

char boot_key(unsigned int seconds)
{
	assert_true(dropped);
	waited = seconds;
	return key;
}

EFI_STATUS file_change(const char *path, u64 at, const void *bytes, u64 size)
{
	assert_string_equal(path, "gangway.cfg");
	assert_true(at + size <= sizeof(file));
	if (!EFI_ERROR(write_status))
		memcpy(file + at, bytes, size);
	return write_status;
}

static struct config ask(enum run_mode mode, char pressed)
{
	struct config config = {
		.mode = mode, .mode_at = 9, .mode_size = 5, .menu = 10};

	key = pressed;
	waited = 0;
	dropped = false;
	said[0] = '\0';
	write_status = EFI_SUCCESS;
	strcpy(file, "# x\nmode=check\nmenu=10\n");
	menu_ask(&config, "gangway.cfg");
	return config;
}

static void keys_choose(void **state)
{
	(void)state;
	assert_int_equal(ask(MODE_CHECK, 'r').mode, MODE_RUN);
	assert_int_equal(waited, 10);
	assert_int_equal(ask(MODE_CHECK, 'R').mode, MODE_RUN);
	assert_int_equal(ask(MODE_RUN, 'C').mode, MODE_CHECK);
	assert_int_equal(ask(MODE_CHECK, 0).mode, MODE_CHECK);
	assert_non_null(strstr(said, "without a key it is C, in 10 s"));
	assert_int_equal(ask(MODE_RUN, 0).mode, MODE_RUN);
	assert_non_null(strstr(said, "without a key it is R"));
	assert_int_equal(ask(MODE_CHECK, '\r').mode, MODE_CHECK);
	assert_string_equal(file, "# x\nmode=check\nmenu=10\n");
}

static void always_is_written(void **state)
{
	(void)state;
	assert_int_equal(ask(MODE_CHECK, 'a').mode, MODE_RUN);
	assert_string_equal(file, "# x\nmode=run  \nmenu=10\n");
	assert_non_null(strstr(said, "mode=run from now on"));
}

static void what_cannot_be_written_is_said(void **state)
{
	struct config config = {
		.mode = MODE_CHECK, .mode_at = 9, .mode_size = 5, .menu = 1};

	(void)state;
	ask(MODE_CHECK, 'a');
	key = 'A';
	said[0] = '\0';
	write_status = EFI_WRITE_PROTECTED;
	menu_ask(&config, "gangway.cfg");
	assert_int_equal(config.mode, MODE_RUN);
	assert_non_null(strstr(said, "by hand: write-protected"));
}

/* Where it is not asked for, and where the file has no mode to be changed */
static void nothing_else_is_done(void **state)
{
	struct config config = {.mode = MODE_CHECK};

	(void)state;
	ask(MODE_CHECK, 0);
	waited = 0;
	said[0] = '\0';
	key = 'a';
	menu_ask(&config, "gangway.cfg");
	assert_int_equal(waited, 0);
	assert_int_equal(config.mode, MODE_CHECK);
	config.menu = 5;
	menu_ask(&config, "gangway.cfg");
	assert_int_equal(config.mode, MODE_RUN);
	assert_string_equal(file, "# x\nmode=check\nmenu=10\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_choose),
		cmocka_unit_test(always_is_written),
		cmocka_unit_test(what_cannot_be_written_is_said),
		cmocka_unit_test(nothing_else_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
