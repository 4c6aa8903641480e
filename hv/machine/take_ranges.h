/* Where the machine's own registers are, by its ACPI tables. */
#ifndef HV_MACHINE_TAKE_RANGES_H
#define HV_MACHINE_TAKE_RANGES_H

#include "vtd/dmar.h"

/*
 * Note IOAPICs, local APICs, HPET, configuration space, the remapping units and
 * the memory of RMRRs that @dmar has, and what else is at one place on every PC
 * as taken (hv/host_ranges.h).  Before the first BAR is used.
 */
void machine_take_ranges(const struct dmar *dmar);

#endif
