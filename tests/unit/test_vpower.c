/* sources: guest/vpower.c guest/vcmos.c */
#include "guest/vcmos.h"
#include "guest/vpower.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/trap.h"
#include "tests/unit/support.h"

static unsigned int ends;
static enum guest_end last_end;

void guest_end(enum guest_end how, const char *fmt, ...)
{
	(void)fmt;
	ends++;
	last_end = how;
}

static struct vpower power;

static int setup(void **state)
{
	(void)state;
	power = (struct vpower){0};
	ends = 0;
	last_end = GUEST_RUNS;
	return 0;
}

static void put(trap_fn *handler, u64 offset, unsigned int size, u64 value)
{
	handler(&power, offset, size, true, &value);
}

static u64 get(trap_fn *handler, u64 offset, unsigned int size)
{
	u64 value = 0xaaaaaaaaaaaaaaaa;

	handler(&power, offset, size, false, &value);
	return value;
}

static void s5_powers_off(void **state)
{
	(void)state;
	/* SLP_TYP 5 in bits 4:2 = 14h, SLP_EN 20h */
	put(vpower_sleep_access, 0, 1, 0x34);
	assert_int_equal(ends, 1);
	assert_int_equal(last_end, GUEST_POWEROFF);
}

static void other_sleep_writes_do_nothing(void **state)
{
	(void)state;
	put(vpower_sleep_access, 0, 1, 0x14); /* no SLP_EN */
	for (u64 type = 0; type < 8; type++)
		if (type != 5)
			put(vpower_sleep_access, 0, 1, 0x20 | type << 2);
	put(vpower_sleep_access, 1, 1, 0x34); /* the status register */
	assert_int_equal(get(vpower_sleep_access, 0, 2), 0);
	assert_int_equal(ends, 0);
}

static void wide_sleep_write_counts(void **state)
{
	(void)state;
	put(vpower_sleep_access, 0, 2, 0x8034);
	assert_int_equal(last_end, GUEST_POWEROFF);
}

static void reset_port_reboots(void **state)
{
	(void)state;
	assert_int_equal(get(vpower_reset_access, 0, 1), 0);
	put(vpower_reset_access, 0, 1, 0x02); /* Linux' first step */
	assert_int_equal(ends, 0);
	put(vpower_reset_access, 0, 1, 0x06);
	assert_int_equal(last_end, GUEST_REBOOT);
}

static void keyboard_pulse_reboots(void **state)
{
	(void)state;
	assert_int_equal(get(vpower_keyboard_access, 0, 1), 0xff);
	put(vpower_keyboard_access, 0, 1, 0xaa);
	put(vpower_keyboard_access, 1, 1, 0xfe);
	assert_int_equal(ends, 0);
	put(vpower_keyboard_access, 0, 1, 0xfe);
	assert_int_equal(last_end, GUEST_REBOOT);
}

static void ends_once(void **state)
{
	(void)state;
	put(vpower_keyboard_access, 0, 1, 0xfe);
	put(vpower_sleep_access, 0, 1, 0x34);
	put(vpower_reset_access, 0, 1, 0x06);
	assert_int_equal(ends, 1);
	assert_int_equal(last_end, GUEST_REBOOT);
}

static u8 clock_read(u8 index)
{
	return 0x80 | index;
}

static u64 cmos(struct vcmos *c, u8 index)
{
	u64 value = index;

	vcmos_access(c, 0, 1, true, &value);
	value = 0xaaaaaaaaaaaaaaaa;
	vcmos_access(c, 1, 1, false, &value);
	return value;
}

static void cmos_shows_clock_only(void **state)
{
	struct vcmos c = {.read = clock_read};
	u64 value = 0x55;

	(void)state;
	assert_int_equal(cmos(&c, 0x00), 0x80);
	assert_int_equal(cmos(&c, 0x0d), 0x8d);
	assert_int_equal(cmos(&c, 0x8b), 0x8b); /* NMI bit ignored: 0Bh */
	assert_int_equal(cmos(&c, 0x32), 0xb2);
	assert_int_equal(cmos(&c, 0x0e), 0);
	assert_int_equal(cmos(&c, 0x7f), 0);
	assert_int_equal(cmos(&c, 0x04), 0x84);
	vcmos_access(&c, 1, 1, true, &value); /* changes nothing */
	vcmos_access(&c, 1, 1, false, &value);
	assert_int_equal(value, 0x84);
	/* One wide access: index port, then data port */
	vcmos_access(&c, 0, 2, false, &value);
	assert_int_equal(value, 0x84ff);
}

static void cmos_without_clock(void **state)
{
	struct vcmos c = {0};

	(void)state;
	assert_int_equal(cmos(&c, 0x0a), 0xff);
	assert_int_equal(cmos(&c, 0x40), 0);
}

static void any_access_is_safe(void **state)
{
	struct vcmos c = {.read = clock_read};
	u64 random = 1;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		u64 value;

		random = random * 6364136223846793005 + 1442695040888963407;
		value = random;
		vcmos_access(&c, random >> 7, 1 << (random >> 61 & 3),
			     random >> 63, &value);
		value = random;
		vpower_sleep_access(&power, random >> 7,
				    1 << (random >> 61 & 3), random >> 63,
				    &value);
	}
	assert_in_range(c.index, 0, 0x7f);
	assert_in_range(ends, 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(s5_powers_off, setup),
		cmocka_unit_test_setup(other_sleep_writes_do_nothing, setup),
		cmocka_unit_test_setup(wide_sleep_write_counts, setup),
		cmocka_unit_test_setup(reset_port_reboots, setup),
		cmocka_unit_test_setup(keyboard_pulse_reboots, setup),
		cmocka_unit_test_setup(ends_once, setup),
		cmocka_unit_test_setup(cmos_shows_clock_only, setup),
		cmocka_unit_test_setup(cmos_without_clock, setup),
		cmocka_unit_test_setup(any_access_is_safe, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
