/*
 * Functions that the guest gets whole: what there is to check before, and the
 * reset that takes from them what firmware left.
 */
#ifndef GUEST_ASSIGN_WHOLE_H
#define GUEST_ASSIGN_WHOLE_H

#include "guest/assign/assigned.h"

/*
 * guest/assign/whole.c: @a, which is no VF, must have interrupts that can be
 * forwarded and BARs that are its own; before anything is mapped for any of the
 * guest's functions, as BARs may share pages.  -EOPNOTSUPP: said in the log.
 */
int assigned_check_whole(const struct assigned *a);

/* Make it ready for the guest: mapped and reset.  Errors as
 * assigned_map_for_host() and pci_reset(). */
int assigned_make_whole_ready(struct assigned *a);

/* True if @fn cannot be the guest's as a whole; @buf: why, in words. */
bool assigned_whole_refused(const struct pci_function *fn, char *buf,
			    size_t size);

/* Reset it again when the guest is gone.  Errors as pci_reset(). */
int assigned_reset_whole(struct assigned *a);

#endif
