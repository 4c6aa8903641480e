/*
 * Instructions that write cache lines back, for devices that do not snoop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "exec/helper-proto.h"
#include "exec/cpu_ldst.h"
#include "hw/i386/vtd_dram.h"
#include "tcg/helper-tcg.h"

/* CLFLUSH, CLFLUSHOPT, CLWB: faults as a load of a byte does (SDM 2A). */
void helper_clflush(CPUX86State *env, target_ulong addr)
{
    void *host = probe_access(env, addr, 1, MMU_DATA_LOAD,
                              cpu_mmu_index(env_cpu(env), false), GETPC());

    if (host) {
        vtd_dram_write_back(host);
    }
}

/* The checks of privilege, and the exit, came before. */
void helper_wbinvd(CPUX86State *env)
{
    vtd_dram_write_back_all();
}
