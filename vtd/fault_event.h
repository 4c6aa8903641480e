/* The event that faults make, and the fault records as registers. */
#ifndef VTD_FAULT_EVENT_H
#define VTD_FAULT_EVENT_H

#include "vtd/unit.h"

/* One recorded fault, as read from the unit (VT-d 10.4.14). */
struct vtd_record {
	u64 low, high;
};

/* Offset of fault record @index of @unit (VT-d 10.4.14). */
u32 vtd_record_at(const struct vtd_unit *unit, unsigned int index);

/* Forget what firmware's time left pending; no event from @unit until
 * vtd_faults_enable(). */
void vtd_faults_mask(struct vtd_unit *unit);

/* Let a fault send an NMI to the CPU with @apic_id, and no other from now on
 * (VT-d 5.1.6, 7.3); one that came since vtd_faults_mask() does so at once. */
void vtd_faults_enable(struct vtd_unit *unit, u32 apic_id);

#endif
