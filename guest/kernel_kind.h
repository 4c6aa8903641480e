/* What a file is that is no bzImage. */
#ifndef GUEST_KERNEL_KIND_H
#define GUEST_KERNEL_KIND_H

#include "hv/types.h"

/* What @file, of @size bytes, is instead, and how to get a bzImage, in words;
 * NULL: it is not known.  Reads nothing beyond @size. */
const char *kernel_kind(const void *file, u64 size);

#endif
