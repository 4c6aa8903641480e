/* The few string functions that a freestanding program needs. */
#ifndef HV_STRING_H
#define HV_STRING_H

#include "hv/types.h"
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
/*@ requires \valid_read((char *)a + (0 .. size - 1));
  @ requires \valid_read((char *)b + (0 .. size - 1));
  @ assigns \nothing;
  @*/
int memcmp(const void *a, const void *b, size_t size);
/*@ assigns \nothing;
  @ ensures \valid_read(s + (0 .. \result));
  @*/
size_t strlen(const char *s);

#endif
