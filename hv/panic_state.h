/* Which CPU panics, if one does. */
#ifndef HV_PANIC_STATE_H
#define HV_PANIC_STATE_H

#include "hv/types.h"

/* Note that this CPU panics; true on the one that comes first. */
bool panic_is_first(void);

/* True once this CPU panics. */
bool panic_here(void);

/* True once another CPU panics: this one must do nothing any more. */
bool panic_elsewhere(void);

#endif
