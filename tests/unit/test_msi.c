/* sources: guest/vmsi.c drivers/pci/pci_caps.c tests/unit/pci_model.c */
#include "guest/vmsi.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include <string.h>

#define AT 0x50 /* the capability, on function 00:04.0 */
#define DEVFN 0x20

static struct pci_function fn;
static struct msi m;
static unsigned int routed;
static struct msix_entry last;
static int route_result;

static int route(void *ctx, unsigned int index, const struct msix_entry *entry,
		 u64 *address, u32 *data)
{
	assert_ptr_equal(ctx, &fn);
	assert_int_equal(index, 0);
	routed++;
	last = *entry;
	if (route_result)
		return route_result;
	*address = 0xfee000f0; /* handle 7, remappable */
	*data = 0;
	return 0;
}

static const struct msix_backend backend = {.route = route, .ctx = &fn};

static void make(u16 control)
{
	model_reset(1);
	model_add(0, DEVFN, 0x1234, 0x11e8, 0x00ff00);
	model_cap(0, DEVFN, AT, 0x05, 0);
	model_set16(0, DEVFN, AT + 2, control, 0x0071);
	for (u16 at = 4; at < 0x18; at += 4)
		model_set32(0, DEVFN, AT + at, 0, 0xffffffff);
	fn = model_function(0, DEVFN);
	routed = 0;
	route_result = 0;
	test_log_clear();
	assert_int_equal(msi_init(&m, &fn, backend), 0);
}

/* edu: 64-bit, no masking, and as if enabled by firmware for 4 of 8 */
static int set_up(void **state)
{
	(void)state;
	make(0x00a7);
	return 0;
}

static u16 real_control(void)
{
	return model_get16(0, DEVFN, AT + 2);
}

static void enable(bool on)
{
	msi_write(&m, 0, on ? 0x00010000 : 0, 0xffff0000);
}

static void init_turns_it_off(void **state)
{
	(void)state;
	assert_int_equal(real_control() & 0x71, 0);
	/* One vector, whatever the function has */
	assert_int_equal(msi_read(&m, 0), 0x00800005);
	assert_int_equal(m.size, 0x10);
}

static void guest_reads_what_it_wrote(void **state)
{
	(void)state;
	msi_write(&m, 0x04, 0xfee01003, 0xffffffff);
	msi_write(&m, 0x08, 0x12, 0xffffffff);
	msi_write(&m, 0x0c, 0xabcd4029, 0xffffffff);
	assert_int_equal(msi_read(&m, 0x04), 0xfee01000);
	assert_int_equal(msi_read(&m, 0x08), 0x12);
	assert_int_equal(msi_read(&m, 0x0c), 0x4029);
	/* Bytes alone */
	msi_write(&m, 0x0c, 0x77, 0xff);
	assert_int_equal(msi_read(&m, 0x0c), 0x4077);
	assert_int_equal(model_get32(0, DEVFN, AT + 4), 0);
	assert_int_equal(routed, 0);
}

static void enabling_sends_another_message(void **state)
{
	(void)state;
	msi_write(&m, 0x04, 0xfee01000, 0xffffffff);
	msi_write(&m, 0x0c, 0x4029, 0xffff);
	enable(true);
	assert_int_equal(routed, 1);
	assert_int_equal(last.address, 0xfee01000);
	assert_int_equal(last.data, 0x4029);
	assert_int_equal(model_get32(0, DEVFN, AT + 4), 0xfee000f0);
	assert_int_equal(model_get32(0, DEVFN, AT + 8), 0);
	assert_int_equal(model_get16(0, DEVFN, AT + 12), 0);
	assert_int_equal(real_control() & 0x71, 0x01);
	assert_int_equal(msi_read(&m, 0), 0x00810005);
	enable(false);
	assert_int_equal(real_control() & 0x71, 0);
}

static unsigned int control_writes;

static void count_control_writes(u8 bus, u8 devfn, u16 reg, u32 value)
{
	(void)bus, (void)devfn, (void)value;
	control_writes += reg == AT + 2;
}

/* No moment without MSI while the guest moves an interrupt. */
static void moving_does_not_disable(void **state)
{
	(void)state;
	msi_write(&m, 0x04, 0xfee01000, 0xffffffff);
	enable(true);
	model_written = count_control_writes;
	control_writes = 0;
	msi_write(&m, 0x04, 0xfee02000, 0xffffffff);
	msi_write(&m, 0x0c, 0x31, 0xffff);
	model_written = NULL;
	assert_int_equal(control_writes, 0);
	assert_int_equal(routed, 3);
	assert_int_equal(last.address, 0xfee02000);
	assert_int_equal(last.data, 0x31);
}

static void refused_message_is_off(void **state)
{
	(void)state;
	msi_write(&m, 0x04, 0xfee01000, 0xffffffff);
	enable(true);
	route_result = -EINVAL;
	msi_write(&m, 0x0c, 3, 0xffff);
	assert_int_equal(real_control() & 1, 0);
	assert_int_equal(msi_read(&m, 0) >> 16 & 1, 1);
	assert_non_null(strstr(test_log, "refused"));
	route_result = 0;
	msi_write(&m, 0x0c, 0x31, 0xffff);
	assert_int_equal(real_control() & 1, 1);
	route_result = -EINVAL;
	for (int i = 0; i < 100; i++)
		msi_write(&m, 0x0c, i, 0xffff);
	assert_int_equal(m.refused, 101);
	assert_true(strlen(test_log) < 2000);
}

static void more_vectors_cannot_be_enabled(void **state)
{
	(void)state;
	msi_write(&m, 0, 0x00710000, 0xffff0000);
	assert_int_equal(real_control() & 0x71, 0x01);
	assert_int_equal(msi_read(&m, 0), 0x00810005);
}

static void mask_bits_with_64_bits(void **state)
{
	(void)state;
	make(0x0180);
	assert_int_equal(m.size, 0x18);
	assert_int_equal(msi_read(&m, 0), 0x01800005);
	model_set32(0, DEVFN, AT + 0x10, 0xf0, 0xffffffff);
	model_set32(0, DEVFN, AT + 0x14, 0x03, 0);
	msi_write(&m, 0x10, 0xffffffff, 0xffffffff);
	assert_int_equal(model_get32(0, DEVFN, AT + 0x10), 0xf1);
	assert_int_equal(msi_read(&m, 0x10), 1);
	assert_int_equal(msi_read(&m, 0x14), 1);
	assert_int_equal(routed, 0);
}

static void mask_bits_with_32_bits(void **state)
{
	(void)state;
	make(0x0100);
	assert_int_equal(m.size, 0x14);
	msi_write(&m, 0x0c, 1, 0xffffffff);
	assert_int_equal(model_get32(0, DEVFN, AT + 0x0c), 1);
	msi_write(&m, 0x04, 0xfee00000, 0xffffffff);
	msi_write(&m, 0x08, 0x45, 0xffffffff);
	enable(true);
	assert_int_equal(last.address, 0xfee00000);
	assert_int_equal(last.data, 0x45);
	assert_int_equal(model_get32(0, DEVFN, AT + 4), 0xfee000f0);
	assert_int_equal(model_get32(0, DEVFN, AT + 8), 0);
}

static void no_mask_bits(void **state)
{
	(void)state;
	model_set32(0, DEVFN, AT + 0x10, 0x5a5a5a5a, 0xffffffff);
	msi_write(&m, 0x10, 0xffffffff, 0xffffffff);
	assert_int_equal(model_get32(0, DEVFN, AT + 0x10), 0x5a5a5a5a);
	assert_int_equal(msi_read(&m, 0x10), 0);
}

static void reset_forgets(void **state)
{
	(void)state;
	msi_write(&m, 0x04, 0xfee01000, 0xffffffff);
	enable(true);
	msi_reset(&m);
	assert_int_equal(real_control() & 1, 0);
	assert_int_equal(msi_read(&m, 0), 0x00800005);
	assert_int_equal(msi_read(&m, 4), 0);
}

static void bad_capabilities(void **state)
{
	(void)state;
	model_reset(1);
	model_add(0, DEVFN, 0x1234, 0x11e8, 0x00ff00);
	fn = model_function(0, DEVFN);
	assert_int_equal(msi_init(&m, &fn, backend), -ENODEV);
	model_cap(0, DEVFN, 0xf4, 0x05, 0);
	model_set16(0, DEVFN, 0xf6, 0x0080, 0);
	assert_int_equal(msi_init(&m, &fn, backend), -EINVAL);
	assert_int_equal(m.cap, 0);
	/* 32 bits: just fits */
	model_set16(0, DEVFN, 0xf6, 0, 0);
	assert_int_equal(msi_init(&m, &fn, backend), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(init_turns_it_off, set_up),
		cmocka_unit_test_setup(guest_reads_what_it_wrote, set_up),
		cmocka_unit_test_setup(enabling_sends_another_message, set_up),
		cmocka_unit_test_setup(moving_does_not_disable, set_up),
		cmocka_unit_test_setup(refused_message_is_off, set_up),
		cmocka_unit_test_setup(more_vectors_cannot_be_enabled, set_up),
		cmocka_unit_test_setup(mask_bits_with_64_bits, set_up),
		cmocka_unit_test_setup(mask_bits_with_32_bits, set_up),
		cmocka_unit_test_setup(no_mask_bits, set_up),
		cmocka_unit_test_setup(reset_forgets, set_up),
		cmocka_unit_test_setup(bad_capabilities, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
