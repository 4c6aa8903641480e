/* sources: hv/host_state.c tests/unit/processor_model.c */
#include "hv/host_state.h"
#include "hv/x86.h"
#include "tests/unit/processor_model.h"
#include "tests/unit/support.h"
#include <string.h>

#define FPU_TO_FXSR 0x01ffffff

/* What each leaf says that an old and a new processor have. */
static void add_basics(u32 leaf1_ecx)
{
	processor_cpuid(
		1, 0,
		(struct cpuid_regs){.ecx = leaf1_ecx, .edx = FPU_TO_FXSR});
	processor_has_msr(MSR_PAT, PAT_AT_RESET);
	processor_has_msr(MSR_DEBUGCTL, 0);
}

static int setup(void **state)
{
	(void)state;
	processor_reset();
	test_log_clear();
	return 0;
}

/* Nehalem without XSAVE: no MSR is touched that it does not have (the model
 * fails the test), and CPUID ends early. */
static void an_old_processor(void **state)
{
	(void)state;
	add_basics(0);
	processor_cpuid(0, 0, (struct cpuid_regs){.eax = 0xb});
	/* Beyond the last leaf it repeats that one, bits and all */
	for (u32 leaf = 0xc; leaf < 0x20; leaf++)
		for (u32 subleaf = 0; subleaf < 2; subleaf++)
			processor_cpuid(
				leaf, subleaf,
				(struct cpuid_regs){~0U, ~0U, ~0U, ~0U});
	host_state_set(true);
	assert_true(processor.cr4 == (CR4_PAE | CR4_MCE));
	assert_true(processor.cr0 ==
		    (CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE));
	assert_true(processor.xcr0 == 0);
	assert_true(processor_msr(MSR_PAT) == PAT_OF_HOST);
}

/* All that a firmware may leave, on a processor that has it all. */
static void everything_is_a_constant(void **state)
{
	static const u32 off[] = {
		MSR_S_CET,    MSR_PKRS,	   MSR_XSS,	 MSR_XFD,
		MSR_DEBUGCTL, MSR_LBR_CTL, MSR_RTIT_CTL, MSR_PERF_GLOBAL_CTRL};

	(void)state;
	add_basics(BIT(26));
	processor_cpuid(
		7, 0, (struct cpuid_regs){.ebx = ~0U, .ecx = ~0U, .edx = ~0U});
	processor_cpuid(0xa, 0, (struct cpuid_regs){.eax = 5});
	processor_cpuid(0xd, 1, (struct cpuid_regs){.eax = ~0U});
	for (unsigned int i = 0; i < ARRAY_SIZE(off); i++)
		processor_has_msr(off[i], 0x1234);
	processor_has_msr(MSR_ARCH_CAPABILITIES, 0);
	/* Entry 3 write-back: what the hypervisor takes for uncached */
	processor_has_msr(MSR_PAT, 0x0007040606070406ULL);
	processor.cr4 = ~0ULL;
	processor.cr0 = CR0_PG | CR0_PE | CR0_CD | CR0_TS;
	host_state_set(true);
	for (unsigned int i = 0; i < ARRAY_SIZE(off); i++)
		assert_true(processor_msr(off[i]) == 0);
	assert_true(processor_msr(MSR_PAT) == PAT_OF_HOST);
	assert_true(processor.cr4 == (CR4_PAE | CR4_MCE | CR4_OSXSAVE));
	assert_true(processor.cr0 ==
		    (CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE));
	assert_true(processor.xcr0 == XCR0_X87);
	assert_non_null(strstr(test_log, "cpu: firmware left IA32_S_CET at "
					 "0x1234; now 0x0\n"));
	assert_non_null(strstr(test_log, "IA32_PAT at 0x7040606070406"));
	/* Once it is so, nothing is written or said */
	processor.msr_writes = 0;
	test_log_clear();
	host_state_set(true);
	assert_int_equal(processor.msr_writes, 0);
	assert_string_equal(test_log, "");
}

/* IA32_S_CET is there with either half of CET. */
static void branch_tracking_alone(void **state)
{
	(void)state;
	add_basics(0);
	processor_cpuid(7, 0, (struct cpuid_regs){.edx = BIT(20)});
	processor_has_msr(MSR_S_CET, 4);
	host_state_set(false);
	assert_true(processor_msr(MSR_S_CET) == 0);
	assert_string_equal(test_log, "");
}

/* Where it can be switched off it is; nothing is touched where it cannot. */
static void tsx_is_off(void **state)
{
	(void)state;
	add_basics(0);
	processor_cpuid(7, 0, (struct cpuid_regs){.edx = BIT(29)});
	processor_has_msr(MSR_ARCH_CAPABILITIES, ~BIT(7));
	host_state_set(true);
	processor_has_msr(MSR_ARCH_CAPABILITIES, BIT(7));
	processor_has_msr(MSR_TSX_CTRL, 0);
	host_state_set(true);
	assert_true(processor_msr(MSR_TSX_CTRL) == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_old_processor, setup),
		cmocka_unit_test_setup(everything_is_a_constant, setup),
		cmocka_unit_test_setup(branch_tracking_alone, setup),
		cmocka_unit_test_setup(tsx_is_off, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
