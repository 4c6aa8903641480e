/* Counters, as the guest reads them by CPUID and as the log prints them. */
#ifndef HV_VMX_STAT_H
#define HV_VMX_STAT_H

#include "hv/asm.h"

/* One of Gangway's own CPUID leaves (hv/stat_abi.h). */
struct cpuid_regs stat_leaf(u32 leaf, u32 subleaf);

/* A leaf that names whose leaves follow: 12 bytes of @text, last one's number
 * in EAX (Intel SDM 2A CPUID leaf 0). */
struct cpuid_regs cpuid_signature(u32 last_leaf, const char *text);

/* Log the exits of every CPU by reason and cause. */
void stat_log(void);

/* DMA and interrupt requests that were blocked: how many, and the last one but
 * @back of them, which is zeros if it was not kept. */
struct stat_faults {
	u64 count;
	u64 time_us;
	u64 address;
	u16 source_id;
	u8 reason;
	bool read;
};

/* Where they come from; set when VT-d is on. */
extern struct stat_faults (*stat_read_faults)(u32 back);

#endif
