/* Can a function be given to a guest?  In words, before it is tried. */
#ifndef GUEST_ASSIGN_VERDICT_H
#define GUEST_ASSIGN_VERDICT_H

#include "guest/assign/request.h"

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

/* assign=auto: make of @request VF 0 of the first network card whose VFs can be
 * given; false: there is none, which is logged.  After groups_build(). */
bool assign_choose(struct assign_request *request);

#endif
