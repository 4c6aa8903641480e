/* What the unit tests give to the modules in place of the hypervisor. */
#ifndef TESTS_UNIT_SUPPORT_H
#define TESTS_UNIT_SUPPORT_H

#include "hv/types.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* cmocka 2.0 has a macro of the name, as drivers have a member */
#undef stop

/* Everything logged since the test began; NUL-terminated. */
extern char test_log[65536];

/* Empty the log; the first line of a test that reads it. */
void test_log_clear(void);

/* Pages that page_alloc() may still give; SIZE_MAX: no limit. */
extern size_t test_pages_left;

/* What time_us() says next; grows by one with each call. */
extern u64 test_time;

/* How long a character of log takes, in microseconds; 0 but for a test. */
extern u64 test_character_us;

#endif
