/* This file is the table of trapped ranges: it says who answers which access
 * of the guest. */
#include "hv/vmx/trap.h"
#include "hv/lock.h"

struct trap_table {
	struct trap_range *range;
	unsigned int count, max;
	u64 space; /* first address that is not one; 0: 2^64 */
};

static struct trap_range memory_range[TRAP_MEMORY_MAX];
static struct trap_range ports_range[TRAP_PORTS_MAX];
static struct trap_table memory = {.range = memory_range,
				   .max = TRAP_MEMORY_MAX};
static struct trap_table ports = {
	.range = ports_range, .max = TRAP_PORTS_MAX, .space = 0x10000};
static struct lock lock;

void trap_lock(void)
{
	lock_acquire(&lock);
}

void trap_unlock(void)
{
	lock_release(&lock);
}

void trap_reset(void)
{
	memory.count = 0;
	ports.count = 0;
}

static bool overlap(const struct trap_range *a, const struct trap_range *b)
{
	return a->start - b->start < b->size || b->start - a->start < a->size;
}

static int table_add(struct trap_table *table, const struct trap_range *range)
{
	/* The last address, so that a range may end at 2^64. */
	u64 last = range->start + range->size - 1;

	if (range->size == 0 || last < range->start || last > table->space - 1)
		return -EINVAL;
	for (unsigned int i = 0; i < table->count; i++)
		if (overlap(range, &table->range[i]))
			return -EEXIST;
	if (table->count == table->max)
		return -ENOSPC;
	table->range[table->count++] = *range;
	return 0;
}

int trap_memory(const struct trap_range *range)
{
	return table_add(&memory, range);
}

int trap_ports(const struct trap_range *range)
{
	return table_add(&ports, range);
}

bool trap_ports_free(u64 start, u64 size)
{
	const struct trap_range range = {.start = start, .size = size};

	for (unsigned int i = 0; i < ports.count; i++)
		if (overlap(&range, &ports.range[i]))
			return false;
	return true;
}

static void table_remove(struct trap_table *table, u64 start)
{
	for (unsigned int i = 0; i < table->count; i++) {
		if (table->range[i].start == start) {
			table->range[i] = table->range[--table->count];
			return;
		}
	}
}

void trap_memory_remove(u64 start)
{
	table_remove(&memory, start);
}

void trap_ports_remove(u64 start)
{
	table_remove(&ports, start);
}

/* The range that holds all of [address, address + size), or NULL. */
static const struct trap_range *table_find(const struct trap_table *table,
					   u64 address, unsigned int size)
{
	for (unsigned int i = 0; i < table->count; i++) {
		const struct trap_range *r = &table->range[i];
		u64 offset = address - r->start;

		if (offset < r->size && size <= r->size - offset)
			return r;
	}
	return NULL;
}

static u64 low_bytes(u64 value, unsigned int size)
{
	return size < 8 ? value & (BIT(8 * size) - 1) : value;
}

static bool table_access(const struct trap_table *table, u64 address,
			 unsigned int size, bool write, u64 *value,
			 enum stat_cause *cause)
{
	/* A copy, for the handler may remove its own range. */
	struct trap_range range = {.cause = STAT_CAUSE_NONE};
	const struct trap_range *found;
	u64 v = write ? *value : ~0ULL;

	trap_lock();
	found = table_find(table, address, size);
	if (found)
		range = *found;
	v = low_bytes(v, size);
	if (found)
		range.handler(range.ctx, address - range.start, size, write,
			      &v);
	trap_unlock();

	if (!write)
		*value = low_bytes(v, size);
	if (cause)
		*cause = range.cause;
	return found != NULL;
}

bool trap_memory_access(u64 gpa, unsigned int size, bool write, u64 *value,
			enum stat_cause *cause)
{
	return table_access(&memory, gpa, size, write, value, cause);
}

bool trap_port_access(u16 port, unsigned int size, bool write, u64 *value,
		      enum stat_cause *cause)
{
	return table_access(&ports, port, size, write, value, cause);
}
