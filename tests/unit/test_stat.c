/* sources: hv/vmx/stat.c hv/cpu.c tests/unit/processor_model.c */
#include "hv/cpu.h"
#include "hv/stat_abi.h"
#include "hv/time.h"
#include "hv/vmx/stat.h"
#include "tests/unit/support.h"
#include <string.h>

static struct cpu all[MAX_CPUS];

u32 time_tsc_khz(void)
{
	return 1000000;
}

static void make_cpus(unsigned int count)
{
	memset(all, 0, sizeof(all));
	for (unsigned int i = 0; i < count; i++) {
		all[i].index = i;
		cpus[i] = &all[i];
	}
	cpu_count = count;
	test_log_clear();
}

/* All of a line is there, be the numbers as long as they can. */
static void few_by_number(void **state)
{
	char expected[1000] = "  CPUID                  18446744073709551600 ";

	(void)state;
	make_cpus(16);
	for (unsigned int i = 0; i < 16; i++) {
		all[i].exits[10] = UINT64_MAX;
		strcat(expected, " 18446744073709551615");
	}
	strcat(expected, "\n");
	stat_log();
	assert_non_null(strstr(test_log, expected));
}

static void many_by_the_most(void **state)
{
	(void)state;
	make_cpus(MAX_CPUS);
	for (unsigned int i = 0; i < MAX_CPUS; i++)
		all[i].exits[77] = 2;
	all[300].exits[77] = 1000;
	stat_log();
	assert_string_equal(test_log, "gangway: VM exits: in all, then by CPU\n"
				      "  reason 77                    2022  at "
				      "most 1000, on cpu 300\n");
}

static void counters_of_all_are_shown(void **state)
{
	struct cpuid_regs r;

	(void)state;
	make_cpus(MAX_CPUS);
	all[MAX_CPUS - 1].exits[3] = 0x123456789ab;
	r = stat_leaf(STAT_LEAF_COUNTER, (MAX_CPUS - 1) << 16 | 3);
	assert_int_equal(r.eax, 0x456789ab);
	assert_int_equal(r.ebx, 0x123);
	r = stat_leaf(STAT_LEAF_COUNTER, MAX_CPUS << 16 | 3);
	assert_int_equal(r.eax | r.ebx, 0);
	assert_int_equal(stat_leaf(STAT_LEAF_VERSION, 0).ebx, MAX_CPUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_by_number),
		cmocka_unit_test(many_by_the_most),
		cmocka_unit_test(counters_of_all_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
