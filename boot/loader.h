/*
 * What the files of boot/ share.  All of it runs on the firmware's first CPU
 * before ExitBootServices; the program's only state is here.
 */
#ifndef BOOT_LOADER_H
#define BOOT_LOADER_H

#include "hv/machine/handover.h"
#include "hv/types.h"
#include <efi.h>

#define LOADER_ALLOCATIONS 64

struct loader {
	EFI_HANDLE handle; /* of the application */
	EFI_SYSTEM_TABLE *system;
	EFI_BOOT_SERVICES *bs;
	EFI_LOADED_IMAGE *image;
	/* Pages to give back if we stop */
	struct hpa_range allocation[LOADER_ALLOCATIONS];
	unsigned int allocations;
};

extern struct loader loader;

/* console.c: text on the firmware's console; formats as hv_log(). */
void boot_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Say why we stop and what to do about it, wait for a key (60 s at most), give
 * all memory back and return to the firmware with @status.
 */
_Noreturn void boot_stop(EFI_STATUS status, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* @status in words, for messages. */
const char *boot_status(EFI_STATUS status);

/* files.c: find the volume and the directory that we were loaded from. */
void files_init(void);

/*
 * Read the file at @path (from our directory, or from the volume's root if it
 * begins with \ or /) into pages, at most @max bytes.  @what names it in
 * messages.  Stops if it cannot be read.
 */
struct hpa_range file_read(const char *path, const char *what, u64 max);

/* memory.c: contiguous pages of EfiLoaderData, given back by boot_stop(). */
hpa_t memory_take(u64 size, const char *what);
void memory_give(hpa_t base);
void memory_give_all(void);

/* The page for the start-up code of the other CPUs: below 1 MiB, not page 0 */
hpa_t memory_take_trampoline(void);

/* How much the guest can get at most, by @config and by what is free. */
u64 memory_for_guest(const struct config *config);

/* Fill @handover's ram by its configuration; @needed: the least that will do.
 * Stops if there is less than that, or less than configured. */
void memory_take_ram(struct handover *handover, u64 needed);

/* uefi_map.c: the firmware's memory map. */
struct uefi_map {
	void *buffer;
	UINTN capacity, size, key, descriptor_size;
};

/* Get it, into a larger buffer if need be, with room for it to grow. */
EFI_STATUS uefi_map_get(struct uefi_map *map);
void uefi_map_free(struct uefi_map *map);

/* processors.c: fill @handover's apic_id, as far as the firmware tells. */
void find_processors(struct handover *handover);

/* graphics.c: fill @screen with the firmware's graphics mode, if it has a
 * linear framebuffer of 32 bits a pixel. */
void graphics_find(struct framebuffer *screen);

/* exit.c: leave the firmware (UEFI 2.9 7.4.6) and note its state in
 * @handover.  On return nothing of it but the runtime services may be used. */
void leave_firmware(struct handover *handover);

#endif
