/* This file takes memory from the firmware: for files, for the hypervisor,
 * for the guest. */
#include "boot/memory.h"
#include "boot/console.h"
#include "boot/loader.h"
#include "boot/pages.h"
#include "boot/ram.h"
#include "boot/uefi_map.h"

#define GUEST_MINIMUM (128 * MIB)
/* The firmware may allocate until it has gone: not promised to the guest */
#define FIRMWARE_RESERVE (64 * MIB)
#define TRAMPOLINE_LIMIT 0x9f000 /* below any extended BIOS data area */

static hpa_t take(EFI_ALLOCATE_TYPE type, hpa_t base, u64 size,
		  const char *what)
{
	EFI_STATUS status = pages_take(type, size, &base);

	if (EFI_ERROR(status))
		boot_stop(status,
			  "no %lu KiB of free memory%s for the %s: the machine "
			  "needs more",
			  (ALIGN_UP(size, KIB) / KIB),
			  type == AllocateMaxAddress ? " below 4 GiB" : "",
			  what);
	return base;
}

hpa_t memory_take(u64 size, const char *what)
{
	return take(AllocateAnyPages, 0, size, what);
}

/* Some firmware gives the highest memory unless a limit is named. */
hpa_t memory_take_low(u64 size, const char *what)
{
	return take(AllocateMaxAddress, 4 * GIB - 1, size, what);
}

hpa_t memory_take_trampoline(void)
{
	hpa_t page = TRAMPOLINE_LIMIT - 1;
	EFI_STATUS status = pages_take(AllocateMaxAddress, PAGE_SIZE, &page);

	/* Page 0 holds the real-mode vectors; keep it, the next one differs. */
	if (!EFI_ERROR(status) && !page) {
		page = TRAMPOLINE_LIMIT - 1;
		status = pages_take(AllocateMaxAddress, PAGE_SIZE, &page);
	}
	if (EFI_ERROR(status))
		boot_stop(status,
			  "no free page below 1 MiB to start the other CPUs "
			  "from: turn legacy boot support (CSM) off in the "
			  "firmware set-up");
	return page;
}

void memory_read_map(struct uefi_map *map)
{
	EFI_STATUS status = uefi_map_get(map);

	if (EFI_ERROR(status))
		boot_stop(status, "no memory map from the firmware: %s",
			  boot_status(status));
}

/* How much the guest gets of the @available bytes; stops if that is not enough.
 */
static u64 decide_size(u64 configured, u64 available, u64 needed)
{
	const u64 most = available / MIB;
	u64 size = configured ? configured : available;

	needed = MAX(needed, GUEST_MINIMUM);
	if (size > available)
		boot_stop(EFI_OUT_OF_RESOURCES,
			  "memory=%luM in gangway.cfg, but only %lu MiB are "
			  "free for a guest: set memory=%luM, or less, or "
			  "memory=all",
			  (size / MIB), most, most);
	if (size < needed && available < needed)
		boot_stop(EFI_OUT_OF_RESOURCES,
			  "too little memory: %lu MiB are free for a guest, "
			  "it needs %lu MiB: the machine needs more",
			  most, (ALIGN_UP(needed, MIB) / MIB));
	if (size < needed)
		boot_stop(EFI_OUT_OF_RESOURCES,
			  "memory=%luM in gangway.cfg is too little for this "
			  "guest: set memory=%luM or more (%lu MiB are free)",
			  (size / MIB), (ALIGN_UP(needed, RAM_PIECE) / MIB),
			  most);
	return size;
}

/* What is free by @map, but for the firmware's reserve. */
static u64 available_by(const struct uefi_memory_map *map)
{
	static struct hpa_range ram[HANDOVER_RAM_MAX];
	static struct ram_free free;
	unsigned int count;
	u64 available;

	ram_collect(map, &free);
	available =
		ram_choose(&free, ALIGN_DOWN(~0ULL, RAM_PIECE), ram, &count);
	return available - MIN(available, FIRMWARE_RESERVE);
}

u64 memory_for_guest(const struct config *config,
		     const struct uefi_memory_map *map)
{
	u64 available = available_by(map);

	return config->memory ? MIN(config->memory, available) : available;
}

void memory_check(struct handover *handover, u64 needed)
{
	struct uefi_map map = {0};
	struct uefi_memory_map read;

	memory_read_map(&map);
	read = uefi_map_as_read(&map);
	handover->ram_needed = decide_size(handover->config.memory,
					   available_by(&read), needed);
	if (!handover->config.memory)
		handover->ram_needed = MAX(needed, GUEST_MINIMUM);
	uefi_map_free(&map);
}

void memory_choose(struct handover *handover)
{
	static struct ram_free free;
	u64 size = handover->config.memory;

	ram_collect(&handover->memory_map, &free);
	ram_choose(&free, size ? size : ALIGN_DOWN(~0ULL, RAM_PIECE),
		   handover->ram, &handover->ram_count);
}
