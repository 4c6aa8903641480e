/* The state in which a processor runs the hypervisor. */
#ifndef HV_HOST_STATE_H
#define HV_HOST_STATE_H

#include "hv/types.h"

/* The PAT: as at reset (Intel SDM 3A 11.12.4), but for entry 1, which PWT alone
 * chooses: write-combining in place of write-through. */
#define PAT_OF_HOST 0x0007040600070106ULL

/* CR4, but for VMXE: physical addresses above 4 GiB, and machine checks are
 * exceptions and no shutdown. */
u64 host_cr4(void);

/*
 * Give this processor the same state as every other, whatever firmware left or
 * INIT kept (table 9-1): CR0, CR4, XCR0 and MSRs, as constants.  With @log each
 * MSR that firmware had otherwise is a line.  Before VMXON.  The page tables in
 * use must not depend on entry 1 of the PAT.
 */
void host_state_set(bool log);

#endif
