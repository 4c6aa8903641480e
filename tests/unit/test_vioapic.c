/* sources: guest/vioapic.c */
#include "guest/vioapic.h"
#include "tests/unit/support.h"
#include <string.h>

static unsigned int sent;
static u32 last_destination, last_icr;

static void send(u32 destination, u32 icr_low)
{
	sent++;
	last_destination = destination;
	last_icr = icr_low;
}

static struct vioapic io;

static int setup(void **state)
{
	(void)state;
	vioapic_reset(&io, 2, send);
	sent = 0;
	test_log_clear();
	return 0;
}

static void put(u64 offset, unsigned int size, u64 value)
{
	vioapic_access(&io, offset, size, true, &value);
}

static u64 get(u64 offset, unsigned int size)
{
	u64 value = 0xaaaaaaaaaaaaaaaa;

	vioapic_access(&io, offset, size, false, &value);
	return value;
}

static u32 read_indirect(u8 index)
{
	put(0x00, 4, index);
	return get(0x10, 4);
}

static void write_indirect(u8 index, u32 value)
{
	put(0x00, 4, index);
	put(0x10, 4, value);
}

static void identifies_itself(void **state)
{
	(void)state;
	assert_int_equal(read_indirect(0), 0x02000000);
	assert_int_equal(read_indirect(1), 0x00170011);
	assert_int_equal(read_indirect(2), 0x02000000);
	assert_int_equal(get(0x00, 4), 2);
	write_indirect(0, 0xf5ffffff);
	assert_int_equal(read_indirect(0), 0x05000000);
	write_indirect(1, 0);
	assert_int_equal(read_indirect(1), 0x00170011);
}

static unsigned int changes, changed_pin;
static u64 changed_rte;

static void changed(unsigned int pin, u64 rte)
{
	changes++;
	changed_pin = pin;
	changed_rte = rte;
}

static void tells_what_changed(void **state)
{
	struct vioapic_route route;

	(void)state;
	changes = 0;
	io.changed = changed;
	write_indirect(0x10 + 2 * 4 + 1, 0x03000000);
	assert_int_equal(changes, 1);
	assert_false(vioapic_route(changed_rte, &route)); /* masked */
	write_indirect(0x10 + 2 * 4, 0x0031);
	assert_int_equal(changes, 2);
	assert_int_equal(changed_pin, 4);
	assert_true(vioapic_route(changed_rte, &route));
	assert_int_equal(route.vector, 0x31);
	assert_int_equal(route.destination, 3);
	assert_false(route.logical);
	write_indirect(0x10 + 2 * 4, 0x0031); /* the same: nothing changed */
	assert_int_equal(changes, 2);
	write_indirect(0x10 + 2 * 4, 0x0431); /* NMI */
	assert_false(vioapic_route(changed_rte, &route));
}

static void pins_start_masked(void **state)
{
	(void)state;
	for (u8 pin = 0; pin < 24; pin++) {
		assert_int_equal(read_indirect(0x10 + 2 * pin), 0x00010000);
		assert_int_equal(read_indirect(0x11 + 2 * pin), 0);
		vioapic_raise(&io, pin);
	}
	assert_int_equal(sent, 0);
	assert_int_equal(read_indirect(0x40), 0); /* beyond pin 23 */
	assert_int_equal(read_indirect(0xff), 0);
}

static void entry_keeps_writable_bits(void **state)
{
	(void)state;
	/* Delivery status (12), remote IRR (14) and 31:17 cannot be set. */
	write_indirect(0x18, 0xffffffff);
	write_indirect(0x19, 0xffffffff);
	assert_int_equal(read_indirect(0x18), 0x0001afff);
	assert_int_equal(read_indirect(0x19), 0xff000000);
}

static void sends_fixed_physical(void **state)
{
	(void)state;
	write_indirect(0x19, 0x03000000);
	write_indirect(0x18, 0x00000021);
	vioapic_raise(&io, 4);
	assert_int_equal(sent, 1);
	assert_int_equal(last_destination, 3);
	/* fixed, physical, edge, assert (bit 14) */
	assert_int_equal(last_icr, 0x4021);
}

static void sends_logical(void **state)
{
	(void)state;
	write_indirect(0x19, 0x0c000000);
	write_indirect(0x18, 0x00000821);
	vioapic_raise(&io, 4);
	assert_int_equal(last_destination, 0x0c);
	assert_int_equal(last_icr, 0x4821);
	/* lowest priority: one CPU of the set */
	write_indirect(0x18, 0x00000921);
	vioapic_raise(&io, 4);
	assert_int_equal(last_destination, 0x04);
	assert_int_equal(last_icr, 0x4821);
	/* lowest priority at a physical destination: that one */
	write_indirect(0x18, 0x00000121);
	vioapic_raise(&io, 4);
	assert_int_equal(last_destination, 0x0c);
	assert_int_equal(last_icr, 0x4021);
}

static void refuses_other_modes_once(void **state)
{
	(void)state;
	for (u32 mode = 2; mode < 8; mode++) {
		write_indirect(0x18, mode << 8 | 0x40);
		vioapic_raise(&io, 4);
	}
	assert_int_equal(sent, 0);
	assert_string_equal(test_log, "vioapic: pin 4: vector 64 with delivery "
				      "mode 2 not sent\n");
	write_indirect(0x18, 0x0f);
	vioapic_raise(&io, 4);
	assert_int_equal(sent, 0);
	write_indirect(0x18, 0x10);
	vioapic_raise(&io, 4);
	assert_int_equal(sent, 1);
}

static void no_such_pin(void **state)
{
	(void)state;
	vioapic_raise(&io, 24);
	vioapic_raise(&io, ~0u);
	assert_int_equal(sent, 0);
}

static void other_widths_reach_nothing(void **state)
{
	(void)state;
	put(0x00, 4, 1);
	put(0x00, 1, 0);
	put(0x00, 8, 0);
	assert_int_equal(get(0x00, 4), 1);
	assert_int_equal(get(0x00, 1), 0);
	assert_int_equal(get(0x10, 8), 0);
	assert_int_equal(get(0x12, 4), 0);
	assert_int_equal(get(0x40, 4), 0);
}

static void any_access_is_safe(void **state)
{
	u64 random = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		u64 value;

		random = random * 6364136223846793005 + 1442695040888963407;
		value = random >> 8;
		vioapic_access(&io, random >> 60 ? random >> 50 & 0x10 : random,
			       1 << (random >> 58 & 3), random >> 63, &value);
		vioapic_raise(&io, random >> 56 & 0x1f);
	}
	for (unsigned int i = 0; i < 24; i++)
		assert_int_equal(io.pin[i] & 0x00fffffffffe5000, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(identifies_itself, setup),
		cmocka_unit_test_setup(tells_what_changed, setup),
		cmocka_unit_test_setup(pins_start_masked, setup),
		cmocka_unit_test_setup(entry_keeps_writable_bits, setup),
		cmocka_unit_test_setup(sends_fixed_physical, setup),
		cmocka_unit_test_setup(sends_logical, setup),
		cmocka_unit_test_setup(refuses_other_modes_once, setup),
		cmocka_unit_test_setup(no_such_pin, setup),
		cmocka_unit_test_setup(other_widths_reach_nothing, setup),
		cmocka_unit_test_setup(any_access_is_safe, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
