/* Can a function be given to a guest?  In words, before it is tried. */
#ifndef GUEST_ASSIGN_VERDICT_H
#define GUEST_ASSIGN_VERDICT_H

#include "drivers/pci/pci.h"

enum verdict {
	VERDICT_NONE, /* a bridge: nobody wants to assign it */
	VERDICT_NO,
	VERDICT_YES,
};

/*
 * Whether @fn, whole or a VF of it, can be assigned; @buf: how, or why not and
 * what to change.  @have_vtd: the remapping units will do.  groups_build() came
 * before.
 */
enum verdict assign_verdict(const struct pci_function *fn, bool have_vtd,
			    char *buf, size_t size);

#endif
