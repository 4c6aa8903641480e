/*
 * The UEFI application: reads its configuration, the kernel and the initrd,
 * takes memory, leaves the firmware and starts the hypervisor.
 */
#include "boot/console.h"
#include "boot/exit.h"
#include "boot/files.h"
#include "boot/graphics.h"
#include "boot/loader.h"
#include "boot/memory.h"
#include "boot/menu.h"
#include "boot/pages.h"
#include "boot/processors.h"
#include "guest/linux.h"
#include "hv/build_id.h"
#include "hv/machine/config.h"
#include "hv/machine/main.h"
#include "hv/machine/pool_size.h"
#include "hv/machine/take_vtd.h"
#include "hv/string.h"
#include "hv/version.h"
#include "hv/vmx/check.h"

#define CONFIG_FILE "gangway.cfg"
#define CONFIG_FILE_MAX (64 * KIB)
#define KERNEL_MAX (512 * MIB)
#define INITRD_MAX (2 * GIB)

static struct handover handed;

static void start(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	char build[BUILD_ID_TEXT];
	EFI_STATUS status;

	loader.handle = handle;
	loader.system = system;
	loader.bs = system->BootServices;
	/* Reading a large initrd may take longer than its 5 minutes */
	loader.bs->SetWatchdogTimer(0, 0, 0, NULL);
	build_id_text(build);
	boot_print("Gangway %s (build %s)\n", GANGWAY_VERSION, build);
	status = loader.bs->HandleProtocol(handle, &guid,
					   (void **)&loader.image);
	if (EFI_ERROR(status))
		boot_stop(status, "the firmware does not tell where "
				  "gangway.efi was loaded from");
	handed.image.base = (hpa_t)loader.image->ImageBase;
	handed.image.size = ALIGN_UP(loader.image->ImageSize, PAGE_SIZE);
}

static void check_cpu(void)
{
	static char lacks[1024];

	if (!vmx_check(lacks, sizeof(lacks)))
		boot_stop(EFI_UNSUPPORTED, "%s", lacks);
}

static void read_config(void)
{
	struct hpa_range file =
		file_read(CONFIG_FILE, "configuration", CONFIG_FILE_MAX);
	struct config_error error;

	if (config_parse((const char *)file.base, file.size, &handed.config,
			 &error))
		boot_stop(EFI_LOAD_ERROR, CONFIG_FILE ":%u: %s", error.line,
			  error.message);
	menu_ask(&handed.config, CONFIG_FILE);
	pages_give(file.base);
}

static void read_files(void)
{
	const struct config *c = &handed.config;
	const char *initrd[CONFIG_INITRDS_MAX];
	char reason[240];

	handed.kernel = file_read(c->kernel, "kernel", KERNEL_MAX);
	if (!linux_check((void *)handed.kernel.base, handed.kernel.size, reason,
			 sizeof(reason)))
		boot_stop(EFI_LOAD_ERROR,
			  "kernel %s: %s; expected a 64-bit Linux bzImage",
			  c->kernel, reason);
	boot_print("gangway: kernel %s, %lu KiB\n", c->kernel,
		   handed.kernel.size / KIB);
	if (!c->initrd_count)
		return;
	for (unsigned int i = 0; i < c->initrd_count; i++)
		initrd[i] = c->initrd[i];
	handed.initrd =
		files_read(initrd, c->initrd_count, "initrd", INITRD_MAX);
	boot_print("gangway: initrd %s%s, %lu KiB\n", initrd[0],
		   c->initrd_count > 1 ? " and those behind it" : "",
		   handed.initrd.size / KIB);
}

static hpa_t find_table(const EFI_GUID *guid)
{
	const EFI_SYSTEM_TABLE *system = loader.system;

	for (UINTN i = 0; i < system->NumberOfTableEntries; i++) {
		const EFI_CONFIGURATION_TABLE *t =
			&system->ConfigurationTable[i];

		if (!memcmp(&t->VendorGuid, guid, sizeof(*guid)))
			return (hpa_t)t->VendorTable;
	}
	return 0;
}

/* The RSDP of ACPI 2.0 and later has the XSDT; the older one will do. */
static void find_rsdp(void)
{
	static const EFI_GUID acpi_20 = ACPI_20_TABLE_GUID;
	static const EFI_GUID acpi_10 = ACPI_TABLE_GUID;

	handed.rsdp = find_table(&acpi_20);
	if (handed.rsdp)
		return;
	handed.rsdp = find_table(&acpi_10);
	boot_print(handed.rsdp
			   ? "gangway: this firmware has ACPI 1.0 tables only\n"
			   : "gangway: this firmware has no ACPI tables\n");
}

/* First of all, before files fill the memory below 4 GiB. */
static void take_memory(void)
{
	struct uefi_map map = {0};
	struct uefi_memory_map read;

	memory_read_map(&map);
	read = uefi_map_as_read(&map);
	handed.pool.size = machine_pool_size(
		&handed, &read, memory_for_guest(&handed.config, &read));
	uefi_map_free(&map);
	handed.pool.base = memory_take_low(handed.pool.size, "hypervisor");
	handed.trampoline = memory_take_trampoline();
}

/* While a message can be read before anything changes: SMM of such a firmware
 * may not know the APIC in that mode. */
static void warn_of_x2apic(void)
{
	const struct acpi_header *table = acpi_table("DMAR");
	const struct dmar *dmar;

	if (table && !machine_parse_dmar(table, &dmar) && dmar->x2apic_opt_out)
		boot_print("gangway: the firmware asks that x2APIC stays off "
			   "(DMAR X2APIC_OPT_OUT); Gangway needs it, and "
			   "turns it on: if the machine stands still "
			   "afterwards, look for \"x2APIC\" in the "
			   "firmware's set-up\n");
}

static void check_guest_memory(void)
{
	memory_check(&handed, linux_memory_needed((void *)handed.kernel.base,
						  handed.kernel.size,
						  handed.initrd.size));
}

/* Called by crt0-efi with our own calling convention */
EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system);

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system)
{
	start(handle, system);
	check_cpu();
	files_init();
	read_config();
	find_rsdp();
	find_processors(&handed);
	handed.screen_count =
		graphics_find(handed.screen, ARRAY_SIZE(handed.screen));
	take_memory();
	warn_of_x2apic();
	if (handed.config.mode == MODE_RUN) {
		read_files();
		check_guest_memory();
	}
	leave_firmware(&handed);
	if (handed.config.mode == MODE_RUN)
		memory_choose(&handed);
	hv_main(&handed);
}
