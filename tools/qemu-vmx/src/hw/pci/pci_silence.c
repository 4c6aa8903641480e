/*
 * Functions that were reset, and VFs that were enabled, do not answer for a
 * while: software has to wait 100 ms before it looks at their configuration
 * space (PCIe 6.6.2, 9.3.3.3.1), and their registers are not there either.
 * Here they are silent for a little less, for software measures time by a clock
 * of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/timer.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pci_silence.h"

#define SILENT_MS 95

typedef struct Silence {
    PCIDevice *dev;
    bool on;
    QEMUTimer *end;
    MemoryRegion cover[PCI_NUM_REGIONS];    /* over its BARs */
} Silence;

static GHashTable *silent;      /* function: Silence */

static void complain(PCIDevice *dev, const char *access, uint64_t addr)
{
    Silence *s = g_hash_table_lookup(silent, dev);

    qemu_log_mask(LOG_GUEST_ERROR, "pci: %s %02x:%02x.%x at %#" PRIx64
                  ", which has %" PRId64 " ms left after a reset\n", access,
                  pci_dev_bus_num(dev), PCI_SLOT(dev->devfn),
                  PCI_FUNC(dev->devfn), addr,
                  (int64_t)timer_expire_time_ns(s->end) / SCALE_MS -
                  qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL));
}

static uint64_t read_nothing(void *dev, hwaddr addr, unsigned size)
{
    complain(dev, "read of registers of", addr);
    return ~0ULL;
}

static void write_nothing(void *dev, hwaddr addr, uint64_t value, unsigned size)
{
    complain(dev, "write to registers of", addr);
}

static const MemoryRegionOps nothing = {
    .read = read_nothing,
    .write = write_nothing,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

/*
 * Where BAR @i is.  A VF has no Memory Space bit: its BARs are where those of
 * all VFs are, as long as VF MSE is set (PCIe 9.3.3.3.4, 9.3.4.1.3).
 */
static pcibus_t address_of(PCIDevice *dev, int i)
{
    PCIDevice *pf = dev->exp.sriov_vf.pf;
    uint8_t *cap, *bar;
    pcibus_t base;

    if (!pf) {
        return dev->io_regions[i].addr;
    }
    cap = pf->config + pf->exp.sriov_cap;
    bar = cap + PCI_SRIOV_BAR + 4 * i;
    if (i >= PCI_SRIOV_NUM_BARS ||
        !(pci_get_word(cap + PCI_SRIOV_CTRL) & PCI_SRIOV_CTRL_MSE)) {
        return PCI_BAR_UNMAPPED;
    }
    base = dev->io_regions[i].type & PCI_BASE_ADDRESS_MEM_TYPE_64
           ? pci_get_quad(bar) : pci_get_long(bar);
    return (base & PCI_BASE_ADDRESS_MEM_MASK) +
           dev->exp.sriov_vf.vf_number * dev->io_regions[i].size;
}

static void cover(Silence *s)
{
    for (int i = 0; i < PCI_NUM_REGIONS; i++) {
        PCIIORegion *r = &s->dev->io_regions[i];
        pcibus_t at = r->size ? address_of(s->dev, i) : PCI_BAR_UNMAPPED;

        if (at != PCI_BAR_UNMAPPED) {
            memory_region_set_size(&s->cover[i], r->size);
            memory_region_add_subregion_overlap(r->address_space, at,
                                                &s->cover[i], 2);
        }
    }
}

static void end_silence(void *opaque)
{
    Silence *s = opaque;

    timer_del(s->end);
    s->on = false;
    for (int i = 0; i < PCI_NUM_REGIONS; i++) {
        if (s->cover[i].container) {
            memory_region_del_subregion(s->cover[i].container, &s->cover[i]);
        }
    }
}

static Silence *new_silence(PCIDevice *dev)
{
    Silence *s = g_new0(Silence, 1);

    s->dev = dev;
    s->end = timer_new_ms(QEMU_CLOCK_VIRTUAL, end_silence, s);
    for (int i = 0; i < PCI_NUM_REGIONS; i++) {
        memory_region_init_io(&s->cover[i], OBJECT(dev), &nothing, dev,
                              "silent", 1);
    }
    g_hash_table_insert(silent, dev, s);
    return s;
}

void pci_silence_begin(PCIDevice *dev)
{
    Silence *s;

    if (!silent) {
        silent = g_hash_table_new(NULL, NULL);
    }
    s = g_hash_table_lookup(silent, dev);
    if (!s) {
        s = new_silence(dev);
    }
    if (!s->on) {
        cover(s);
    }
    s->on = true;
    timer_mod(s->end, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + SILENT_MS);
}

bool pci_is_silent(PCIDevice *dev, uint32_t addr, const char *access)
{
    Silence *s = silent ? g_hash_table_lookup(silent, dev) : NULL;

    if (!s || !s->on) {
        return false;
    }
    /* A processor that looks in a loop may keep QEMU's timers waiting */
    if (timer_expired(s->end, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL))) {
        end_silence(s);
        return false;
    }
    complain(dev, access, addr);
    return true;
}
