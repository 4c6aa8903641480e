/* The guest's second clock: the machine's ACPI PM timer. */
#ifndef HV_MACHINE_PASS_CLOCK_H
#define HV_MACHINE_PASS_CLOCK_H

#include "hv/types.h"

/*
 * Open the four ports of the PM timer to the guest, if nothing else is there by
 * all that is known, and log it; returns the first, 0: the guest has none.
 * After time_init(), vcpu_bitmaps_init(), pci_enumerate() and platform_init().
 */
u16 machine_pass_pm_timer(void);

#endif
