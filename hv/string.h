/* The few string functions that a freestanding program needs. */
#ifndef HV_STRING_H
#define HV_STRING_H

#include "hv/types.h"
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);

#endif
