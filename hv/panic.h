/* The end that should not be: what is said and done then. */
#ifndef HV_PANIC_H
#define HV_PANIC_H

#include "hv/exception.h"
#include "hv/machine/config.h"

/* Called first in a panic: stops all DMA, and returns true if it did.  Set when
 * VT-d is on. */
extern bool (*panic_stop_dma)(void);

/* What follows it: END_HALT or END_RESET. */
extern enum end_action panic_action;

/* True once this CPU panics. */
bool panic_here(void);

/* True once another CPU panics: this one must do nothing any more. */
bool panic_elsewhere(void);

/* Panic on an exception of the hypervisor itself. */
_Noreturn void panic_exception(const char *name,
			       const struct exception_frame *frame);

#endif
