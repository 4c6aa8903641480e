/* Interrupt remapping table entries (VT-d 9.10). */
#ifndef VTD_IRTE_H
#define VTD_IRTE_H

#include "vtd/unit.h"
#include "vtd/vtd.h"

/* The words of an entry that delivers @interrupt, present; @eim: with a 32-bit
 * destination.  -EINVAL if the destination has more bits than fit. */
int vtd_irte_encode(const struct vtd_interrupt *interrupt, bool eim, u64 *low);

/* The high word: only requests of @sid may use the entry. */
u64 vtd_irte_source(u16 sid);

#endif
