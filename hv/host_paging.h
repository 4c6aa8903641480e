/* Setting up what the hypervisor's own memory is: pool and host page tables. */
#ifndef HV_HOST_PAGING_H
#define HV_HOST_PAGING_H

#include "hv/machine/handover.h"

/* Give [base, base + size) to page_alloc(). */
void alloc_init(hpa_t base, u64 size);

/*
 * The hypervisor's own page tables: HPA = VA.  Image: text read and execute,
 * constants read, data read and write.  RAM of the UEFI map: read and write,
 * never executed.  -ENOMEM.
 */
int host_paging_init(const struct handover *h);

/* Map [base, base + size) of device registers, uncached; page by page, may be
 * mapped so already.  -EBUSY: it would lie in RAM; -ENOMEM. */
int host_map_device(hpa_t base, u64 size);

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
