/* Reads what is to be left, does it, and starts Gangway (UEFI 2.9). */
#include "hv/format.h"
#include "hv/string.h"
#include "tests/leftovers/leftovers.h"
#include <efi.h>

#define FOLDER L"\\EFI\\BOOT\\"
#define FILE_MAX 4096

/* Offsets in ACPI tables (ACPI 5.2.5.3, 5.2.6), and in the DMAR and
 * MCFG tables */
#define RSDP_XSDT 24
#define TABLE_LENGTH 4
#define TABLE_CHECKSUM 9
#define XSDT_ENTRIES 36
#define DMAR_FIRST_UNIT_BASE (48 + 8)
#define MCFG_FIRST_BASE 44

static EFI_SYSTEM_TABLE *system;
static EFI_LOADED_IMAGE *image;
static EFI_HANDLE own_handle;
static char settings[FILE_MAX + 1];

void say(const char *fmt, ...)
{
	char text[200];
	CHAR16 wide[2 * sizeof(text)];
	size_t length = 0;
	va_list ap;

	va_start(ap, fmt);
	format_va(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (const char *c = text; *c; c++) {
		if (*c == '\n')
			wide[length++] = '\r';
		wide[length++] = (u8)*c;
	}
	wide[length] = 0;
	system->ConOut->OutputString(system->ConOut, wide);
}

_Noreturn void give_up(const char *why)
{
	say("leftovers: FAILED: %s\n", why);
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void check(EFI_STATUS status, const char *what)
{
	if (EFI_ERROR(status))
		give_up(what);
}

static void *pages_of(EFI_MEMORY_TYPE type, unsigned int pages)
{
	EFI_PHYSICAL_ADDRESS at = 0xffffffff;

	check(system->BootServices->AllocatePages(AllocateMaxAddress, type,
						  pages, &at),
	      "no memory");
	memset((void *)at, 0, pages * PAGE_SIZE);
	return (void *)at;
}

void *firmware_pages(unsigned int pages)
{
	return pages_of(EfiReservedMemoryType, pages);
}

bool wanted(const char *word)
{
	size_t length = strlen(word);

	for (const char *c = settings; strlen(c) >= length; c++)
		if (!memcmp(c, word, length))
			return true;
	return false;
}

/* The bytes of the file at @path, at most FILE_MAX; 0: there is none. */
static UINTN read_file(CHAR16 *path, void *to)
{
	EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	EFI_FILE_IO_INTERFACE *fs;
	EFI_FILE_HANDLE volume, file;
	UINTN size = FILE_MAX;

	check(system->BootServices->HandleProtocol(image->DeviceHandle, &guid,
						   (void **)&fs),
	      "no file system");
	check(fs->OpenVolume(fs, &volume), "no volume");
	if (EFI_ERROR(volume->Open(volume, &file, path, EFI_FILE_MODE_READ, 0)))
		return 0;
	check(file->Read(file, &size, to), "reading a file");
	file->Close(file);
	return size;
}

/* --- ACPI tables */

static u8 *xsdt(void)
{
	static const EFI_GUID acpi_20 = ACPI_20_TABLE_GUID;

	for (UINTN i = 0; i < system->NumberOfTableEntries; i++) {
		EFI_CONFIGURATION_TABLE *t = &system->ConfigurationTable[i];
		u64 at;

		if (memcmp(&t->VendorGuid, &acpi_20, sizeof(acpi_20)))
			continue;
		memcpy(&at, (u8 *)t->VendorTable + RSDP_XSDT, sizeof(at));
		return (u8 *)at;
	}
	give_up("no XSDT");
}

static u32 table_length(const u8 *table)
{
	u32 length;

	memcpy(&length, table + TABLE_LENGTH, sizeof(length));
	return length;
}

/* The XSDT's entry for the table @signature */
static u8 *entry_of(u8 *root, const char *signature)
{
	u8 *table;

	for (u32 at = XSDT_ENTRIES; at < table_length(root); at += 8) {
		memcpy(&table, root + at, sizeof(table));
		if (!memcmp(table, signature, 4))
			return root + at;
	}
	give_up("an ACPI table is missing");
}

/* The address at @offset of the table @signature */
static u64 address_in(const char *signature, u32 offset)
{
	u8 *table;
	u64 address;

	memcpy(&table, entry_of(xsdt(), signature), sizeof(table));
	memcpy(&address, table + offset, sizeof(address));
	return address;
}

static void replace_dmar(void)
{
	u8 *table = pages_of(EfiACPIReclaimMemory, 1), *root = xsdt();
	UINTN size = read_file(FOLDER L"dmar.bin", table);

	if (!size)
		return;
	memcpy(entry_of(root, "DMAR"), &table, sizeof(table));
	root[TABLE_CHECKSUM] = 0;
	for (u32 i = 0; i < table_length(root); i++)
		if (i != TABLE_CHECKSUM)
			root[TABLE_CHECKSUM] -= root[i];
	say("leftovers: a DMAR table of %lu bytes\n", size);
}

/* --- Gangway */

/* The volume's path and the file's, in one (UEFI 10.3.5.4). */
static EFI_DEVICE_PATH *path_of(const CHAR16 *file, UINTN size)
{
	EFI_GUID guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
	u8 *path = pages_of(EfiBootServicesData, 1), *at = path;
	EFI_DEVICE_PATH *node, *end;
	UINTN length;

	check(system->BootServices->HandleProtocol(image->DeviceHandle, &guid,
						   (void **)&node),
	      "no device path");
	while (node->Type != END_DEVICE_PATH_TYPE) {
		length = node->Length[0] | node->Length[1] << 8;
		memcpy(at, node, length);
		at += length;
		node = (EFI_DEVICE_PATH *)((u8 *)node + length);
	}
	length = sizeof(*node) + size;
	*(EFI_DEVICE_PATH *)at = (EFI_DEVICE_PATH){
		MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP, {(u8)length, 0}};
	memcpy(at + sizeof(*node), file, size);
	end = (EFI_DEVICE_PATH *)(at + length);
	*end = (EFI_DEVICE_PATH){END_DEVICE_PATH_TYPE,
				 END_ENTIRE_DEVICE_PATH_SUBTYPE,
				 {sizeof(*end), 0}};
	return (EFI_DEVICE_PATH *)path;
}

static void start_gangway(void)
{
	static const CHAR16 file[] = FOLDER L"gangway.efi";
	EFI_HANDLE gangway;

	check(system->BootServices->LoadImage(FALSE, own_handle,
					      path_of(file, sizeof(file)), NULL,
					      0, &gangway),
	      "gangway.efi cannot be loaded");
	system->BootServices->StartImage(gangway, NULL, NULL);
	give_up("gangway.efi came back");
}

/* Called by crt0-efi with our own calling convention */
EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *table);

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *table)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	u64 unit;

	own_handle = handle;
	system = table;
	check(system->BootServices->HandleProtocol(handle, &guid,
						   (void **)&image),
	      "no loaded image");
	read_file(FOLDER L"leftovers.cfg", settings);
	unit = address_in("DMAR", DMAR_FIRST_UNIT_BASE);
	leave_unit(unit);
	leave_bars(address_in("MCFG", MCFG_FIRST_BASE), unit);
	replace_dmar();
	leave_memory(system);
	leave_processor();
	start_gangway();
	return EFI_SUCCESS;
}
