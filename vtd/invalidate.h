/*
 * Queued invalidation (VT-d 6.5.2).  Each function queues one request and a
 * wait descriptor, and returns when the unit has done both: 0; -ETIMEDOUT; or
 * -EIO when the unit refused it.  Both are logged.
 */
#ifndef VTD_INVALIDATE_H
#define VTD_INVALIDATE_H

#include "vtd/unit.h"

/* Everything the unit knows of DMA: context cache, then IOTLB, with drain. */
int vtd_invalidate_all(struct vtd_unit *unit);

/* The context cache's entry of @sid, which was tagged @domain. */
int vtd_invalidate_context(struct vtd_unit *unit, u16 domain, u16 sid);

/* The IOTLB's entries of @domain; requests under way are drained. */
int vtd_invalidate_domain(struct vtd_unit *unit, u16 domain);

/* The interrupt entry cache: all of it, or entry @index.  Interrupts under way
 * are drained (VT-d 6.5.5). */
int vtd_invalidate_all_irtes(struct vtd_unit *unit);
int vtd_invalidate_irte(struct vtd_unit *unit, u16 index);

/*
 * Log and clear the queue errors that the unit reports.  For the fault service:
 * if somebody waits on the queue now, it is left to him.
 */
void vtd_queue_errors(struct vtd_unit *unit);

#endif
