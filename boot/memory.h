/* Memory from the firmware: for files, for the hypervisor, for the guest. */
#ifndef BOOT_MEMORY_H
#define BOOT_MEMORY_H

#include "hv/machine/handover.h"

/* memory.c: contiguous pages of EfiLoaderData, given back by boot_stop(). */
hpa_t memory_take(u64 size, const char *what);

/* The page for the start-up code of the other CPUs: below 1 MiB, not page 0 */
hpa_t memory_take_trampoline(void);

/* How much the guest can get at most, by @config and by what is free. */
u64 memory_for_guest(const struct config *config);

/* Fill @handover's ram by its configuration; @needed: the least that will do.
 * Stops if there is less than that, or less than configured. */
void memory_take_ram(struct handover *handover, u64 needed);

#endif
