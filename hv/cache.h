/* Writing cache lines back, for readers of memory that do not snoop. */
#ifndef HV_CACHE_H
#define HV_CACHE_H

#include "hv/types.h"

#define CACHE_LINE 64

/* CLFLUSH of every line of [p, p + size) (Intel SDM 2A). */
static inline void cache_flush(const void *p, size_t size)
{
	const char *line = (const char *)ALIGN_DOWN((uintptr_t)p, CACHE_LINE);

	for (; line < (const char *)p + size; line += CACHE_LINE)
		__asm__ volatile("clflush %0" : : "m"(*line) : "memory");
}

#endif
