/*
 * The machine's processors by the firmware's MP services protocol (Platform
 * Initialization Specification 1.7, volume 2, 13.4): for machines whose
 * firmware has no MADT.
 */
#ifndef BOOT_PROCESSORS_H
#define BOOT_PROCESSORS_H

#include "hv/machine/handover.h"

/* processors.c: fill @handover's apic_id, as far as the firmware tells. */
void find_processors(struct handover *handover);

#endif
