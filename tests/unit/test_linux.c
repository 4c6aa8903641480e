/* sources: guest/linux.c guest/kernel_kind.c guest/pe.c hv/memory_map.c */
#include "guest/linux.h"
#include "hv/guest_layout.h"
#include "tests/unit/support.h"
#include <stdlib.h>
#include <string.h>

#define RAM_SIZE (96 * MIB)
#define SETUP_SIZE (5 * 512)
#define CODE_SIZE 8192
#define FILE_SIZE (SETUP_SIZE + CODE_SIZE)
#define PREF (16 * MIB)
#define INIT_SIZE (40 * MIB)

static u8 *ram; /* all RAM; the map gives its halves in reverse order */
static u8 kernel[FILE_SIZE];
static u8 initrd[10000];
static struct memory_map map;
static struct linux_image image;
static struct vcpu_entry entry;
static char reason[128];

static void put16(size_t at, u16 value)
{
	memcpy(kernel + at, &value, sizeof(value));
}

static void put32(size_t at, u32 value)
{
	memcpy(kernel + at, &value, sizeof(value));
}

static void put64(size_t at, u64 value)
{
	memcpy(kernel + at, &value, sizeof(value));
}

/* The guest's RAM at @gpa, by the map that setup() builds */
static u8 *guest(gpa_t gpa)
{
	assert_true(gpa < RAM_SIZE);
	return ram +
	       (gpa < RAM_SIZE / 2 ? gpa + RAM_SIZE / 2 : gpa - RAM_SIZE / 2);
}

static u64 guest64(gpa_t gpa)
{
	u64 value;

	memcpy(&value, guest(gpa), sizeof(value));
	return value;
}

static u32 guest32(gpa_t gpa)
{
	return (u32)guest64(gpa);
}

/* A bzImage by the offsets of Documentation/x86/boot.rst */
static void make_kernel(void)
{
	memset(kernel, 0, sizeof(kernel));
	kernel[0x1f1] = 4;		   /* setup_sects */
	put32(0x1f4, CODE_SIZE / 16);	   /* syssize */
	put16(0x1fe, 0xaa55);		   /* boot_flag */
	kernel[0x201] = 0x66;		   /* jump: header ends at 268H */
	memcpy(kernel + 0x202, "HdrS", 4); /* header */
	put16(0x206, 0x020f);		   /* version */
	kernel[0x211] = 1;		   /* loadflags: LOADED_HIGH */
	put32(0x22c, 0x7fffffff);	   /* initrd_addr_max */
	put32(0x230, 0x200000);		   /* kernel_alignment */
	kernel[0x234] = 1;		   /* relocatable_kernel */
	put16(0x236, 1);		   /* xloadflags: XLF_KERNEL_64 */
	put32(0x238, 2047);		   /* cmdline_size */
	put64(0x258, PREF);		   /* pref_address */
	put32(0x260, INIT_SIZE);	   /* init_size */
	for (size_t i = 0; i < CODE_SIZE; i++)
		kernel[SETUP_SIZE + i] = i * 7 + (i >> 8);
}

static int setup(void **state)
{
	const u64 half = RAM_SIZE / 2;

	(void)state;
	ram = aligned_alloc(PAGE_SIZE, RAM_SIZE);
	assert_non_null(ram);
	memset(ram, 0xcc, RAM_SIZE);
	memset(&map, 0, sizeof(map));
	assert_int_equal(
		memory_map_add(&map, 0, (hpa_t)ram + half, half, REGION_RAM),
		0);
	assert_int_equal(
		memory_map_add(&map, half, (hpa_t)ram, half, REGION_RAM), 0);
	make_kernel();
	for (size_t i = 0; i < sizeof(initrd); i++)
		initrd[i] = i * 13;
	image = (struct linux_image){
		.kernel = kernel,
		.kernel_size = sizeof(kernel),
		.initrd = initrd,
		.initrd_size = sizeof(initrd),
		.cmdline = "console=ttyS0",
		.rsdp = GUEST_ACPI_START,
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(ram);
	return 0;
}

static void kernel_is_loaded_where_it_prefers(void **state)
{
	(void)state;
	assert_true(linux_check(kernel, FILE_SIZE, reason, sizeof(reason)));
	assert_int_equal(linux_load(&map, &image, &entry), 0);
	assert_true(entry.rip == PREF + 0x200);
	assert_true(entry.rsi == GUEST_BOOT_PARAMS);
	assert_int_equal(entry.cs, 0x10);
	assert_int_equal(entry.ds, 0x18);
	assert_memory_equal(guest(PREF), kernel + SETUP_SIZE, CODE_SIZE);
	assert_string_equal((char *)guest(GUEST_CMDLINE), "console=ttyS0");
}

static void boot_params_are_filled(void **state)
{
	const gpa_t bp = GUEST_BOOT_PARAMS;

	(void)state;
	assert_int_equal(linux_load(&map, &image, &entry), 0);
	assert_true(guest64(bp + 0x70) == GUEST_ACPI_START); /* RSDP */
	assert_int_equal(*guest(bp + 0x1ef), 0);	     /* sentinel */
	assert_memory_equal(guest(bp + 0x202), "HdrS", 4);
	assert_int_equal(*guest(bp + 0x210), 0xff); /* type_of_loader */
	assert_true(guest32(bp + 0x228) == GUEST_CMDLINE);
	/* Below the end of RAM, page-aligned: 96 MiB less 3 pages */
	assert_true(guest32(bp + 0x218) == RAM_SIZE - 3 * PAGE_SIZE);
	assert_int_equal(guest32(bp + 0x21c), sizeof(initrd));
	assert_memory_equal(guest(RAM_SIZE - 3 * PAGE_SIZE), initrd,
			    sizeof(initrd));
	assert_true(guest64(bp + 0x258) == PREF);
	/* Nothing of the setup code behind the header */
	assert_int_equal(*guest(bp + 0x268), 0);
}

static void expect_e820(unsigned int n, u64 start, u64 size, u32 type)
{
	gpa_t at = GUEST_BOOT_PARAMS + 0x2d0 + 20 * n;

	assert_true(guest64(at) == start);
	assert_true(guest64(at + 8) == size);
	assert_int_equal(guest32(at + 16), type);
}

static void e820_tells_the_map(void **state)
{
	(void)state;
	/* Regions that do not matter: never read, never written */
	assert_int_equal(memory_map_add(&map, GUEST_PCI_WINDOW, 0x10000000,
					0x4000, REGION_BAR),
			 0);
	assert_int_equal(memory_map_add(&map, GUEST_HIGH_RAM, 0x40000000,
					2 * MIB, REGION_RAM),
			 0);
	assert_int_equal(memory_map_add(&map, GUEST_HIGH_RAM + 2 * MIB,
					0x80000000, 2 * MIB, REGION_RAM),
			 0);
	assert_int_equal(linux_load(&map, &image, &entry), 0);
	assert_int_equal(*guest(GUEST_BOOT_PARAMS + 0x1e8), 5);
	expect_e820(0, 0, 0xa0000, 1);
	expect_e820(1, 0xa0000, 0x60000, 2);
	expect_e820(2, 0x100000, RAM_SIZE - 0x100000, 1);
	expect_e820(3, 0xe0000000, 0x100000, 2);
	expect_e820(4, 0x100000000, 0x400000, 1);
}

static void page_tables_map_4_gib_to_themselves(void **state)
{
	const u64 address_mask = 0x000ffffffffff000;

	(void)state;
	assert_int_equal(linux_load(&map, &image, &entry), 0);
	for (u64 va = 0; va < 4 * GIB; va += 2 * MIB) {
		u64 pml4e = guest64(entry.cr3);
		u64 pdpte = guest64((pml4e & address_mask) + 8 * (va >> 30));
		u64 pde =
			guest64((pdpte & address_mask) + 8 * (va >> 21 & 511));

		assert_int_equal(pml4e & 0xfff, 3);
		assert_int_equal(pdpte & 0xfff, 3);
		assert_true(pde == (va | 0x83));
	}
	assert_true(guest64(entry.cr3 + 8) == 0);
	assert_true(entry.cr3 + 6 * PAGE_SIZE <= GUEST_CMDLINE);
}

/* Flat 64-bit code and data segments at 10H and 18H (SDM 3A figure 3-8) */
static void descriptors_are_flat(void **state)
{
	u64 code, data;

	(void)state;
	assert_int_equal(linux_load(&map, &image, &entry), 0);
	assert_int_equal(entry.gdt_limit, 31);
	assert_true(guest64(entry.gdt) == 0);
	code = guest64(entry.gdt + 0x10);
	data = guest64(entry.gdt + 0x18);
	assert_int_equal(code >> 40 & 0xff, 0x9b); /* P, S, execute/read, A */
	assert_int_equal(code >> 52 & 0xf, 0xa);   /* G, L */
	assert_int_equal(data >> 40 & 0xff, 0x93); /* P, S, read/write, A */
	assert_int_equal(data >> 52 & 0xf, 0xc);   /* G, D/B */
	assert_int_equal(code & 0xffff, 0xffff);
	assert_int_equal(data & 0xffff, 0xffff);
}

static void low_memory_is_cleared_and_acpi_left(void **state)
{
	(void)state;
	assert_int_equal(linux_load(&map, &image, &entry), 0);
	assert_int_equal(*guest(0x40e), 0);
	assert_int_equal(*guest(0x9fc00), 0);
	assert_int_equal(*guest(GUEST_ACPI_START - 1), 0);
	assert_int_equal(*guest(GUEST_ACPI_START), 0xcc);
	assert_int_equal(*guest(0xfffff), 0xcc);
}

static void initrd_keeps_its_distance(void **state)
{
	(void)state;
	put32(0x22c, 64 * MIB - 1); /* initrd_addr_max: its last byte */
	assert_int_equal(linux_load(&map, &image, &entry), 0);
	assert_true(guest32(GUEST_BOOT_PARAMS + 0x218) ==
		    64 * MIB - 3 * PAGE_SIZE);
	/* Room of two pages behind the kernel's memory: not enough */
	put32(0x22c, PREF + INIT_SIZE + 2 * PAGE_SIZE - 1);
	assert_int_equal(linux_load(&map, &image, &entry), -ENOSPC);
	put32(0x22c, PREF + INIT_SIZE + 3 * PAGE_SIZE - 1);
	assert_int_equal(linux_load(&map, &image, &entry), 0);
	assert_true(guest32(GUEST_BOOT_PARAMS + 0x218) == PREF + INIT_SIZE);
	/* An end that is not page-aligned may not push it into the kernel */
	put32(0x22c, PREF + INIT_SIZE + 10000 - 1);
	put32(0x260, INIT_SIZE - 1);
	assert_int_equal(linux_load(&map, &image, &entry), 0);
	assert_true(guest32(GUEST_BOOT_PARAMS + 0x218) == PREF + INIT_SIZE);
	put32(0x260, INIT_SIZE + 1);
	assert_int_equal(linux_load(&map, &image, &entry), -ENOSPC);
	image.initrd_size = ~0ULL;
	assert_int_equal(linux_load(&map, &image, &entry), -ENOSPC);
	image.initrd = NULL;
	assert_int_equal(linux_load(&map, &image, &entry), 0);
	assert_int_equal(guest32(GUEST_BOOT_PARAMS + 0x218), 0);
	assert_int_equal(guest32(GUEST_BOOT_PARAMS + 0x21c), 0);
}

static void too_little_ram_is_said(void **state)
{
	(void)state;
	assert_true(linux_memory_needed(kernel, FILE_SIZE, 0) ==
		    PREF + INIT_SIZE);
	assert_true(linux_memory_needed(kernel, FILE_SIZE, 5000) ==
		    PREF + INIT_SIZE + 8192);
	put32(0x260, 80 * MIB + 1);
	test_log_clear();
	assert_int_equal(linux_load(&map, &image, &entry), -ENOSPC);
	assert_non_null(strstr(test_log, "up to 97 MiB"));
	assert_non_null(strstr(test_log, "has 96 MiB"));
	put32(0x260, 0xffffffff);
	assert_int_equal(linux_load(&map, &image, &entry), -ENOSPC);
}

static void long_command_line_is_refused(void **state)
{
	static char cmdline[2049];

	(void)state;
	memset(cmdline, 'x', 2047);
	image.cmdline = cmdline;
	assert_int_equal(linux_load(&map, &image, &entry), 0);
	cmdline[2047] = 'x';
	test_log_clear();
	assert_int_equal(linux_load(&map, &image, &entry), -EINVAL);
	assert_non_null(strstr(test_log, "2048 characters"));
}

static void expect_bad(const char *words)
{
	reason[0] = '\0';
	assert_false(linux_check(kernel, FILE_SIZE, reason, sizeof(reason)));
	if (!strstr(reason, words))
		fail_msg("'%s' lacks '%s'", reason, words);
	assert_int_equal(linux_load(&map, &image, &entry), -EINVAL);
	assert_true(linux_memory_needed(kernel, FILE_SIZE, 0) == 0);
	make_kernel();
}

static void bad_headers_are_named(void **state)
{
	(void)state;
	put16(0x1fe, 0xaa56);
	expect_bad("not a bzImage");
	kernel[0x205] = 's';
	expect_bad("not a bzImage");
	put16(0x206, 0x020b);
	expect_bad("older than 2.12");
	kernel[0x201] = 0x65; /* up to 267H: not all of handover_offset */
	expect_bad("ends before");
	kernel[0x211] = 0;
	expect_bad("zImage");
	put16(0x236, 0xfffe);
	expect_bad("64-bit");
	put32(0x260, 0);
	expect_bad("makes no sense");
	put64(0x258, 0xfffffffffffff000);
	expect_bad("makes no sense");
	put64(0x258, 0x80000);
	expect_bad("makes no sense");
	put64(0x258, PREF + 1);
	expect_bad("makes no sense");
	kernel[0x1f1] = 255;
	expect_bad("cut off");
	put32(0x1f4, CODE_SIZE / 16 + 1);
	expect_bad("cut off");
	put32(0x1f4, 0xffffffff);
	expect_bad("cut off");
	put32(0x260, CODE_SIZE - 1);
	expect_bad("larger than");
}

/* Old loaders' 0 stands for 4 setup sectors. */
static void zero_setup_sectors_mean_four(void **state)
{
	(void)state;
	kernel[0x1f1] = 0;
	assert_int_equal(linux_load(&map, &image, &entry), 0);
	assert_memory_equal(guest(PREF), kernel + SETUP_SIZE, CODE_SIZE);
}

/* Cut off anywhere, from an allocation of just that size */
static void every_prefix_is_refused(void **state)
{
	(void)state;
	for (u64 size = 0; size < FILE_SIZE; size += 1 + size / 64) {
		u8 *copy = malloc(size ? size : 1);

		assert_non_null(copy);
		memcpy(copy, kernel, size);
		assert_false(linux_check(copy, size, reason, sizeof(reason)));
		free(copy);
	}
}

int main(void)
{
#define LOADS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		LOADS(kernel_is_loaded_where_it_prefers),
		LOADS(boot_params_are_filled),
		LOADS(e820_tells_the_map),
		LOADS(page_tables_map_4_gib_to_themselves),
		LOADS(descriptors_are_flat),
		LOADS(low_memory_is_cleared_and_acpi_left),
		LOADS(initrd_keeps_its_distance),
		LOADS(too_little_ram_is_said),
		LOADS(long_command_line_is_refused),
		LOADS(bad_headers_are_named),
		LOADS(zero_setup_sectors_mean_four),
		LOADS(every_prefix_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
