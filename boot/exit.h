/* Leaving the firmware (UEFI 2.9 7.4.6). */
#ifndef BOOT_EXIT_H
#define BOOT_EXIT_H

#include "hv/machine/handover.h"

/* exit.c: leave the firmware (UEFI 2.9 7.4.6) and note its state in
 * @handover.  On return nothing of it but the runtime services may be used. */
void leave_firmware(struct handover *handover);

#endif
