/*
 * The end of a function's time with the guest: when the guest has ended, or
 * before that, when the function or its PF is lost.  Its way to the guest's
 * memory is closed before anything that it must answer, whether it still obeys
 * or not.
 */
#ifndef GUEST_ASSIGN_STOP_H
#define GUEST_ASSIGN_STOP_H

#include "guest/assign/assigned.h"

/*
 * guest/assign/stop.c: end @a's DMA and interrupts, and reset it: bus mastering
 * off, VT-d closed and flushed, queues stopped by the PF, function-level reset,
 * IRTEs freed.  Bounded, also if it does not answer; says how it went.  Once.
 * The caller holds the trap lock, or no guest CPU runs.
 */
void assigned_stop(struct assigned *a);

/* @a is of no use any more, for the reason @why: the guest finds all ones where
 * it was, until it ends; then assigned_stop(), and pf_lose() if the PF is gone.
 * Under the trap lock. */
void assigned_lose(struct assigned *a, const char *why);

/* Look whether @a and its PF are there; assigned_lose() if not, and pf_lose()
 * if the PF goes after @a.  Under the trap lock. */
void assigned_look(struct assigned *a);

/* Function-level reset, if weaken= lets it.  Errors as pci_flr(). */
int assigned_flr(const struct assigned *a);

/* Look at the guest's functions and their PFs, for what no guest's request
 * tells of: a lost link, a lost card.  One that is gone is stopped at once.
 * Under the trap lock. */
void assign_poll(void);

#endif
