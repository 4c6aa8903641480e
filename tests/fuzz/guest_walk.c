/* sources: hv/vmx/guest_walk.c hv/memory_map.c */
/* longest input: 512 */
/*
 * The guest's page tables.  The input: control registers, a linear address,
 * a length; then pairs of a place in RAM and the 8 bytes that stand there.
 */
#include "hv/vmx/guest_walk.h"
#include "hv/x86.h"
#include "tests/fuzz/fuzz.h"
#include <string.h>

#define RAM_SIZE (64 * KIB)

static u8 ram[RAM_SIZE] __attribute__((aligned(4096)));

/* What was read in one piece is what its bytes are, one by one. */
static void check_bytes(const struct guest_paging *p, u64 la, const u8 *buf,
			unsigned int done, unsigned int size)
{
	gpa_t gpa;
	u8 byte;

	for (unsigned int i = 0; i < done; i++) {
		CHECK(guest_translate(p, la + i, &gpa));
		CHECK(!guest_ram_read(p->map, gpa, &byte, 1));
		CHECK(byte == buf[i]);
	}
	if (done < size && guest_translate(p, la + done, &gpa))
		CHECK(guest_ram_read(p->map, gpa, &byte, 1));
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	static struct memory_map map;
	struct input in = {bytes, size};
	struct guest_paging p = {.map = &map};
	u8 flags, buf[64];
	unsigned int length, done;
	u64 la;

	fuzz_begin();
	map.count = 0;
	CHECK(!memory_map_add(&map, 0, (hpa_t)ram, RAM_SIZE / 2, REGION_RAM));
	CHECK(!memory_map_add(&map, RAM_SIZE, (hpa_t)ram + RAM_SIZE / 2,
			      RAM_SIZE / 2, REGION_RAM));
	memset(ram, 0, sizeof(ram));
	flags = take(&in, 1);
	p.cr0 = flags & 1 ? CR0_PG : 0;
	p.cr4 = (flags & 2 ? CR4_PAE : 0) | (flags & 4 ? CR4_PSE : 0);
	p.efer = flags & 8 ? EFER_LMA : 0;
	p.cr3 = take(&in, 8);
	la = take(&in, 8);
	length = take(&in, 1) % (sizeof(buf) + 1);
	while (in.left) {
		u16 at = take(&in, 2) & ~7;
		u64 value = take(&in, 8);

		memcpy(ram + at, &value, sizeof(value));
	}
	done = guest_read_linear(&p, la, buf, length);
	CHECK(done <= length);
	check_bytes(&p, la, buf, done, length);
	return 0;
}
