/* Preflight: what of this machine can be given to a guest, and what cannot. */
#ifndef HV_MACHINE_PREFLIGHT_H
#define HV_MACHINE_PREFLIGHT_H

#include "vtd/dmar.h"

/*
 * Log the processor's features, the remapping units, the memory that firmware
 * reserves for devices, and each PCI function with its isolation group, its
 * capabilities and the verdict.  PCI was enumerated, if it could be;
 * @dmar
 * has the remapping units; @have_vtd: they will do.  Changes nothing.
 */
void preflight(const struct dmar *dmar, bool have_vtd);

/* mode=check: say what the machine can give, wait for a key at the serial
 * console or a PS/2 keyboard, without limit and saying so, and end as
 * on-poweroff= says. */
_Noreturn void preflight_end(const struct dmar *dmar, bool have_vtd);

#endif
