/* Root and context tables (VT-d 9.1, 9.3), and who is attached to what. */
#ifndef VTD_CONTEXT_H
#define VTD_CONTEXT_H

#include "vtd/unit.h"
#include "vtd/vtd.h"

#define VTD_PRESENT BIT(0) /* root and context entries, IRTEs */
#define VTD_TABLE(low) ((low)&PT_ADDR_MASK)
#define VTD_CONTEXT_DOMAIN(high) ((u16)((high) >> 8))

/* The context entry of @sid, or NULL while the root entry of its bus is not
 * present. */
volatile struct vtd_entry *vtd_context_entry(const struct vtd_unit *unit,
					     u16 sid);

/* The domain that @sid below @unit is attached to, or NULL. */
const struct vtd_domain *vtd_domain_of(struct vtd_unit *unit, u16 sid);

/*
 * Let requests of @sid, which is attached to no domain, be blocked without a
 * fault: its context entry stays not present, but says so (FPD, VT-d 9.3).
 * Ends with vtd_attach().  -EBUSY: it is attached; -ENOMEM: no page for the
 * context table of its bus; -EIO, -ETIMEDOUT.  As with vtd_attach(), the caller
 * sees to it that nobody attaches or detaches at once.
 */
int vtd_silence(struct vtd_unit *unit, u16 sid);

#endif
