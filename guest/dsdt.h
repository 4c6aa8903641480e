/* The compiled DSDT (dsdt.asl), as dsdt.asm embeds it. */
#ifndef GUEST_DSDT_H
#define GUEST_DSDT_H

#include "hv/types.h"

extern const u8 dsdt_aml[] __attribute__((visibility("hidden")));
extern const u8 dsdt_aml_end[] __attribute__((visibility("hidden")));

#endif
