/* sources: guest/vmsix.c drivers/pci/pci_caps.c tests/unit/pci_model.c */
#include "guest/vmsix.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include <string.h>

/* BAR3 of an 82576 VF: table of 3 entries at 0, PBA at 2000H */
static u32 bar3[0x4000 / 4] __attribute__((aligned(4096)));
static struct pci_function fn;
static struct msix m;

static unsigned int routed, last_index;
static struct msix_entry last_entry;
static int route_result;

/* Messages as VT-d 5.1.2.2 has them, one handle a vector */
static int route(void *ctx, unsigned int index, const struct msix_entry *entry,
		 u64 *address, u32 *data)
{
	assert_ptr_equal(ctx, &fn);
	/* 7.7.2: nothing of an entry changes while it is not masked */
	assert_int_equal(bar3[4 * index + 3] & 1, 1);
	routed++;
	last_index = index;
	last_entry = *entry;
	if (route_result)
		return route_result;
	*address = 0xfee00010 | (u64)(index + 7) << 5;
	*data = 0;
	return 0;
}

static const struct msix_backend backend = {.route = route, .ctx = &fn};

static int set_up(void **state)
{
	(void)state;
	test_log_clear();
	routed = 0;
	route_result = 0;
	memset(bar3, 0, sizeof(bar3));
	for (unsigned int i = 0; i < 3; i++) {
		bar3[4 * i] = 0xdead0000;
		bar3[4 * i + 3] = 0x00020000; /* open, a reserved bit set */
	}
	model_reset(1);
	model_add(0, 0x80, 0x8086, 0x10ca, 0x020000);
	model_cap(0, 0x80, 0x70, 0x11, 0);
	model_set16(0, 0x80, 0x72, 0x0002, 0xc000);
	model_set32(0, 0x80, 0x74, 0x00000003, 0);
	model_set32(0, 0x80, 0x78, 0x00002003, 0);
	fn = model_function(0, 0x80);
	fn.bar[3].base = (hpa_t)bar3;
	fn.bar[3].size = sizeof(bar3);
	return 0;
}

static int set_up_table(void **state)
{
	set_up(state);
	return msix_init(&m, &fn, backend);
}

/* Address FEE01000 (APIC ID 1), vector 24H, as Linux writes it: the masked
 * entry, then the mask bit */
static void write_entry(unsigned int index)
{
	msix_table_write(&m, 16 * index + 0, 4, 0xfee01000);
	msix_table_write(&m, 16 * index + 4, 4, 0);
	msix_table_write(&m, 16 * index + 8, 4, 0x24);
}

static void reads_the_capability(void **state)
{
	(void)state;
	assert_int_equal(msix_init(&m, &fn, backend), 0);
	assert_int_equal(m.cap, 0x70);
	assert_int_equal(m.vectors, 3);
	assert_int_equal(m.table_bar, 3);
	assert_int_equal(m.table_offset, 0);
	assert_int_equal(m.pba_bar, 3);
	assert_int_equal(m.pba_offset, 0x2000);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(bar3[4 * i + 3], 0x00020001);
	assert_int_equal(msix_table_read(&m, 0x0c, 4), 1);
	assert_int_equal(msix_table_read(&m, 0x00, 4), 0);
}

/* The guest has 64 of 2048; the others are masked and stay so. */
static void more_vectors_than_can_be(void **state)
{
	static u32 table[2048 * 4] __attribute__((aligned(4096)));

	(void)state;
	model_set16(0, 0x80, 0x72, 0x07ff, 0);
	model_set32(0, 0x80, 0x78, 0x00008003, 0);
	fn.bar[3].base = (hpa_t)table;
	fn.bar[3].size = 0x10000;
	assert_int_equal(msix_init(&m, &fn, backend), 0);
	assert_int_equal(m.vectors, 64);
	assert_int_equal(m.real_vectors, 2048);
	for (unsigned int i = 0; i < 2048; i++)
		assert_int_equal(table[4 * i + 3] & 1, 1);
	msix_table_write(&m, 64 * 16 + 12, 4, 0);
	assert_int_equal(table[4 * 64 + 3] & 1, 1);
	assert_int_equal(msix_table_read(&m, 64 * 16 + 12, 4), ~0ULL);
}

static void refuses_bad_capabilities(void **state)
{
	char why[200];

	(void)state;
	model_set16(0, 0x80, 0x72, 2, 0);
	model_set32(0, 0x80, 0x74, 0x00003fd8 | 3, 0); /* 40 bytes left */
	assert_int_equal(msix_init(&m, &fn, backend), -EINVAL);
	model_set32(0, 0x80, 0x74, 0xfffffff8 | 3, 0);
	assert_int_equal(msix_init(&m, &fn, backend), -EINVAL);
	model_set32(0, 0x80, 0x74, 0x7, 0); /* no such BAR */
	assert_int_equal(msix_init(&m, &fn, backend), -EINVAL);
	model_set32(0, 0x80, 0x74, 0x1, 0); /* BAR of size 0 */
	assert_int_equal(msix_init(&m, &fn, backend), -EINVAL);
	model_set32(0, 0x80, 0x74, 0x3, 0);
	model_set32(0, 0x80, 0x78, 0x00004003, 0); /* PBA behind the BAR */
	assert_int_equal(msix_init(&m, &fn, backend), -EINVAL);
	model_set32(0, 0x80, 0x78, 0x0000002b, 0); /* in the third entry */
	assert_int_equal(msix_init(&m, &fn, backend), -EINVAL);
	assert_true(msix_refused(&fn, why, sizeof(why)));
	assert_string_equal(why, "its MSI-X table (BAR3+0) or PBA (BAR3+28) of "
				 "3 vectors lies in no BAR, or one over the "
				 "other: look for a newer firmware of the "
				 "device");
	model_set32(0, 0x80, 0x78, 0x00000033, 0); /* right behind it */
	assert_int_equal(msix_init(&m, &fn, backend), 0);
	assert_false(msix_refused(&fn, why, sizeof(why)));
	fn.bar[2] = fn.bar[3];
	fn.bar[3].size = 32; /* smaller than the table */
	model_set32(0, 0x80, 0x78, 0x00002002, 0);
	assert_int_equal(msix_init(&m, &fn, backend), -EINVAL);
	fn.bar[3].size = 48;
	assert_int_equal(msix_init(&m, &fn, backend), 0);
	fn.bar[3].io = true;
	assert_int_equal(msix_init(&m, &fn, backend), -EINVAL);
	model_set8(0, 0x80, 0x70, 0x05, 0);
	assert_int_equal(msix_init(&m, &fn, backend), -ENODEV);
	model_set8(0, 0x80, PCI_CAP_POINTER, 0xf8, 0); /* cut off at 100H */
	model_set8(0, 0x80, 0xf8, 0x11, 0);
	assert_int_equal(msix_init(&m, &fn, backend), -EINVAL);
}

static void last_place_in_the_bar(void **state)
{
	(void)state;
	model_set32(0, 0x80, 0x74, 0x00003fd0 | 3, 0); /* 48 bytes left */
	assert_int_equal(msix_init(&m, &fn, backend), 0);
	assert_ptr_equal(m.table, (u8 *)bar3 + 0x3fd0);
}

static void unmasking_makes_an_entry_real(void **state)
{
	(void)state;
	write_entry(1);
	assert_int_equal(routed, 0);
	assert_int_equal(bar3[4], 0xdead0000);
	msix_table_write(&m, 0x1c, 4, 0);
	assert_int_equal(routed, 1);
	assert_int_equal(last_index, 1);
	assert_int_equal(last_entry.address, 0xfee01000);
	assert_int_equal(last_entry.data, 0x24);
	assert_int_equal(bar3[4], 0xfee00110);
	assert_int_equal(bar3[5], 0);
	assert_int_equal(bar3[6], 0);
	assert_int_equal(bar3[7], 0x00020000);
	/* The guest reads what it wrote, not the message */
	assert_int_equal(msix_table_read(&m, 0x10, 4), 0xfee01000);
	assert_int_equal(msix_table_read(&m, 0x18, 8), 0x24);
	/* Other entries are untouched */
	assert_int_equal(bar3[3], 0x00020001);
	assert_int_equal(bar3[11], 0x00020001);
}

static void masking_only_masks(void **state)
{
	(void)state;
	write_entry(0);
	msix_table_write(&m, 0x0c, 4, 0);
	msix_table_write(&m, 0x0c, 4, 1);
	assert_int_equal(routed, 1);
	assert_int_equal(bar3[3], 0x00020001);
	assert_int_equal(bar3[0], 0xfee000f0);
	msix_table_write(&m, 0x0c, 4, 0);
	assert_int_equal(routed, 2);
	assert_int_equal(bar3[3], 0x00020000);
}

static void changes_of_an_open_entry_are_routed(void **state)
{
	(void)state;
	write_entry(0);
	msix_table_write(&m, 0x0c, 4, 0);
	msix_table_write(&m, 0x08, 4, 0x25);
	assert_int_equal(routed, 2);
	assert_int_equal(last_entry.data, 0x25);
	assert_int_equal(bar3[3] & 1, 0);
	/* The same again changes nothing */
	msix_table_write(&m, 0x08, 4, 0x25);
	msix_table_write(&m, 0x0c, 4, 0xfffffffe);
	assert_int_equal(routed, 2);
}

static void writes_of_64_bits(void **state)
{
	(void)state;
	msix_table_write(&m, 0x20, 8, 0x12345678fee01003);
	assert_int_equal(msix_table_read(&m, 0x20, 8), 0x12345678fee01000);
	assert_int_equal(msix_table_read(&m, 0x24, 4), 0x12345678);
	msix_table_write(&m, 0x28, 8, 0x24); /* data, and open: one change */
	assert_int_equal(routed, 1);
	assert_int_equal(last_index, 2);
	assert_int_equal(last_entry.address, 0x12345678fee01000);
	assert_int_equal(last_entry.data, 0x24);
}

static void a_refused_entry_stays_masked(void **state)
{
	unsigned int i;

	(void)state;
	write_entry(0);
	msix_table_write(&m, 0x0c, 4, 0);
	route_result = -EINVAL;
	msix_table_write(&m, 0x00, 4, 0xfeeff000);
	assert_int_equal(bar3[3] & 1, 1);
	assert_int_equal(msix_table_read(&m, 0x00, 4), 0xfeeff000);
	assert_int_equal(msix_table_read(&m, 0x0c, 4), 0);
	assert_non_null(strstr(test_log, "0000:00:10.0: vector 0 refused"));
	/* Lines are few, whatever the guest does */
	for (i = 0; i < 100; i++)
		msix_table_write(&m, 0x08, 4, i);
	assert_int_equal(m.refused, 101);
	for (i = 0; strstr(test_log, "refused"); i++)
		strstr(test_log, "refused")[0] = 'R';
	assert_int_equal(i, 8);
	/* A good one works again */
	route_result = 0;
	msix_table_write(&m, 0x00, 4, 0xfee01000);
	assert_int_equal(bar3[3] & 1, 0);
}

static void other_accesses_do_nothing(void **state)
{
	u32 before[12];

	(void)state;
	write_entry(0);
	memcpy(before, bar3, sizeof(before));
	msix_table_write(&m, 0x0c, 1, 0);
	msix_table_write(&m, 0x0c, 2, 0);
	msix_table_write(&m, 0x0e, 4, 0);
	msix_table_write(&m, 0x0c, 8, 0); /* not aligned to 8 */
	msix_table_write(&m, 0x30, 4, 0); /* behind the last entry */
	msix_table_write(&m, 0xfffffffc, 4, 0);
	msix_table_write(&m, 0xfffffff8, 8, 0);
	msix_table_write(&m, 0x0c, 3, 0);
	msix_table_write(&m, 0x0c, 0, 0);
	assert_int_equal(routed, 0);
	assert_memory_equal(before, bar3, sizeof(before));
	assert_int_equal(msix_table_read(&m, 0x00, 2), ~0ULL);
	assert_int_equal(msix_table_read(&m, 0x04, 8), ~0ULL);
	assert_int_equal(msix_table_read(&m, 0x30, 4), ~0ULL);
}

static void reset_forgets_the_guest(void **state)
{
	(void)state;
	write_entry(2);
	msix_table_write(&m, 0x2c, 4, 0);
	msix_reset(&m);
	assert_int_equal(bar3[11] & 1, 1);
	assert_int_equal(msix_table_read(&m, 0x20, 8), 0);
	assert_int_equal(msix_table_read(&m, 0x28, 8), 0x100000000);
	assert_int_equal(routed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_the_capability, set_up),
		cmocka_unit_test_setup(more_vectors_than_can_be, set_up),
		cmocka_unit_test_setup(refuses_bad_capabilities, set_up),
		cmocka_unit_test_setup(last_place_in_the_bar, set_up),
		cmocka_unit_test_setup(unmasking_makes_an_entry_real,
				       set_up_table),
		cmocka_unit_test_setup(masking_only_masks, set_up_table),
		cmocka_unit_test_setup(changes_of_an_open_entry_are_routed,
				       set_up_table),
		cmocka_unit_test_setup(writes_of_64_bits, set_up_table),
		cmocka_unit_test_setup(a_refused_entry_stays_masked,
				       set_up_table),
		cmocka_unit_test_setup(other_accesses_do_nothing, set_up_table),
		cmocka_unit_test_setup(reset_forgets_the_guest, set_up_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
