/* sources: hv/vmx/trap.c */
#include "hv/vmx/trap.h"
#include "tests/unit/support.h"

static struct {
	unsigned int calls;
	u64 offset, value;
	unsigned int size;
	bool write;
	void *ctx;
} seen;

static void record(void *ctx, u64 offset, unsigned int size, bool write,
		   u64 *value)
{
	seen.calls++;
	seen.ctx = ctx;
	seen.offset = offset;
	seen.size = size;
	seen.write = write;
	if (write)
		seen.value = *value;
	else
		*value = 0x1122334455667788;
}

/* Moves its own range, as a BAR does. */
static void move(void *ctx, u64 offset, unsigned int size, bool write,
		 u64 *value)
{
	struct trap_range there = {0x9000, 0x1000, record, ctx,
				   STAT_CAUSE_UART};

	record(ctx, offset, size, write, value);
	trap_memory_remove(0x5000);
	assert_int_equal(trap_memory(&there), 0);
}

static int setup(void **state)
{
	(void)state;
	trap_reset();
	seen.calls = 0;
	return 0;
}

static struct trap_range at(u64 start, u64 size)
{
	return (struct trap_range){start, size, record, &seen,
				   STAT_CAUSE_IOAPIC};
}

static int add(u64 start, u64 size)
{
	struct trap_range range = at(start, size);

	return trap_memory(&range);
}

static int add_ports(u64 start, u64 size)
{
	struct trap_range range = at(start, size);

	return trap_ports(&range);
}

static void reaches_handler_with_offset(void **state)
{
	enum stat_cause cause;
	u64 value = 0xffffffffcafe1234;

	(void)state;
	assert_int_equal(add(0x5000, 0x1000), 0);
	assert_true(trap_memory_access(0x5ffc, 4, true, &value, &cause));
	assert_int_equal(seen.offset, 0xffc);
	assert_int_equal(seen.size, 4);
	assert_true(seen.write);
	assert_ptr_equal(seen.ctx, &seen);
	assert_int_equal(seen.value, 0xcafe1234);
	assert_int_equal(cause, STAT_CAUSE_IOAPIC);
	assert_int_equal(value, 0xffffffffcafe1234);
}

static void read_gives_size_bytes(void **state)
{
	u64 value = 0;

	(void)state;
	assert_int_equal(add(0x5000, 0x1000), 0);
	assert_true(trap_memory_access(0x5000, 2, false, &value, NULL));
	assert_int_equal(value, 0x7788);
	assert_true(trap_memory_access(0x5000, 8, false, &value, NULL));
	assert_int_equal(value, 0x1122334455667788);
}

static void nothing_there_reads_ones(void **state)
{
	enum stat_cause cause;
	u64 value = 0;

	(void)state;
	assert_int_equal(add(0x5000, 0x1000), 0);
	assert_false(trap_memory_access(0x4fff, 1, false, &value, &cause));
	assert_int_equal(value, 0xff);
	assert_int_equal(cause, STAT_CAUSE_NONE);
	assert_false(trap_memory_access(0x6000, 4, false, &value, NULL));
	assert_int_equal(value, 0xffffffff);
	/* across either end */
	assert_false(trap_memory_access(0x4ffe, 4, false, &value, NULL));
	assert_false(trap_memory_access(0x5ffe, 4, false, &value, NULL));
	assert_false(trap_memory_access(~0ULL, 8, false, &value, NULL));
	assert_true(value == ~0ULL);
	assert_false(trap_memory_access(0x6000, 4, true, &value, NULL));
	assert_int_equal(seen.calls, 0);
}

static void overlaps_and_nonsense_are_refused(void **state)
{
	(void)state;
	assert_int_equal(add(0x5000, 0x1000), 0);
	assert_int_equal(add(0x5000, 0x1000), -EEXIST);
	assert_int_equal(add(0x4000, 0x1001), -EEXIST);
	assert_int_equal(add(0x5fff, 1), -EEXIST);
	assert_int_equal(add(0x4000, 0x9000), -EEXIST);
	assert_int_equal(add(0x4000, 0x1000), 0);
	assert_int_equal(add(0x6000, 0x1000), 0);
	assert_int_equal(add(0x8000, 0), -EINVAL);
	assert_int_equal(add(~0ULL - 9, 11), -EINVAL);
	assert_int_equal(add(~0ULL - 9, 10), 0);
}

static void tables_are_bounded(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < TRAP_MEMORY_MAX; i++)
		assert_int_equal(add(i * 0x1000, 0x1000), 0);
	assert_int_equal(add(0x100000, 0x1000), -ENOSPC);
	for (unsigned int i = 0; i < TRAP_PORTS_MAX; i++)
		assert_int_equal(add_ports(i * 8, 8), 0);
	assert_int_equal(add_ports(0x1000, 8), -ENOSPC);
}

static void ports_end_at_64k(void **state)
{
	u64 value = 0;

	(void)state;
	assert_int_equal(add_ports(0xfff8, 9), -EINVAL);
	assert_int_equal(add_ports(0x10000, 1), -EINVAL);
	assert_true(trap_ports_free(0xfffc, 4));
	assert_int_equal(add_ports(0xfff8, 8), 0);
	assert_false(trap_ports_free(0xfffc, 4));
	assert_false(trap_ports_free(0xfff5, 4));
	assert_true(trap_ports_free(0xfff4, 4));
	assert_true(trap_port_access(0xffff, 1, false, &value, NULL));
	assert_int_equal(seen.offset, 7);
	assert_false(trap_port_access(0xffff, 4, false, &value, NULL));
	assert_int_equal(value, 0xffffffff);
	/* Memory at the same address is another space. */
	assert_false(trap_memory_access(0xffff, 1, false, &value, NULL));
}

static void removed_range_is_gone(void **state)
{
	u64 value = 0;

	(void)state;
	assert_int_equal(add(0x5000, 0x1000), 0);
	assert_int_equal(add(0x7000, 0x1000), 0);
	assert_int_equal(add(0x9000, 0x1000), 0);
	trap_memory_remove(0x5000);
	trap_memory_remove(0x7800); /* no range starts there */
	assert_false(trap_memory_access(0x5000, 4, false, &value, NULL));
	assert_true(trap_memory_access(0x7000, 4, false, &value, NULL));
	assert_true(trap_memory_access(0x9000, 4, false, &value, NULL));
	/* Ports are apart */
	assert_int_equal(add_ports(0x7000, 8), 0);
	trap_ports_remove(0x9000);
	trap_memory_remove(0x7001);
	assert_true(trap_port_access(0x7000, 4, false, &value, NULL));
	trap_ports_remove(0x7000);
	assert_false(trap_port_access(0x7000, 4, false, &value, NULL));
	assert_true(trap_memory_access(0x7000, 4, false, &value, NULL));
	/* Its place is free again. */
	for (unsigned int i = 2; i < TRAP_MEMORY_MAX; i++)
		assert_int_equal(add(i * 0x10000, 0x1000), 0);
	assert_int_equal(add(0x5000, 0x1000), -ENOSPC);
}

static void handler_moves_its_own_range(void **state)
{
	struct trap_range range = {0x5000, 0x1000, move, &seen,
				   STAT_CAUSE_PCI_CONFIG};
	enum stat_cause cause;
	u64 value = 0;

	(void)state;
	assert_int_equal(trap_memory(&range), 0);
	assert_true(trap_memory_access(0x5000, 4, false, &value, &cause));
	assert_int_equal(cause, STAT_CAUSE_PCI_CONFIG);
	assert_false(trap_memory_access(0x5000, 4, false, &value, NULL));
	assert_true(trap_memory_access(0x9000, 4, false, &value, &cause));
	assert_int_equal(cause, STAT_CAUSE_UART);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reaches_handler_with_offset, setup),
		cmocka_unit_test_setup(read_gives_size_bytes, setup),
		cmocka_unit_test_setup(nothing_there_reads_ones, setup),
		cmocka_unit_test_setup(overlaps_and_nonsense_are_refused,
				       setup),
		cmocka_unit_test_setup(tables_are_bounded, setup),
		cmocka_unit_test_setup(ports_end_at_64k, setup),
		cmocka_unit_test_setup(removed_range_is_gone, setup),
		cmocka_unit_test_setup(handler_moves_its_own_range, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
