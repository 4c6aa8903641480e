/* Which unit stands above a function (VT-d 8.3.1). */
#ifndef VTD_SCOPE_H
#define VTD_SCOPE_H

#include "drivers/pci/pci.h"
#include "vtd/unit.h"

/* The unit that @fn's requests pass, or NULL.  A VF's is its PF's. */
struct vtd_unit *vtd_unit_of(const struct pci_function *fn);

/* The unit of the IOAPIC with @ioapic_id, whose source ID goes to *sid;
 * NULL if no unit lists it. */
struct vtd_unit *vtd_unit_of_ioapic(u8 ioapic_id, u16 *sid);

/* True if @sid is the source ID of an IOAPIC that @unit lists. */
bool vtd_is_ioapic(const struct vtd_unit *unit, u16 sid);

/* The reserved memory region that firmware demands for @fn, or NULL; and the
 * next one after @before. */
const struct dmar_rmrr *vtd_rmrr_of(const struct pci_function *fn);
const struct dmar_rmrr *vtd_next_rmrr(const struct pci_function *fn,
				      const struct dmar_rmrr *before);

/* The first region that keeps @fn from a guest, or NULL.  What firmware
 * reserves for USB controllers and displays does not: it is for the time before
 * a system's driver.  If it is not known for whom some is, it is for all
 * others. */
const struct dmar_rmrr *vtd_rmrr_against(const struct pci_function *fn);

/* True if nothing but displays is below @unit, and firmware reserves no memory
 * for them: such a unit stays off until one is assigned, or the picture would
 * be gone. */
bool vtd_leaves_alone(const struct vtd_unit *unit);

#endif
