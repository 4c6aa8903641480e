/* sources: hv/vmx/below.c */
/*
 * Which hypervisor is below.  The file is compiled here once more, with a CPUID
 * of the test's.
 */
#include "hv/asm.h"
#include "tests/unit/support.h"
#include <string.h>

static struct cpuid_regs model_cpuid(u32 leaf, u32 subleaf);

#define cpuid model_cpuid
#define below_signature modelled_signature
#define below_keeps_read_only modelled_keeps_read_only
#include "hv/vmx/below.c"

static const char *signature; /* 12 bytes; NULL: no hypervisor */

static struct cpuid_regs model_cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid_regs r = {0};

	assert_int_equal(subleaf, 0);
	if (leaf == 1) {
		r.ecx = signature ? 0x80202001 : 0x00202001;
		return r;
	}
	/* Without a hypervisor this leaf is that of another */
	assert_int_equal(leaf, 0x40000000);
	assert_non_null(signature);
	memcpy(&r.ebx, signature, 4);
	memcpy(&r.ecx, signature + 4, 4);
	memcpy(&r.edx, signature + 8, 4);
	return r;
}

static void no_hypervisor(void **state)
{
	(void)state;
	signature = NULL;
	assert_null(below_signature());
	assert_true(below_keeps_read_only());
}

static void the_emulator(void **state)
{
	(void)state;
	signature = "TCGTCGTCGTCG";
	assert_string_equal(below_signature(), "TCGTCGTCGTCG");
	assert_true(below_keeps_read_only());
}

static void others(void **state)
{
	static const char *const other[] = {"KVMKVMKVM\0\0\0", "Microsoft Hv",
					    "VMwareVMware", "TCGTCGTCGTCH"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		signature = other[i];
		assert_string_equal(below_signature(), other[i]);
		assert_false(below_keeps_read_only());
	}
}

static void one_without_a_name(void **state)
{
	(void)state;
	signature = "\0\0\0\0\0\0\0\0\0\0\0\0";
	assert_string_equal(below_signature(), "unnamed");
	assert_false(below_keeps_read_only());
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_hypervisor),
		cmocka_unit_test(the_emulator),
		cmocka_unit_test(others),
		cmocka_unit_test(one_without_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
