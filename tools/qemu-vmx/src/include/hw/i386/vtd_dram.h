/*
 * Memory as devices see it that do not snoop the processors' caches, as the
 * page walks of a remapping unit with ECAP.C = 0 (VT-d 6.8).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_DRAM_H
#define HW_I386_VTD_DRAM_H

#include "exec/memattrs.h"
#include "system/dma.h"

/*
 * True once @differs has been so for a second, as @since says, which is 0 at
 * first.  Software changes a thing and then says so: for a moment a unit may
 * use the old one.
 */
bool vtd_stays_stale(int64_t *since, bool differs);

/*
 * From now on memory and caches may differ.  @buffered: a line that is written
 * back waits in a write buffer, until that is drained.
 */
void vtd_dram_model(bool buffered);

/* The write buffer is flushed, by command or before an invalidation. */
void vtd_dram_drain(void);

/* A processor writes back the line at @host, an address within guest RAM. */
void vtd_dram_write_back(void *host);

/* A processor writes back all lines (WBINVD). */
void vtd_dram_write_back_all(void);

/*
 * Reads a part of a translation table that lies within a cache line; what a
 * walk finds that the processors see otherwise is said in the guest-error log.
 */
MemTxResult vtd_dram_read(dma_addr_t addr, void *buf, dma_addr_t len);

#endif
