/* sources: guest/linux.c guest/kernel_kind.c guest/pe.c hv/memory_map.c */
/* longest input: 2048 */
/*
 * A kernel file.  Before it: guest RAM in MiB, size of the initrd in KiB, and
 * length of the command line.
 */
#include "guest/linux.h"
#include "hv/guest_layout.h"
#include "tests/fuzz/fuzz.h"
#include <stdlib.h>
#include <string.h>

#define RAM_MAX (8 * MIB)
#define INITRD_MAX (256 * KIB)

static u8 *ram;
static u8 initrd[INITRD_MAX];

static u32 field(gpa_t gpa)
{
	u32 value;

	memcpy(&value, ram + gpa, sizeof(value));
	return value;
}

/* What was told to the kernel lies in its RAM, and nothing upon another. */
static void check_loaded(const struct linux_image *image,
			 const struct vcpu_entry *entry, u64 ram_size)
{
	u64 load = entry->rip - 0x200;
	u64 end = load + field(GUEST_BOOT_PARAMS + 0x260);
	u64 at = field(GUEST_BOOT_PARAMS + 0x218);
	u64 size = field(GUEST_BOOT_PARAMS + 0x21c);
	const u8 *kernel = image->kernel;
	u64 setup = ((kernel[0x1f1] ? kernel[0x1f1] : 4) + 1) * 512;
	u64 code = image->kernel_size - setup;

	CHECK(load >= MIB && end <= ram_size);
	CHECK(end <= linux_memory_needed(image->kernel, image->kernel_size, 0));
	CHECK(code <= end - load && !memcmp(ram + load, kernel + setup, code));
	CHECK(size == image->initrd_size);
	if (size) {
		CHECK(at >= end && at + size <= ram_size);
		CHECK(!memcmp(ram + at, initrd, size));
	}
	CHECK(field(GUEST_BOOT_PARAMS + 0x228) == GUEST_CMDLINE);
	CHECK(!strcmp((char *)ram + GUEST_CMDLINE, image->cmdline));
	CHECK(entry->rsi == GUEST_BOOT_PARAMS);
}

static void load(const struct linux_image *image, u64 ram_size)
{
	static struct memory_map map;
	struct vcpu_entry entry;
	int err;

	map.count = 0;
	CHECK(!memory_map_add(&map, 0, (hpa_t)ram, ram_size, REGION_RAM));
	err = linux_load(&map, image, &entry);
	if (!err)
		check_loaded(image, &entry, ram_size);
	else
		CHECK(err == -EINVAL || err == -ENOSPC);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	struct input in = {bytes, size};
	char cmdline[256], reason[80] = "";
	struct linux_image image = {0};
	size_t length;
	u64 ram_size;
	bool good;

	fuzz_begin();
	if (!ram)
		ram = aligned_alloc(PAGE_SIZE, RAM_MAX);
	if (!initrd[0])
		memset(initrd, 0xa5, sizeof(initrd));
	ram_size = (2 + take(&in, 1) % 7) * MIB;
	image.initrd = initrd;
	image.initrd_size = take(&in, 1) * KIB;
	length = take(&in, 1);
	memset(cmdline, 'x', length);
	cmdline[length] = '\0';
	image.cmdline = cmdline;
	image.kernel = in.at;
	image.kernel_size = in.left;
	good = linux_check(in.at, in.left, reason, sizeof(reason));
	CHECK(good == !reason[0]);
	CHECK(good == !!linux_memory_needed(in.at, in.left, 0));
	/* The memory behind it is not the guest's: a redzone. */
	load(&image, ram_size);
	return 0;
}
