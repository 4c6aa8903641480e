/* This file reads files of the volume that the application was loaded from. */
#include "boot/files.h"
#include "boot/console.h"
#include "boot/loader.h"
#include "boot/memory.h"
#include "hv/string.h"

#define PATH_MAX 512
#define PATH_NODES_MAX 32
#define READ_CHUNK MIB
#define PART_ALIGN 4
#define PROGRESS_FROM (4 * MIB) /* smaller files are read without */

static EFI_FILE_HANDLE volume;
static CHAR16 directory[PATH_MAX]; /* without a \ at the end */

static size_t length16(const CHAR16 *s)
{
	size_t length = 0;

	while (s[length])
		length++;
	return length;
}

/* Append one node's text, at most @count characters; false if it does not fit.
 */
static bool append_node(const CHAR16 *text, size_t count)
{
	size_t length = length16(directory);
	size_t i = 0;

	if (length && directory[length - 1] != '\\' && count &&
	    text[0] != '\\' && length < PATH_MAX - 1)
		directory[length++] = '\\';
	while (i < count && text[i] && length < PATH_MAX - 1)
		directory[length++] = text[i++];
	directory[length] = 0;
	return i == count || !text[i];
}

/*
 * The application's path is a list of device path nodes, of which those of type
 * "file path" hold text (UEFI 2.9 10.3.5.4).  Leaves its directory.
 */
static bool find_directory(const EFI_DEVICE_PATH *node)
{
	size_t length;

	for (int i = 0; i < PATH_NODES_MAX && node; i++) {
		size_t size = node->Length[0] | node->Length[1] << 8;

		if (node->Type == END_DEVICE_PATH_TYPE || size < sizeof(*node))
			break;
		if (node->Type == MEDIA_DEVICE_PATH &&
		    node->SubType == MEDIA_FILEPATH_DP &&
		    !append_node((const CHAR16 *)(node + 1),
				 (size - sizeof(*node)) / sizeof(CHAR16)))
			return false;
		node = (const void *)((const u8 *)node + size);
	}
	length = length16(directory);
	while (length && directory[length - 1] != '\\')
		length--;
	directory[length ? length - 1 : 0] = 0;
	return true;
}

void files_init(void)
{
	EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	EFI_FILE_IO_INTERFACE *fs;
	EFI_STATUS status = loader.bs->HandleProtocol(
		loader.image->DeviceHandle, &guid, (void **)&fs);

	if (!EFI_ERROR(status))
		status = fs->OpenVolume(fs, &volume);
	if (EFI_ERROR(status))
		boot_stop(status,
			  "no file system where gangway.efi was loaded from "
			  "(%s): start it from a disk or a USB stick",
			  boot_status(status));
	directory[0] = 0;
	if (!find_directory(loader.image->FilePath))
		boot_stop(EFI_BUFFER_TOO_SMALL,
			  "gangway.efi's own path is too long: move it closer "
			  "to the root of its volume");
}

/* @path as the firmware wants it: from the root, with \ */
static void full_path(const char *path, CHAR16 full[2 * PATH_MAX])
{
	size_t length = 0;

	if (path[0] != '\\' && path[0] != '/') {
		length = length16(directory);
		memcpy(full, directory, length * sizeof(CHAR16));
		full[length++] = '\\';
	}
	/* CONFIG_PATH_MAX bounds it */
	for (size_t i = 0; path[i] && length < 2 * PATH_MAX - 1; i++)
		full[length++] = path[i] == '/' ? '\\' : path[i];
	full[length] = 0;
}

static void path_text(const CHAR16 *path, char text[2 * PATH_MAX])
{
	size_t i = 0;

	for (; path[i]; i++)
		text[i] = path[i] < 0x7f ? path[i] : '?';
	text[i] = '\0';
}

static EFI_STATUS file_size(EFI_FILE_HANDLE file, u64 *size)
{
	static union {
		EFI_FILE_INFO info;
		u8 space[sizeof(EFI_FILE_INFO) + PATH_MAX * sizeof(CHAR16)];
	} buffer;
	EFI_GUID guid = EFI_FILE_INFO_ID;
	UINTN buffer_size = sizeof(buffer);
	EFI_STATUS status = file->GetInfo(file, &guid, &buffer_size, &buffer);

	if (EFI_ERROR(status))
		return status;
	if (buffer.info.Attribute & EFI_FILE_DIRECTORY)
		return EFI_NOT_FOUND;
	*size = buffer.info.FileSize;
	return EFI_SUCCESS;
}

/* In chunks, so that progress can be told and short reads are gone on with. */
static EFI_STATUS read_all(EFI_FILE_HANDLE file, const char *path,
			   struct hpa_range to)
{
	u64 done = 0;
	unsigned int told = 0;

	while (done < to.size) {
		UINTN chunk = MIN(READ_CHUNK, to.size - done);
		EFI_STATUS status =
			file->Read(file, &chunk, (void *)(to.base + done));
		unsigned int tenths;

		if (EFI_ERROR(status))
			return status;
		if (!chunk || chunk > to.size - done)
			return EFI_DEVICE_ERROR;
		done += chunk;
		tenths = done * 10 / to.size;
		if (to.size >= PROGRESS_FROM && tenths != told)
			boot_print("\rgangway: reading %s: %u%%%s", path,
				   tenths * 10, tenths == 10 ? "\n" : "");
		told = tenths;
	}
	return EFI_SUCCESS;
}

static EFI_FILE_HANDLE open_file(const char *path, const char *what, u64 max,
				 u64 *size)
{
	static CHAR16 full[2 * PATH_MAX];
	static char text[2 * PATH_MAX];
	EFI_FILE_HANDLE file;
	EFI_STATUS status;

	full_path(path, full);
	status = volume->Open(volume, &file, full, EFI_FILE_MODE_READ, 0);
	if (!EFI_ERROR(status))
		status = file_size(file, size);
	path_text(full, text);
	if (EFI_ERROR(status))
		boot_stop(status,
			  "%s %s: %s on the volume that gangway.efi was loaded "
			  "from: put it there (a path with \\ at its start "
			  "begins at the root, any other beside gangway.efi)",
			  what, text, boot_status(status));
	if (!*size || *size > max)
		boot_stop(EFI_LOAD_ERROR,
			  "%s %s has %lu bytes: expected 1 to %lu", what, text,
			  *size, max);
	return file;
}

struct hpa_range files_read(const char *const *path, unsigned int count,
			    const char *what, u64 max)
{
	EFI_FILE_HANDLE file[CONFIG_INITRDS_MAX];
	u64 size[CONFIG_INITRDS_MAX];
	struct hpa_range range = {0, 0};
	u64 at = 0;

	for (unsigned int i = 0; i < count; i++) {
		u64 start = ALIGN_UP(range.size, PART_ALIGN);

		file[i] = open_file(path[i], what, max - MIN(start, max),
				    &size[i]);
		range.size = start + size[i];
	}
	range.base = memory_take(range.size, what);
	for (unsigned int i = 0; i < count; i++) {
		u64 start = ALIGN_UP(at, PART_ALIGN);
		EFI_STATUS status;

		memset((void *)(range.base + at), 0, start - at);
		at = start + size[i];
		status = read_all(
			file[i], path[i],
			(struct hpa_range){range.base + start, size[i]});
		file[i]->Close(file[i]);
		if (EFI_ERROR(status))
			boot_stop(status, "%s %s: reading failed: %s", what,
				  path[i], boot_status(status));
	}
	return range;
}

EFI_STATUS file_change(const char *path, u64 at, const void *bytes, u64 size)
{
	static CHAR16 full[2 * PATH_MAX];
	EFI_FILE_HANDLE file;
	UINTN written = size;
	EFI_STATUS status;

	full_path(path, full);
	status = volume->Open(volume, &file, full,
			      EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE, 0);
	if (EFI_ERROR(status))
		return status;
	status = file->SetPosition(file, at);
	if (!EFI_ERROR(status))
		status = file->Write(file, &written, (void *)bytes);
	file->Close(file);
	return EFI_ERROR(status) || written == size ? status : EFI_DEVICE_ERROR;
}

struct hpa_range file_read(const char *path, const char *what, u64 max)
{
	return files_read(&path, 1, what, max);
}
