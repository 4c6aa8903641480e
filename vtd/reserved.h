/*
 * Memory that firmware reserves for functions that nobody is given (RMRR, VT-d
 * 8.4): each such function has a domain of its own that maps exactly its
 * regions one to one, in force before translation is on.  So the integrated
 * display keeps its picture.
 */
#ifndef VTD_RESERVED_H
#define VTD_RESERVED_H

#include "hv/host_ranges.h"
#include "vtd/context.h"

/* Pages of the pool that the reserved memory of @dmar takes, if every scope is
 * one function, and one of a bridge VTD_BEHIND_BRIDGE of them; @large_pages: as
 * vtd_has_large_pages(). */
#define VTD_BEHIND_BRIDGE 8
u64 vtd_reserved_pages(const struct dmar *dmar, bool large_pages);

/* What is the guest's or Gangway's own, ranges[0..count), kept and not copied:
 * no region may have part of it. */
void vtd_reserved_avoid(const struct host_range *ranges, unsigned int count);

/* True if @fn's DMA goes on when all else is blocked: by an RMRR that can be
 * mapped, or because its unit stays off (vtd_leaves_alone()); as firmware's
 * tables say, before anything is done.  For pci_bus_master_off(). */
bool vtd_keeps(const struct pci_function *fn);

/* True if that is so now: its entry is open, or its unit is off. */
bool vtd_kept(const struct pci_function *fn);

/* As vtd_context_fill() */
typedef int context_fill(struct vtd_unit *unit, u16 sid,
			 const struct vtd_domain *domain);

/* Open by @fill the context entries of all functions below @unit that have
 * regions, in its root table, which is not in force yet.  What cannot be opened
 * stays blocked, which is logged. */
void vtd_reserved_fill(struct vtd_unit *unit, context_fill *fill);

/* The domain of firmware's regions that @sid below @unit is in, or NULL. */
const struct vtd_domain *vtd_reserved_domain(const struct vtd_unit *unit,
					     u16 sid);

/* True if there is such a domain at all, or of a function on @bus below
 * @unit. */
bool vtd_reserved_any(void);
bool vtd_reserved_on(const struct vtd_unit *unit, u8 bus);

/* @sid is another's from now on: forget its domain, whose entry is closed. */
void vtd_reserved_forget(const struct vtd_unit *unit, u16 sid);

#endif
