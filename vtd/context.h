/* Root and context tables (VT-d 9.1, 9.3), and who is attached to what. */
#ifndef VTD_CONTEXT_H
#define VTD_CONTEXT_H

#include "drivers/pci/pci.h"
#include "vtd/second_level.h"
#include "vtd/unit.h"

#define VTD_PRESENT BIT(0) /* root and context entries, IRTEs */
#define VTD_TABLE(low) ((low) & PT_ADDR_MASK)
#define VTD_CONTEXT_DOMAIN(high) ((u16)((high) >> 8))
#define VTD_MAX_ATTACHED 32 /* 8 functions and 4 PFs, each with an alias */

/* A requester whose context entry below a unit is open. */
struct vtd_attachment {
	const struct vtd_domain *domain; /* NULL: free */
	const struct vtd_unit *unit;
	u16 sid;
};

extern struct vtd_attachment vtd_attached[VTD_MAX_ATTACHED];

/* The context entry of @sid, or NULL while the root entry of its bus is not
 * present. */
volatile struct vtd_entry *vtd_context_entry(const struct vtd_unit *unit,
					     u16 sid);

/* The domain that @sid below @unit is attached to, or NULL. */
const struct vtd_domain *vtd_domain_of(const struct vtd_unit *unit, u16 sid);

/*
 * Open the context entry of @sid to @domain in a root table that is not in
 * force yet: nothing is flushed.  -EINVAL: the unit's domain IDs are too small,
 * logged; -ENOMEM.
 */
int vtd_context_fill(struct vtd_unit *unit, u16 sid,
		     const struct vtd_domain *domain);

/*
 * Let requests of @sid, which is attached to no domain, be blocked without a
 * fault: its context entry stays as it is, but says so (FPD, VT-d 9.3).
 * Ends with vtd_attach().  -EBUSY: it is attached; -ENOMEM: no page for the
 * context table of its bus; -EIO, -ETIMEDOUT.  As with vtd_attach(), the caller
 * sees to it that nobody attaches or detaches at once.
 */
int vtd_mute(struct vtd_unit *unit, u16 sid);

/* True, with a line of log, if memory that firmware reserves (RMRR, VT-d 8.4)
 * keeps @fn from a guest: vtd_rmrr_against().  After vtd_probe(). */
bool vtd_reserved(const struct pci_function *fn);

/*
 * Open the context entry of @fn to @domain; flushed in the order that VT-d
 * 6.2.2.1 demands.  -ENODEV: no unit covers the function; -EBUSY: it is open,
 * or vtd_reserved(); -ENOSPC: more than
 * VTD_MAX_ATTACHED requesters; -ENOMEM; -EIO or -ETIMEDOUT from the unit, and
 * then it is closed again, if vtd_in_use() does not say otherwise.  All logged.
 * The caller sees to it that no two CPUs attach or detach at once.
 */
int vtd_attach(struct vtd_domain *domain, const struct pci_function *fn);

/* Close it, flush context cache and IOTLB, and drain, where the unit can: else
 * what was under way may still arrive.  Only when it returns 0 is the domain's
 * memory out of reach of the function's further requests.  -ENODEV: not
 * attached to @domain; -EIO, -ETIMEDOUT. */
int vtd_detach(struct vtd_domain *domain, const struct pci_function *fn);

/* True while a function may reach the memory of @domain: it was attached, and
 * no vtd_detach() of it returned 0.  Neither that memory nor the domain's table
 * or ID may then be used for anything else. */
bool vtd_in_use(const struct vtd_domain *domain);

/* Stop all DMA at once, but to memory that firmware reserves (vtd/reserved.h),
 * or no screen could show why: entries closed, caches flushed; bounded, also if
 * a stopped CPU holds a lock.  True if that was done by every unit of the
 * machine, but those that are left alone, and there is one.  For panic. */
bool vtd_block_all(void);

#endif
