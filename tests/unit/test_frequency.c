/* sources: hv/frequency.c hv/vmx/guest_power.c tests/unit/processor_model.c */
#include "hv/frequency.h"
#include "hv/vmx/guest_power.h"
#include "hv/x86.h"
#include "tests/unit/processor_model.h"
#include "tests/unit/support.h"
#include <string.h>

#define MONITOR BIT(3)
#define EST BIT(7)
#define HYPERVISOR BIT(31)
#define ARAT BIT(2)
#define HWP BIT(7)
#define EPP BIT(10)

static int setup(void **state)
{
	(void)state;
	processor_reset();
	test_log_clear();
	return 0;
}

static void has(u32 leaf1_ecx, u32 leaf6_eax)
{
	processor_cpuid(1, 0, (struct cpuid_regs){.ecx = leaf1_ecx});
	processor_cpuid(6, 0, (struct cpuid_regs){.eax = leaf6_eax, .ecx = 9});
}

static void hwp_gets_the_whole_range(void **state)
{
	(void)state;
	has(EST, HWP | EPP);
	processor_has_msr(MSR_PM_ENABLE, 0);
	/* lowest 8, most efficient 13, guaranteed 28, highest 42 */
	processor_has_msr(MSR_HWP_CAPABILITIES, 0x080d1c2a);
	processor_has_msr(MSR_HWP_REQUEST, 0x80ff0808);
	frequency_set(true);
	assert_true(processor_msr(MSR_PM_ENABLE) == 1);
	assert_true(processor_msr(MSR_HWP_REQUEST) == 0x80002a08);
	assert_string_equal(test_log, "power: the processor chooses its speed "
				      "(HWP), 8 to 42\n");
	/* Bits 31:24 are reserved where there is no preference */
	has(EST, HWP);
	frequency_set(false);
	assert_true(processor_msr(MSR_HWP_REQUEST) == 0x2a08);
}

static void else_the_highest_p_state(void **state)
{
	(void)state;
	has(EST, ARAT);
	processor_has_msr(MSR_TURBO_RATIO_LIMIT, 0x25262728);
	processor_has_msr(MSR_PLATFORM_INFO, 0x80838f3012200);
	processor_has_msr(MSR_PERF_CTL, 0x800);
	frequency_set(true);
	assert_true(processor_msr(MSR_PERF_CTL) == 0x2800);
	/* No turbo */
	processor_has_msr(MSR_TURBO_RATIO_LIMIT, 0);
	frequency_set(true);
	assert_true(processor_msr(MSR_PERF_CTL) == 0x2200);
}

/* The model fails the test if an MSR is touched that is not there. */
static void else_nothing(void **state)
{
	(void)state;
	has(0, ARAT);
	frequency_set(true);
	has(EST | HYPERVISOR, 0);
	frequency_set(true);
	/* What leaf 5 says is no word of leaf 6 */
	processor_cpuid(0, 0, (struct cpuid_regs){.eax = 5});
	has(HYPERVISOR, HWP);
	frequency_set(true);
	assert_int_equal(processor.msr_writes, 0);
}

static void expect_guest(bool wanted, bool mwait, bool hwp, u32 leaf6_eax,
			 u32 leaf6_ecx)
{
	struct cpuid_regs r;

	guest_power_init(wanted);
	assert_int_equal(guest_power.mwait, mwait);
	assert_int_equal(guest_power.hwp, hwp);
	r = guest_power_leaf_6(cpuid(6, 0));
	assert_int_equal(r.eax, leaf6_eax);
	assert_int_equal(r.ecx, leaf6_ecx);
	assert_int_equal(r.ebx | r.edx, 0);
}

/* All bits of leaf 6, EAX, but for those that are shown: interrupts of HWP (8)
 * and of the thermal sensor, the package's request (11), turbo boost... */
static void the_guest_sees_what_it_has(void **state)
{
	(void)state;
	has(MONITOR, ~0U);
	expect_guest(true, true, true, ARAT | HWP | BIT(9) | EPP, 1);
	expect_guest(false, false, false, ARAT, 0);
	/* Under a hypervisor MWAIT would be an exit of its own */
	has(MONITOR | HYPERVISOR, ~0U);
	expect_guest(true, false, true, ARAT | HWP | BIT(9) | EPP, 0);
	has(0, 0);
	expect_guest(true, false, false, ARAT, 0);
	/* The timer stops in deep states where the processor says so */
	has(MONITOR, 0);
	expect_guest(true, true, false, 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(hwp_gets_the_whole_range, setup),
		cmocka_unit_test_setup(else_the_highest_p_state, setup),
		cmocka_unit_test_setup(else_nothing, setup),
		cmocka_unit_test_setup(the_guest_sees_what_it_has, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
