/*
 * Without ARI some cards number their VFs 256 further, which is on the next bus
 * (PCIe 9.3.3.9): the ID in their requests says so, and configuration requests
 * for that bus reach them, where all bridges above forward it.  A port that
 * does not forward by ARI drops requests for its own bus that are not for
 * device 0 (PCIe 6.13).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pci_next_bus.h"
#include "hw/pci/pcie.h"
#include "pci-internal.h"

#define BUS_FUNCTIONS 256

static bool is_numbered_far(PCIDevice *pf)
{
    uint8_t *cap = pf->config + pf->exp.sriov_cap;

    return pf->exp.sriov_pf.far_without_ari &&
           !(pci_get_word(cap + PCI_SRIOV_CTRL) & PCI_SRIOV_CTRL_ARI);
}

int pci_rid_bus(PCIBus *bus, int devfn)
{
    PCIDevice *dev = bus->devices[devfn];
    PCIDevice *pf = dev ? dev->exp.sriov_vf.pf : NULL;

    return pci_bus_num(bus) + (pf && is_numbered_far(pf));
}

/* Do all bridges above @bus forward @number? */
static bool is_forwarded(PCIBus *bus, int number)
{
    for (; !pci_bus_is_root(bus); bus = pci_get_bus(bus->parent_dev)) {
        if (bus->parent_dev->config[PCI_SUBORDINATE_BUS] < number) {
            return false;
        }
    }
    return true;
}

static bool drops(PCIBus *bus, uint8_t devfn)
{
    PCIDevice *port = pci_bus_is_root(bus) ? NULL : bus->parent_dev;
    uint8_t type = port && pci_is_express(port) ? pcie_cap_get_type(port) : 0;

    return (type == PCI_EXP_TYPE_ROOT_PORT ||
            type == PCI_EXP_TYPE_DOWNSTREAM) && PCI_SLOT(devfn) &&
           !pcie_cap_is_arifwd_enabled(port);
}

PCIDevice *pci_reached_device(PCIBus *root, int bus_num, uint8_t devfn)
{
    PCIBus *bus = pci_find_bus_nr(root, bus_num);

    if (bus) {
        return drops(bus, devfn) || pci_rid_bus(bus, devfn) != bus_num
               ? NULL : bus->devices[devfn];
    }
    bus = bus_num ? pci_find_bus_nr(root, bus_num - 1) : NULL;
    if (!bus || pci_bus_is_root(bus) || !is_forwarded(bus, bus_num)) {
        return NULL;
    }
    return pci_rid_bus(bus, devfn) == bus_num ? bus->devices[devfn] : NULL;
}

void pci_next_bus_update(PCIDevice *pf)
{
    uint8_t *offset = pf->config + pf->exp.sriov_cap + PCI_SRIOV_VF_OFFSET;

    if (pf->exp.sriov_pf.far_without_ari) {
        pci_set_word(offset, pci_get_word(offset) % BUS_FUNCTIONS +
                             (is_numbered_far(pf) ? BUS_FUNCTIONS : 0));
    }
}
