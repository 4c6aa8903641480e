/* The hypervisor's own page tables. */
#ifndef HV_HOST_PAGING_H
#define HV_HOST_PAGING_H

#include "hv/types.h"
#include "hv/uefi_memory.h"

/*
 * The hypervisor's own page tables: HPA = VA.  Image: text read and execute,
 * constants read, data read and write.  RAM of @map: read and write, never
 * executed; @trampoline, a page: executed until it is locked.  What @map has is
 * noted as taken (hv/host_ranges.h).  -ENOMEM.
 */
int host_paging_init(const struct uefi_memory_map *map, hpa_t trampoline);

/* True if leaves of 1 GiB are used (Intel SDM 3A 4.1.4). */
bool host_has_1g_pages(void);

/* Map [base, base + size) of device registers, uncached; page by page, may be
 * mapped so already.  -EBUSY: it would lie in RAM; -ENOMEM. */
int host_map_device(hpa_t base, u64 size);

/* The same for what is only drawn on: writes are combined, and may wait until a
 * store fence. */
int host_map_screen(hpa_t base, u64 size);

/* The trampoline's page is no longer executed. */
int host_paging_lock_trampoline(hpa_t trampoline);

/* Leave a hole at @page: what runs over a stack's end faults. */
int host_unmap_page(const void *page);

/* True if all of [base, base + size) is mapped. */
bool host_is_mapped(hpa_t base, u64 size);

/* Switch this CPU to these tables. */
void host_paging_load(void);
hpa_t host_paging_root(void);

#endif
