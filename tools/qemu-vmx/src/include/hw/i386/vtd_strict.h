/*
 * What a remapping unit of hardware does and QEMU's does not; a part of the
 * state of intel-iommu.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_STRICT_H
#define HW_I386_VTD_STRICT_H

#include "hw/qdev-properties.h"
#include "qemu/timer.h"

#define VTD_ECAP_C (1ULL << 0)
#define VTD_CAP_RWBF (1ULL << 4)
#define VTD_CAP_PLMR (1ULL << 5)
#define VTD_PMEN_EPM (1u << 31)
#define VTD_PMEN_PRS (1u << 0)

#define VTD_NO_PORT 0xff

union VTD_IR_TableEntry;

/* What a unit does a while after it was told to */
enum vtd_late { VTD_LATE_COMMAND, VTD_LATE_QUEUE, VTD_LATE_PMEN, VTD_LATES };

typedef struct VTDStrict {
    bool coherent;      /* x-coherent: page walks snoop (ECAP.C) */
    bool rwbf;          /* x-rwbf: and have a write buffer (CAP.RWBF) */
    uint32_t delay_us;  /* x-delay: until a command is obeyed; 0: at once */
    uint64_t base;      /* x-base: where the registers are */
    uint8_t port;       /* x-port: a further unit, for what is below the root
                           port 00:PORT.0 */
    char *pmr;          /* x-pmr: BASE-LIMIT, protected low memory, left on */
    uint64_t pmr_base, pmr_limit;
    QEMUTimer *late[VTD_LATES];
    GHashTable *iec;    /* interrupt entry cache: index to entry */
} VTDStrict;

#define DEFINE_VTD_STRICT_PROPERTIES(state) \
    DEFINE_PROP_BOOL("x-coherent", state, strict.coherent, false), \
    DEFINE_PROP_BOOL("x-rwbf", state, strict.rwbf, false), \
    DEFINE_PROP_UINT32("x-delay", state, strict.delay_us, 100), \
    DEFINE_PROP_UINT64("x-base", state, strict.base, \
                       Q35_HOST_BRIDGE_IOMMU_ADDR), \
    DEFINE_PROP_UINT8("x-port", state, strict.port, VTD_NO_PORT), \
    DEFINE_PROP_STRING("x-pmr", state, strict.pmr)

/* At realization; @later: what each of enum vtd_late does, given @unit. */
bool vtd_strict_realize(VTDStrict *strict, QEMUTimerCB *const later[VTD_LATES],
                        void *unit, Error **errp);
void vtd_strict_reset(VTDStrict *strict);

/* Capabilities beside those that QEMU's unit has */
uint64_t vtd_strict_cap(const VTDStrict *strict);
uint64_t vtd_strict_ecap(const VTDStrict *strict);

/* Now or in a while; what is under way starts anew. */
void vtd_strict_later(VTDStrict *strict, enum vtd_late what);

/* A register is read: what is due has been done. */
void vtd_strict_catch_up(VTDStrict *strict);

/*
 * The global command register is written: complains of what is not software's
 * to do.  False: nothing is to be changed, and so there is nothing to wait for.
 */
bool vtd_strict_commands(VTDStrict *strict, uint32_t status, uint32_t value);

/*
 * Fetches interrupt remapping entry @index at @addr, from the cache if it is
 * there; as it is in memory, little-endian.
 */
MemTxResult vtd_strict_read_irte(VTDStrict *strict, uint16_t index,
                                 dma_addr_t addr,
                                 union VTD_IR_TableEntry *entry);

/* Entry @index, as the processor reads it, is one that a unit may keep. */
void vtd_strict_cache_irte(VTDStrict *strict, uint16_t index,
                           const union VTD_IR_TableEntry *entry);

/* An invalidation of the interrupt entry cache: all, or 2^@mask from @index */
void vtd_strict_forget_irtes(VTDStrict *strict, bool all, uint32_t index,
                             unsigned mask);

/* DMA to [addr, addr + mask] goes into memory that @pmen protects. */
bool vtd_strict_protects(const VTDStrict *strict, uint32_t pmen, uint64_t addr,
                         uint64_t mask);

#endif
