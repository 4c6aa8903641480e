/*
 * BARs of the guest's functions: the guest reaches them directly, but for the
 * pages that hold the MSI-X table or that the PF driver mediates, for those of
 * less than a page, whose page may have others' registers, and for ports.
 */
#ifndef GUEST_ASSIGN_BARS_H
#define GUEST_ASSIGN_BARS_H

#include "guest/assign/assigned.h"

/* guest/assign/bars.c: note which pages are not given to the guest.  -ENOSPC:
 * too many, logged. */
int assigned_find_trapped_pages(struct assigned *a);

/*
 * Page tables that EPT needs at most for the BARs of @functions functions,
 * wherever the guest puts them; @high of them have some in the high window;
 * @large_pages: EPT has leaves of 2 MiB.
 */
size_t assigned_table_pages(unsigned int functions, unsigned int high,
			    bool large_pages);

/* vpci_backend's map_bar: inside that window of the guest's that the BAR began
 * in, or its ports, and not over another BAR; else -EINVAL or -EEXIST, and
 * nothing has changed; the same with -ENOSPC, logged once a function: too many
 * ranges of the guest's are mapped or trapped; -ENOMEM, logged so too: not if
 * assigned_table_pages() are reserved. */
int assigned_map_bar(struct vpci_function *v, unsigned int bar, u64 address);

#endif
