/* sources: hv/tsc.c tests/unit/processor_model.c */
#include "hv/time.h"
#include "hv/tsc.h"
#include "hv/x86.h"
#include "tests/unit/processor_model.h"
#include "tests/unit/support.h"
#include <string.h>

/* CPU 1, which looks for a question whenever CPU 0 looks at its clock, and is
 * so many ticks ahead; each way takes so many. */
static bool other_runs;
static s64 other_ahead;
static u64 way;

u64 time_us(void)
{
	if (other_runs) {
		processor.tsc += way + other_ahead;
		tsc_answer(1);
		tsc_answer(2);
		processor.tsc += way - other_ahead;
	}
	return test_time++;
}

static int setup(void **state)
{
	(void)state;
	processor_reset();
	processor.tsc = 1000000000000;
	other_runs = true;
	other_ahead = 0;
	way = 100;
	test_log_clear();
	return 0;
}

static void adjust_becomes_0(void **state)
{
	(void)state;
	processor_cpuid(7, 0, (struct cpuid_regs){.ebx = BIT(1)});
	processor_has_msr(MSR_TSC_ADJUST, (u64)-1000000000);
	assert_true(tsc_adjust_clear() == (u64)-1000000000);
	assert_true(processor_msr(MSR_TSC_ADJUST) == 0);
	/* Written where it must be, alone */
	assert_int_equal(processor.msr_writes, 1);
	assert_true(tsc_adjust_clear() == 0);
	assert_int_equal(processor.msr_writes, 1);
}

/* The model fails the test if the MSR is touched. */
static void no_adjust(void **state)
{
	(void)state;
	assert_true(tsc_adjust_clear() == 0);
	/* What the last leaf says is no word of leaf 7 */
	processor_cpuid(0, 0, (struct cpuid_regs){.eax = 6});
	processor_cpuid(7, 0, (struct cpuid_regs){.ebx = BIT(1)});
	assert_true(tsc_adjust_clear() == 0);
}

static void equal_counters(void **state)
{
	(void)state;
	assert_true(tsc_ahead(1) == 0);
	assert_true(tsc_ahead(2) == 0);
	assert_string_equal(test_log, "");
}

/* Within the time that the answer takes nothing is to be seen. */
static void differences_are_measured(void **state)
{
	(void)state;
	other_ahead = 1000000;
	assert_in_range(tsc_ahead(1), 999000, 1000000);
	other_ahead = -1000000;
	assert_in_range(-tsc_ahead(1), 999000, 1000000);
	other_ahead = -5000000000;
	assert_true(tsc_ahead(1) < -4999999000 && tsc_ahead(1) >= -5000000000);
	other_ahead = 50;
	assert_true(tsc_ahead(1) == 0);
}

static void no_answer(void **state)
{
	(void)state;
	other_runs = false;
	assert_true(tsc_ahead(1) == 0);
	assert_string_equal(test_log,
			    "timeout: another processor to read its TSC\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(adjust_becomes_0, setup),
		cmocka_unit_test_setup(no_adjust, setup),
		cmocka_unit_test_setup(equal_counters, setup),
		cmocka_unit_test_setup(differences_are_measured, setup),
		cmocka_unit_test_setup(no_answer, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
