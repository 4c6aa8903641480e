/* The hypervisor's log. */
#ifndef HV_LOG_H
#define HV_LOG_H

#include "hv/types.h"

/*
 * Write one formatted line (the format ends in \n) to the log, prefixed by
 * nothing: callers name their module ("vtd: ...").  Lines of several CPUs do
 * not mix.  Safe from the NMI handler.  Supports %c %s %d %i %u %x %X %p %%
 * with l, ll, z, field width (also *), precision for %s, 0 and - flags.
 */
/*@ assigns \nothing; */
void hv_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The end of a line about what may come without end: line number @count of at
 * most @max. */
/*@ assigns \nothing; */
static inline const char *log_last(u32 count, u32 max)
{
	return count == max ? "; further ones are not logged" : "";
}

/* Where lines are written too, under the log's lock; NULL: nowhere. */
extern void (*log_screen)(const char *text, size_t length);

#endif
