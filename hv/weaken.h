/*
 * Negative controls: protections that weaken= in gangway.cfg takes away, so
 * that a test can show the attack that each one stops.  All are on unless it is
 * asked for, and the log says so in every case.
 */
#ifndef HV_WEAKEN_H
#define HV_WEAKEN_H

#include "hv/types.h"

#define WEAKEN_DMA_ISOLATION BIT(0)   /* pass-through context entry */
#define WEAKEN_IR_SOURCE_CHECK BIT(1) /* IRTEs take any requester */
#define WEAKEN_COMPAT_BLOCK BIT(2)    /* compatibility-format interrupts pass */
#define WEAKEN_MSIX_TRAP BIT(3)	      /* the guest writes the real table */
#define WEAKEN_FLR BIT(4)	      /* the function is never reset */
#define WEAKEN_COUNT 5

/* The names, in the order of the bits. */
extern const char *const weaken_name[WEAKEN_COUNT];

/* What is taken away on this machine. */
extern u32 weaken;

/* Set it, and say each one loudly. */
void weaken_set(u32 what);

#endif
