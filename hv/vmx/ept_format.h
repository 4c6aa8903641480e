/* Entries of the extended page tables (Intel SDM 3C 28.2.2, tables 28-1 to
 * 28-6). */
#ifndef HV_VMX_EPT_FORMAT_H
#define HV_VMX_EPT_FORMAT_H

#include "hv/paging.h"

extern const struct pt_format ept_format; /* hv/vmx/ept_format.c */

#endif
