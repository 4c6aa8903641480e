/* This file leaves the firmware by ExitBootServices() (UEFI 2.9 7.4.6). */
#include "boot/exit.h"
#include "boot/console.h"
#include "boot/loader.h"
#include "boot/uefi_map.h"
#include "hv/asm.h"
#include "hv/tsc.h"
#include "hv/x86.h"

#define EXIT_TRIES 8

/*
 * Once ExitBootServices was called, even if it failed, only memory services may
 * be: no message can be printed.  The machine starts anew.
 */
static _Noreturn void give_up(EFI_STATUS status)
{
	loader.system->RuntimeServices->ResetSystem(EfiResetCold, status, 0,
						    NULL);
	__builtin_unreachable();
}

void leave_firmware(struct handover *handover)
{
	static struct uefi_map map;
	EFI_STATUS status = uefi_map_get(&map);

	if (EFI_ERROR(status))
		boot_stop(status, "no memory map from the firmware: %s",
			  boot_status(status));
	boot_print("gangway: leaving the firmware\n");
	/* The key is stale if anything allocated since the map was read. */
	for (int i = 0; i < EXIT_TRIES; i++) {
		status = uefi_map_get(&map);
		if (EFI_ERROR(status))
			break;
		status = loader.bs->ExitBootServices(loader.handle, map.key);
		if (status != EFI_INVALID_PARAMETER)
			break;
	}
	if (EFI_ERROR(status))
		give_up(status);
	asm volatile("cli");
	/* Before the first time that is taken: it moves the counter */
	handover->tsc_adjust = tsc_adjust_clear();
	handover->takeover_tsc = rdtsc();
	handover->firmware =
		(struct firmware_state){read_cr3(), read_cr4(), rdmsr(MSR_PAT),
					(u64)__builtin_frame_address(0)};
	handover->memory_map = uefi_map_as_read(&map);
	handover->runtime_services = loader.system->RuntimeServices;
}
