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

/* The reserved memory region that firmware demands for @fn, or NULL. */
const struct dmar_rmrr *vtd_rmrr_of(const struct pci_function *fn);

#endif
