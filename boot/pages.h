/* Pages taken from the firmware, to be given back if we stop. */
#ifndef BOOT_PAGES_H
#define BOOT_PAGES_H

#include "boot/loader.h"

/* @size bytes of EfiLoaderData, as AllocatePages() takes @type and *@base (UEFI
 * 7.2.1); *@base is where they are.  EFI_OUT_OF_RESOURCES also where there have
 * been too many calls to remember. */
EFI_STATUS pages_take(EFI_ALLOCATE_TYPE type, u64 size, hpa_t *base);

/* Give back what pages_take() gave at @base, or all of it. */
void pages_give(hpa_t base);
void pages_give_all(void);

#endif
