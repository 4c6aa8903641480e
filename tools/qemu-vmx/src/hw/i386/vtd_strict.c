/*
 * What a remapping unit of hardware does, and QEMU's does not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qapi/error.h"
#include "hw/i386/intel_iommu.h"
#include "hw/i386/vtd_dram.h"
#include "intel_iommu_internal.h"

#define INDEXES 0x10000

typedef struct CachedIRTE {
    union VTD_IR_TableEntry entry;      /* as in memory, little-endian */
    int64_t stale_since;
} CachedIRTE;

static bool parse_pmr(VTDStrict *strict, Error **errp)
{
    if (strict->pmr &&
        sscanf(strict->pmr, "%" SCNx64 "-%" SCNx64, &strict->pmr_base,
               &strict->pmr_limit) != 2) {
        error_setg(errp, "x-pmr: expected BASE-LIMIT");
        return false;
    }
    return true;
}

bool vtd_strict_realize(VTDStrict *strict, QEMUTimerCB *const later[VTD_LATES],
                        void *unit, Error **errp)
{
    for (int i = 0; i < VTD_LATES; i++) {
        strict->late[i] = timer_new_us(QEMU_CLOCK_VIRTUAL, later[i], unit);
    }
    strict->iec = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    if (!strict->coherent) {
        vtd_dram_model(strict->rwbf);
    }
    return parse_pmr(strict, errp);
}

void vtd_strict_reset(VTDStrict *strict)
{
    for (int i = 0; i < VTD_LATES; i++) {
        timer_del(strict->late[i]);
    }
    g_hash_table_remove_all(strict->iec);
}

uint64_t vtd_strict_cap(const VTDStrict *strict)
{
    return (strict->rwbf ? VTD_CAP_RWBF : 0) |
           (strict->pmr ? VTD_CAP_PLMR : 0);
}

uint64_t vtd_strict_ecap(const VTDStrict *strict)
{
    return strict->coherent ? VTD_ECAP_C : 0;
}

void vtd_strict_later(VTDStrict *strict, enum vtd_late what)
{
    QEMUTimer *timer = strict->late[what];

    if (strict->delay_us) {
        timer_mod(timer, qemu_clock_get_us(QEMU_CLOCK_VIRTUAL) +
                  strict->delay_us);
    } else {
        timer->cb(timer->opaque);
    }
}

/*
 * A processor that reads a register in a loop may keep QEMU's timers from the
 * lock that they need, for as long as it reads.
 */
void vtd_strict_catch_up(VTDStrict *strict)
{
    int64_t now = qemu_clock_get_us(QEMU_CLOCK_VIRTUAL);

    for (int i = 0; i < VTD_LATES; i++) {
        QEMUTimer *timer = strict->late[i];

        if (timer_pending(timer) && timer_expired(timer, now)) {
            timer_del(timer);
            timer->cb(timer->opaque);
        }
    }
}

/*
 * One change in a write, and the one before it done (VT-d 10.4.4).  States are
 * those that the status register shows at the same bits.
 */
bool vtd_strict_commands(VTDStrict *strict, uint32_t status, uint32_t value)
{
    const uint32_t states = VTD_GCMD_TE | VTD_GCMD_QIE | VTD_GCMD_IRE |
                            VTD_GCMD_CFI;
    const uint32_t once = VTD_GCMD_SRTP | VTD_GCMD_SFL | VTD_GCMD_WBF |
                          VTD_GCMD_SIRTP;

    if (ctpop32(((status ^ value) & states) | (value & once)) > 1) {
        qemu_log_mask(LOG_GUEST_ERROR, "vtd: command %#x in status %#x changes "
                      "more than one thing\n", value, status);
    }
    if (timer_pending(strict->late[VTD_LATE_COMMAND])) {
        qemu_log_mask(LOG_GUEST_ERROR, "vtd: command %#x while the one before "
                      "it is under way\n", value);
        return true;
    }
    return ((status ^ value) & states) || (value & once);
}

bool vtd_strict_protects(const VTDStrict *strict, uint32_t pmen, uint64_t addr,
                         uint64_t mask)
{
    if (!strict->pmr || !(pmen & VTD_PMEN_PRS) ||
        addr + mask < strict->pmr_base ||
        addr > strict->pmr_limit) {
        return false;
    }
    qemu_log_mask(LOG_GUEST_ERROR, "vtd: DMA to protected memory %#" PRIx64
                  "\n", addr);
    return true;
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
