/* How much memory the hypervisor takes. */
#ifndef HV_MACHINE_POOL_SIZE_H
#define HV_MACHINE_POOL_SIZE_H

#include "hv/machine/handover.h"

/*
 * How many bytes of memory the hypervisor needs for itself on this machine with
 * at most @ram bytes for the guest, by the firmware's memory @map, by its
 * processors, and by the leaf sizes that EPT and the remapping units have.
 * Before take-over: all memory is readable where it is.
 */
u64 machine_pool_size(const struct handover *h,
		      const struct uefi_memory_map *map, u64 ram);

#endif
