/* The end that should not be: what is said and done then. */
#ifndef HV_PANIC_H
#define HV_PANIC_H

#include "hv/exception.h"
#include "hv/power.h"

/* Called first in a panic: stops all DMA, and returns true if it did.  Set when
 * VT-d is on. */
extern bool (*panic_stop_dma)(void);

/* What follows it: END_HALT or END_RESET. */
extern enum end_action panic_action;

/*
 * For what cannot be: stops all DMA and the guest's CPUs, prints the reason,
 * the stack and the last exits of each CPU, and halts.
 */
_Noreturn void panic(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* Panic on an exception of the hypervisor itself. */
_Noreturn void panic_exception(const char *name,
			       const struct exception_frame *frame);

#endif
