/* Claims about invalidation descriptors. */
#include "vtd/invalidate.c"
#include "tests/prove/fields.h"

/* VT-d 6.5.2.1.  Type 3:0 and 11:9 as 1, granularity 5:4 as 3: one function,
 * reserved 15:6, domain ID 31:16, source ID 47:32, function mask 49:48 as 0:
 * all bits count, reserved 63:50. */
bool claim_context_descriptor(u16 domain, u16 sid)
{
	u64 low = context_descriptor(domain, sid);

	return FIELD(low, 3, 0) == 1 && FIELD(low, 5, 4) == 3 &&
	       FIELD(low, 15, 6) == 0 && FIELD(low, 31, 16) == domain &&
	       FIELD(low, 47, 32) == sid && FIELD(low, 63, 48) == 0;
}

/* VT-d 6.5.2.3.  Type 3:0 and 11:9 as 2, granularity 5:4 as 2: one domain,
 * drain writes 6 and reads 7 as CAP_REG 54 and 55 (10.4.2), reserved 15:8,
 * domain ID 31:16, reserved 63:32. */
bool claim_iotlb_descriptor(u64 cap, u16 domain)
{
	u64 low = iotlb_descriptor(cap, domain);

	return FIELD(low, 3, 0) == 2 && FIELD(low, 5, 4) == 2 &&
	       FIELD(low, 6, 6) == FIELD(cap, 54, 54) &&
	       FIELD(low, 7, 7) == FIELD(cap, 55, 55) &&
	       FIELD(low, 15, 8) == 0 && FIELD(low, 31, 16) == domain &&
	       FIELD(low, 63, 32) == 0;
}

/* The same of all: granularity 1 for contexts and IOTLB, 0 for interrupt
 * entries, no domain, source ID or index. */
bool claim_global_descriptors(u64 cap)
{
	u64 iotlb = all_iotlb_descriptor(cap);

	return ALL_CONTEXTS == 0x11 && ALL_IRTES == 4 &&
	       FIELD(iotlb, 3, 0) == 2 && FIELD(iotlb, 5, 4) == 1 &&
	       FIELD(iotlb, 6, 6) == FIELD(cap, 54, 54) &&
	       FIELD(iotlb, 7, 7) == FIELD(cap, 55, 55) &&
	       FIELD(iotlb, 63, 8) == 0;
}

/* VT-d 6.5.2.7.  Type 3:0 as 4, granularity 4 as 1: an index, reserved 26:5,
 * index mask 31:27 as 0: one entry, index 47:32, reserved 63:48. */
bool claim_irte_descriptor(u16 index)
{
	u64 low = irte_descriptor(index);

	return FIELD(low, 3, 0) == 4 && FIELD(low, 4, 4) == 1 &&
	       FIELD(low, 31, 5) == 0 && FIELD(low, 47, 32) == index &&
	       FIELD(low, 63, 48) == 0;
}

/* VT-d 6.5.2.8.  Type 3:0 as 5, IF 4 as 0: no interrupt, SW 5 and FN 6 as 1:
 * writes its data when all before are done, reserved 31:7, data 63:32. */
bool claim_wait_descriptor(u32 value)
{
	u64 low = wait_descriptor(value);

	return FIELD(low, 3, 0) == 5 && FIELD(low, 4, 4) == 0 &&
	       FIELD(low, 6, 5) == 3 && FIELD(low, 31, 7) == 0 &&
	       FIELD(low, 63, 32) == value;
}
