/*
 * What a remapping unit of hardware does and QEMU's does not; a part of the
 * state of intel-iommu.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_STRICT_H
#define HW_I386_VTD_STRICT_H

#include "hw/qdev-properties.h"

#define VTD_ECAP_C (1ULL << 0)

union VTD_IR_TableEntry;

typedef struct VTDStrict {
    bool coherent;      /* x-coherent: page walks snoop (ECAP.C) */
    GHashTable *iec;    /* interrupt entry cache: index to entry */
} VTDStrict;

#define DEFINE_VTD_STRICT_PROPERTIES(state) \
    DEFINE_PROP_BOOL("x-coherent", state, strict.coherent, false)

/* At realization, and at each reset */
void vtd_strict_realize(VTDStrict *strict);
void vtd_strict_reset(VTDStrict *strict);

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

#endif
