/* sources: hv/icr.c */
/* Interrupt commands of a guest (Intel SDM 3A 11.12.9), values by hand. */
#include "hv/icr.h"
#include "tests/unit/support.h"

static bool is_guest(u32 apic_id)
{
	return apic_id == 0 || apic_id == 3;
}

static void check(u64 icr, enum icr_verdict expected)
{
	assert_int_equal(icr_check(icr, is_guest), expected);
}

static void test_ordinary(void **state)
{
	(void)state;
	check(0x0000000300004041, ICR_GOES); /* fixed, vector 41h */
	check(0x00000003000c4041, ICR_GOES); /* all but itself */
	check(0x0000000200004841, ICR_GOES); /* logical */
	check(0x0000000700004400, ICR_GOES); /* NMI to a stranger */
}

static void test_start(void **state)
{
	(void)state;
	check(0x0000000300004500, ICR_GOES);
	check(0x0000000000004608, ICR_GOES);
	check(0x0000000300000500, ICR_GOES); /* de-assert */
	check(0x0000000200004500, ICR_DROPPED);
	check(0x0000000200004608, ICR_DROPPED);
	check(0xffffffff00004500, ICR_DROPPED); /* broadcast */
	check(0x00000003000c4500, ICR_DROPPED); /* all but itself */
	check(0x0000000300084608, ICR_DROPPED); /* all */
	check(0x0000000300004d00, ICR_DROPPED); /* logical */
}

static void test_others(void **state)
{
	(void)state;
	check(0x0000000300004200, ICR_DROPPED); /* SMI */
	check(0x0000000300004700, ICR_DROPPED); /* ExtINT */
	check(0x0000000300004300, ICR_DROPPED); /* reserved mode */
	check(0x0000000300004141, ICR_DROPPED); /* lowest priority */
}

static void test_reserved_bits(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 32; bit++)
		if (bit == 12 || bit == 13 || bit == 16 || bit == 17 ||
		    bit >= 20)
			check(0x0000000300004041 | 1ULL << bit, ICR_FAULTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordinary),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_reserved_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
