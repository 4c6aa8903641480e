/*
 * Memory as devices see it that do not snoop the processors' caches.
 *
 * QEMU has no caches: what a processor stores is in memory at once.  So this
 * keeps, beside memory, what DRAM would hold: of a line what it had at the last
 * CLFLUSH, CLFLUSHOPT or CLWB of it.  A line that was never written back reads
 * as all ones, in place of what chance left there.
 *
 * A real cache writes lines back by itself, too, at a time of its own.  Software
 * that relies on that works by luck, so it is not modelled.  WBINVD refreshes
 * only lines that were written back one by one before: a copy of all memory at
 * each would be needed for the others, which firmware's many WBINVDs would make
 * useless besides.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/rcu.h"
#include "qemu/thread.h"
#include "qemu/timer.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/i386/vtd_dram.h"

#define LINE 64
#define STALE_MS 1000

typedef struct Line {
    uint8_t bytes[LINE];
    int64_t stale_since;
} Line;

static GHashTable *dram;        /* host address of a line: Line */
static GHashTable *buffer;      /* the same, on its way there; or NULL */
static QemuMutex lock;

bool vtd_stays_stale(int64_t *since, bool differs)
{
    int64_t now = qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL);

    if (!differs) {
        *since = 0;
    } else if (!*since) {
        *since = now;
    }
    return differs && now - *since > STALE_MS;
}

void vtd_dram_model(bool buffered)
{
    if (!dram) {
        qemu_mutex_init(&lock);
        dram = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    }
    if (buffered && !buffer) {
        buffer = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    }
}

void vtd_dram_drain(void)
{
    GHashTableIter it;
    gpointer address, line;

    if (!buffer) {
        return;
    }
    QEMU_LOCK_GUARD(&lock);
    g_hash_table_iter_init(&it, buffer);
    while (g_hash_table_iter_next(&it, &address, &line)) {
        g_hash_table_iter_steal(&it);
        g_hash_table_replace(dram, address, line);
    }
}

static void *line_of(void *host)
{
    return (void *)((uintptr_t)host & -(uintptr_t)LINE);
}

void vtd_dram_write_back(void *host)
{
    void *address = line_of(host);
    GHashTable *to = buffer ?: dram;
    Line *line;

    if (!to) {
        return;
    }
    QEMU_LOCK_GUARD(&lock);
    line = g_hash_table_lookup(to, address);
    if (!line) {
        line = g_new0(Line, 1);
        g_hash_table_insert(to, address, line);
    }
    memcpy(line->bytes, address, LINE);
}

void vtd_dram_write_back_all(void)
{
    GHashTableIter it;
    gpointer address, line;

    if (!dram) {
        return;
    }
    QEMU_LOCK_GUARD(&lock);
    g_hash_table_iter_init(&it, dram);
    while (g_hash_table_iter_next(&it, &address, &line)) {
        memcpy(((Line *)line)->bytes, address, LINE);
    }
}

static void read_copy(dma_addr_t addr, void *host, void *buf, dma_addr_t len)
{
    Line *line;

    QEMU_LOCK_GUARD(&lock);
    line = g_hash_table_lookup(dram, line_of(host));
    if (!line) {
        memset(buf, 0xff, len);
        qemu_log_mask(LOG_GUEST_ERROR, "vtd: the entry at %#" PRIx64
                      " was never written back\n", addr);
        return;
    }
    memcpy(buf, line->bytes + ((uintptr_t)host & (LINE - 1)), len);
    if (vtd_stays_stale(&line->stale_since, memcmp(buf, host, len))) {
        qemu_log_mask(LOG_GUEST_ERROR, "vtd: the entry at %#" PRIx64
                      " was changed and not written back\n", addr);
    }
}

MemTxResult vtd_dram_read(dma_addr_t addr, void *buf, dma_addr_t len)
{
    hwaddr xlat, l = len;
    MemoryRegion *mr;

    if (!dram) {
        return dma_memory_read(&address_space_memory, addr, buf, len,
                               MEMTXATTRS_UNSPECIFIED);
    }
    assert(addr / LINE == (addr + len - 1) / LINE);
    RCU_READ_LOCK_GUARD();
    mr = address_space_translate(&address_space_memory, addr, &xlat, &l, false,
                                 MEMTXATTRS_UNSPECIFIED);
    if (!memory_region_is_ram(mr)) {
        return MEMTX_DECODE_ERROR;
    }
    read_copy(addr, (uint8_t *)memory_region_get_ram_ptr(mr) + xlat, buf, len);
    return MEMTX_OK;
}
