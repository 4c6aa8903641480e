/* sources: hv/vmx/trap.c */
/* longest input: 512 */
/*
 * The table of trapped ranges, beside a list of our own.  Addresses are near 0,
 * near 2^32 and near 2^64.
 */
#include "hv/vmx/trap.h"
#include "tests/fuzz/fuzz.h"

static struct trap_range list[TRAP_MEMORY_MAX];
static unsigned int count;

/* The access under way */
static u64 accessed, written;
static unsigned int accessed_size, calls;

static u64 mask(unsigned int size)
{
	return size < 8 ? BIT(8 * size) - 1 : ~0ULL;
}

static void handler(void *ctx, u64 offset, unsigned int size, bool write,
		    u64 *value)
{
	const struct trap_range *range = ctx;

	calls++;
	CHECK(range->start + offset == accessed && size == accessed_size);
	CHECK(offset < range->size && size <= range->size - offset);
	if (write)
		CHECK(*value == (written & mask(size)));
	else
		*value = 0xa5a5a5a5a5a5a5a5;
}

static u64 take_address(struct input *in)
{
	static const u64 near[] = {0, 0xfffffff0, (u64)-64, 0xfee00000};
	u8 bits = take(in, 1);

	return near[bits >> 6] + (bits & 0x3f);
}

static bool overlaps(u64 start, u64 size)
{
	for (unsigned int i = 0; i < count; i++)
		if (start <= list[i].start + (list[i].size - 1) &&
		    list[i].start <= start + (size - 1))
			return true;
	return false;
}

static void add(struct input *in)
{
	struct trap_range r = {.start = take_address(in),
			       .size = take(in, 1) % 40,
			       .handler = handler};
	bool wraps = r.size && r.start + (r.size - 1) < r.start;
	int err;

	/* The context is its copy in our list, wherever that will be. */
	r.ctx = &list[count < TRAP_MEMORY_MAX ? count : 0];
	err = trap_memory(&r);
	if (!r.size || wraps)
		CHECK(err == -EINVAL);
	else if (overlaps(r.start, r.size))
		CHECK(err == -EEXIST);
	else if (count == TRAP_MEMORY_MAX)
		CHECK(err == -ENOSPC);
	else
		CHECK(err == 0);
	if (!err)
		list[count++] = r;
}

static const struct trap_range *holder(u64 address, unsigned int size)
{
	for (unsigned int i = 0; i < count; i++)
		if (address >= list[i].start &&
		    address - list[i].start < list[i].size &&
		    size <= list[i].size - (address - list[i].start))
			return &list[i];
	return NULL;
}

static void access_one(struct input *in, u8 how)
{
	const struct trap_range *range;
	u64 value;

	accessed = take_address(in);
	accessed_size = 1u << (how >> 2 & 3);
	value = written = take(in, 8);
	calls = 0;
	range = holder(accessed, accessed_size);
	CHECK(trap_memory_access(accessed, accessed_size, how & 1, &value,
				 NULL) == !!range);
	CHECK(calls == !!range);
	if (how & 1)
		CHECK(value == written);
	else
		CHECK(value == ((range ? 0xa5a5a5a5a5a5a5a5 : ~0ULL) &
				mask(accessed_size)));
}

/* Ports are a table of their own, and end at FFFFH. */
static void add_ports(struct input *in)
{
	struct trap_range r = {.start = 0xfff0 + take(in, 1) % 32,
			       .size = take(in, 1) % 40,
			       .handler = handler};

	if (trap_ports(&r) == 0)
		CHECK(r.size && r.start + r.size <= 0x10000);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	struct input in = {bytes, size};

	fuzz_begin();
	trap_reset();
	count = 0;
	while (in.left) {
		u8 how = take(&in, 1);

		if (how < 0x60)
			add(&in);
		else if (how < 0x68)
			add_ports(&in);
		else if (how < 0x70 && count)
			trap_memory_remove(list[--count].start);
		else
			access_one(&in, how);
	}
	return 0;
}
