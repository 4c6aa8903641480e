/*
 * What a remapping unit of hardware does, and QEMU's does not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hw/i386/intel_iommu.h"
#include "hw/i386/vtd_dram.h"

#define INDEXES 0x10000

typedef struct CachedIRTE {
    union VTD_IR_TableEntry entry;      /* as in memory, little-endian */
    int64_t stale_since;
} CachedIRTE;

void vtd_strict_realize(VTDStrict *strict)
{
    strict->iec = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    if (!strict->coherent) {
        vtd_dram_model();
    }
}

void vtd_strict_reset(VTDStrict *strict)
{
    g_hash_table_remove_all(strict->iec);
}

/*
 * The interrupt entry cache (VT-d 6.2): it keeps entries until they are
 * invalidated, although the table's pointer was set anew or remapping is off.
 * Not those that are not present or have reserved bits set, as CM = 0 says
 * (6.1).
 */
MemTxResult vtd_strict_read_irte(VTDStrict *strict, uint16_t index,
                                 dma_addr_t addr,
                                 union VTD_IR_TableEntry *entry)
{
    CachedIRTE *cached = g_hash_table_lookup(strict->iec,
                                             GUINT_TO_POINTER(index));
    MemTxResult result = vtd_dram_read(addr, entry, sizeof(*entry));

    if (!cached) {
        return result;
    }
    if (vtd_stays_stale(&cached->stale_since, result ||
                        memcmp(entry, &cached->entry, sizeof(*entry)))) {
        qemu_log_mask(LOG_GUEST_ERROR, "vtd: interrupt entry %u was changed "
                      "and not invalidated\n", index);
    }
    *entry = cached->entry;
    return MEMTX_OK;
}

void vtd_strict_cache_irte(VTDStrict *strict, uint16_t index,
                           const union VTD_IR_TableEntry *entry)
{
    CachedIRTE *cached;

    if (g_hash_table_contains(strict->iec, GUINT_TO_POINTER(index))) {
        return;
    }
    cached = g_new0(CachedIRTE, 1);
    cached->entry.data[0] = cpu_to_le64(entry->data[0]);
    cached->entry.data[1] = cpu_to_le64(entry->data[1]);
    g_hash_table_insert(strict->iec, GUINT_TO_POINTER(index), cached);
}

void vtd_strict_forget_irtes(VTDStrict *strict, bool all, uint32_t index,
                             unsigned mask)
{
    if (all || mask >= 16) {
        g_hash_table_remove_all(strict->iec);
        return;
    }
    index &= ~((1u << mask) - 1);
    for (uint32_t i = index; i < index + (1u << mask) && i < INDEXES; i++) {
        g_hash_table_remove(strict->iec, GUINT_TO_POINTER(i));
    }
}
