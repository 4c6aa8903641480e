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

/* By time, address and place; what is not there reads 0. */
static void kept_exits_are_shown(void **state)
{
	struct cpuid_regs r;

	(void)state;
	make_cpus(2);
	all[1].recent_next = 1; /* what is behind them */
	all[1].recent[STAT_EXITS - 1] = (struct recent_exit){
		.tsc = 0x123456789ab,
		.reason = 48,
		.rip = 0xffffffff81000000,
		.qualification = 0x8000000182,
	};
	r = stat_leaf(STAT_LEAF_EXIT, 1 << 16 | 2 * (STAT_EXITS - 1));
	assert_int_equal(r.eax, 0x456789ab);
	assert_int_equal(r.ebx, 0x123);
	assert_int_equal(r.ecx, 48);
	r = stat_leaf(STAT_LEAF_EXIT, 1 << 16 | (2 * (STAT_EXITS - 1) + 1));
	assert_int_equal(r.eax, 0x81000000);
	assert_int_equal(r.ebx, 0xffffffff);
	assert_int_equal(r.ecx, 0x182);
	assert_int_equal(r.edx, 0x80);
	r = stat_leaf(STAT_LEAF_EXIT, 1 << 16 | 2 * STAT_EXITS);
	assert_int_equal(r.eax | r.ebx | r.ecx | r.edx, 0);
	r = stat_leaf(STAT_LEAF_EXIT, 2 << 16);
	assert_int_equal(r.eax | r.ebx | r.ecx | r.edx, 0);
}

/* Sub-leaf 0 is the last one; the odd ones have the time. */
static struct stat_faults two_faults(u32 back)
{
	return (struct stat_faults){
		.count = 2,
		.time_us = 0x700000001 + back,
		.address = 0x40000000 + back,
		.source_id = 0x180,
		.reason = 5,
		.read = back,
	};
}

static void kept_faults_are_shown(void **state)
{
	struct stat_faults (*none)(u32 back) = stat_read_faults;
	struct cpuid_regs r;

	(void)state;
	assert_int_equal(stat_leaf(STAT_LEAF_FAULT, 0).ecx, 0);
	stat_read_faults = two_faults;
	r = stat_leaf(STAT_LEAF_FAULT, 0);
	assert_int_equal(r.eax, 0x40000000);
	assert_int_equal(r.ecx, 0x180);
	assert_int_equal(r.edx, 5);
	r = stat_leaf(STAT_LEAF_FAULT, 2);
	assert_int_equal(r.eax, 0x40000001);
	assert_int_equal(r.edx, 1U << 31 | 5);
	r = stat_leaf(STAT_LEAF_FAULT, 3);
	assert_int_equal(r.eax, 2);
	assert_int_equal(r.ebx, 7);
	stat_read_faults = none;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_by_number),
		cmocka_unit_test(many_by_the_most),
		cmocka_unit_test(counters_of_all_are_shown),
		cmocka_unit_test(kept_exits_are_shown),
		cmocka_unit_test(kept_faults_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
