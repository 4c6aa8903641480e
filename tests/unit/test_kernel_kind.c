/* sources: guest/kernel_kind.c guest/pe.c guest/linux.c hv/memory_map.c */
#include "guest/kernel_kind.h"
#include "guest/linux.h"
#include "guest/pe.h"
#include "tests/unit/support.h"
#include <stdlib.h>
#include <string.h>

#define PE_AT 0x80
#define OPTIONAL_SIZE 0xf0
#define SECTIONS_AT (PE_AT + 24 + OPTIONAL_SIZE)

static u8 file[4096];

static void put32(size_t at, u32 value)
{
	memcpy(file + at, &value, sizeof(value));
}

/* By the offsets of Microsoft's "PE Format" */
static void make_pe(u16 machine)
{
	memset(file, 0, sizeof(file));
	memcpy(file, "MZ", 2);
	put32(0x3c, PE_AT);
	memcpy(file + PE_AT, "PE\0\0", 4);
	put32(PE_AT + 4, machine | 3 << 16);
	file[PE_AT + 20] = OPTIONAL_SIZE;
	memcpy(file + SECTIONS_AT, ".text", 5);
	memcpy(file + SECTIONS_AT + 40, ".linux", 6);
	put32(SECTIONS_AT + 40 + 8, 0x111);
	put32(SECTIONS_AT + 40 + 12, 0x5000);
	put32(SECTIONS_AT + 40 + 16, 0x200);
	put32(SECTIONS_AT + 40 + 20, 0x600);
	memcpy(file + SECTIONS_AT + 80, ".longname", 8);
}

/* From an allocation of its exact size: reading beyond it is seen. */
static const char *kind_of(const void *bytes, size_t size)
{
	void *copy = malloc(size ? size : 1);
	const char *kind;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	kind = kernel_kind(copy, size);
	free(copy);
	return kind;
}

static void expect_kind(const void *bytes, size_t size, const char *words)
{
	char reason[240];
	const char *kind = kind_of(bytes, size);

	assert_non_null(kind);
	if (!strstr(kind, words))
		fail_msg("'%s' lacks '%s'", kind, words);
	/* And it is what the loader says, in full */
	assert_false(linux_check(bytes, size, reason, sizeof(reason)));
	assert_string_equal(reason, kind);
}

static void archives_are_named(void **state)
{
	char arm[64] = {0};

	(void)state;
	expect_kind("\x1f\x8b\x08", 3, "unpack it with gunzip");
	expect_kind("\xfd\x37zXZ\0", 6, "unxz");
	expect_kind("\x28\xb5\x2f\xfd", 4, "unzstd");
	expect_kind("\x02\x21\x4c\x18", 4, "unlz4");
	expect_kind("BZh9", 4, "bunzip2");
	expect_kind("070701", 6, "behind initrd=");
	expect_kind("\x7f\x45LF\x02", 5, "bzImage");
	memcpy(arm + 56, "ARM\x64", 4);
	expect_kind(arm, 60, "64-bit ARM");
	assert_null(kind_of("\x1f", 1));
	assert_null(kind_of(arm, 59));
	assert_null(kind_of("", 0));
}

static void pe_files_are_named(void **state)
{
	(void)state;
	make_pe(PE_MACHINE_X64);
	expect_kind(file, sizeof(file), "-j .linux FILE vmlinuz");
	memcpy(file + SECTIONS_AT + 40, ".Linux", 6);
	expect_kind(file, sizeof(file), "no Linux kernel");
	make_pe(0x14c);
	memcpy(file + SECTIONS_AT + 40, ".linuxx", 7);
	expect_kind(file, sizeof(file), "another processor");
}

static void sections_are_found(void **state)
{
	struct pe_section s;

	(void)state;
	make_pe(PE_MACHINE_X64);
	assert_true(pe_find(file, sizeof(file), ".linux", &s));
	assert_int_equal(s.address, 0x5000);
	assert_int_equal(s.size, 0x111);
	assert_int_equal(s.file_offset, 0x600);
	assert_int_equal(s.file_size, 0x200);
	/* 8 characters without an end */
	assert_true(pe_find(file, sizeof(file), ".longnam", &s));
	assert_false(pe_find(file, sizeof(file), ".lin", &s));
	assert_false(pe_find(file, sizeof(file), ".initrd", &s));
	assert_int_equal(pe_machine(file, sizeof(file)), PE_MACHINE_X64);
}

/* Cut off anywhere, and with offsets that lead beyond its end */
static void broken_pe_files_are_none(void **state)
{
	struct pe_section s;

	(void)state;
	make_pe(PE_MACHINE_X64);
	for (size_t size = 0; size < SECTIONS_AT + 80; size++) {
		u8 *copy = malloc(size + 1);

		assert_non_null(copy);
		memcpy(copy, file, size);
		assert_false(pe_find(copy, size, ".linux", &s));
		free(copy);
	}
	put32(0x3c, UINT32_MAX);
	assert_false(pe_find(file, sizeof(file), ".linux", &s));
	assert_int_equal(pe_machine(file, sizeof(file)), 0);
	make_pe(PE_MACHINE_X64);
	file[PE_AT] = 'p';
	assert_false(pe_find(file, sizeof(file), ".linux", &s));
	make_pe(PE_MACHINE_X64);
	file[0] = 'N';
	assert_false(pe_find(file, sizeof(file), ".linux", &s));
	make_pe(PE_MACHINE_X64);
	file[PE_AT + 6] = 0xff; /* more sections than there are */
	file[PE_AT + 7] = 0xff;
	assert_false(pe_find(file, sizeof(file), ".initrd", &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(archives_are_named),
		cmocka_unit_test(pe_files_are_named),
		cmocka_unit_test(sections_are_found),
		cmocka_unit_test(broken_pe_files_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
