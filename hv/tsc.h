/* The time stamp counters of all processors as one clock (Intel SDM 3B 17.17).
 */
#ifndef HV_TSC_H
#define HV_TSC_H

#include "hv/types.h"

/* Make this processor's IA32_TSC_ADJUST 0, which INIT leaves as firmware had
 * it; what it was.  0 without that MSR, too. */
u64 tsc_adjust_clear(void);

/* To be called again and again by CPU @index, other than the one that asks,
 * until nobody asks any more. */
void tsc_answer(unsigned int index);

/* How many ticks the counter of CPU @index is ahead of this one's, at least;
 * negative: behind.  0 if nothing is to be seen, or it does not answer. */
s64 tsc_ahead(unsigned int index);

#endif
