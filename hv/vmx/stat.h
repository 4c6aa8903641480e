/* Counters, as the guest reads them by CPUID and as the log prints them. */
#ifndef HV_VMX_STAT_H
#define HV_VMX_STAT_H

#include "hv/asm.h"
#include "hv/cpu.h"

/* One of Gangway's own CPUID leaves (hv/stat_abi.h). */
struct cpuid_regs stat_leaf(u32 leaf, u32 subleaf);

/* A leaf that names whose leaves follow: 12 bytes of @text, last one's number
 * in EAX (Intel SDM 2A CPUID leaf 0). */
struct cpuid_regs cpuid_signature(u32 last_leaf, const char *text);

/* Log the exits of every CPU by reason and cause. */
void stat_log(void);

/* Where the count of blocked requests and the last one come from; set when
 * VT-d is on: address, source ID, reason | read << 31. */
extern u64 (*stat_faults)(u64 *address, u32 *source, u32 *reason);

#endif
