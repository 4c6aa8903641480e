/*
 * A recorded fault as two log lines: one for people, one of key=value.  Both
 * tell the walk down to the entry that refused.
 */
#ifndef VTD_EXPLAIN_H
#define VTD_EXPLAIN_H

#include "vtd/fault_event.h"

/* Log @record of @unit: a line for people and a line for programs. */
void vtd_explain(struct vtd_unit *unit, const struct vtd_record *record);

#endif
