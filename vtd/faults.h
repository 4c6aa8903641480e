/* Faults of a unit: the event, and the words for what was refused. */
#ifndef VTD_FAULTS_H
#define VTD_FAULTS_H

#include "vtd/unit.h"

/* Forget what firmware's time left pending; no event from @unit until
 * vtd_faults_enable(). */
void vtd_faults_mask(struct vtd_unit *unit);

/* Let a fault send an NMI to the CPU with @apic_id (VT-d 5.1.6, 7.3); one that
 * came since vtd_faults_mask() does so at once. */
void vtd_faults_enable(struct vtd_unit *unit, u32 apic_id);

/* Why a request was refused. */
struct vtd_reason {
	u8 code;
	const char *name; /* the specification's, e.g. "LGN.2" */
	const char *words;
};

/* The reason with @code; never NULL. */
const struct vtd_reason *vtd_reason(u8 code);

/* One recorded fault, as read from the unit (VT-d 10.4.14). */
struct vtd_record {
	u64 low, high;
};

/* Log @record of @unit: a line for people and a line for programs. */
void vtd_explain(struct vtd_unit *unit, const struct vtd_record *record);

#endif
