/* sources: hv/time.h */
/* Waits: how long they last, and what they make of a standstill. */
#include "hv/time.h"
#include "tests/unit/support.h"

#define LIMIT 1000000ULL
#define LOOK_US 10

static u64 looks, asks, went_on;

/* Nothing, or nothing any more, is as it is waited for. */
static bool never(void)
{
	looks++;
	test_time += LOOK_US;
	return false;
}

static void begin(void)
{
	test_time = 5000000;
	looks = asks = 0;
}

static void test_limit(void **state)
{
	u64 start;

	(void)state;
	begin();
	start = test_time;
	assert_false(ask_until(never(), asks++, LIMIT));
	assert_in_range(test_time - start, LIMIT, LIMIT + 4 * LOOK_US);
	assert_in_range(asks, LIMIT / ASK_AGAIN_US * 9 / 10,
			LIMIT / ASK_AGAIN_US + 1);
}

/* What it asks for may take longer than what it waits for. */
static void test_begins_after_question(void **state)
{
	u64 start;

	(void)state;
	begin();
	start = test_time;
	assert_false(
		ask_until(never(), test_time += asks++ ? 0 : 3 * LIMIT, LIMIT));
	assert_true(test_time - start >= 4 * LIMIT);
}

/* The processor stands still at its @n-th look, for much longer than it would
 * wait: it has three quarters of its time left. */
static bool never_still_at(u64 n)
{
	if (looks == n) {
		test_time += 100 * LIMIT;
		went_on = test_time;
	}
	return never();
}

static void test_standstill(void **state)
{
	(void)state;
	begin();
	assert_false(ask_until(never_still_at(1), asks++, LIMIT));
	assert_in_range(test_time - went_on, LIMIT * 3 / 4 - 4 * LOOK_US,
			LIMIT * 3 / 4 + 4 * LOOK_US);
}

/* Nothing but standstills: a wait ends all the same. */
static void test_standstills(void **state)
{
	(void)state;
	begin();
	assert_false(
		ask_until((test_time += 100 * LIMIT, never()), asks++, LIMIT));
	assert_in_range(looks, 5, 7);
	assert_in_range(asks, 5, 7);
}

/* True at the sixth look, and once only: between the first and the fifth four
 * quarters of the limit have passed. */
static bool late(void)
{
	test_time += LIMIT / 4;
	return ++looks == 6;
}

static void test_last_look(void **state)
{
	(void)state;
	begin();
	assert_true(ask_until(late(), asks++, LIMIT));
	assert_int_equal(looks, 6);
}

static bool at_once(void)
{
	return looks++ == 0;
}

/* A condition that holds is not looked at again, and nobody is asked. */
static void test_looks_once(void **state)
{
	(void)state;
	begin();
	assert_true(ask_until(at_once(), asks++, LIMIT));
	assert_int_equal(looks, 1);
	assert_int_equal(asks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_begins_after_question),
		cmocka_unit_test(test_standstill),
		cmocka_unit_test(test_standstills),
		cmocka_unit_test(test_last_look),
		cmocka_unit_test(test_looks_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
