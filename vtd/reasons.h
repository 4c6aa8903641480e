/* Fault reasons in words (VT-d 7.1.3 and 5.1.4.1); docs/faults.md tells more.
 */
#ifndef VTD_REASONS_H
#define VTD_REASONS_H

#include "hv/types.h"

/* Why a request was refused. */
struct vtd_reason {
	u8 code;
	const char *name; /* the specification's, e.g. "LGN.2" */
	const char *words;
};

/* The reason with @code; never NULL. */
const struct vtd_reason *vtd_reason(u8 code);

#endif
