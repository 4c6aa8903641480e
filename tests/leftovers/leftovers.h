/*
 * An application in the place of Gangway's on the boot disk: what a firmware
 * may do to a machine before it starts Gangway.  It shares nothing with vtd/.
 *
 * A text file beside it, leftovers.cfg, says what:
 *   translation   all requests pass untranslated, by context entries
 *   scalable      the same in scalable mode
 *   queue         queued invalidation on, with a descriptor done
 *   interrupts    remapping on; the entries take any source, and compatibility
 *                 format passes, so that nothing changes for the firmware
 *   faults        a blocked interrupt is recorded, and nobody looks at it
 *   bar-over-unit the BAR0 of the card's VFs is where the unit's registers are
 *   bar-over-hpet same, of the HPET's
 *   bar-sized     the card's BAR0 has no address, but the pattern of sizing
 *   memory-full   below 4 GiB 100 MiB are free, and no more
 *   pieces        a page is reserved in each of 150 regions of 4 MiB
 *   exit-event    a handler of ExitBootServices allocates 32 MiB, and says on
 *                 COM1 if it got them
 *   processor     CR4 and PAT of the first processor as no other has them
 *
 * A file dmar.bin replaces the machine's DMAR table.  Then gangway.efi starts.
 */
#ifndef TESTS_LEFTOVERS_H
#define TESTS_LEFTOVERS_H

#include "hv/types.h"
#include <efi.h>

/* Print on the firmware's console. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* True if leftovers.cfg has @word. */
bool wanted(const char *word);

/* @pages zeroed pages that the firmware keeps to itself; ends all if there are
 * none. */
void *firmware_pages(unsigned int pages);

/* Say why this cannot go on, and wait for the test to give up. */
_Noreturn void give_up(const char *why);

/* Leave the unit at @base as leftovers.cfg says. */
void leave_unit(u64 base);

/* Leave BARs as leftovers.cfg says; configuration space is at @ecam, the unit
 * at @unit. */
void leave_bars(u64 ecam, u64 unit);

/* Leave memory as leftovers.cfg says. */
void leave_memory(EFI_SYSTEM_TABLE *system);

/* Leave this processor as leftovers.cfg says. */
void leave_processor(void);

#endif
