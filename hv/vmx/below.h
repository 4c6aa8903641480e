/* A hypervisor that this machine may be a guest of. */
#ifndef HV_VMX_BELOW_H
#define HV_VMX_BELOW_H

#include "hv/types.h"

/*
 * What runs below: the signature of its CPUID leaves, "unnamed" if that is
 * empty, or NULL if CPUID says nothing of one.
 */
const char *below_signature(void);

/*
 * True if each write of the guest's to a device's page that EPT maps read-only
 * is sure to exit with the address that was written (27.2.1, 28.2.3.2).
 */
bool below_keeps_read_only(void);

#endif
