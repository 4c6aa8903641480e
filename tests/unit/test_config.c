/* sources: hv/machine/config.c hv/machine/config_assign.c hv/machine/config_text.c hv/weaken.c */
#include "hv/machine/config.h"
#include "tests/unit/support.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct config config;
static struct config_error error;

/* From an allocation of its exact size: reading beyond it is seen. */
static int parse_bytes(const char *text, size_t size)
{
	char *copy = malloc(size ? size : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, size);
	memset(&config, 0xa5, sizeof(config));
	memset(&error, 0xa5, sizeof(error));
	err = config_parse(copy, size, &config, &error);
	free(copy);
	return err;
}

static int parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void expect_error(const char *text, unsigned int line, const char *words)
{
	assert_int_equal(parse(text), -EINVAL);
	assert_int_equal(error.line, line);
	if (!strstr(error.message, words))
		fail_msg("'%s' lacks '%s'", error.message, words);
}

static void empty_file_gives_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_string_equal(config.kernel, "\\vmlinuz");
	assert_int_equal(config.initrd_count, 0);
	assert_string_equal(config.cmdline, "");
	assert_true(config.memory == 0);
	assert_int_equal(config.cpus, CONFIG_ALL_CPUS);
	assert_int_equal(config.assign_count, 0);
	assert_int_equal(config.on_poweroff, END_POWEROFF);
	assert_int_equal(config.on_reboot, END_RESET);
	assert_int_equal(config.on_crash, END_HALT);
	assert_int_equal(config.on_panic, END_HALT);
	assert_false(config.selftest);
	assert_int_equal(config.log_port, 1);
	assert_false(config.allow_unsafe_groups);
	assert_false(config.allow_unsafe_commands);
	assert_false(config.strict_groups);
	assert_int_equal(config.mode, MODE_RUN);
}

static void every_key_is_understood(void **state)
{
	(void)state;
	assert_int_equal(parse("\xef\xbb\xbf# a comment\r\n"
			       "\r\n"
			       " kernel = /boot/vmlinuz \r\n"
			       "INITRD=initrd.img\n"
			       "\t# another = comment\n"
			       "cmdline=console=ttyS0 a=\"b # c\" d#e\n"
			       "memory=512M\n"
			       "cpus=3\n"
			       "assign= 0000:01:10.0, vf:8086:10C9/2\n"
			       "allow-unsafe-groups=yes\n"
			       "allow-unsafe-commands=yes\n"
			       "groups=strict\n"
			       "mode=Check\n"
			       "on-poweroff=halt\n"
			       "on-reboot=poweroff\n"
			       "on-crash=reset\n"
			       "on-panic=reset\n"
			       "selftest=panic\n"
			       "log=com2"),
			 0);
	assert_string_equal(config.kernel, "/boot/vmlinuz");
	assert_int_equal(config.initrd_count, 1);
	assert_string_equal(config.initrd[0], "initrd.img");
	assert_string_equal(config.cmdline, "console=ttyS0 a=\"b # c\" d#e");
	assert_true(config.memory == 512 * MIB);
	assert_int_equal(config.cpus, 3);
	assert_true(config.allow_unsafe_groups);
	assert_true(config.allow_unsafe_commands);
	assert_true(config.strict_groups);
	assert_int_equal(config.mode, MODE_CHECK);
	assert_int_equal(config.assign_count, 2);
	assert_int_equal(config.assign[0].kind, ASSIGN_ADDRESS);
	assert_int_equal(config.assign[0].addr.segment, 0);
	assert_int_equal(config.assign[0].addr.bus, 1);
	assert_int_equal(config.assign[0].addr.devfn, 0x80);
	assert_int_equal(config.assign[1].kind, ASSIGN_VF);
	assert_int_equal(config.assign[1].vendor, 0x8086);
	assert_int_equal(config.assign[1].device, 0x10c9);
	assert_int_equal(config.assign[1].vf, 2);
	assert_int_equal(config.on_poweroff, END_HALT);
	assert_int_equal(config.on_reboot, END_POWEROFF);
	assert_int_equal(config.on_crash, END_RESET);
	assert_int_equal(config.on_panic, END_RESET);
	assert_true(config.selftest);
	assert_int_equal(config.log_port, 2);
}

static void power_is_the_guests_or_fixed(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_true(config.guest_power);
	assert_int_equal(parse("power=fixed"), 0);
	assert_false(config.guest_power);
	assert_int_equal(parse("power=guest"), 0);
	assert_true(config.guest_power);
	expect_error("power=full", 1, "expected guest or fixed");
}

static void ipis_are_direct_or_checked(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_false(config.check_ipis);
	assert_int_equal(parse("ipis=checked"), 0);
	assert_true(config.check_ipis);
	assert_int_equal(parse("ipis=direct"), 0);
	assert_false(config.check_ipis);
	expect_error("ipis=", 1, "expected direct or checked");
}

static void weakening_is_asked_for_by_name(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_int_equal(config.weaken, 0);
	assert_int_equal(parse("weaken=dma-isolation"), 0);
	assert_int_equal(config.weaken, 1);
	assert_int_equal(parse("weaken=flr, msix-trap"), 0);
	assert_int_equal(config.weaken, 0x18);
	assert_int_equal(parse("weaken=ir-source-check,compat-block"), 0);
	assert_int_equal(config.weaken, 6);
	expect_error("weaken=", 1, "expected dma-isolation");
	expect_error("weaken=flr,all", 1, "weaken=all");
}

static void memory_has_units_and_limits(void **state)
{
	(void)state;
	assert_int_equal(parse("memory=6G"), 0);
	assert_true(config.memory == 6 * GIB);
	assert_int_equal(parse("memory=130m"), 0);
	assert_true(config.memory == 130 * MIB);
	assert_int_equal(parse("memory=all"), 0);
	assert_true(config.memory == 0);
	expect_error("memory=", 1, "expected a size");
	expect_error("memory=M", 1, "expected a size");
	expect_error("memory=512", 1, "expected a size");
	expect_error("memory=0M", 1, "expected a size");
	expect_error("memory=-1M", 1, "expected a size");
	expect_error("memory=1.5G", 1, "expected a size");
	expect_error("memory=129M", 1, "multiple of 2M");
	/* 2^64 bytes and a bit: must not wrap to something small */
	expect_error("memory=17592186044417M", 1, "expected a size");
	expect_error("memory=99999999999999999999999G", 1, "expected a size");
}

static void cpus_are_counted(void **state)
{
	(void)state;
	assert_int_equal(parse("cpus=all"), 0);
	assert_int_equal(config.cpus, CONFIG_ALL_CPUS);
	expect_error("cpus=0", 1, "1 to 4096");
	expect_error("cpus=4097", 1, "1 to 4096");
	expect_error("cpus=two", 1, "cpus=two");
}

static void macs_are_checked(void **state)
{
	static const char *const bad[] = {
		"assign=01:10.0 mac=",
		"assign=01:10.0 mac=52:54:00:12:34",
		"assign=01:10.0 mac=52:54:00:12:34:56:78",
		"assign=01:10.0 mac=52:54:00:12:34:5",
		"assign=01:10.0 mac=52:54:00:12:34:5g",
		"assign=01:10.0 mac=53:54:00:12:34:56",
		"assign=01:10.0 mac=00:00:00:00:00:00",
		"assign=01:10.0 mac=52:54:00:12:34:56 mac=52:54:00:12:34:56",
		"assign=01:10.0 mac=52:54:00:12:34:56 x",
		"assign=01:10.0 vlan=0",
		"assign=01:10.0 vlan=4095",
		"assign=01:10.0 vlan=",
		"assign=01:10.0 vlan=5 vlan=6",
	};

	(void)state;
	assert_int_equal(parse("assign=01:10.0"), 0);
	assert_false(config.assign[0].has_mac);
	assert_int_equal(config.assign[0].vlan, 0);
	assert_int_equal(parse("assign=vf:8086:10c9/3  mac=52:54:00:aB:0f:01 "
			       "vlan=4094 , 01:10.0"),
			 0);
	assert_int_equal(config.assign[0].vlan, 4094);
	assert_int_equal(config.assign_count, 2);
	assert_int_equal(config.assign[0].vf, 3);
	assert_true(config.assign[0].has_mac);
	assert_memory_equal(config.assign[0].mac, "\x52\x54\x00\xab\x0f\x01",
			    6);
	assert_false(config.assign[1].has_mac);
	/* Still the same function */
	assert_int_equal(parse("assign=01:10.0 mac=52:54:00:12:34:56,01:10.0"),
			 -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_error(bad[i], 1, "expected mac= with a station");
}

static void addresses_are_checked(void **state)
{
	static const char *const bad[] = {
		"assign=",
		"assign=01",
		"assign=01:10",
		"assign=01:10.8",
		"assign=01:20.0",
		"assign=100:10.0",
		"assign=10000:01:10.0",
		"assign=0:0:01:10.0",
		"assign=:01:10.0",
		"assign=01:10.",
		"assign=01:.0",
		"assign=01:10.0x",
		"assign=01:10.0,",
		"assign=vf:8086",
		"assign=vf:8086:10c9",
		"assign=vf:8086:10c9/",
		"assign=vf:/0",
		"assign=vf:18086:10c9/0",
		"assign=vf:8086/10c9:0",
		"assign=vf:8086:10c9/65536",
		"assign=none,01:10.0",
		"assign=mac=52:54:00:12:34:56",
	};

	(void)state;
	assert_int_equal(parse("assign=01:10.0"), 0);
	assert_int_equal(config.assign[0].addr.bus, 1);
	assert_int_equal(config.assign[0].addr.devfn, 0x80);
	assert_int_equal(parse("assign=ffff:fe:1f.7"), 0);
	assert_int_equal(config.assign[0].addr.segment, 0xffff);
	assert_int_equal(config.assign[0].addr.bus, 0xfe);
	assert_int_equal(config.assign[0].addr.devfn, 0xff);
	assert_int_equal(parse("assign=none"), 0);
	assert_int_equal(config.assign_count, 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_error(bad[i], 1, "expected a function such as");
	expect_error("assign=01:10.0,0:01:10.0", 1, "given twice");
	assert_int_equal(parse("assign=1:0.0,1:0.1,1:0.2,1:0.3,1:0.4,1:0.5,"
			       "1:0.6,1:0.7"),
			 0);
	assert_int_equal(config.assign_count, 8);
	expect_error("assign=1:0.0,1:0.1,1:0.2,1:0.3,1:0.4,1:0.5,1:0.6,1:0.7,"
		     "1:1.0",
		     1, "more than 8");
}

static void errors_name_line_and_expectation(void **state)
{
	(void)state;
	expect_error("kernel=a\n\nfoo=1\n", 3, "unknown key 'foo'");
	expect_error("kernel=a\r\nkernel=b", 2, "kernel= is given twice");
	expect_error("# x\nhello\n", 2, "'hello': expected key=value");
	expect_error("=x", 1, "unknown key ''");
	expect_error("kernel=", 1, "no file name");
	expect_error("initrd=\xc3\xa4", 1, "not ASCII");
	expect_error("on-crash=explode", 1, "poweroff, reset or halt");
	expect_error("allow-unsafe-groups=1", 1, "yes or no");
	expect_error("allow-unsafe-commands=", 1,
		     "allow-unsafe-commands=: expected yes or no");
	expect_error("groups=", 1, "held or strict");
	expect_error("on-panic=poweroff", 1, "expected reset or halt");
	expect_error("on-panic=explode", 1, "expected");
	expect_error("selftest=yes", 1, "none or panic");
	expect_error("mode=checked", 1, "mode=checked: expected run or check");
	expect_error("log=com3", 1, "com1 or com2");
	expect_error("log=screen", 1, "a screen shows the log in any case");
}

static void initrds_are_a_list(void **state)
{
	(void)state;
	assert_int_equal(parse("initrd=\\ucode.img, \\a b.img\ninitrd=c"), 0);
	assert_int_equal(config.initrd_count, 3);
	assert_string_equal(config.initrd[0], "\\ucode.img");
	assert_string_equal(config.initrd[1], "\\a b.img");
	assert_string_equal(config.initrd[2], "c");
	expect_error("initrd=a,", 1, "no file name");
	expect_error("initrd=\\a \\b", 1, "expected a comma between two files");
	expect_error("kernel=/a /b", 1, "expected a comma between two files");
	assert_int_equal(parse("initrd=1,2,3,4,5,6,7\ninitrd=8"), 0);
	expect_error("initrd=1,2,3,4,5,6,7\ninitrd=8,9", 2,
		     "more than 8 initrds");
}

/* What was meant is said: misspelt, of another loader, or of a shell. */
static void slips_are_understood(void **state)
{
	static const char *const key[][2] = {
		{"kernal=a", "kernel="},
		{"kernl=a", "kernel="},
		{"asign=none", "assign="},
		{"on-powerof=halt", "on-poweroff="},
		{"ON_CRASH=halt", "on-crash="},
		{"allow_unsafe_groups=yes", "allow-unsafe-groups="},
		{"initramfs=a", "initrd="},
		{"append=quiet", "cmdline="},
		{"options=quiet", "cmdline="},
		{"linux=a", "kernel="},
		{"mem=2G", "memory="},
		{"smp=2", "cpus="},
		{"console=com2", "log="},
	};
	char meant[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(key); i++) {
		snprintf(meant, sizeof(meant), "probably %s was meant",
			 key[i][1]);
		expect_error(key[i][0], 1, meant);
	}
	expect_error("foo=1", 1, "expected kernel, initrd, cmdline");
	expect_error("op=1", 1, "expected kernel, initrd, cmdline");
	expect_error("memory=all # all of it", 1, "memory=: a comment behind");
	expect_error("cmdline=quiet # not loud", 1, "a comment behind");
	expect_error("cpus=\t# how many?", 1, "a comment behind");
	expect_error("kernel=\"\\vmlinuz\"", 1, "without quotes");
	expect_error("kernel='a", 1, "without quotes");
	expect_error("cmdline=\"console=ttyS0 quiet\"", 1, "without quotes");
	assert_int_equal(parse("cmdline=\"a b\" c=\"d e\""), 0);
	assert_string_equal(config.cmdline, "\"a b\" c=\"d e\"");
	expect_error("assign=01:00.0 02:00.0", 1, "expected a comma");
	expect_error("assign=VF:8086:10c9/0 vf:8086:10c9/1", 1,
		     "expected a comma");
}

static void the_menu_knows_where_the_mode_stands(void **state)
{
	static const char text[] =
		"\xef\xbb\xbf# x\r\nmode =\tcheck \r\nmenu=10";

	(void)state;
	assert_int_equal(parse(text), 0);
	assert_int_equal(config.menu, 10);
	assert_int_equal(config.mode_size, 5);
	assert_memory_equal(text + config.mode_at, "check", 5);
	assert_int_equal(parse("assign=none"), 0);
	assert_int_equal(config.mode_size, 0);
	assert_int_equal(config.menu, 0);
	expect_error("menu=301", 1, "expected seconds, 0 to 300");
	expect_error("menu=yes", 1, "expected seconds");
}

static void auto_is_one_request(void **state)
{
	(void)state;
	assert_int_equal(parse("assign=auto"), 0);
	assert_int_equal(config.assign_count, 1);
	assert_int_equal(config.assign[0].kind, ASSIGN_AUTO);
	expect_error("assign=auto,01:10.0", 1, "expected a function such as");
}

static void utf_16_is_named(void **state)
{
	static const char *const text[] = {
		"\xff\xfek\0=\0", "\xfe\xff\0k\0=", "k\0=\0a\0", "\0k\0=\0a"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		assert_int_equal(parse_bytes(text[i], 6), -EINVAL);
		assert_non_null(strstr(error.message, "UTF-16: save it as"));
	}
}

static void bytes_that_are_not_text_are_errors(void **state)
{
	(void)state;
	assert_int_equal(parse_bytes("cpus=1\ncpu\0s=1", 14), -EINVAL);
	assert_int_equal(error.line, 2);
	assert_non_null(strstr(error.message, "byte 00 in column 4"));
	expect_error("cmdline=a\rb", 1, "byte 0d in column 10");
	expect_error("# \x1b[2J", 1, "byte 1b");
}

static void long_input_is_refused(void **state)
{
	static char text[70000];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "kernel=", 7);
	text[7 + 127] = '\0';
	assert_int_equal(parse(text), 0);
	assert_int_equal(strlen(config.kernel), 127);
	text[7 + 127] = 'a';
	text[7 + 128] = '\0';
	expect_error(text, 1, "longer than 127");

	memcpy(text, "cmdline=", 8);
	text[7 + 128] = 'a';
	text[8 + 2047] = '\0';
	assert_int_equal(parse(text), 0);
	assert_int_equal(strlen(config.cmdline), 2047);
	text[8 + 2047] = 'a';
	text[8 + 2048] = '\0';
	expect_error(text, 1, "longer than 2047");

	text[8 + 2048] = 'a';
	text[2401] = '\0';
	expect_error(text, 1, "the line is longer than 2400");

	memset(text, '\n', sizeof(text));
	assert_int_equal(parse_bytes(text, 65536), 0);
	assert_int_equal(parse_bytes(text, 65537), -EINVAL);
	assert_non_null(strstr(error.message, "64 KiB"));
}

/* However a good file is cut off, the parser ends and says 0 or -EINVAL. */
static void every_prefix_ends(void **state)
{
	static const char text[] = "kernel=\\a\ninitrd=b\ncmdline=c d\n"
				   "memory=2G\ncpus=all\nassign=01:10.0,"
				   "vf:8086:10c9/0\non-crash=halt\nlog=com1\n";

	(void)state;
	for (size_t size = 0; size < sizeof(text); size++) {
		int err = parse_bytes(text, size);

		assert_true(err == 0 || err == -EINVAL);
		assert_true(strnlen(config.kernel, CONFIG_PATH_MAX) <
			    CONFIG_PATH_MAX);
		if (err)
			assert_true(
				strnlen(error.message, sizeof(error.message)) <
				sizeof(error.message));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_file_gives_defaults),
		cmocka_unit_test(every_key_is_understood),
		cmocka_unit_test(ipis_are_direct_or_checked),
		cmocka_unit_test(power_is_the_guests_or_fixed),
		cmocka_unit_test(weakening_is_asked_for_by_name),
		cmocka_unit_test(memory_has_units_and_limits),
		cmocka_unit_test(cpus_are_counted),
		cmocka_unit_test(macs_are_checked),
		cmocka_unit_test(addresses_are_checked),
		cmocka_unit_test(errors_name_line_and_expectation),
		cmocka_unit_test(initrds_are_a_list),
		cmocka_unit_test(slips_are_understood),
		cmocka_unit_test(the_menu_knows_where_the_mode_stands),
		cmocka_unit_test(auto_is_one_request),
		cmocka_unit_test(utf_16_is_named),
		cmocka_unit_test(bytes_that_are_not_text_are_errors),
		cmocka_unit_test(long_input_is_refused),
		cmocka_unit_test(every_prefix_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
