/* This file takes memory from the firmware: for files, for the hypervisor,
 * for the guest. */
#include "boot/memory.h"
#include "boot/console.h"
#include "boot/loader.h"
#include "boot/pages.h"
#include "boot/ram.h"
#include "boot/uefi_map.h"

#define RAM_TRIES 4
#define GUEST_MINIMUM (128 * MIB)
/* Left to the firmware, which allocates while we do */
#define FIRMWARE_RESERVE (64 * MIB)
#define TRAMPOLINE_LIMIT 0x9f000 /* below any extended BIOS data area */

hpa_t memory_take(u64 size, const char *what)
{
	hpa_t base = 0;
	EFI_STATUS status = pages_take(AllocateAnyPages, size, &base);

	if (EFI_ERROR(status))
		boot_stop(status,
			  "no %lu KiB of free memory for the %s: the machine "
			  "needs more",
			  (ALIGN_UP(size, KIB) / KIB), what);
	return base;
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

static void collect_free(const struct uefi_map *map, struct ram_free *free)
{
	const u8 *at = map->buffer, *end = at + map->size;

	free->count = 0;
	for (; (u64)(end - at) >= map->descriptor_size;
	     at += map->descriptor_size) {
		const EFI_MEMORY_DESCRIPTOR *d = (const void *)at;

		if (d->Type == EfiConventionalMemory &&
		    d->Attribute & EFI_MEMORY_WB &&
		    d->NumberOfPages <= ~0ULL / PAGE_SIZE)
			ram_add_free(free, d->PhysicalStart,
				     d->NumberOfPages * PAGE_SIZE);
	}
}

static void find_free(struct ram_free *free)
{
	struct uefi_map map = {0};
	EFI_STATUS status = uefi_map_get(&map);

	if (EFI_ERROR(status))
		boot_stop(status, "no memory map from the firmware: %s",
			  boot_status(status));
	/* Given back only afterwards: what is free now is free then */
	collect_free(&map, free);
	uefi_map_free(&map);
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

/* Allocate what was chosen; on failure all of it is given back. */
static EFI_STATUS take_chosen(struct handover *handover)
{
	EFI_STATUS status = EFI_SUCCESS;
	unsigned int taken = 0;

	while (taken < handover->ram_count && !EFI_ERROR(status)) {
		status = pages_take(AllocateAddress, handover->ram[taken].size,
				    &handover->ram[taken].base);
		taken += !EFI_ERROR(status);
	}
	while (EFI_ERROR(status) && taken > 0)
		pages_give(handover->ram[--taken].base);
	return status;
}

/* What is free but for the firmware's reserve; fills @ram and @count with
 * where. */
static u64 choose_available(const struct ram_free *free, struct hpa_range *ram,
			    unsigned int *count)
{
	u64 available =
		ram_choose(free, ALIGN_DOWN(~0ULL, RAM_PIECE), ram, count);

	return available - MIN(available, FIRMWARE_RESERVE);
}

u64 memory_for_guest(const struct config *config)
{
	static struct hpa_range ram[HANDOVER_RAM_MAX];
	static struct ram_free free;
	unsigned int count;
	u64 available;

	find_free(&free);
	available = choose_available(&free, ram, &count);
	return config->memory ? MIN(config->memory, available) : available;
}

void memory_take_ram(struct handover *handover, u64 needed)
{
	static struct ram_free free;
	EFI_STATUS status = EFI_NOT_FOUND;

	/* The firmware's own allocations may land in what we chose. */
	for (int i = 0; i < RAM_TRIES && EFI_ERROR(status); i++) {
		u64 available;

		find_free(&free);
		available = choose_available(&free, handover->ram,
					     &handover->ram_count);
		ram_choose(
			&free,
			decide_size(handover->config.memory, available, needed),
			handover->ram, &handover->ram_count);
		status = take_chosen(handover);
	}
	if (EFI_ERROR(status))
		boot_stop(status, "the firmware does not give free memory: %s",
			  boot_status(status));
}
