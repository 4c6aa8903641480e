/* Sections of PE files, as EFI applications are (Microsoft's "PE Format"). */
#ifndef GUEST_PE_H
#define GUEST_PE_H

#include "hv/types.h"
#include <stddef.h>

#define PE_MACHINE_X64 0x8664

struct pe_section {
	u32 address, size;	    /* as loaded, from the image's base */
	u32 file_offset, file_size; /* in the file, padded */
};

/* The processor that @file, of @size bytes, is for; 0: it is no PE file. */
u16 pe_machine(const void *file, u64 size);

/* The first section called @name, at most 8 characters; false: none, or no PE
 * file.  What it says of its place is not checked. */
bool pe_find(const void *file, u64 size, const char *name,
	     struct pe_section *section);

#endif
