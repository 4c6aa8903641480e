/* This file remembers the pages that were taken from the firmware, so that
 * they can be given back if we stop. */
#include "boot/pages.h"

#define ALLOCATIONS_MAX 8

static struct hpa_range allocation[ALLOCATIONS_MAX];
static unsigned int allocations;

EFI_STATUS pages_take(EFI_ALLOCATE_TYPE type, u64 size, hpa_t *base)
{
	EFI_PHYSICAL_ADDRESS address = *base;
	EFI_STATUS status;

	if (allocations == ALLOCATIONS_MAX)
		return EFI_OUT_OF_RESOURCES;
	size = ALIGN_UP(size, PAGE_SIZE);
	status = loader.bs->AllocatePages(type, EfiLoaderData, size / PAGE_SIZE,
					  &address);
	if (EFI_ERROR(status))
		return status;
	allocation[allocations++] = (struct hpa_range){address, size};
	*base = address;
	return EFI_SUCCESS;
}

void pages_give(hpa_t base)
{
	for (unsigned int i = 0; i < allocations; i++) {
		struct hpa_range *a = &allocation[i];

		if (a->base != base)
			continue;
		loader.bs->FreePages(a->base, a->size / PAGE_SIZE);
		*a = allocation[--allocations];
		return;
	}
}

void pages_give_all(void)
{
	while (allocations)
		pages_give(allocation[allocations - 1].base);
}
