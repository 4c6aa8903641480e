/* Servicing the fault event: collect, count, clear. */
#ifndef VTD_FAULTS_H
#define VTD_FAULTS_H

#include "hv/stat_abi.h"
#include "hv/types.h"

/*
 * Log and clear what the units report; called on an NMI and before the end.
 * Returns true if any had something to report (the NMI was theirs).  A function
 * that is not assigned and faults on and on is muted: the caller sees to it
 * that nobody attaches or detaches at once.
 */
bool vtd_service_faults(void);

/* True if the last vtd_service_faults() gave up on a flood and no NMI will tell
 * of the rest: call it again at the next exit. */
bool vtd_faults_pending(void);

/* How many DMA and interrupt requests were blocked; @fault, if not NULL, gets
 * the last one but @back, zeros if it was not kept. */
struct vtd_fault {
	u64 time_us;
	u16 source_id;
	u8 reason;
	bool read;
	u64 address;
};
u64 vtd_fault_count(u32 back, struct vtd_fault *fault);

/* Log how many requests were blocked, and how many of them unexplained. */
void vtd_fault_summary(void);

#endif
