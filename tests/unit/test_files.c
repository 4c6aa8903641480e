/* sources: boot/files.c */
#include "boot/console.h"
#include "boot/files.h"
#include "boot/loader.h"
#include "boot/memory.h"
#include "tests/unit/support.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct loader loader;

static jmp_buf stopped;
static bool may_stop;
static char said[2000];

void boot_print(const char *fmt, ...)
{
	(void)fmt;
}

const char *boot_status(EFI_STATUS status)
{
	return status == EFI_NOT_FOUND ? "not found" : "another status";
}

_Noreturn void boot_stop(EFI_STATUS status, const char *fmt, ...)
{
	va_list ap;

	(void)status;
	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	if (!may_stop)
		fail_msg("stopped: %s", said);
	may_stop = false;
	longjmp(stopped, 1);
}

static void *taken;

hpa_t memory_take(u64 size, const char *what)
{
	(void)what;
	free(taken);
	taken = malloc(size);
	assert_non_null(taken);
	memset(taken, 0xa5, size);
	return (hpa_t)taken;
}

/* --- A volume with three files -------------------------------------------- */

struct model_file {
	EFI_FILE efi; /* first: what the product has is a pointer to this */
	const char *path, *text;
	size_t at;
	bool open;
};

static struct model_file files[] = {
	{.path = "\\EFI\\lab\\ucode.img", .text = "micro"},
	{.path = "\\initrd.img", .text = "archive"},
	{.path = "\\gangway.cfg", .text = "mode=check"},
};
static size_t read_at_once;

static EFI_STATUS EFIAPI file_info(EFI_FILE *file, EFI_GUID *guid, UINTN *size,
				   void *buffer)
{
	struct model_file *f = (struct model_file *)file;
	EFI_FILE_INFO *info = buffer;

	(void)guid;
	assert_true(f->open && *size >= sizeof(*info));
	memset(info, 0, sizeof(*info));
	info->FileSize = strlen(f->text);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_read_some(EFI_FILE *file, UINTN *size,
					void *buffer)
{
	struct model_file *f = (struct model_file *)file;
	size_t left = strlen(f->text) - f->at;

	assert_true(f->open);
	*size = MIN(MIN(*size, left), read_at_once);
	memcpy(buffer, f->text + f->at, *size);
	f->at += *size;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_close(EFI_FILE *file)
{
	((struct model_file *)file)->open = false;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI volume_open(EFI_FILE *volume, EFI_FILE **opened,
				     CHAR16 *path, UINT64 mode,
				     UINT64 attributes)
{
	(void)volume, (void)mode, (void)attributes;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		const char *name = files[i].path;
		size_t at = 0;

		while (name[at] && path[at] == (CHAR16)name[at])
			at++;
		if (name[at] || path[at])
			continue;
		files[i].efi = (EFI_FILE){.GetInfo = file_info,
					  .Read = file_read_some,
					  .Close = file_close};
		files[i].at = 0;
		files[i].open = true;
		*opened = &files[i].efi;
		return EFI_SUCCESS;
	}
	return EFI_NOT_FOUND;
}

static EFI_FILE volume = {.Open = volume_open};

static EFI_STATUS EFIAPI open_volume(EFI_FILE_IO_INTERFACE *fs, EFI_FILE **root)
{
	(void)fs;
	*root = &volume;
	return EFI_SUCCESS;
}

static EFI_FILE_IO_INTERFACE fs = {.OpenVolume = open_volume};

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid,
					 void **protocol)
{
	(void)handle, (void)guid;
	*protocol = &fs;
	return EFI_SUCCESS;
}

static u8 path[512];

/* One file path node and the end, as loaders give them; NULL: the end alone */
static void start_from(const char *text)
{
	static EFI_BOOT_SERVICES services = {.HandleProtocol = handle_protocol};
	static EFI_LOADED_IMAGE image = {.FilePath = (EFI_DEVICE_PATH *)path};
	size_t at = 0, length = text ? strlen(text) + 1 : 0;

	loader.bs = &services;
	loader.image = &image;
	if (text) {
		path[at++] = MEDIA_DEVICE_PATH;
		path[at++] = MEDIA_FILEPATH_DP;
		path[at++] = 4 + 2 * length;
		path[at++] = 0;
	}
	for (size_t i = 0; i < length; i++) {
		path[at++] = text[i];
		path[at++] = 0;
	}
	memcpy(path + at, "\x7f\xff\x04\x00", 4);
	read_at_once = SIZE_MAX;
	files_init();
}

static void expect_text(struct hpa_range range, const char *text, size_t size)
{
	assert_int_equal(range.size, size);
	assert_memory_equal((void *)range.base, text, size);
}

static void paths_begin_at_root_or_beside_us(void **state)
{
	(void)state;
	start_from("\\EFI\\lab\\gangway.efi");
	expect_text(file_read("ucode.img", "initrd", 100), "micro", 5);
	expect_text(file_read("\\initrd.img", "initrd", 100), "archive", 7);
	expect_text(file_read("/EFI/lab/ucode.img", "initrd", 100), "micro", 5);
	start_from("\\gangway.efi");
	expect_text(file_read("gangway.cfg", "c", 100), "mode=check", 10);
	expect_text(file_read("EFI/lab\\ucode.img", "c", 100), "micro", 5);
	start_from(NULL);
	expect_text(file_read("gangway.cfg", "c", 100), "mode=check", 10);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		assert_false(files[i].open);
}

/* As Linux unpacks them: each at a multiple of 4, zeros between them */
static void several_files_are_joined(void **state)
{
	static const char *const list[] = {"ucode.img", "\\initrd.img",
					   "\\gangway.cfg"};

	(void)state;
	start_from("\\EFI\\lab\\gangway.efi");
	expect_text(files_read(list, 3, "initrd", 100),
		    "micro\0\0\0archive\0mode=check", 26);
	read_at_once = 2;
	expect_text(files_read(list, 2, "initrd", 15), "micro\0\0\0archive",
		    15);
}

static void expect_stop(const char *file, u64 max, const char *words)
{
	said[0] = '\0';
	may_stop = true;
	if (!setjmp(stopped)) {
		file_read(file, "kernel", max);
		fail_msg("%s was read", file);
	}
	if (!strstr(said, words))
		fail_msg("'%s' lacks '%s'", said, words);
}

static void what_was_looked_for_is_said(void **state)
{
	(void)state;
	start_from("\\EFI\\lab\\gangway.efi");
	expect_stop("vmlinuz", 100, "kernel \\EFI\\lab\\vmlinuz: not found");
	expect_stop("/boot/vmlinuz", 100, "kernel \\boot\\vmlinuz: not found");
	/* Loaders that do not tell where in the volume */
	start_from(NULL);
	expect_stop("ucode.img", 100, "kernel \\ucode.img: not found");
	expect_stop("\\initrd.img", 6, "\\initrd.img has 7 bytes: expected 1");
}

static void sizes_add_up_to_the_limit(void **state)
{
	static const char *const list[] = {"\\initrd.img", "\\gangway.cfg"};

	(void)state;
	start_from(NULL);
	may_stop = true;
	if (!setjmp(stopped)) {
		files_read(list, 2, "initrd", 17);
		fail_msg("18 bytes where 17 may be");
	}
	assert_non_null(strstr(said, "gangway.cfg has 10 bytes"));
	free(taken);
	taken = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_begin_at_root_or_beside_us),
		cmocka_unit_test(several_files_are_joined),
		cmocka_unit_test(what_was_looked_for_is_said),
		cmocka_unit_test(sizes_add_up_to_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
