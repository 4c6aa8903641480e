/* sources: hv/vmx/icr.c */
/* Interrupt commands of a guest (Intel SDM 3A 11.12.9), values by hand. */
#include "hv/vmx/icr.h"
#include "tests/unit/support.h"

static void test_modes(void **state)
{
	(void)state;
	assert_int_equal(icr_check(0x0000000300004041), ICR_GOES); /* fixed */
	assert_int_equal(icr_check(0x00000003000c4041), ICR_GOES); /* others */
	assert_int_equal(icr_check(0x0000000200004841), ICR_GOES); /* logical */
	assert_int_equal(icr_check(0x0000000700004400), ICR_GOES); /* NMI */
	assert_int_equal(icr_check(0x0000000300004500), ICR_GOES); /* INIT */
	assert_int_equal(icr_check(0x0000000300000500), ICR_GOES);
	assert_int_equal(icr_check(0x0000000300004608), ICR_GOES); /* SIPI */
	assert_int_equal(icr_check(0x00000003000c4500), ICR_GOES);
	assert_int_equal(icr_check(0x0000000300084500), ICR_DROPPED); /* all */
	assert_int_equal(icr_check(0x0000000300044608), ICR_DROPPED); /* self */
	assert_int_equal(icr_check(0x0000000300004200), ICR_DROPPED); /* SMI */
	assert_int_equal(icr_check(0x0000000300004700), ICR_DROPPED);
	assert_int_equal(icr_check(0x0000000300004300), ICR_DROPPED);
	assert_int_equal(icr_check(0x0000000300004141), ICR_DROPPED);
}

static void test_reserved_bits(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 32; bit++)
		if (bit == 12 || bit == 13 || bit == 16 || bit == 17 ||
		    bit >= 20)
			assert_int_equal(
				icr_check(0x0000000300004041 | 1ULL << bit),
				ICR_FAULTS);
}

static void test_physical(void **state)
{
	(void)state;
	assert_true(icr_reaches(0x0000000300004041, 0, 3));
	assert_false(icr_reaches(0x0000000300004041, 3, 0));
	assert_true(icr_reaches(0xffffffff00004041, 0, 3));
	assert_false(icr_reaches(0x000000ff00004041, 0, 3));
}

static void test_logical(void **state)
{
	(void)state;
	/* cluster 2, members 0 and 5: IDs 20h and 25h */
	assert_true(icr_reaches(0x0002002100004841, 0, 0x20));
	assert_true(icr_reaches(0x0002002100004841, 0, 0x25));
	assert_false(icr_reaches(0x0002002100004841, 0, 0x21));
	assert_false(icr_reaches(0x0002002100004841, 0, 0x15));
	assert_true(icr_reaches(0xffffffff00004841, 0, 7));
}

static void test_shorthands(void **state)
{
	(void)state;
	assert_true(icr_reaches(0x0000000900044041, 3, 3));
	assert_false(icr_reaches(0x0000000900044041, 3, 9));
	assert_true(icr_reaches(0x0000000900084041, 3, 3));
	assert_true(icr_reaches(0x0000000900084041, 3, 1));
	assert_false(icr_reaches(0x00000009000c4041, 3, 3));
	assert_true(icr_reaches(0x00000009000c4041, 3, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_reserved_bits),
		cmocka_unit_test(test_physical),
		cmocka_unit_test(test_logical),
		cmocka_unit_test(test_shorthands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
