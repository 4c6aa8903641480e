#include "hv/icr.h"
#include "hv/apic.h"

/* Intel SDM 3A 11.12.9, figure 11-28 */
#define ICR_RESERVED 0xfff33000ULL
#define ICR_MODE(icr) ((u32)(icr) & (7u << 8))
#define ICR_SHORTHAND (3u << 18)

bool icr_exits;

enum icr_verdict icr_check(u64 icr, bool (*is_guest)(u32 apic_id))
{
	u32 mode = ICR_MODE(icr);

	if (icr & ICR_RESERVED)
		return ICR_FAULTS;
	if (mode == ICR_FIXED || mode == ICR_NMI)
		return ICR_GOES;
	if (mode != ICR_INIT && mode != ICR_STARTUP)
		return ICR_DROPPED;
	if (icr & (ICR_SHORTHAND | ICR_LOGICAL) || !is_guest(icr >> 32))
		return ICR_DROPPED;
	return ICR_GOES;
}
