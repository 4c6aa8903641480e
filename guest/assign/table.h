/* Which functions are the guest's. */
#ifndef GUEST_ASSIGN_TABLE_H
#define GUEST_ASSIGN_TABLE_H

#include "guest/assign/assigned.h"
#include "guest/assign/request.h"

/* In the order of assign= */
extern struct assigned assigned[ASSIGN_MAX];
extern unsigned int assigned_count;

/*
 * Find the function of @request and put it into the table; nothing of it is
 * touched.  A VF's fn is not there yet.  -ENODEV: no such function; -EBUSY:
 * firmware reserves memory for it; -EINVAL: it is in the table, or its PF or a
 * VF of it; -ENOSPC.  All but the last are logged.
 */
int assigned_add(const struct assign_request *request);

/* True if the guest has all of @fn, by assign=. */
bool is_assigned_whole(const struct pci_function *fn);

#endif
