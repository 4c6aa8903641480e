/* What the hypervisor's concurrent parts call, for both tests. */
#ifndef TESTS_THREADS_MODEL_H
#define TESTS_THREADS_MODEL_H

#include "hv/cpu.h"

/* How often something was taken from the guest's tables. */
extern u32 model_version;

/* The version that processor @index has flushed, if it is in the guest's code
 * now; else the newest. */
u32 model_walks(unsigned int index);

/* Whose run it is, for what is said then. */
extern u64 model_seed;

/* A promise was broken: says so, and the test fails. */
_Noreturn void model_broken(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

#endif
