/* What Gangway needs of the processor. */
#ifndef HV_VMX_CHECK_H
#define HV_VMX_CHECK_H

#include "hv/types.h"

/*
 * What the processor lacks, in words, before anything is taken over.  Writes
 * one or more lines to @buf ("No VMX: ... turn on ... in the firmware set-up")
 * and returns false; true if all is there.
 */
bool vmx_check(char *buf, size_t size);

#endif
