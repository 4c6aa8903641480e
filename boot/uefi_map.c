/* This file gets the firmware's memory map (UEFI 2.9 7.2.3). */
#include "boot/uefi_map.h"
#include "boot/console.h"
#include "boot/loader.h"

#define MAP_TRIES 8
/* More descriptors than one allocation or event can add */
#define MAP_SLACK 32

void uefi_map_free(struct uefi_map *map)
{
	if (map->buffer)
		loader.bs->FreePool(map->buffer);
	map->buffer = NULL;
	map->capacity = 0;
}

static EFI_STATUS grow(struct uefi_map *map, UINTN size)
{
	EFI_STATUS status;

	uefi_map_free(map);
	status = loader.bs->AllocatePool(EfiLoaderData, size, &map->buffer);
	if (EFI_ERROR(status))
		map->buffer = NULL;
	else
		map->capacity = size;
	return status;
}

EFI_STATUS uefi_map_get(struct uefi_map *map)
{
	EFI_STATUS status = EFI_BUFFER_TOO_SMALL;
	UINT32 version;

	for (int i = 0; i < MAP_TRIES && status == EFI_BUFFER_TOO_SMALL; i++) {
		map->size = map->capacity;
		status = loader.bs->GetMemoryMap(
			&map->size, map->buffer, &map->key,
			&map->descriptor_size, &version);
		if (status == EFI_BUFFER_TOO_SMALL) {
			EFI_STATUS grown = grow(
				map,
				map->size + MAP_SLACK * map->descriptor_size);

			if (EFI_ERROR(grown))
				return grown;
		}
	}
	return status;
}

struct uefi_memory_map uefi_map_as_read(const struct uefi_map *map)
{
	return (struct uefi_memory_map){map->buffer, map->size,
					map->descriptor_size};
}
