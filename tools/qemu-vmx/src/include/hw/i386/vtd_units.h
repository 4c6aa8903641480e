/*
 * Several remapping units, and what the DMAR table says of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_UNITS_H
#define HW_I386_VTD_UNITS_H

#include "hw/i386/intel_iommu.h"

/* A unit with x-port is in charge of what is below that root port. */
void vtd_units_add(IntelIOMMUState *unit, Error **errp);

/* The further unit for a root port of bus 0, or NULL. */
IntelIOMMUState *vtd_unit_of_port(int slot);

/* The unit for a function: a further one, or @first. */
IntelIOMMUState *vtd_unit_of(IntelIOMMUState *first, PCIBus *bus, int devfn);

/* The further units' structures (VT-d 8.3) */
void vtd_units_dmar(GArray *table);

#endif
