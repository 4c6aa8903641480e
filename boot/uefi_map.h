/* The firmware's memory map (UEFI 2.9 7.2.3). */
#ifndef BOOT_UEFI_MAP_H
#define BOOT_UEFI_MAP_H

#include "boot/loader.h"
#include "hv/uefi_memory.h"

/* The firmware's memory map. */
struct uefi_map {
	void *buffer;
	UINTN capacity, size, key, descriptor_size;
};

/* Get it, into a larger buffer if need be, with room for it to grow. */
EFI_STATUS uefi_map_get(struct uefi_map *map);

void uefi_map_free(struct uefi_map *map);

/* As the rest of us reads it; as long as @map is there. */
struct uefi_memory_map uefi_map_as_read(const struct uefi_map *map);

#endif
