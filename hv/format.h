/* Text formatting, as hv_log() does it. */
#ifndef HV_FORMAT_H
#define HV_FORMAT_H

#include "hv/types.h"
#include <stdarg.h>

/*
 * vsnprintf for the subset that hv_log() names.  Writes at most @size bytes,
 * the last one NUL, and returns the length that the whole text has.
 */
int format_va(char *buf, size_t size, const char *fmt, va_list ap);
int format(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
