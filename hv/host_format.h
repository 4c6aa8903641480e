/* Entries of the hypervisor's own page tables (Intel SDM 3A 4.5, tables 4-14 to
 * 4-19).  PCD and PWT together choose UC, 0 WB, by the PAT at reset (11.12.4).
 */
#ifndef HV_HOST_FORMAT_H
#define HV_HOST_FORMAT_H

#include "hv/paging.h"

extern const struct pt_format host_format; /* hv/host_format.c */

#endif
