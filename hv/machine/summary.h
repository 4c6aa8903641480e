/* What this machine can give to a guest, on one screen. */
#ifndef HV_MACHINE_SUMMARY_H
#define HV_MACHINE_SUMMARY_H

#include "vtd/dmar.h"

/* After preflight(), with what it was given: log the functions that can be
 * assigned, and what to change in the firmware's set-up for more. */
void summary_log(const struct dmar *dmar, bool have_vtd);

#endif
