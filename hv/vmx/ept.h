/* Extended page tables of the one guest. */
#ifndef HV_VMX_EPT_H
#define HV_VMX_EPT_H

#include "hv/memory_map.h"

/* EPT from guest.map, whole.  -ENOMEM. */
int ept_init(void);

/* Bring EPT in line after a region was added to the map, or removed from it;
 * removal waits until no vCPU can use the old mapping, or ends the guest if one
 * does not come out of it. */
int ept_add(const struct region *region);
void ept_remove(gpa_t gpa, u64 size);

/* Flush what this CPU has cached of EPT (28.3.3.3). */
void ept_invalidate(void);

#endif
