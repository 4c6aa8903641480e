/* sources: hv/machine_check.c tests/unit/processor_model.c */
#include "hv/machine_check.h"
#include "hv/x86.h"
#include "tests/unit/processor_model.h"
#include "tests/unit/support.h"
#include <string.h>

#define STATUS(bank) (0x401 + 4 * (bank))
#define ADDRESS(bank) (0x402 + 4 * (bank))
#define MCIP BIT(2)

/* Six banks with nothing in them. */
static int setup(void **state)
{
	(void)state;
	processor_reset();
	processor_has_msr(MSR_MCG_CAP, 0x1000c06); /* no IA32_MCG_CTL */
	processor_has_msr(MSR_MCG_STATUS, MCIP);
	for (u32 i = 0; i < 6; i++)
		processor_has_msr(STATUS(i), 0x123); /* not valid */
	test_log_clear();
	return 0;
}

static void expect(u64 status, const char *words)
{
	setup(NULL);
	processor_has_msr(STATUS(3), status);
	processor_has_msr(ADDRESS(3), 0x12345678);
	machine_check_log(7);
	if (!strstr(test_log, words))
		fail_msg("%s: %s", words, test_log);
	assert_true(processor_msr(STATUS(3)) == 0);
	assert_true(processor_msr(MSR_MCG_STATUS) == 0);
}

static void the_whole_line(void **state)
{
	(void)state;
	/* VAL, UC, EN, ADDRV, PCC: a read of memory */
	expect(0xb600000000000091,
	       "machine check: cpu 7 bank 3: the memory controller: RAM or its "
	       "wires, not corrected, the processor's state is lost; status "
	       "0xb600000000000091\n"
	       "machine check: cpu 7 bank 3: at 0x12345678\n");
	expect(0xc000000000000136,
	       "bank 3: a cache, corrected; status 0xc000000000000136\n"
	       "machine check: cpu 7 bank 3: and others that are lost\n");
}

/* The codes of SDM 3B tables 15-9 and 15-10; bit 12 is about corrected ones. */
static void codes_in_words(void **state)
{
	(void)state;
	expect(BIT(63) | 0x0400, "internal timer");
	expect(BIT(63) | 0x0401, ": inside the processor");
	expect(BIT(63) | 0x0e0b, ": I/O: PCI Express");
	expect(BIT(63) | 0x0014, ": a TLB");
	expect(BIT(63) | 0x000e, ": a cache");
	expect(BIT(63) | 0x010a, ": a cache");
	expect(BIT(63) | 0x1135, ": a cache");
	expect(BIT(63) | 0x0405, ": inside the processor");
	expect(BIT(63) | 0x0005, ": parity inside");
	expect(BIT(63) | 0x0be7, ": the bus");
	expect(BIT(63) | 0x00c0, ": the memory controller:");
	expect(BIT(63) | 0x8000, "not known");
}

static void several_banks_and_none(void **state)
{
	(void)state;
	processor_has_msr(STATUS(0), BIT(63) | 5);
	processor_has_msr(STATUS(5), BIT(63) | 5);
	machine_check_log(0);
	assert_non_null(strstr(test_log, "bank 0"));
	assert_non_null(strstr(test_log, "bank 5"));
	/* The model fails the test at a bank 6 */
	test_log_clear();
	machine_check_log(2);
	assert_string_equal(test_log,
			    "machine check: cpu 2: no bank says why; another "
			    "processor's may\n");
}

/* The model fails the test at a bank 32. */
static void banks_end_where_others_begin(void **state)
{
	(void)state;
	processor_has_msr(MSR_MCG_CAP, 0xff);
	for (u32 i = 6; i < 32; i++)
		processor_has_msr(STATUS(i), 0);
	processor_has_msr(STATUS(31), BIT(63) | 5);
	machine_check_log(0);
	assert_non_null(strstr(test_log, "bank 31: parity"));
}

#define CONTROL(bank) (0x400 + 4 * (bank))

/* Of these processors one has no control over all banks, one has no banks that
 * the model would let be read. */
static void all_errors_are_signalled(void **state)
{
	(void)state;
	for (u32 i = 0; i < 6; i++)
		processor_has_msr(CONTROL(i), 0);
	machine_check_enable();
	assert_true(processor_msr(CONTROL(0)) == 0);
	processor_cpuid(1, 0, (struct cpuid_regs){.edx = BIT(7) | BIT(14)});
	machine_check_enable();
	for (u32 i = 0; i < 6; i++)
		assert_true(processor_msr(CONTROL(i)) == ~0ULL);
	processor_has_msr(MSR_MCG_CAP, 0x106);
	processor_has_msr(MSR_MCG_CTL, 0);
	machine_check_enable();
	assert_true(processor_msr(MSR_MCG_CTL) == ~0ULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_whole_line, setup),
		cmocka_unit_test_setup(codes_in_words, setup),
		cmocka_unit_test_setup(several_banks_and_none, setup),
		cmocka_unit_test_setup(all_errors_are_signalled, setup),
		cmocka_unit_test_setup(banks_end_where_others_begin, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
