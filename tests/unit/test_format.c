/* sources: hv/format.c */
#include "hv/format.h"
#include "hv/log.h"
#include "tests/unit/support.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char buf[64];

/* By a pointer, for formats that the compiler would rightly not accept. */
static int (*unchecked)(char *, size_t, const char *, ...) = format;

#define EXPECT(text, ...)                                                      \
	do {                                                                   \
		assert_int_equal(format(buf, sizeof(buf), __VA_ARGS__),        \
				 strlen(text));                                \
		assert_string_equal(buf, text);                                \
	} while (0)

static void plain_text(void **state)
{
	(void)state;
	EXPECT("", "%s", "");
	EXPECT("vtd: dmar0\n", "vtd: dmar0\n");
	EXPECT("100%", "100%%");
	EXPECT("a%b", "a%%%c", 'b');
}

static void integers(void **state)
{
	(void)state;
	EXPECT("0 0 0 0", "%d %u %x %X", 0, 0, 0, 0);
	EXPECT("-1 4294967295 ffffffff", "%d %u %x", -1, -1, -1);
	EXPECT("-2147483648 2147483647", "%i %i", INT32_MIN, INT32_MAX);
	EXPECT("deadbeef DEADBEEF", "%x %X", 0xdeadbeef, 0xdeadbeef);
	EXPECT("-9223372036854775808", "%ld", INT64_MIN);
	EXPECT("18446744073709551615", "%lu", UINT64_MAX);
	EXPECT("18446744073709551615", "%llu", ~0ULL);
	EXPECT("fee00000ffffffff", "%lx", 0xfee00000ffffffffUL);
	EXPECT("4096 -8", "%zu %zd", (size_t)4096, (ssize_t)-8);
	EXPECT("1 2 3", "%u %lu %u", 1, 2UL, 3);
}

static void width_and_flags(void **state)
{
	(void)state;
	EXPECT("[    7]", "[%5d]", 7);
	EXPECT("[7    ]", "[%-5d]", 7);
	EXPECT("[00007]", "[%05d]", 7);
	EXPECT("[-0007]", "[%05d]", -7);
	EXPECT("[   -7]", "[%5d]", -7);
	EXPECT("[-7   ]", "[%-5d]", -7);
	EXPECT("[123456]", "[%3d]", 123456);
	EXPECT("[-123456]", "[%03d]", -123456);
	EXPECT("[  ab]", "[%*x]", 4, 0xab);
	EXPECT("[ab  ]", "[%-*x]", 4, 0xab);
	EXPECT("0000:01:10.0", "%04x:%02x:%02x.%u", 0, 1, 0x10, 0);
	EXPECT("0x00c000000", "0x%09lx", 0xc000000UL);
	EXPECT("000000000000000000000000000000000001", "%036d", 1);
}

static void strings_and_characters(void **state)
{
	char no_end[4] = {'D', 'M', 'A', 'R'};

	(void)state;
	EXPECT("[  abc]", "[%5s]", "abc");
	EXPECT("[abc  ]", "[%-5s]", "abc");
	EXPECT("[abcdef]", "[%5s]", "abcdef");
	EXPECT("DMAR", "%.4s", no_end);
	EXPECT("[  ab]", "[%4.2s]", "abc");
	EXPECT("[ab  ]", "[%-*.*s]", 4, 2, "abc");
	EXPECT("[]", "[%.0s]", "abc");
	EXPECT("[abc]", "[%.*s]", -1, "abc");
	EXPECT("[  x]", "[%3c]", 'x');
	EXPECT("[x  ]", "[%-3c]", 'x');
	assert_int_equal(unchecked(buf, sizeof(buf), "%s", NULL), 6);
	assert_string_equal(buf, "(null)");
}

static void pointers(void **state)
{
	(void)state;
	EXPECT("0xfed90000", "%p", (void *)0xfed90000);
	EXPECT("0x0", "%p", NULL);
	EXPECT("[      0x12]", "[%10p]", (void *)0x12);
}

/* In a buffer of its exact size: what is written beyond it is seen. */
static void cut_to(size_t size, const char *text)
{
	char *small = malloc(size);

	assert_non_null(small);
	assert_int_equal(format(small, size, "%s-%05d-%x", "abc", -12, 0xff),
			 12);
	assert_string_equal(small, text);
	free(small);
}

static void small_buffers(void **state)
{
	(void)state;
	cut_to(13, "abc--0012-ff");
	cut_to(12, "abc--0012-f");
	cut_to(5, "abc-");
	cut_to(1, "");
	assert_int_equal(format(NULL, 0, "%s", "abc"), 3);
	assert_int_equal(format(buf, 2, "%1000d", 1), 1000);
	assert_string_equal(buf, " ");
}

static void formats_that_end_early(void **state)
{
	static const char *const cut[] = {"%",	 "%-",	"%0",  "%5",  "%l",
					  "%ll", "%5l", "%.",  "%.3", "%-05.3l",
					  "%z",	 "%5.", "%lz", "%00"};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(cut); i++) {
		char *copy = strdup(cut[i]);

		assert_non_null(copy);
		assert_int_equal(unchecked(buf, sizeof(buf), copy, 1, 2), 0);
		assert_string_equal(buf, "");
		free(copy);
	}
}

/* Against the C library, whose %lx and %ld are right. */
static void random_numbers(void **state)
{
	static const char *const formats[] = {"%lx",	"%ld",	   "%lu",
					      "%020lu", "%-21ld|", "%21lX"};
	u64 value = 88172645463325252ULL;
	char right[64];

	(void)state;
	for (unsigned int i = 0; i < 60000; i++) {
		const char *f = formats[i % ARRAY_SIZE(formats)];
		u64 number;

		value ^= value << 13;
		value ^= value >> 7;
		value ^= value << 17;
		number = value >> (value & 63);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		assert_int_equal(snprintf(right, sizeof(right), f, number),
				 unchecked(buf, sizeof(buf), f, number));
#pragma GCC diagnostic pop
		assert_string_equal(buf, right);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text),
		cmocka_unit_test(integers),
		cmocka_unit_test(width_and_flags),
		cmocka_unit_test(strings_and_characters),
		cmocka_unit_test(pointers),
		cmocka_unit_test(small_buffers),
		cmocka_unit_test(formats_that_end_early),
		cmocka_unit_test(random_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
