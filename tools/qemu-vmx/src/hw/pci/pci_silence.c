/*
 * Functions that were reset, and VFs that were enabled, do not answer for a
 * while: software has to wait 100 ms before it looks at their configuration
 * space (PCIe 6.6.2, 9.3.3.3.1).  Here they are silent for a little less, for
 * software measures time by a clock of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/timer.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pci_silence.h"

#define SILENT_MS 95

static GHashTable *silent;      /* function: until when, in ms */

void pci_silence_begin(PCIDevice *dev)
{
    int64_t *until = g_new(int64_t, 1);

    if (!silent) {
        silent = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    }
    *until = qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + SILENT_MS;
    g_hash_table_replace(silent, dev, until);
}

bool pci_is_silent(PCIDevice *dev, uint32_t addr, const char *access)
{
    int64_t *until = silent ? g_hash_table_lookup(silent, dev) : NULL;
    int64_t left = until ? *until - qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) : 0;

    if (!until) {
        return false;
    }
    if (left <= 0) {
        g_hash_table_remove(silent, dev);
        return false;
    }
    qemu_log_mask(LOG_GUEST_ERROR, "pci: %s %02x:%02x.%x register %#x, which "
                  "has %" PRId64 " ms left after a reset\n", access,
                  pci_dev_bus_num(dev), PCI_SLOT(dev->devfn),
                  PCI_FUNC(dev->devfn), addr, left);
    return true;
}
