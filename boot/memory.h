/* Memory from the firmware: for files, for the hypervisor, for the guest. */
#ifndef BOOT_MEMORY_H
#define BOOT_MEMORY_H

#include "boot/uefi_map.h"
#include "hv/machine/handover.h"

/* Contiguous pages of EfiLoaderData, given back by boot_stop(): anywhere; or
 * below 4 GiB, where a processor's first page tables must be. */
hpa_t memory_take(u64 size, const char *what);
hpa_t memory_take_low(u64 size, const char *what);

/* The page for the start-up code of the other CPUs: below 1 MiB, not page 0 */
hpa_t memory_take_trampoline(void);

/* uefi_map_get(), or stop. */
void memory_read_map(struct uefi_map *map);

/* How much the guest can get at most, by @config and by what is free. */
u64 memory_for_guest(const struct config *config,
		     const struct uefi_memory_map *map);

/* Stop if there is less memory than the configuration wants, or than @needed,
 * the least that will do; note in @handover what there must be in the end. */
void memory_check(struct handover *handover, u64 needed);

/* Choose the guest's RAM from what is free by @handover's memory map.  Asks
 * nothing of the firmware. */
void memory_choose(struct handover *handover);

#endif
