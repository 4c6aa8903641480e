/*
 * What is left of translations when the processor goes from one world (VMX root
 * operation, the guest) to the other.
 *
 * QEMU's TLB has 16 indexes.  Root operation uses the first eight, the guest the
 * other eight, so that the translations of both outlive VM entries and exits as
 * the SDM (volume 3, 29.4) lets them: with VPID, until INVVPID or INVEPT or
 * what the world itself does; translations of guest-physical addresses, until
 * INVEPT.  A forgotten invalidation is seen here at the next access.
 *
 * One VPID and one EPTP are remembered for a processor; another one flushes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "exec/helper-proto.h"
#include "exec/cputlb.h"
#include "tcg/helper-tcg.h"

#define ROOT            0x00ff
#define GUEST_LINEAR    0x7f00  /* linear and combined mappings */
#define GUEST_PHYSICAL  0x8000
#define EPTP_TABLE      MAKE_64BIT_MASK(12, 40)

#define ALL_CONTEXTS    2       /* a type of INVEPT, and of INVVPID */
#define ADDRESS         0       /* a type of INVVPID */

/* Linear and combined mappings of the world that runs */
static uint16_t own_linear(CPUX86State *env)
{
    return x86_mmu_index_group(env) ? GUEST_LINEAR : ROOT;
}

/* MOV to CR0, CR3 and CR4, and what QEMU's TLB holds beside translations */
void x86_tlb_flush(CPUX86State *env)
{
    tlb_flush_by_mmuidx(env_cpu(env), own_linear(env));
}

/* INVLPG */
void helper_flush_page(CPUX86State *env, target_ulong addr)
{
    tlb_flush_page_by_mmuidx(env_cpu(env), addr, own_linear(env));
}

/*
 * Modes that a processor applies at each access, but that are part of what
 * QEMU's entries permit: if the world comes back with others, its entries are
 * of no use.  (Not those that change how addresses are translated: these leave
 * stale translations.)
 */
static uint32_t permission_mode(CPUX86State *env)
{
    return (env->cr[0] & CR0_WP_MASK) |
           (env->cr[4] & (CR4_SMEP_MASK | CR4_SMAP_MASK | CR4_PKE_MASK |
                          CR4_PKS_MASK)) |
           (env->efer & MSR_EFER_NXE ? 1 : 0);
}

static uint64_t protection_keys(CPUX86State *env)
{
    return env->pkru | (uint64_t)env->pkrs << 32;
}

void vmx_tlb_leave(CPUX86State *env)
{
    env->vmx.tlb_mode[env->vmx.nonroot] = permission_mode(env);
    env->vmx.tlb_keys[env->vmx.nonroot] = protection_keys(env);
}

/* What of the guest's is another one's than those that are there */
static uint16_t change_tags(CPUVMXState *v, uint64_t eptp, uint32_t vpid)
{
    uint16_t flush = 0;

    if (eptp != v->tlb_eptp) {
        flush = GUEST_LINEAR | GUEST_PHYSICAL;
    } else if (vpid != v->tlb_vpid) {
        flush = GUEST_LINEAR;
    }
    v->tlb_eptp = eptp;
    v->tlb_vpid = vpid;
    return flush;
}

void vmx_tlb_enter(CPUX86State *env)
{
    CPUVMXState *v = &env->vmx;
    bool ept = v->proc2 & VMX_SECONDARY_EXEC_ENABLE_EPT;
    bool tagged = v->proc2 & VMX_SECONDARY_EXEC_ENABLE_VPID;
    uint16_t flush = tagged ? 0 : ROOT | GUEST_LINEAR;  /* 29.4.3.1 */

    if (v->nonroot) {
        flush |= change_tags(v, ept ? v->eptp & EPTP_TABLE : 0,
                             tagged ? v->vpid : 0);
    }
    if (permission_mode(env) != v->tlb_mode[v->nonroot] ||
        protection_keys(env) != v->tlb_keys[v->nonroot]) {
        flush |= own_linear(env);
    }
    if (flush) {
        tlb_flush_by_mmuidx(env_cpu(env), flush);
    }
}

void vmx_tlb_invept(CPUX86State *env, uint64_t type, uint64_t eptp)
{
    if (type == ALL_CONTEXTS || (eptp & EPTP_TABLE) == env->vmx.tlb_eptp) {
        tlb_flush_by_mmuidx(env_cpu(env), GUEST_LINEAR | GUEST_PHYSICAL);
    }
}

/* Of VPID 0000H, which INVVPID leaves alone, there is nothing if VPID is on. */
void vmx_tlb_invvpid(CPUX86State *env, uint64_t type, uint64_t vpid,
                     uint64_t linear)
{
    CPUState *cs = env_cpu(env);

    if (type != ALL_CONTEXTS && vpid != env->vmx.tlb_vpid) {
        return;
    }
    if (type == ADDRESS) {
        tlb_flush_page_by_mmuidx(cs, linear, GUEST_LINEAR);
    } else {
        tlb_flush_by_mmuidx(cs, GUEST_LINEAR);
    }
}

/* What the access used is forgotten (29.4.3.1), and nothing else. */
void vmx_tlb_violation(CPUX86State *env, uint64_t gpa, uint64_t gla,
                       enum vmx_gla gla_kind)
{
    tlb_flush_entry_by_mmuidx(env_cpu(env), gpa, GUEST_PHYSICAL);
    if (gla_kind != VMX_GLA_NONE) {
        tlb_flush_entry_by_mmuidx(env_cpu(env), gla, GUEST_LINEAR);
    }
}
