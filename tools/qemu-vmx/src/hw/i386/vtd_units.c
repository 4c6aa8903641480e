/*
 * Several remapping units, and what the DMAR table says of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/acpi/aml-build.h"
#include "hw/pci/pci_bus.h"
#include "hw/i386/vtd_units.h"

#define UNITS 4

/* Types of structures and of scopes (8.2, 8.3.1) */
#define DRHD 0
#define BRIDGE 2
#define SCOPE_SIZE 8

static IntelIOMMUState *units[UNITS];
static int count;

void vtd_units_add(IntelIOMMUState *unit, Error **errp)
{
    if (count == UNITS) {
        error_setg(errp, "more than %d intel-iommu units with x-port", UNITS);
        return;
    }
    units[count++] = unit;
}

IntelIOMMUState *vtd_unit_of_port(int slot)
{
    for (int i = 0; i < count; i++) {
        if (units[i]->strict.port == slot) {
            return units[i];
        }
    }
    return NULL;
}

IntelIOMMUState *vtd_unit_of(IntelIOMMUState *first, PCIBus *bus, int devfn)
{
    while (!pci_bus_is_root(bus)) {
        devfn = bus->parent_dev->devfn;
        bus = pci_get_bus(bus->parent_dev);
    }
    return vtd_unit_of_port(PCI_SLOT(devfn)) ?: first;
}

void vtd_units_dmar(GArray *table)
{
    for (int i = 0; i < count; i++) {
        build_append_int_noprefix(table, DRHD, 2);
        build_append_int_noprefix(table, 16 + SCOPE_SIZE, 2);
        build_append_int_noprefix(table, 0, 4); /* flags, segment */
        build_append_int_noprefix(table, units[i]->strict.base, 8);
        build_append_int_noprefix(table, BRIDGE, 1);
        build_append_int_noprefix(table, SCOPE_SIZE, 1);
        build_append_int_noprefix(table, 0, 4); /* ..., start bus number */
        build_append_int_noprefix(table, units[i]->strict.port, 1);
        build_append_int_noprefix(table, 0, 1); /* function */
    }
}
