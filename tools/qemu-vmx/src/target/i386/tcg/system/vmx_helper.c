/*
 * VMX (Intel VT-x) for TCG: root and non-root operation, VMCS, EPT.
 *
 * Structure follows the Intel SDM volume 3: capability MSRs (appendix A), VMX
 * instructions (chapter 31), checks and loading at VM entry (chapter 27), VM
 * exits (chapters 26 and 28), EPT (chapter 29).  Where a VM entry fails, the
 * failing check is named in the guest-error log (-d guest_errors).
 *
 * Not modelled: dual-monitor treatment of SMM, APIC virtualization beyond the
 * TPR shadow, monitor trap flag, PML, VMFUNC, shadow VMCSs, TSC scaling.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/timer.h"
#include "qemu/main-loop.h"
#include "qemu/error-report.h"
#include "cpu.h"
#include "exec/helper-proto.h"
#include "exec/cputlb.h"
#include "exec/cpu_ldst.h"
#include "exec/page-protection.h"
#include "exec/address-spaces.h"
#include "hw/boards.h"
#include "hw/i386/apic.h"
#include "hw/i386/apic_internal.h"
#include "tcg/helper-tcg.h"

#define NO_VMCS                 (~UINT64_C(0))
#define PREEMPTION_TIMER_SHIFT  5
#define MSR_AREA_MAX            512     /* as VMX_MISC says */
#define DEBUGCTL_BTF            (1u << 1)

#define CPU_BASED(bit)          (env->vmx.proc & VMX_CPU_BASED_##bit)
#define SECONDARY(bit)          (env->vmx.proc2 & VMX_SECONDARY_EXEC_##bit)
#define PIN_BASED(bit)          (env->vmx.pin & VMX_PIN_BASED_##bit)

/* ------------------------------------------------------------ VMCS fields */

static uint64_t *vmcs_slot(VMCSCache *v, uint32_t field)
{
    unsigned group = ((field >> 13) & 3) << 2 | ((field >> 10) & 3);

    return &v->field[group * VMCS_INDEXES + ((field >> 1) & 0x1ff)];
}

static uint64_t vmcs_read(CPUX86State *env, uint32_t field)
{
    return *vmcs_slot(&env->vmx.vmcs, field);
}

static void vmcs_write(CPUX86State *env, uint32_t field, uint64_t val)
{
    *vmcs_slot(&env->vmx.vmcs, field) = val;
}

static bool vmcs_field_exists(uint64_t field)
{
    if ((field & 1) && ((field >> 13) & 3) != 1) {
        return false;           /* only 64-bit fields have a high half */
    }
    switch (field & ~UINT64_C(1)) {
#define X(name, enc) case enc:
    VMCS_FIELD_LIST(X)
#undef X
        return true;
    default:
        return false;
    }
}

static bool vmcs_field_is_read_only(uint32_t field)
{
    return ((field >> 10) & 3) == 1;
}

static uint64_t vmcs_field_mask(uint32_t field)
{
    switch ((field >> 13) & 3) {
    case 0:
        return 0xffff;
    case 2:
        return 0xffffffff;
    default:
        return ~UINT64_C(0);
    }
}

static void vmcs_load(CPUX86State *env, uint64_t ptr)
{
    cpu_physical_memory_read(ptr, &env->vmx.vmcs, sizeof(VMCSCache));
    env->vmx.vmcs_ptr = ptr;
}

static void vmcs_flush(CPUX86State *env)
{
    if (env->vmx.vmcs_ptr != NO_VMCS) {
        cpu_physical_memory_write(env->vmx.vmcs_ptr, &env->vmx.vmcs,
                                  sizeof(VMCSCache));
    }
}

/*
 * What the SDM calls undefined has this value: whoever relies on it is found
 * out.  A VMCS has it in all fields from the first VMCLEAR of its memory on
 * (25.11.3), but for kvm_relies_on.
 */
#define UNDEFINED UINT64_C(0x5a5a5a5a5a5a5a5a)

/*
 * KVM (of Linux 6.1) does not write these in the VMCS that it runs a nested
 * guest with, or only if they are not 0, so every processor that people run KVM
 * on has 0 there, promised or not.
 */
static const uint32_t kvm_relies_on[] = {
    VMCS_CR3_TARGET_COUNT, VMCS_GUEST_ACTIVITY, VMCS_HOST_FS_SEL,
    VMCS_HOST_GS_SEL, VMCS_HOST_FS_BASE, VMCS_HOST_GS_BASE,
};

static void vmcs_undefined(CPUX86State *env, uint32_t field)
{
    vmcs_write(env, field, UNDEFINED & vmcs_field_mask(field));
}

static void vmcs_first_clear(CPUX86State *env, uint64_t addr)
{
    CPUState *cs = env_cpu(env);
    g_autofree VMCSCache *v = NULL;

    if (x86_ldl_phys(cs, addr + offsetof(VMCSCache, cleared)) == VMCS_CLEARED) {
        return;
    }
    v = g_new0(VMCSCache, 1);
    v->revision = x86_ldl_phys(cs, addr);
    v->cleared = VMCS_CLEARED;
    for (int i = 0; i < ARRAY_SIZE(v->field); i++) {
        uint32_t width = i / VMCS_INDEXES >> 2; /* as in an encoding */

        v->field[i] = UNDEFINED & vmcs_field_mask(width << 13);
    }
    for (int i = 0; i < ARRAY_SIZE(kvm_relies_on); i++) {
        *vmcs_slot(v, kvm_relies_on[i]) = 0;
    }
    cpu_physical_memory_write(addr, v, sizeof(*v));
}

/* ------------------------------------------------------- capability MSRs */

#define PIN_DEFAULT1    0x00000016u
#define PROC_DEFAULT1   0x0401e172u
#define EXIT_DEFAULT1   0x00036dffu
#define ENTRY_DEFAULT1  0x000011ffu

/* A feature bit that is set says that the control may be 0 and may be 1. */
static uint64_t ctls_cap(uint32_t default1, uint32_t features, bool true_ctls)
{
    uint32_t allowed0 = true_ctls ? default1 & ~features : default1;

    return (uint64_t)(default1 | features) << 32 | allowed0;
}

static uint64_t vmx_cap(CPUX86State *env, uint32_t msr)
{
    const FeatureWordArray *f = &env->features;
    uint64_t exit_features = (*f)[FEAT_VMX_EXIT_CTLS];

    if ((*f)[FEAT_8000_0001_EDX] & CPUID_EXT2_LM) {
        exit_features |= VMX_VM_EXIT_HOST_ADDR_SPACE_SIZE;
    }

    switch (msr) {
    case MSR_IA32_VMX_BASIC:
        return (*f)[FEAT_VMX_BASIC] | VMCS_REVISION_ID |
               (uint64_t)VMCS_SIZE << 32 | UINT64_C(6) << 50;
    case MSR_IA32_VMX_PINBASED_CTLS:
    case MSR_IA32_VMX_TRUE_PINBASED_CTLS:
        return ctls_cap(PIN_DEFAULT1, (*f)[FEAT_VMX_PINBASED_CTLS],
                        msr == MSR_IA32_VMX_TRUE_PINBASED_CTLS);
    case MSR_IA32_VMX_PROCBASED_CTLS:
    case MSR_IA32_VMX_TRUE_PROCBASED_CTLS:
        return ctls_cap(PROC_DEFAULT1, (*f)[FEAT_VMX_PROCBASED_CTLS],
                        msr == MSR_IA32_VMX_TRUE_PROCBASED_CTLS);
    case MSR_IA32_VMX_EXIT_CTLS:
    case MSR_IA32_VMX_TRUE_EXIT_CTLS:
        return ctls_cap(EXIT_DEFAULT1, exit_features,
                        msr == MSR_IA32_VMX_TRUE_EXIT_CTLS);
    case MSR_IA32_VMX_ENTRY_CTLS:
    case MSR_IA32_VMX_TRUE_ENTRY_CTLS:
        return ctls_cap(ENTRY_DEFAULT1, (*f)[FEAT_VMX_ENTRY_CTLS],
                        msr == MSR_IA32_VMX_TRUE_ENTRY_CTLS);
    case MSR_IA32_VMX_MISC:
        return (*f)[FEAT_VMX_MISC] | PREEMPTION_TIMER_SHIFT | 4 << 16;
    case MSR_IA32_VMX_CR0_FIXED0:
        return CR0_PE_MASK | CR0_NE_MASK | CR0_PG_MASK;
    case MSR_IA32_VMX_CR0_FIXED1:
        return 0xffffffff;
    case MSR_IA32_VMX_CR4_FIXED0:
        return CR4_VMXE_MASK;
    case MSR_IA32_VMX_CR4_FIXED1:
        return (uint32_t)~cr4_reserved_bits(env);
    case MSR_IA32_VMX_VMCS_ENUM:
        return VMCS_HIGHEST_INDEX << 1;
    case MSR_IA32_VMX_PROCBASED_CTLS2:
        return (*f)[FEAT_VMX_SECONDARY_CTLS] << 32;
    case MSR_IA32_VMX_EPT_VPID_CAP:
        return (*f)[FEAT_VMX_EPT_VPID_CAPS] |
               ((*f)[FEAT_VMX_EPT_VPID_CAPS] ?
                MSR_VMX_EPT_UC | MSR_VMX_EPT_WB : 0);
    default:
        return 0;
    }
}

/*
 * An MSR that TCG does not have.  Outside of VMX operation firmware reads many
 * that real processors of its kind have.  But KVM looks there for this one, and
 * then relies on it.
 */
static int absent_msr(CPUX86State *env, uint32_t msr, const char *access)
{
    if (!env->vmx.on) {
        return msr == MSR_IA32_SPEC_CTRL ? -1 : 0;
    }
    if (!env->vmx.nonroot) {
        qemu_log_mask(LOG_GUEST_ERROR, "vmx: %s of %#x, which does not exist\n",
                      access, msr);
    }
    return -1;
}

int vmx_rdmsr(CPUX86State *env, uint32_t msr, uint64_t *val)
{
    *val = 0;
    if (!cpu_has_vmx(env)) {
        return 0;
    }
    switch (msr) {
    case MSR_IA32_FEATURE_CONTROL:
        *val = env->msr_ia32_feature_control;
        return 0;
    case MSR_IA32_VMX_BASIC ... MSR_IA32_VMX_TRUE_ENTRY_CTLS:
        *val = vmx_cap(env, msr);
        return 0;
    default:
        return absent_msr(env, msr, "RDMSR");
    }
}

int vmx_wrmsr(CPUX86State *env, uint32_t msr, uint64_t val)
{
    if (!cpu_has_vmx(env)) {
        return 0;
    }
    switch (msr) {
    case MSR_IA32_FEATURE_CONTROL:
        if (env->msr_ia32_feature_control & FEATURE_CONTROL_LOCKED) {
            return -1;
        }
        env->msr_ia32_feature_control = val;
        return 0;
    case MSR_IA32_VMX_BASIC ... MSR_IA32_VMX_VMFUNC:
        return -1;
    default:
        return absent_msr(env, msr, "WRMSR");
    }
}

/* ---------------------------------------------------------------- VM exit */

static uint32_t take_insn_len(CPUX86State *env, uintptr_t retaddr)
{
    if (retaddr) {
        cpu_restore_state(env_cpu(env), retaddr);
    }
    return env->vmx.insn_len;
}

/* Leave the guest.  The caller has filled env->vmx.exit but for the reason. */
static G_NORETURN void exit_guest(CPUX86State *env, uint32_t reason)
{
    CPUState *cs = env_cpu(env);

    env->vmx.exit.reason = reason;
    env->old_exception = -1;
    cs->exception_index = EXCP_VMEXIT;
    cpu_loop_exit(cs);
}

static void exit_begin(CPUX86State *env)
{
    memset(&env->vmx.exit, 0, sizeof(env->vmx.exit));
}

static G_NORETURN void insn_exit(CPUX86State *env, uint32_t reason,
                                 uint64_t qualification, uintptr_t retaddr)
{
    uint32_t len = take_insn_len(env, retaddr);

    exit_begin(env);
    env->vmx.exit.insn_len = len;
    env->vmx.exit.qualification = qualification;
    exit_guest(env, reason);
}

/* An exit that no instruction causes, taken between instructions. */
static G_NORETURN void async_exit(CPUX86State *env, uint32_t reason,
                                  uint64_t qualification)
{
    exit_begin(env);
    env->vmx.exit.qualification = qualification;
    exit_guest(env, reason);
}

G_NORETURN void vmx_triple_fault(CPUX86State *env, uintptr_t retaddr)
{
    take_insn_len(env, retaddr);
    env->vmx.event_info = 0;    /* not "during event delivery" */
    async_exit(env, VMX_EXIT_TRIPLE_FAULT, 0);
}

G_NORETURN void vmx_task_switch(CPUX86State *env, uint32_t selector, int source,
                                uint32_t insn_len, uintptr_t retaddr)
{
    uint32_t len = take_insn_len(env, retaddr);

    exit_begin(env);
    env->vmx.exit.insn_len = retaddr ? len : insn_len;
    env->vmx.exit.qualification = selector | source << 30;
    exit_guest(env, VMX_EXIT_TASK_SWITCH);
}

static uint32_t seg_to_ar(const SegmentCache *sc)
{
    uint32_t ar = (sc->flags >> 8) & 0xf0ff;

    if (!(sc->flags & DESC_P_MASK)) {
        return 1 << 16;
    }
    /* TCG sets the accessed bit in memory, and not always in its cache. */
    return sc->flags & DESC_S_MASK ? ar | 1 : ar;
}

static void save_segment(CPUX86State *env, int n, const SegmentCache *sc)
{
    vmcs_write(env, VMCS_GUEST_ES_SEL + 2 * n, sc->selector & 0xffff);
    vmcs_write(env, VMCS_GUEST_ES_LIMIT + 2 * n, sc->limit);
    vmcs_write(env, VMCS_GUEST_ES_AR + 2 * n, seg_to_ar(sc));
    vmcs_write(env, VMCS_GUEST_ES_BASE + 2 * n, sc->base);
}

static void save_guest_state(CPUX86State *env)
{
    CPUState *cs = env_cpu(env);
    uint32_t exit_ctls = vmcs_read(env, VMCS_EXIT_CTLS);
    uint32_t entry_ctls = vmcs_read(env, VMCS_ENTRY_CTLS);
    uint64_t rflags = cpu_compute_eflags(env);
    uint32_t blocking = 0, pending = 0;

    vmcs_write(env, VMCS_GUEST_CR0, env->cr[0]);
    vmcs_write(env, VMCS_GUEST_CR3, env->cr[3]);
    vmcs_write(env, VMCS_GUEST_CR4, env->cr[4]);
    if (exit_ctls & VMX_VM_EXIT_SAVE_DEBUG_CONTROLS) {
        vmcs_write(env, VMCS_GUEST_DR7, env->dr[7]);
        vmcs_write(env, VMCS_GUEST_DEBUGCTL, 0);
    }
    if (exit_ctls & VMX_VM_EXIT_SAVE_IA32_PAT) {
        vmcs_write(env, VMCS_GUEST_PAT, env->pat);
    }
    if (exit_ctls & VMX_VM_EXIT_SAVE_IA32_EFER) {
        vmcs_write(env, VMCS_GUEST_EFER, env->efer);
    }
    vmcs_write(env, VMCS_GUEST_SYSENTER_CS, env->sysenter_cs);
    vmcs_write(env, VMCS_GUEST_SYSENTER_ESP, env->sysenter_esp);
    vmcs_write(env, VMCS_GUEST_SYSENTER_EIP, env->sysenter_eip);

    for (int i = 0; i < 6; i++) {
        save_segment(env, i, &env->segs[i]);
    }
    save_segment(env, 6, &env->ldt);
    save_segment(env, 7, &env->tr);
    /* TCG marks the TSS busy in memory only, not in its segment cache. */
    vmcs_write(env, VMCS_GUEST_TR_AR, vmcs_read(env, VMCS_GUEST_TR_AR) | 2);
    /* The DPL of SS is the CPL even where SS is unusable. */
    vmcs_write(env, VMCS_GUEST_SS_AR,
               (vmcs_read(env, VMCS_GUEST_SS_AR) & ~0x60) |
               (env->hflags & HF_CPL_MASK) << 5);
    vmcs_write(env, VMCS_GUEST_GDTR_BASE, env->gdt.base);
    vmcs_write(env, VMCS_GUEST_GDTR_LIMIT, env->gdt.limit);
    vmcs_write(env, VMCS_GUEST_IDTR_BASE, env->idt.base);
    vmcs_write(env, VMCS_GUEST_IDTR_LIMIT, env->idt.limit);

    vmcs_write(env, VMCS_GUEST_RSP, env->regs[R_ESP]);
    vmcs_write(env, VMCS_GUEST_RIP, env->eip);
    vmcs_write(env, VMCS_GUEST_RFLAGS, rflags);

    if (env->hflags & HF_INHIBIT_IRQ_MASK) {
        /* Which of the two is not recorded; STI blocks only where IF is 1. */
        blocking |= rflags & IF_MASK ? VMX_BLOCK_STI : VMX_BLOCK_MOV_SS;
    }
    if (env->hflags2 & HF2_NMI_MASK) {
        blocking |= VMX_BLOCK_NMI;
    }
    vmcs_write(env, VMCS_GUEST_INTERRUPTIBILITY, blocking);
    vmcs_write(env, VMCS_GUEST_ACTIVITY,
               env->vmx.wait_for_sipi ? VMX_ACTIVITY_WAIT_SIPI :
               env->vmx.hlt ? VMX_ACTIVITY_HLT : VMX_ACTIVITY_ACTIVE);
    /* With blocking or in HLT the next entry checks BS against TF. */
    if ((blocking & (VMX_BLOCK_STI | VMX_BLOCK_MOV_SS)) || env->vmx.hlt) {
        pending = rflags & TF_MASK ? DR6_BS : 0;
    }
    vmcs_write(env, VMCS_GUEST_PENDING_DBG, pending);

    if (env->features[FEAT_VMX_MISC] & MSR_VMX_MISC_STORE_LMA) {
        entry_ctls &= ~VMX_VM_ENTRY_IA32E_MODE;
        if (env->efer & MSR_EFER_LMA) {
            entry_ctls |= VMX_VM_ENTRY_IA32E_MODE;
        }
        vmcs_write(env, VMCS_ENTRY_CTLS, entry_ctls);
    }

    if (PIN_BASED(VMX_PREEMPTION_TIMER) &&
        (exit_ctls & VMX_VM_EXIT_SAVE_VMX_PREEMPTION_TIMER)) {
        uint64_t left = vmcs_read(env, VMCS_PREEMPTION_TIMER);
        uint64_t gone = (cpu_get_tsc(env) - env->vmx.entry_tsc) >>
                        PREEMPTION_TIMER_SHIFT;

        vmcs_write(env, VMCS_PREEMPTION_TIMER,
                   env->vmx.timer_expired || gone >= left ? 0 : left - gone);
    }

    if (SECONDARY(ENABLE_EPT) && (env->cr[0] & CR0_PG_MASK) &&
        (env->cr[4] & CR4_PAE_MASK) && !(env->efer & MSR_EFER_LMA)) {
        for (int i = 0; i < 4; i++) {
            hwaddr hpa;
            int prot;
            uint64_t size;
            uint32_t fault;
            uint64_t gpa = (env->cr[3] & 0xffffffe0) + 8 * i;

            if (vmx_ept_walk(env, gpa, MMU_DATA_LOAD, &hpa, &prot, &size,
                             &fault)) {
                vmcs_write(env, VMCS_GUEST_PDPTE0 + 2 * i,
                           x86_ldq_phys(cs, hpa));
            }
        }
    }
}

/* The instructions of 28.2.5 whose exits have instruction information */
static bool has_insn_info(CPUVMXState *v)
{
    switch (v->exit.reason) {
    case VMX_EXIT_VMCLEAR:
    case VMX_EXIT_VMPTRLD:
    case VMX_EXIT_VMPTRST:
    case VMX_EXIT_VMREAD:
    case VMX_EXIT_VMWRITE:
    case VMX_EXIT_VMXON:
    case VMX_EXIT_INVEPT:
    case VMX_EXIT_INVVPID:
    case VMX_EXIT_GDTR_IDTR:
    case VMX_EXIT_LDTR_TR:
        return true;
    case VMX_EXIT_IO:
        return v->exit.qualification & VMX_IO_STRING;
    default:
        return false;
    }
}

/*
 * What this exit does not give (28.2).  The SDM says that other exits than
 * those it lists clear the qualification; of EPT misconfigurations
 * kvm-unit-tests has it that processors do not.
 */
static void undefined_exit_information(CPUX86State *env)
{
    CPUVMXState *v = &env->vmx;
    bool violation = v->exit.reason == VMX_EXIT_EPT_VIOLATION;
    bool misconfig = v->exit.reason == VMX_EXIT_EPT_MISCONFIG;
    bool string_io = v->exit.reason == VMX_EXIT_IO && has_insn_info(v);
    bool vectoring = v->event_info & VMX_EVENT_VALID;
    bool software = vectoring &&
                    ((v->event_info >> VMX_EVENT_TYPE_SHIFT) & 7) >=
                    VMX_EVENT_SW_INT;

    if ((!v->exit.insn_len || violation || misconfig) && !software) {
        vmcs_undefined(env, VMCS_EXIT_INSN_LEN);
    }
    if (!has_insn_info(v)) {
        vmcs_undefined(env, VMCS_EXIT_INSN_INFO);
    }
    if (misconfig) {
        vmcs_undefined(env, VMCS_EXIT_QUALIFICATION);
    }
    if (!violation && !misconfig) {
        vmcs_undefined(env, VMCS_GUEST_PHYS_ADDR);
    }
    if (!string_io &&
        !(violation && (v->exit.qualification & EPT_QUAL_GLA_VALID))) {
        vmcs_undefined(env, VMCS_GUEST_LINEAR_ADDR);
    }
    if (!(v->exit.intr_info & VMX_EVENT_VALID)) {
        vmcs_write(env, VMCS_EXIT_INTR_INFO,
                   (uint32_t)UNDEFINED & ~VMX_EVENT_VALID);
    }
    if (!(v->exit.intr_info & VMX_EVENT_HAS_ERROR)) {
        vmcs_undefined(env, VMCS_EXIT_INTR_ERROR);
    }
    vmcs_write(env, VMCS_IDT_VECTORING_INFO, vectoring ?
               v->event_info | VMX_EVENT_NMI_UNBLOCK :
               (uint32_t)UNDEFINED & ~VMX_EVENT_VALID);
    if (!vectoring || !(v->event_info & VMX_EVENT_HAS_ERROR)) {
        vmcs_undefined(env, VMCS_IDT_VECTORING_ERROR);
    }
}

static void save_exit_information(CPUX86State *env)
{
    CPUVMXState *v = &env->vmx;

    vmcs_write(env, VMCS_EXIT_REASON, v->exit.reason);
    vmcs_write(env, VMCS_EXIT_QUALIFICATION, v->exit.qualification);
    vmcs_write(env, VMCS_EXIT_INTR_INFO, v->exit.intr_info);
    vmcs_write(env, VMCS_EXIT_INTR_ERROR, v->exit.intr_error);
    vmcs_write(env, VMCS_EXIT_INSN_LEN, v->exit.insn_len);
    vmcs_write(env, VMCS_EXIT_INSN_INFO, v->exit.insn_info);
    vmcs_write(env, VMCS_GUEST_PHYS_ADDR, v->exit.gpa);
    vmcs_write(env, VMCS_GUEST_LINEAR_ADDR, v->exit.gla);

    vmcs_write(env, VMCS_IDT_VECTORING_INFO, v->event_info);
    vmcs_write(env, VMCS_IDT_VECTORING_ERROR,
               v->event_info & VMX_EVENT_HAS_ERROR ? v->event_error : 0);
    if (v->event_info & VMX_EVENT_VALID) {
        uint32_t type = (v->event_info >> VMX_EVENT_TYPE_SHIFT) & 7;

        if (type >= VMX_EVENT_SW_INT) {
            vmcs_write(env, VMCS_EXIT_INSN_LEN, v->event_insn_len);
        }
    }
    vmcs_write(env, VMCS_ENTRY_INTR_INFO,
               vmcs_read(env, VMCS_ENTRY_INTR_INFO) & ~VMX_EVENT_VALID);
    undefined_exit_information(env);
}

/* MSRs that the VM-entry and VM-exit MSR areas may name. */
static bool msr_area_load(CPUX86State *env, uint32_t index, uint64_t val)
{
    switch (index) {
    case MSR_IA32_TSC:
        return true;            /* as WRMSR: TCG's TSC is not written */
    case MSR_STAR:
        env->star = val;
        return true;
    case MSR_LSTAR:
        env->lstar = val;
        return true;
    case MSR_CSTAR:
        env->cstar = val;
        return true;
    case MSR_FMASK:
        env->fmask = val;
        return true;
    case MSR_KERNELGSBASE:
        env->kernelgsbase = val;
        return true;
    case MSR_TSC_AUX:
        env->tsc_aux = val;
        return true;
    case MSR_PAT:
        env->pat = val;
        return true;
    case MSR_EFER:
        cpu_load_efer(env, (val & ~MSR_EFER_LMA) | (env->efer & MSR_EFER_LMA));
        return true;
    case MSR_IA32_SYSENTER_CS:
        env->sysenter_cs = val;
        return true;
    case MSR_IA32_SYSENTER_ESP:
        env->sysenter_esp = val;
        return true;
    case MSR_IA32_SYSENTER_EIP:
        env->sysenter_eip = val;
        return true;
    case MSR_IA32_MISC_ENABLE:
        env->msr_ia32_misc_enable = val;
        return true;
    default:
        return false;
    }
}

static bool msr_area_store(CPUX86State *env, uint32_t index, uint64_t *val)
{
    switch (index) {
    case MSR_IA32_TSC:
        *val = cpu_get_tsc(env);
        return true;
    case MSR_STAR:
        *val = env->star;
        return true;
    case MSR_LSTAR:
        *val = env->lstar;
        return true;
    case MSR_CSTAR:
        *val = env->cstar;
        return true;
    case MSR_FMASK:
        *val = env->fmask;
        return true;
    case MSR_KERNELGSBASE:
        *val = env->kernelgsbase;
        return true;
    case MSR_TSC_AUX:
        *val = env->tsc_aux;
        return true;
    case MSR_PAT:
        *val = env->pat;
        return true;
    case MSR_EFER:
        *val = env->efer;
        return true;
    case MSR_IA32_SYSENTER_CS:
        *val = env->sysenter_cs;
        return true;
    case MSR_IA32_SYSENTER_ESP:
        *val = env->sysenter_esp;
        return true;
    case MSR_IA32_SYSENTER_EIP:
        *val = env->sysenter_eip;
        return true;
    case MSR_IA32_MISC_ENABLE:
        *val = env->msr_ia32_misc_enable;
        return true;
    default:
        return false;
    }
}

/* Returns 0, or the number (from 1) of the entry that could not be loaded. */
static uint32_t load_msr_area(CPUX86State *env, uint64_t addr, uint32_t count)
{
    CPUState *cs = env_cpu(env);

    for (uint32_t i = 0; i < count; i++, addr += 16) {
        if (i >= MSR_AREA_MAX || x86_ldl_phys(cs, addr + 4) ||
            !msr_area_load(env, x86_ldl_phys(cs, addr),
                           x86_ldq_phys(cs, addr + 8))) {
            return i + 1;
        }
    }
    return 0;
}

static void store_msr_area(CPUX86State *env, uint64_t addr, uint32_t count)
{
    CPUState *cs = env_cpu(env);

    for (uint32_t i = 0; i < count; i++, addr += 16) {
        uint64_t val;

        if (msr_area_store(env, x86_ldl_phys(cs, addr), &val)) {
            x86_stq_phys(cs, addr + 8, val);
        } else {
            qemu_log_mask(LOG_GUEST_ERROR,
                          "vmx: VM-exit MSR-store area names MSR %#x, "
                          "which cannot be stored\n", x86_ldl_phys(cs, addr));
        }
    }
}

/*
 * Set control registers, EFER, segments and flags as a whole: hflags follow
 * from them, rather than from the order in which they are loaded.
 */
static void load_processor_state(CPUX86State *env, uint64_t cr0, uint64_t cr3,
                                 uint64_t cr4, uint64_t efer,
                                 const SegmentCache segs[6], uint64_t rflags)
{
    uint32_t keep;

    env->cr[0] = cr0 | CR0_ET_MASK;
    env->cr[3] = cr3;
    cpu_load_efer(env, efer);
    env->cr[4] = cr4;           /* vmx_tlb_enter() says what to flush */
    cpu_x86_update_cr4(env, cr4);
    memcpy(env->segs, segs, sizeof(env->segs));
    env->eflags = 0;
    cpu_load_eflags(env, rflags,
                    ~(CC_O | CC_S | CC_Z | CC_A | CC_P | CC_C | DF_MASK));

    /* x86_update_hflags() copies flags that TCG keeps in eflags alone. */
    keep = HF_TF_MASK | HF_VM_MASK | HF_IOPL_MASK;
    x86_update_hflags(env);
    env->hflags &= ~keep;
    cpu_sync_avx_hflag(env);
    cpu_sync_bndcs_hflags(env);
    vmx_tlb_enter(env);
}

static SegmentCache flat_segment(uint16_t selector, uint64_t base,
                                 uint32_t flags)
{
    return (SegmentCache) {
        .selector = selector, .base = base, .limit = 0xffffffff,
        .flags = selector ? flags : 0,
    };
}

static void load_host_state(CPUX86State *env)
{
    uint32_t exit_ctls = vmcs_read(env, VMCS_EXIT_CTLS);
    bool host64 = exit_ctls & VMX_VM_EXIT_HOST_ADDR_SPACE_SIZE;
    const uint32_t data = DESC_G_MASK | DESC_B_MASK | DESC_P_MASK |
                          DESC_S_MASK | DESC_W_MASK | DESC_A_MASK;
    const uint32_t code = DESC_G_MASK | DESC_P_MASK | DESC_S_MASK |
                          DESC_CS_MASK | DESC_R_MASK | DESC_A_MASK |
                          (host64 ? DESC_L_MASK : DESC_B_MASK);
    SegmentCache segs[6];
    uint64_t efer;

    if (exit_ctls & VMX_VM_EXIT_LOAD_IA32_EFER) {
        efer = vmcs_read(env, VMCS_HOST_EFER);
    } else {
        efer = env->efer & ~(MSR_EFER_LMA | MSR_EFER_LME);
        if (host64) {
            efer |= MSR_EFER_LMA | MSR_EFER_LME;
        }
    }
    if (exit_ctls & VMX_VM_EXIT_LOAD_IA32_PAT) {
        env->pat = vmcs_read(env, VMCS_HOST_PAT);
    }

    segs[R_ES] = flat_segment(vmcs_read(env, VMCS_HOST_ES_SEL), 0, data);
    segs[R_CS] = flat_segment(vmcs_read(env, VMCS_HOST_CS_SEL), 0, code);
    segs[R_SS] = flat_segment(vmcs_read(env, VMCS_HOST_SS_SEL), 0, data);
    segs[R_DS] = flat_segment(vmcs_read(env, VMCS_HOST_DS_SEL), 0, data);
    segs[R_FS] = flat_segment(vmcs_read(env, VMCS_HOST_FS_SEL),
                              vmcs_read(env, VMCS_HOST_FS_BASE), data);
    segs[R_GS] = flat_segment(vmcs_read(env, VMCS_HOST_GS_SEL),
                              vmcs_read(env, VMCS_HOST_GS_BASE), data);
    env->tr = (SegmentCache) {
        .selector = vmcs_read(env, VMCS_HOST_TR_SEL),
        .base = vmcs_read(env, VMCS_HOST_TR_BASE),
        .limit = 0x67,
        /* Busy in memory only, as in load_guest_state(). */
        .flags = DESC_P_MASK | 9 << DESC_TYPE_SHIFT,
    };
    env->ldt = (SegmentCache) { };
    env->gdt.base = vmcs_read(env, VMCS_HOST_GDTR_BASE);
    env->gdt.limit = 0xffff;
    env->idt.base = vmcs_read(env, VMCS_HOST_IDTR_BASE);
    env->idt.limit = 0xffff;
    env->sysenter_cs = vmcs_read(env, VMCS_HOST_SYSENTER_CS);
    env->sysenter_esp = vmcs_read(env, VMCS_HOST_SYSENTER_ESP);
    env->sysenter_eip = vmcs_read(env, VMCS_HOST_SYSENTER_EIP);
    cpu_x86_update_dr7(env, 0x400);

    env->regs[R_ESP] = vmcs_read(env, VMCS_HOST_RSP);
    env->eip = vmcs_read(env, VMCS_HOST_RIP);
    load_processor_state(env, vmcs_read(env, VMCS_HOST_CR0),
                         vmcs_read(env, VMCS_HOST_CR3),
                         vmcs_read(env, VMCS_HOST_CR4), efer, segs, 2);
}

static void leave_nonroot(CPUX86State *env)
{
    CPUVMXState *v = &env->vmx;
    CPUState *cs = env_cpu(env);
    bool was_blocked = env->hflags2 & HF2_NMI_MASK;

    v->nonroot = false;
    v->wait_for_sipi = false;
    v->hlt = false;
    v->timer_expired = false;
    v->tpr_exit_pending = false;
    v->event_info = 0;
    if (env->vmx_timer) {
        timer_del(env->vmx_timer);
    }
    cs->interrupt_request &= ~CPU_INTERRUPT_VMX;
    cs->halted = 0;
    env->tsc_offset = 0;
    env->hflags &= ~(HF_GUEST_MASK | HF_VMX_MASK | HF_INHIBIT_IRQ_MASK);
    env->hflags2 &= ~(HF2_NPT_MASK | HF2_NMI_MASK);
    if (v->exit.nmi || (was_blocked && !PIN_BASED(VIRTUAL_NMIS))) {
        env->hflags2 |= HF2_NMI_MASK;
    }
}

void vmx_do_exit(CPUX86State *env)
{
    CPUVMXState *v = &env->vmx;
    uint32_t failed;

    qemu_log_mask(CPU_LOG_INT, "vmx: exit %u qual %#" PRIx64 " rip "
                  TARGET_FMT_lx " gpa %#" PRIx64 "\n", v->exit.reason,
                  v->exit.qualification, env->eip, v->exit.gpa);
    vmx_tlb_leave(env);
    save_guest_state(env);
    save_exit_information(env);
    store_msr_area(env, vmcs_read(env, VMCS_EXIT_MSR_STORE_ADDR),
                   vmcs_read(env, VMCS_EXIT_MSR_STORE_COUNT));
    leave_nonroot(env);
    load_host_state(env);
    vmx_count_exit(env, v->exit.reason);
    failed = load_msr_area(env, vmcs_read(env, VMCS_EXIT_MSR_LOAD_ADDR),
                           vmcs_read(env, VMCS_EXIT_MSR_LOAD_COUNT));
    if (failed) {
        error_report("vmx: VMX abort 4: VM-exit MSR-load area, entry %u",
                     failed);
        v->vmcs.abort = 4;
        cpu_abort(env_cpu(env), "VMX abort");
    }
}

/* --------------------------------------------------------- VMX instructions */

static void set_flags(CPUX86State *env, uint32_t flags)
{
    CC_SRC = flags;
    CC_DST = 0;
    CC_OP = CC_OP_EFLAGS;
}

static void vm_succeed(CPUX86State *env)
{
    set_flags(env, 0);
}

/* Flags of VMfailInvalid or VMfailValid. */
static void vm_fail(CPUX86State *env, uint32_t error)
{
    if (env->vmx.vmcs_ptr == NO_VMCS) {
        set_flags(env, CC_C);
    } else {
        set_flags(env, CC_Z);
        vmcs_write(env, VMCS_INSN_ERROR, error);
    }
    qemu_log_mask(LOG_GUEST_ERROR, "vmx: instruction at " TARGET_FMT_lx
                  " fails with error %u\n", env->eip, error);
}

/* The same where the rest of the instruction must not happen. */
static G_NORETURN void vm_fail_skip(CPUX86State *env, uint32_t error,
                                    uintptr_t retaddr)
{
    uint32_t len = take_insn_len(env, retaddr);

    vm_fail(env, error);
    env->eip += len;
    do_end_instruction(env);
    cpu_loop_exit_noexc(env_cpu(env));
}

/*
 * What all VMX instructions but VMXON and VMCALL check first: #UD outside VMX
 * operation and in the modes that have no VMX, an exit from the guest, #GP
 * where unprivileged.
 */
void helper_vmx_insn(CPUX86State *env, uint32_t reason, uint32_t info,
                     target_ulong disp)
{
    uintptr_t retaddr = GETPC();
    bool vmxon = reason == VMX_EXIT_VMXON;

    if (!(env->cr[0] & CR0_PE_MASK) || (env->eflags & VM_MASK) ||
        ((env->hflags & HF_LMA_MASK) && !(env->hflags & HF_CS64_MASK)) ||
        (vmxon ? !(env->cr[4] & CR4_VMXE_MASK) : !env->vmx.on)) {
        raise_exception_ra(env, EXCP06_ILLOP, retaddr);
    }
    if (env->vmx.nonroot) {
        uint32_t len = take_insn_len(env, retaddr);

        exit_begin(env);
        env->vmx.exit.insn_len = len;
        env->vmx.exit.insn_info = info;
        env->vmx.exit.qualification = disp;
        exit_guest(env, reason);
    }
    if (env->hflags & HF_CPL_MASK) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, retaddr);
    }
}

static bool vmcs_addr_ok(CPUX86State *env, uint64_t addr)
{
    return !(addr & 0xfff) && !(addr >> env_archcpu(env)->phys_bits);
}

void helper_vmxon(CPUX86State *env, uint64_t addr)
{
    uint64_t fc = env->msr_ia32_feature_control;
    uint64_t need = FEATURE_CONTROL_LOCKED |
                    FEATURE_CONTROL_VMXON_ENABLED_OUTSIDE_SMX;
    uint64_t fixed0 = vmx_cap(env, MSR_IA32_VMX_CR0_FIXED0);
    uint64_t cr4_fixed0 = vmx_cap(env, MSR_IA32_VMX_CR4_FIXED0);

    if (env->vmx.on) {
        vm_fail_skip(env, VMX_ERR_VMXON_IN_ROOT, GETPC());
    }
    if ((fc & need) != need || (env->cr[0] & fixed0) != fixed0 ||
        (env->cr[4] & cr4_fixed0) != cr4_fixed0) {
        qemu_log_mask(LOG_GUEST_ERROR, "vmx: VMXON #GP: feature control %#"
                      PRIx64 ", CR0 " TARGET_FMT_lx ", CR4 " TARGET_FMT_lx
                      "\n", fc, env->cr[0], env->cr[4]);
        raise_exception_err_ra(env, EXCP0D_GPF, 0, GETPC());
    }
    env->vmx.vmcs_ptr = NO_VMCS;
    if (!vmcs_addr_ok(env, addr) ||
        x86_ldl_phys(env_cpu(env), addr) != VMCS_REVISION_ID) {
        qemu_log_mask(LOG_GUEST_ERROR, "vmx: VMXON region %#" PRIx64
                      ": misplaced, or its revision is not %#x\n", addr,
                      VMCS_REVISION_ID);
        vm_fail_skip(env, 0, GETPC());
    }
    env->vmx.on = true;
    env->vmx.vmxon_ptr = addr;
    vm_succeed(env);
}

void helper_vmxoff(CPUX86State *env)
{
    vmcs_flush(env);
    bql_lock();
    if (vmx_holds_sipi(env)) {
        cpu_reset_interrupt(env_cpu(env), CPU_INTERRUPT_SIPI);
    }
    env->vmx.on = false;
    env->vmx.sipi_latch = false;
    env->vmx.sipi_count = 0;
    bql_unlock();
    env->vmx.vmcs_ptr = NO_VMCS;
    vm_succeed(env);
}

void helper_vmclear(CPUX86State *env, uint64_t addr)
{
    if (!vmcs_addr_ok(env, addr)) {
        vm_fail(env, VMX_ERR_VMCLEAR_BAD_ADDR);
        return;
    }
    if (addr == env->vmx.vmxon_ptr) {
        vm_fail(env, VMX_ERR_VMCLEAR_VMXON_PTR);
        return;
    }
    if (addr == env->vmx.vmcs_ptr) {
        env->vmx.vmcs.launched = 0;
        vmcs_flush(env);
        env->vmx.vmcs_ptr = NO_VMCS;
    } else {
        x86_stl_phys(env_cpu(env), addr + offsetof(VMCSCache, launched), 0);
        vmcs_first_clear(env, addr);
    }
    vm_succeed(env);
}

void helper_vmptrld(CPUX86State *env, uint64_t addr)
{
    if (!vmcs_addr_ok(env, addr)) {
        vm_fail(env, VMX_ERR_VMPTRLD_BAD_ADDR);
    } else if (addr == env->vmx.vmxon_ptr) {
        vm_fail(env, VMX_ERR_VMPTRLD_VMXON_PTR);
    } else if (x86_ldl_phys(env_cpu(env), addr) != VMCS_REVISION_ID) {
        vm_fail(env, VMX_ERR_VMPTRLD_REVISION);
    } else {
        if (addr != env->vmx.vmcs_ptr) {
            vmcs_flush(env);
            vmcs_load(env, addr);
        }
        vm_succeed(env);
    }
}

uint64_t helper_vmptrst(CPUX86State *env)
{
    vm_succeed(env);
    return env->vmx.vmcs_ptr;
}

target_ulong helper_vmread(CPUX86State *env, target_ulong field)
{
    uint64_t val;

    if (env->vmx.vmcs_ptr == NO_VMCS) {
        vm_fail_skip(env, 0, GETPC());
    }
    if (!vmcs_field_exists(field)) {
        qemu_log_mask(LOG_GUEST_ERROR, "vmx: VMREAD of field " TARGET_FMT_lx
                      ", which does not exist\n", field);
        vm_fail_skip(env, VMX_ERR_UNSUPPORTED_FIELD, GETPC());
    }
    val = vmcs_read(env, field);
    vm_succeed(env);
    return field & 1 ? val >> 32 : val;
}

void helper_vmwrite(CPUX86State *env, target_ulong field, target_ulong val)
{
    uint64_t *slot;

    if (env->vmx.vmcs_ptr == NO_VMCS) {
        vm_fail(env, 0);
        return;
    }
    if (!vmcs_field_exists(field)) {
        qemu_log_mask(LOG_GUEST_ERROR, "vmx: VMWRITE of field " TARGET_FMT_lx
                      ", which does not exist\n", field);
        vm_fail(env, VMX_ERR_UNSUPPORTED_FIELD);
        return;
    }
    if (vmcs_field_is_read_only(field) &&
        !(env->features[FEAT_VMX_MISC] & MSR_VMX_MISC_VMWRITE_VMEXIT)) {
        vm_fail(env, VMX_ERR_READ_ONLY_FIELD);
        return;
    }
    slot = vmcs_slot(&env->vmx.vmcs, field);
    if (field & 1) {
        *slot = deposit64(*slot, 32, 32, val);
    } else if (!(env->hflags & HF_CS64_MASK) && ((field >> 13) & 3) == 1) {
        *slot = (uint32_t)val;
    } else {
        *slot = val & vmcs_field_mask(field);
    }
    vm_succeed(env);
}

static bool ept_pointer_ok(CPUX86State *env, uint64_t eptp)
{
    uint64_t caps = env->features[FEAT_VMX_EPT_VPID_CAPS];
    uint32_t memtype = eptp & 7;

    return (memtype == 0 || memtype == 6) &&
           ((eptp >> 3) & 7) == 3 && (caps & MSR_VMX_EPT_PAGE_WALK_LENGTH_4) &&
           (!(eptp & (1 << 6)) || (caps & MSR_VMX_EPT_AD_BITS)) &&
           !(eptp & 0xf80) && !(eptp >> env_archcpu(env)->phys_bits);
}

void helper_invept(CPUX86State *env, target_ulong type, uint64_t eptp,
                   uint64_t high)
{
    if (type != 1 && type != 2) {
        vm_fail(env, VMX_ERR_INVEPT_INVVPID_OPERAND);
        return;
    }
    if (type == 1 && !ept_pointer_ok(env, eptp)) {
        vm_fail(env, VMX_ERR_INVEPT_INVVPID_OPERAND);
        return;
    }
    vmx_tlb_invept(env, type, eptp);
    vm_succeed(env);
}

static bool is_canonical(CPUX86State *env, uint64_t addr)
{
    int shift = 64 - cpu_x86_virtual_addr_width(env);

    return (uint64_t)((int64_t)(addr << shift) >> shift) == addr;
}

void helper_invvpid(CPUX86State *env, target_ulong type, uint64_t vpid,
                    uint64_t linear)
{
    if (type > 3 || vpid >> 16 || (type != 2 && !vpid) ||
        (type == 0 && !is_canonical(env, linear))) {
        vm_fail(env, VMX_ERR_INVEPT_INVVPID_OPERAND);
        return;
    }
    vmx_tlb_invvpid(env, type, vpid, linear);
    vm_succeed(env);
}

void helper_vmcall(CPUX86State *env)
{
    if (!env->vmx.on) {
        raise_exception_ra(env, EXCP06_ILLOP, GETPC());
    }
    if (env->vmx.nonroot) {
        insn_exit(env, VMX_EXIT_VMCALL, 0, GETPC());
    }
    if (env->hflags & HF_CPL_MASK) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, GETPC());
    }
    vm_fail_skip(env, VMX_ERR_VMCALL_IN_ROOT, GETPC());
}

/* ---------------------------------------------------- checks at VM entry */

#define REQUIRE(cond, ...) \
    do { \
        if (!(cond)) { \
            qemu_log_mask(LOG_GUEST_ERROR, "vmx: VM entry fails: " \
                          __VA_ARGS__); \
            qemu_log_mask(LOG_GUEST_ERROR, " [" #cond "]\n"); \
            return false; \
        } \
    } while (0)

static bool ctls_ok(CPUX86State *env, uint32_t ctls, uint32_t msr,
                    const char *name)
{
    uint64_t cap = vmx_cap(env, msr);
    uint32_t missing = ~ctls & (uint32_t)cap;
    uint32_t excess = ctls & ~(uint32_t)(cap >> 32);

    REQUIRE(!missing && !excess,
            "%s controls %#x: %#x must be 1, %#x must be 0",
            name, ctls, missing, excess);
    return true;
}

static bool phys_ok(CPUX86State *env, uint64_t addr, uint64_t align_mask)
{
    return !(addr & align_mask) && !(addr >> env_archcpu(env)->phys_bits);
}

static bool msr_area_ok(CPUX86State *env, uint32_t count_field,
                        uint32_t addr_field)
{
    uint64_t bytes = vmcs_read(env, count_field) * 16;
    uint64_t addr = vmcs_read(env, addr_field);

    return !bytes || (phys_ok(env, addr, 15) &&
                      !((addr + bytes - 1) >> env_archcpu(env)->phys_bits));
}

static bool event_injection_ok(CPUX86State *env, uint32_t proc,
                               uint32_t proc2)
{
    uint32_t info = vmcs_read(env, VMCS_ENTRY_INTR_INFO);
    uint32_t vector = info & 0xff;
    uint32_t type = (info >> VMX_EVENT_TYPE_SHIFT) & 7;
    uint32_t len = vmcs_read(env, VMCS_ENTRY_INSN_LEN);
    bool protected_mode = (vmcs_read(env, VMCS_GUEST_CR0) & CR0_PE_MASK) ||
                          !(proc2 & VMX_SECONDARY_EXEC_UNRESTRICTED_GUEST);
    bool wants_error;

    if (!(info & VMX_EVENT_VALID)) {
        return true;
    }
    REQUIRE(type != 1 && type != VMX_EVENT_OTHER,
            "injected event %#x: type", info);
    REQUIRE(type != VMX_EVENT_NMI || vector == 2,
            "injected event %#x: an NMI has vector 2", info);
    REQUIRE(type != VMX_EVENT_HW_EXC || vector < 32,
            "injected event %#x: an exception's vector is below 32", info);
    wants_error = protected_mode && type == VMX_EVENT_HW_EXC &&
                  (vector == 8 || (vector >= 10 && vector <= 14) ||
                   vector == 17 || vector == 21);
    REQUIRE(!!(info & VMX_EVENT_HAS_ERROR) == wants_error,
            "injected event %#x: error code", info);
    REQUIRE(!(info & 0x7ffff000), "injected event %#x: reserved bits", info);
    REQUIRE(!wants_error ||
            !(vmcs_read(env, VMCS_ENTRY_INTR_ERROR) & 0xffff0000),
            "injected event %#x: reserved bits of the error code", info);
    if (type >= VMX_EVENT_SW_INT) {
        bool zero_ok = env->features[FEAT_VMX_MISC] &
                       MSR_VMX_MISC_ZERO_LEN_INJECT;

        REQUIRE(len <= 15 && (len || zero_ok),
                "injected event %#x: instruction length %u", info, len);
    }
    return true;
}

static bool entry_controls_ok(CPUX86State *env)
{
    bool true_ctls = env->features[FEAT_VMX_BASIC] & MSR_VMX_BASIC_TRUE_CTLS;
    uint32_t pin = vmcs_read(env, VMCS_PIN_CTLS);
    uint32_t proc = vmcs_read(env, VMCS_PROC_CTLS);
    uint32_t proc2 = proc & VMX_CPU_BASED_ACTIVATE_SECONDARY_CONTROLS ?
                     vmcs_read(env, VMCS_PROC_CTLS2) : 0;
    uint32_t exit_ctls = vmcs_read(env, VMCS_EXIT_CTLS);
    uint32_t entry_ctls = vmcs_read(env, VMCS_ENTRY_CTLS);

    if (!ctls_ok(env, pin, true_ctls ? MSR_IA32_VMX_TRUE_PINBASED_CTLS :
                 MSR_IA32_VMX_PINBASED_CTLS, "pin-based") ||
        !ctls_ok(env, proc, true_ctls ? MSR_IA32_VMX_TRUE_PROCBASED_CTLS :
                 MSR_IA32_VMX_PROCBASED_CTLS, "processor-based") ||
        !ctls_ok(env, proc2, MSR_IA32_VMX_PROCBASED_CTLS2, "secondary") ||
        !ctls_ok(env, exit_ctls, true_ctls ? MSR_IA32_VMX_TRUE_EXIT_CTLS :
                 MSR_IA32_VMX_EXIT_CTLS, "VM-exit") ||
        !ctls_ok(env, entry_ctls, true_ctls ? MSR_IA32_VMX_TRUE_ENTRY_CTLS :
                 MSR_IA32_VMX_ENTRY_CTLS, "VM-entry")) {
        return false;
    }

    REQUIRE(vmcs_read(env, VMCS_CR3_TARGET_COUNT) <= 4, "CR3-target count");
    if (proc & VMX_CPU_BASED_USE_IO_BITMAPS) {
        REQUIRE(phys_ok(env, vmcs_read(env, VMCS_IO_BITMAP_A), 0xfff) &&
                phys_ok(env, vmcs_read(env, VMCS_IO_BITMAP_B), 0xfff),
                "I/O-bitmap addresses");
    }
    if (proc & VMX_CPU_BASED_USE_MSR_BITMAPS) {
        REQUIRE(phys_ok(env, vmcs_read(env, VMCS_MSR_BITMAP), 0xfff),
                "MSR-bitmap address");
    }
    if (proc & VMX_CPU_BASED_TPR_SHADOW) {
        REQUIRE(phys_ok(env, vmcs_read(env, VMCS_VIRTUAL_APIC_ADDR), 0xfff),
                "virtual-APIC address");
        REQUIRE(!(vmcs_read(env, VMCS_TPR_THRESHOLD) & ~0xfull),
                "TPR threshold");
        REQUIRE(vmcs_read(env, VMCS_TPR_THRESHOLD) <=
                x86_ldub_phys(env_cpu(env), 0x80 +
                              vmcs_read(env, VMCS_VIRTUAL_APIC_ADDR)) >> 4,
                "TPR threshold above the virtual TPR");
    }
    REQUIRE((pin & VMX_PIN_BASED_NMI_EXITING) ||
            !(pin & VMX_PIN_BASED_VIRTUAL_NMIS),
            "virtual NMIs without NMI exiting");
    REQUIRE((pin & VMX_PIN_BASED_VIRTUAL_NMIS) ||
            !(proc & VMX_CPU_BASED_VIRTUAL_NMI_PENDING),
            "NMI-window exiting without virtual NMIs");
    if (proc2 & VMX_SECONDARY_EXEC_ENABLE_VPID) {
        REQUIRE(vmcs_read(env, VMCS_VPID) != 0, "VPID 0");
    }
    if (proc2 & VMX_SECONDARY_EXEC_ENABLE_EPT) {
        REQUIRE(ept_pointer_ok(env, vmcs_read(env, VMCS_EPT_POINTER)),
                "EPT pointer %#" PRIx64, vmcs_read(env, VMCS_EPT_POINTER));
    } else {
        REQUIRE(!(proc2 & VMX_SECONDARY_EXEC_UNRESTRICTED_GUEST),
                "unrestricted guest without EPT");
    }
    REQUIRE((pin & VMX_PIN_BASED_VMX_PREEMPTION_TIMER) ||
            !(exit_ctls & VMX_VM_EXIT_SAVE_VMX_PREEMPTION_TIMER),
            "save preemption timer, which is not active");
    REQUIRE(msr_area_ok(env, VMCS_EXIT_MSR_STORE_COUNT,
                        VMCS_EXIT_MSR_STORE_ADDR), "VM-exit MSR-store area");
    REQUIRE(msr_area_ok(env, VMCS_EXIT_MSR_LOAD_COUNT,
                        VMCS_EXIT_MSR_LOAD_ADDR), "VM-exit MSR-load area");
    REQUIRE(msr_area_ok(env, VMCS_ENTRY_MSR_LOAD_COUNT,
                        VMCS_ENTRY_MSR_LOAD_ADDR), "VM-entry MSR-load area");
    return event_injection_ok(env, proc, proc2);
}

bool vmx_pat_ok(uint64_t pat)
{
    for (int i = 0; i < 8; i++, pat >>= 8) {
        uint8_t type = pat & 0xff;

        if (type > 7 || type == 2 || type == 3) {
            return false;
        }
    }
    return true;
}

#define EFER_DEFINED (MSR_EFER_SCE | MSR_EFER_LME | MSR_EFER_LMA | MSR_EFER_NXE)

static bool host_state_ok(CPUX86State *env)
{
    uint32_t exit_ctls = vmcs_read(env, VMCS_EXIT_CTLS);
    bool host64 = exit_ctls & VMX_VM_EXIT_HOST_ADDR_SPACE_SIZE;
    uint64_t cr0 = vmcs_read(env, VMCS_HOST_CR0);
    uint64_t cr4 = vmcs_read(env, VMCS_HOST_CR4);
    uint64_t fixed;

    fixed = vmx_cap(env, MSR_IA32_VMX_CR0_FIXED0);
    REQUIRE((cr0 & fixed) == fixed && !(cr0 >> 32),
            "host CR0 %#" PRIx64, cr0);
    fixed = vmx_cap(env, MSR_IA32_VMX_CR4_FIXED0);
    REQUIRE((cr4 & fixed) == fixed && !(cr4 & cr4_reserved_bits(env)),
            "host CR4 %#" PRIx64, cr4);
    REQUIRE(phys_ok(env, vmcs_read(env, VMCS_HOST_CR3), 0), "host CR3");
    REQUIRE(is_canonical(env, vmcs_read(env, VMCS_HOST_SYSENTER_ESP)) &&
            is_canonical(env, vmcs_read(env, VMCS_HOST_SYSENTER_EIP)),
            "host SYSENTER addresses");
    if (exit_ctls & VMX_VM_EXIT_LOAD_IA32_PAT) {
        REQUIRE(vmx_pat_ok(vmcs_read(env, VMCS_HOST_PAT)), "host PAT");
    }
    if (exit_ctls & VMX_VM_EXIT_LOAD_IA32_EFER) {
        uint64_t efer = vmcs_read(env, VMCS_HOST_EFER);

        REQUIRE(!(efer & ~(uint64_t)EFER_DEFINED) &&
                !!(efer & MSR_EFER_LMA) == host64 &&
                !!(efer & MSR_EFER_LME) == host64,
                "host EFER %#" PRIx64, efer);
    }
    for (int i = 0; i < 7; i++) {
        static const char name[7][3] = {
            "ES", "CS", "SS", "DS", "FS", "GS", "TR"
        };
        REQUIRE(!(vmcs_read(env, VMCS_HOST_ES_SEL + 2 * i) & 7),
                "host %s selector: RPL and TI must be 0", name[i]);
    }
    REQUIRE(vmcs_read(env, VMCS_HOST_CS_SEL), "host CS selector 0");
    REQUIRE(vmcs_read(env, VMCS_HOST_TR_SEL), "host TR selector 0");
    REQUIRE(host64 || vmcs_read(env, VMCS_HOST_SS_SEL), "host SS selector 0");
    REQUIRE(is_canonical(env, vmcs_read(env, VMCS_HOST_FS_BASE)) &&
            is_canonical(env, vmcs_read(env, VMCS_HOST_GS_BASE)) &&
            is_canonical(env, vmcs_read(env, VMCS_HOST_TR_BASE)) &&
            is_canonical(env, vmcs_read(env, VMCS_HOST_GDTR_BASE)) &&
            is_canonical(env, vmcs_read(env, VMCS_HOST_IDTR_BASE)),
            "host base addresses");
    REQUIRE(host64 == !!(env->efer & MSR_EFER_LMA),
            "host address-space size differs from the current mode");
    if (host64) {
        REQUIRE(cr4 & CR4_PAE_MASK, "host CR4.PAE");
        REQUIRE(is_canonical(env, vmcs_read(env, VMCS_HOST_RIP)), "host RIP");
    } else {
        REQUIRE(!(vmcs_read(env, VMCS_ENTRY_CTLS) & VMX_VM_ENTRY_IA32E_MODE),
                "a 32-bit host enters a 64-bit guest");
        REQUIRE(!(vmcs_read(env, VMCS_HOST_RIP) >> 32), "host RIP");
    }
    return true;
}

static bool guest_segments_ok(CPUX86State *env, bool unrestricted, bool ia32e,
                              bool v8086)
{
    static const char name[8][5] = {
        "ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR"
    };
    bool real = !(vmcs_read(env, VMCS_GUEST_CR0) & CR0_PE_MASK);
    uint32_t cs_sel = vmcs_read(env, VMCS_GUEST_CS_SEL);
    uint32_t ss_sel = vmcs_read(env, VMCS_GUEST_SS_SEL);
    uint32_t cs_ar = vmcs_read(env, VMCS_GUEST_CS_AR);
    uint32_t ss_ar = vmcs_read(env, VMCS_GUEST_SS_AR);
    uint32_t ss_dpl = (ss_ar >> 5) & 3;

    REQUIRE(!(vmcs_read(env, VMCS_GUEST_TR_SEL) & 4), "guest TR selector: TI");
    if (!v8086 && !unrestricted) {
        REQUIRE((ss_sel & 3) == (cs_sel & 3), "guest SS RPL differs from CS");
    }

    for (int i = 0; i < 8; i++) {
        uint32_t sel = vmcs_read(env, VMCS_GUEST_ES_SEL + 2 * i);
        uint32_t ar = vmcs_read(env, VMCS_GUEST_ES_AR + 2 * i);
        uint32_t limit = vmcs_read(env, VMCS_GUEST_ES_LIMIT + 2 * i);
        uint64_t base = vmcs_read(env, VMCS_GUEST_ES_BASE + 2 * i);
        uint32_t type = ar & 15;
        bool usable = !(ar & 0x10000);

        if (v8086 && i < 6) {
            REQUIRE(base == sel << 4 && limit == 0xffff && ar == 0xf3,
                    "guest %s in virtual-8086 mode", name[i]);
            continue;
        }
        if (i == R_CS || i == 7) {
            REQUIRE(usable || i == R_CS, "guest %s unusable", name[i]);
        }
        if (i == R_FS || i == R_GS || i == 7 || (i == 6 && usable)) {
            REQUIRE(is_canonical(env, base), "guest %s base", name[i]);
        } else if (i == R_CS || usable) {
            REQUIRE(!(base >> 32), "guest %s base", name[i]);
        }
        if (!usable && i != R_CS) {
            continue;
        }
        REQUIRE(!(ar & 0xfffe0f00), "guest %s access rights %#x: reserved bits",
                name[i], ar);
        REQUIRE(ar & 0x80, "guest %s access rights %#x: not present",
                name[i], ar);
        REQUIRE((limit & 0xfff) == 0xfff || !(ar & 0x8000),
                "guest %s limit %#x with G=1", name[i], limit);
        REQUIRE(!(limit & 0xfff00000) || (ar & 0x8000),
                "guest %s limit %#x with G=0", name[i], limit);
        if (i < 6) {
            REQUIRE(ar & 0x10, "guest %s: a system segment", name[i]);
        } else {
            REQUIRE(!(ar & 0x10), "guest %s: not a system segment", name[i]);
        }
        switch (i) {
        case R_CS:
            if (type == 3) {
                REQUIRE(unrestricted, "guest CS: data, in a restricted guest");
                REQUIRE(!(ar & 0x60), "guest CS: data, with DPL not 0");
            } else {
                REQUIRE(type == 9 || type == 11 || type == 13 || type == 15,
                        "guest CS type %u", type);
                if (type < 12) {
                    REQUIRE(((ar >> 5) & 3) == ss_dpl,
                            "guest CS DPL differs from SS");
                } else {
                    REQUIRE(((ar >> 5) & 3) <= ss_dpl,
                            "guest CS DPL above that of SS");
                }
            }
            REQUIRE(!ia32e || !(ar & 0x2000) || !(ar & 0x4000),
                    "guest CS access rights %#x: D and L", ar);
            break;
        case R_SS:
            REQUIRE(type == 3 || type == 7, "guest SS type %u", type);
            break;
        case 6:
            REQUIRE(type == 2, "guest LDTR type %u", type);
            REQUIRE(!(sel & 4), "guest LDTR selector: TI");
            break;
        case 7:
            REQUIRE(type == 11 || (!ia32e && type == 3),
                    "guest TR type %u", type);
            break;
        default:
            REQUIRE(type & 1, "guest %s: not accessed", name[i]);
            REQUIRE(!(type & 8) || (type & 2), "guest %s: not readable",
                    name[i]);
            if (!unrestricted && type < 12) {
                REQUIRE(((ar >> 5) & 3) >= (sel & 3), "guest %s DPL", name[i]);
            }
        }
    }
    if (!v8086) {
        if (!unrestricted) {
            REQUIRE(ss_dpl == (ss_sel & 3), "guest SS DPL differs from RPL");
        }
        if ((cs_ar & 15) == 3 || real) {
            REQUIRE(!ss_dpl, "guest SS DPL %u in real-address mode", ss_dpl);
        }
    }
    REQUIRE(is_canonical(env, vmcs_read(env, VMCS_GUEST_GDTR_BASE)) &&
            is_canonical(env, vmcs_read(env, VMCS_GUEST_IDTR_BASE)),
            "guest GDTR or IDTR base");
    REQUIRE(vmcs_read(env, VMCS_GUEST_GDTR_LIMIT) <= 0xffff &&
            vmcs_read(env, VMCS_GUEST_IDTR_LIMIT) <= 0xffff,
            "guest GDTR or IDTR limit");
    return true;
}

/* The PDPTEs of a guest in PAE paging: VMCS fields with EPT, else memory. */
static bool guest_pdptes_ok(CPUX86State *env, bool ept)
{
    uint64_t cr3 = vmcs_read(env, VMCS_GUEST_CR3) & 0xffffffe0;
    uint64_t reserved = 0x1e6 | ~MAKE_64BIT_MASK(0, env_archcpu(env)->phys_bits);

    for (int i = 0; i < 4; i++) {
        uint64_t pdpte = ept ? vmcs_read(env, VMCS_GUEST_PDPTE0 + 2 * i) :
                         x86_ldq_phys(env_cpu(env), cr3 + 8 * i);

        REQUIRE(!(pdpte & PG_PRESENT_MASK) || !(pdpte & reserved),
                "guest PDPTE%d %#" PRIx64, i, pdpte);
    }
    return true;
}

static bool guest_state_ok(CPUX86State *env, uint64_t *qualification)
{
    uint32_t proc = vmcs_read(env, VMCS_PROC_CTLS);
    uint32_t proc2 = proc & VMX_CPU_BASED_ACTIVATE_SECONDARY_CONTROLS ?
                     vmcs_read(env, VMCS_PROC_CTLS2) : 0;
    uint32_t pin = vmcs_read(env, VMCS_PIN_CTLS);
    uint32_t entry_ctls = vmcs_read(env, VMCS_ENTRY_CTLS);
    bool unrestricted = proc2 & VMX_SECONDARY_EXEC_UNRESTRICTED_GUEST;
    bool ia32e = entry_ctls & VMX_VM_ENTRY_IA32E_MODE;
    uint64_t cr0 = vmcs_read(env, VMCS_GUEST_CR0);
    uint64_t cr4 = vmcs_read(env, VMCS_GUEST_CR4);
    uint64_t rflags = vmcs_read(env, VMCS_GUEST_RFLAGS);
    bool v8086 = rflags & VM_MASK;
    uint64_t rip = vmcs_read(env, VMCS_GUEST_RIP);
    uint32_t cs_ar = vmcs_read(env, VMCS_GUEST_CS_AR);
    uint32_t ss_ar = vmcs_read(env, VMCS_GUEST_SS_AR);
    uint32_t activity = vmcs_read(env, VMCS_GUEST_ACTIVITY);
    uint32_t blocking = vmcs_read(env, VMCS_GUEST_INTERRUPTIBILITY);
    uint32_t info = vmcs_read(env, VMCS_ENTRY_INTR_INFO);
    uint32_t type = (info >> VMX_EVENT_TYPE_SHIFT) & 7;
    uint64_t link = vmcs_read(env, VMCS_VMCS_LINK_PTR);
    uint64_t fixed;

    fixed = vmx_cap(env, MSR_IA32_VMX_CR0_FIXED0);
    if (unrestricted) {
        fixed &= ~(uint64_t)(CR0_PE_MASK | CR0_PG_MASK);
    }
    REQUIRE((cr0 & fixed) == fixed && !(cr0 >> 32),
            "guest CR0 %#" PRIx64, cr0);
    REQUIRE(!(cr0 & CR0_PG_MASK) || (cr0 & CR0_PE_MASK),
            "guest CR0 %#" PRIx64 ": PG without PE", cr0);
    fixed = vmx_cap(env, MSR_IA32_VMX_CR4_FIXED0);
    REQUIRE((cr4 & fixed) == fixed && !(cr4 & cr4_reserved_bits(env)),
            "guest CR4 %#" PRIx64, cr4);
    if (ia32e) {
        REQUIRE((cr0 & CR0_PG_MASK) && (cr4 & CR4_PAE_MASK),
                "guest CR0 or CR4 in IA-32e mode");
    } else {
        REQUIRE(!(cr4 & CR4_PCIDE_MASK), "guest CR4.PCIDE");
    }
    REQUIRE(phys_ok(env, vmcs_read(env, VMCS_GUEST_CR3), 0), "guest CR3");
    if (entry_ctls & VMX_VM_ENTRY_LOAD_DEBUG_CONTROLS) {
        REQUIRE(!(vmcs_read(env, VMCS_GUEST_DR7) >> 32), "guest DR7");
        REQUIRE(!(vmcs_read(env, VMCS_GUEST_DEBUGCTL) & ~0xdfc3ull),
                "guest IA32_DEBUGCTL");
    }
    REQUIRE(is_canonical(env, vmcs_read(env, VMCS_GUEST_SYSENTER_ESP)) &&
            is_canonical(env, vmcs_read(env, VMCS_GUEST_SYSENTER_EIP)),
            "guest SYSENTER addresses");
    if (entry_ctls & VMX_VM_ENTRY_LOAD_IA32_PAT) {
        REQUIRE(vmx_pat_ok(vmcs_read(env, VMCS_GUEST_PAT)), "guest PAT");
    }
    if (entry_ctls & VMX_VM_ENTRY_LOAD_IA32_EFER) {
        uint64_t efer = vmcs_read(env, VMCS_GUEST_EFER);

        REQUIRE(!(efer & ~(uint64_t)EFER_DEFINED), "guest EFER %#" PRIx64,
                efer);
        REQUIRE(!!(efer & MSR_EFER_LMA) == ia32e,
                "guest EFER.LMA differs from the IA-32e mode control");
        REQUIRE(!(cr0 & CR0_PG_MASK) ||
                !!(efer & MSR_EFER_LMA) == !!(efer & MSR_EFER_LME),
                "guest EFER %#" PRIx64 ": LMA differs from LME", efer);
    }

    if (!guest_segments_ok(env, unrestricted, ia32e, v8086)) {
        return false;
    }

    if (!ia32e || !(cs_ar & 0x2000)) {
        REQUIRE(!(rip >> 32), "guest RIP %#" PRIx64, rip);
    } else {
        /* Bits 63:N, not 63:N-1: behind an instruction may be the first address
         * that is not canonical (26.3.1.4) */
        int64_t high = (int64_t)rip >> cpu_x86_virtual_addr_width(env);

        REQUIRE(high == 0 || high == -1, "guest RIP %#" PRIx64, rip);
    }
    REQUIRE((rflags & 2) && !(rflags & ~UINT64_C(0x3f7fd7)),
            "guest RFLAGS %#" PRIx64 ": reserved bits", rflags);
    REQUIRE(!v8086 || (!ia32e && (cr0 & CR0_PE_MASK)), "guest RFLAGS.VM");
    REQUIRE(!(info & VMX_EVENT_VALID) || type != VMX_EVENT_EXT_INTR ||
            (rflags & IF_MASK), "external interrupt injected with IF=0");

    REQUIRE(activity <= VMX_ACTIVITY_WAIT_SIPI, "guest activity %u", activity);
    REQUIRE(activity != VMX_ACTIVITY_HLT || !((ss_ar >> 5) & 3),
            "guest in HLT with CPL not 0");
    REQUIRE(activity == VMX_ACTIVITY_ACTIVE ||
            !(blocking & (VMX_BLOCK_STI | VMX_BLOCK_MOV_SS)),
            "guest not active, with blocking by STI or MOV SS");
    if (info & VMX_EVENT_VALID) {
        REQUIRE(activity != VMX_ACTIVITY_WAIT_SIPI,
                "event injected while waiting for SIPI");
        REQUIRE(activity != VMX_ACTIVITY_HLT || type <= VMX_EVENT_NMI ||
                (type == VMX_EVENT_HW_EXC &&
                 ((info & 0xff) == 1 || (info & 0xff) == 18)),
                "event %#x injected in HLT", info);
        REQUIRE(activity != VMX_ACTIVITY_SHUTDOWN || type == VMX_EVENT_NMI ||
                (type == VMX_EVENT_HW_EXC && (info & 0xff) == 18),
                "event %#x injected in shutdown", info);
    }
    REQUIRE(!(blocking & ~0xfu), "guest interruptibility %#x", blocking);
    REQUIRE((blocking & (VMX_BLOCK_STI | VMX_BLOCK_MOV_SS)) !=
            (VMX_BLOCK_STI | VMX_BLOCK_MOV_SS),
            "guest interruptibility %#x: STI and MOV SS", blocking);
    REQUIRE(!(blocking & VMX_BLOCK_STI) || (rflags & IF_MASK),
            "guest blocking by STI with IF=0");
    if (info & VMX_EVENT_VALID) {
        REQUIRE(type != VMX_EVENT_EXT_INTR ||
                !(blocking & (VMX_BLOCK_STI | VMX_BLOCK_MOV_SS)),
                "external interrupt injected while blocked");
        REQUIRE(type != VMX_EVENT_NMI || !(blocking & VMX_BLOCK_MOV_SS),
                "NMI injected while blocked by MOV SS");
        REQUIRE(type != VMX_EVENT_NMI ||
                !(pin & VMX_PIN_BASED_VIRTUAL_NMIS) ||
                !(blocking & VMX_BLOCK_NMI), "NMI injected while blocked");
    }
    REQUIRE(!(blocking & VMX_BLOCK_SMI), "guest blocking by SMI");
    REQUIRE(!(vmcs_read(env, VMCS_GUEST_PENDING_DBG) & ~0x1500full),
            "guest pending debug exceptions");
    if (activity == VMX_ACTIVITY_HLT ||
        (blocking & (VMX_BLOCK_STI | VMX_BLOCK_MOV_SS))) {
        bool step = (rflags & TF_MASK) &&
                    !(vmcs_read(env, VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF);

        REQUIRE(!!(vmcs_read(env, VMCS_GUEST_PENDING_DBG) & DR6_BS) == step,
                "guest pending debug exceptions: BS with TF %d",
                !!(rflags & TF_MASK));
    }
    if ((cr0 & CR0_PG_MASK) && (cr4 & CR4_PAE_MASK) && !ia32e &&
        !guest_pdptes_ok(env, proc2 & VMX_SECONDARY_EXEC_ENABLE_EPT)) {
        *qualification = 2;
        return false;
    }
    if (link != ~UINT64_C(0)) {
        *qualification = 4;
        REQUIRE(link == ~UINT64_C(0), "VMCS link pointer %#" PRIx64, link);
    }
    return true;
}

/* ---------------------------------------------------------------- VM entry */

static SegmentCache read_segment(CPUX86State *env, int n)
{
    uint32_t ar = vmcs_read(env, VMCS_GUEST_ES_AR + 2 * n);
    SegmentCache sc = {
        .selector = vmcs_read(env, VMCS_GUEST_ES_SEL + 2 * n),
        .base = vmcs_read(env, VMCS_GUEST_ES_BASE + 2 * n),
        .limit = vmcs_read(env, VMCS_GUEST_ES_LIMIT + 2 * n),
        .flags = (ar & 0xf0ff) << 8,
    };

    if (ar & 0x10000) {
        /* Unusable: not present, but for the CPL that is the DPL of SS. */
        sc.flags = n == R_SS ? (ar & 0x60) << 8 : 0;
    }
    return sc;
}

static void preemption_timer_expired(void *opaque)
{
    X86CPU *cpu = opaque;

    if (cpu->env.vmx.nonroot) {
        cpu->env.vmx.timer_expired = true;
        cpu_interrupt(CPU(cpu), CPU_INTERRUPT_VMX);
    }
}

/* TSC ticks per nanosecond, measured against the clock since the first use. */
static double tsc_per_ns(CPUX86State *env)
{
    static int64_t ns0;
    static uint64_t tsc0;
    int64_t ns = get_clock();
    uint64_t tsc = cpu_get_tsc(env);

    if (!ns0) {
        ns0 = ns;
        tsc0 = tsc;
    }
    return ns - ns0 > SCALE_MS ? (double)(tsc - tsc0) / (ns - ns0) : 1.0;
}

static void start_preemption_timer(CPUX86State *env)
{
    uint64_t ticks = vmcs_read(env, VMCS_PREEMPTION_TIMER)
                     << PREEMPTION_TIMER_SHIFT;

    if (!env->vmx_timer) {
        env->vmx_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL,
                                      preemption_timer_expired,
                                      env_archcpu(env));
        tsc_per_ns(env);
    }
    if (!ticks) {
        env->vmx.timer_expired = true;
        return;
    }
    timer_mod(env->vmx_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
              (int64_t)(ticks / tsc_per_ns(env)));
}

static void inject_event(CPUX86State *env)
{
    uint32_t info = vmcs_read(env, VMCS_ENTRY_INTR_INFO);
    uint32_t error = vmcs_read(env, VMCS_ENTRY_INTR_ERROR);
    uint32_t len = vmcs_read(env, VMCS_ENTRY_INSN_LEN);
    uint32_t vector = info & 0xff;
    uint32_t type = (info >> VMX_EVENT_TYPE_SHIFT) & 7;
    uint32_t pending = vmcs_read(env, VMCS_GUEST_PENDING_DBG);
    X86CPU *cpu = env_archcpu(env);

    if (!(info & VMX_EVENT_VALID)) {
        if (pending & (1 << 12 | DR6_BS)) {
            env->dr[6] |= pending & (DR6_BS | 0xf);
            env_cpu(env)->halted = 0;
            vmx_check_exception(env, EXCP01_DB, false, 0, 0, 0);
            do_interrupt_all(cpu, EXCP01_DB, 0, 0, 0, 0);
        }
        return;
    }
    env_cpu(env)->halted = 0;
    env->vmx.event_info = info;
    env->vmx.event_error = error;
    env->vmx.event_insn_len = len;
    switch (type) {
    case VMX_EVENT_NMI:
        env->hflags2 |= HF2_NMI_MASK;
        /* fall through */
    case VMX_EVENT_EXT_INTR:
        do_interrupt_all(cpu, vector, 0, 0, 0, 1);
        break;
    case VMX_EVENT_HW_EXC:
        if (vector == 0 || (vector >= 10 && vector <= 13) ||
            vector == EXCP0E_PAGE || vector == EXCP08_DBLE) {
            env->old_exception = vector;
        }
        do_interrupt_all(cpu, vector, 0, error, 0, 0);
        env->old_exception = -1;
        break;
    default:
        do_interrupt_all(cpu, vector, 1, 0, env->eip + len, 0);
        break;
    }
}

static void load_guest_state(CPUX86State *env)
{
    CPUVMXState *v = &env->vmx;
    CPUState *cs = env_cpu(env);
    uint32_t entry_ctls = vmcs_read(env, VMCS_ENTRY_CTLS);
    uint32_t blocking = vmcs_read(env, VMCS_GUEST_INTERRUPTIBILITY);
    uint32_t activity = vmcs_read(env, VMCS_GUEST_ACTIVITY);
    SegmentCache segs[6];
    uint64_t efer;

    if (entry_ctls & VMX_VM_ENTRY_LOAD_IA32_EFER) {
        efer = vmcs_read(env, VMCS_GUEST_EFER);
    } else {
        efer = env->efer & ~(MSR_EFER_LMA | MSR_EFER_LME);
        if (entry_ctls & VMX_VM_ENTRY_IA32E_MODE) {
            efer |= MSR_EFER_LMA | MSR_EFER_LME;
        }
    }
    if (entry_ctls & VMX_VM_ENTRY_LOAD_IA32_PAT) {
        env->pat = vmcs_read(env, VMCS_GUEST_PAT);
    }
    if (entry_ctls & VMX_VM_ENTRY_LOAD_DEBUG_CONTROLS) {
        cpu_x86_update_dr7(env, vmcs_read(env, VMCS_GUEST_DR7));
    }
    env->sysenter_cs = vmcs_read(env, VMCS_GUEST_SYSENTER_CS);
    env->sysenter_esp = vmcs_read(env, VMCS_GUEST_SYSENTER_ESP);
    env->sysenter_eip = vmcs_read(env, VMCS_GUEST_SYSENTER_EIP);
    for (int i = 0; i < 6; i++) {
        segs[i] = read_segment(env, i);
    }
    env->ldt = read_segment(env, 6);
    env->tr = read_segment(env, 7);
    /* Busy in memory only, as in save_guest_state(). */
    env->tr.flags &= ~DESC_TSS_BUSY_MASK;
    env->gdt.base = vmcs_read(env, VMCS_GUEST_GDTR_BASE);
    env->gdt.limit = vmcs_read(env, VMCS_GUEST_GDTR_LIMIT);
    env->idt.base = vmcs_read(env, VMCS_GUEST_IDTR_BASE);
    env->idt.limit = vmcs_read(env, VMCS_GUEST_IDTR_LIMIT);
    env->regs[R_ESP] = vmcs_read(env, VMCS_GUEST_RSP);
    env->eip = vmcs_read(env, VMCS_GUEST_RIP);

    v->pin = vmcs_read(env, VMCS_PIN_CTLS);
    v->proc = vmcs_read(env, VMCS_PROC_CTLS);
    v->proc2 = CPU_BASED(ACTIVATE_SECONDARY_CONTROLS) ?
               vmcs_read(env, VMCS_PROC_CTLS2) : 0;
    v->eptp = vmcs_read(env, VMCS_EPT_POINTER);
    v->vpid = vmcs_read(env, VMCS_VPID);
    v->vapic = CPU_BASED(TPR_SHADOW) ?
               vmcs_read(env, VMCS_VIRTUAL_APIC_ADDR) : 0;
    v->entry_tsc = cpu_get_tsc(env);
    env->tsc_offset = CPU_BASED(USE_TSC_OFFSETING) ?
                      vmcs_read(env, VMCS_TSC_OFFSET) : 0;

    v->nonroot = true;
    v->wait_for_sipi = activity == VMX_ACTIVITY_WAIT_SIPI;
    v->hlt = activity == VMX_ACTIVITY_HLT;
    cs->halted = activity != VMX_ACTIVITY_ACTIVE;
    env->hflags |= HF_GUEST_MASK | HF_VMX_MASK;
    env->hflags &= ~HF_INHIBIT_IRQ_MASK;
    if (blocking & (VMX_BLOCK_STI | VMX_BLOCK_MOV_SS)) {
        env->hflags |= HF_INHIBIT_IRQ_MASK;
    }
    env->hflags2 &= ~(HF2_NPT_MASK | HF2_NMI_MASK);
    if (blocking & VMX_BLOCK_NMI) {
        env->hflags2 |= HF2_NMI_MASK;
    }
    if (SECONDARY(ENABLE_EPT)) {
        env->hflags2 |= HF2_NPT_MASK;
    }
    load_processor_state(env, vmcs_read(env, VMCS_GUEST_CR0),
                         vmcs_read(env, VMCS_GUEST_CR3),
                         vmcs_read(env, VMCS_GUEST_CR4), efer, segs,
                         vmcs_read(env, VMCS_GUEST_RFLAGS));
    if (PIN_BASED(VMX_PREEMPTION_TIMER)) {
        start_preemption_timer(env);
    }
}

/* A VM entry that fails after the host's controls and state were accepted. */
static void entry_failed(CPUX86State *env, uint32_t reason,
                         uint64_t qualification)
{
    vmcs_write(env, VMCS_EXIT_REASON, reason | 1u << 31);
    vmcs_write(env, VMCS_EXIT_QUALIFICATION, qualification);
    if (env->vmx.nonroot) {
        exit_begin(env);
        bql_lock();
        leave_nonroot(env);
        bql_unlock();
    }
    load_host_state(env);
    load_msr_area(env, vmcs_read(env, VMCS_EXIT_MSR_LOAD_ADDR),
                  vmcs_read(env, VMCS_EXIT_MSR_LOAD_COUNT));
}

static void drop_first_sipi(CPUX86State *env);

/* VMLAUNCH and VMRESUME; the translator ends the block after this. */
void helper_vmentry(CPUX86State *env, uint32_t resume)
{
    CPUState *cs = env_cpu(env);
    bool after_mov_ss = (env->hflags & HF_INHIBIT_IRQ_MASK) &&
                        !(env->eflags & IF_MASK);
    uint64_t qualification = 0;
    uint32_t failed;

    take_insn_len(env, GETPC());
    do_end_instruction(env);

    if (env->vmx.vmcs_ptr == NO_VMCS) {
        vm_fail(env, 0);
        env->eip += env->vmx.insn_len;
        return;
    }
    if (after_mov_ss) {
        vm_fail(env, VMX_ERR_ENTRY_MOV_SS);
        env->eip += env->vmx.insn_len;
        return;
    }
    if (!!env->vmx.vmcs.launched != resume) {
        vm_fail(env, resume ? VMX_ERR_VMRESUME_NOT_LAUNCHED :
                VMX_ERR_VMLAUNCH_NOT_CLEAR);
        env->eip += env->vmx.insn_len;
        return;
    }
    if (!entry_controls_ok(env)) {
        vm_fail(env, VMX_ERR_ENTRY_CONTROLS);
        env->eip += env->vmx.insn_len;
        return;
    }
    if (!host_state_ok(env)) {
        vm_fail(env, VMX_ERR_ENTRY_HOST_STATE);
        env->eip += env->vmx.insn_len;
        return;
    }
    if (!guest_state_ok(env, &qualification)) {
        entry_failed(env, VMX_EXIT_INVALID_GUEST, qualification);
        return;
    }

    env->vmx.event_info = 0;
    vmx_tlb_leave(env);
    bql_lock();
    drop_first_sipi(env);
    bql_unlock();
    load_guest_state(env);
    failed = load_msr_area(env, vmcs_read(env, VMCS_ENTRY_MSR_LOAD_ADDR),
                           vmcs_read(env, VMCS_ENTRY_MSR_LOAD_COUNT));
    if (failed) {
        qemu_log_mask(LOG_GUEST_ERROR,
                      "vmx: VM entry fails: MSR-load area, entry %u\n", failed);
        entry_failed(env, VMX_EXIT_MSR_LOAD, failed);
        return;
    }
    env->vmx.vmcs.launched = 1;
    vmx_count_entry(env);

    /*
     * Window exits and an expired timer are found by x86_cpu_exec_interrupt(),
     * which is asked for as long as this request is set.
     */
    if (CPU_BASED(VIRTUAL_INTR_PENDING) || CPU_BASED(VIRTUAL_NMI_PENDING) ||
        env->vmx.timer_expired) {
        bql_lock();
        cpu_interrupt(cs, CPU_INTERRUPT_VMX);
        bql_unlock();
    }
    inject_event(env);
    if (cs->halted) {
        cs->exception_index = EXCP_HLT;
        cpu_loop_exit(cs);
    }
}

/* --------------------------------------------------------------------- EPT */

#define EPT_READ        (1u << 0)
#define EPT_WRITE       (1u << 1)
#define EPT_EXEC        (1u << 2)
#define EPT_LARGE       (1u << 7)
#define EPT_ACCESSED    (1u << 8)
#define EPT_DIRTY       (1u << 9)
#define EPT_TYPE_UC     0
#define EPT_TYPE_WB     6

/*
 * A guest's accesses to devices that EPT calls cacheable are cached, whatever
 * the MTRRs say, and memory is slow if it is not (29.3.7.2).  Nothing is cached
 * here.  Memory of a device's own (a BAR of RAM) may be of either kind.
 */
static void check_memory_type(CPUX86State *env, hwaddr hpa, uint64_t entry)
{
    uint32_t type = (entry >> 3) & 7;
    hwaddr xlat, len = 1;
    MemoryRegion *mr;
    bool ram;

    RCU_READ_LOCK_GUARD();
    mr = address_space_translate(env_cpu(env)->as, hpa, &xlat, &len, false,
                                 MEMTXATTRS_UNSPECIFIED);
    ram = mr == current_machine->ram;
    if (!ram && (memory_region_is_ram(mr) || memory_region_is_romd(mr))) {
        return;
    }
    if (type != (ram ? EPT_TYPE_WB : EPT_TYPE_UC)) {
        qemu_log_mask(LOG_GUEST_ERROR, "vmx: EPT entry %#" PRIx64
                      " gives %s at %#" PRIx64 " the memory type %u\n", entry,
                      ram ? "memory" : "a device", hpa, type);
    }
}

bool vmx_ept_walk(CPUX86State *env, uint64_t gpa, MMUAccessType access,
                  hwaddr *hpa, int *prot, uint64_t *page_size, uint32_t *fault)
{
    CPUState *cs = env_cpu(env);
    uint64_t caps = env->features[FEAT_VMX_EPT_VPID_CAPS];
    bool track = env->vmx.eptp & (1 << 6);  /* accessed and dirty flags */
    uint64_t addr_mask = MAKE_64BIT_MASK(12, env_archcpu(env)->phys_bits - 12);
    uint64_t reserved = MAKE_64BIT_MASK(env_archcpu(env)->phys_bits,
                                        52 - env_archcpu(env)->phys_bits);
    uint64_t table = env->vmx.eptp & addr_mask;
    uint32_t perm = EPT_READ | EPT_WRITE | EPT_EXEC;
    uint32_t need = access == MMU_DATA_STORE ? EPT_WRITE :
                    access == MMU_INST_FETCH ? EPT_EXEC : EPT_READ;
    uint64_t entry, entry_addr, size;
    int level;

    *fault = access == MMU_DATA_STORE ? EPT_QUAL_WRITE :
             access == MMU_INST_FETCH ? EPT_QUAL_FETCH : EPT_QUAL_READ;
    if (gpa >> 48) {
        return false;
    }
    for (level = 3; ; level--) {
        bool leaf;

        entry_addr = table + (((gpa >> (12 + 9 * level)) & 0x1ff) << 3);
        entry = x86_ldq_phys(cs, entry_addr);
        if (!(entry & 7)) {
            return false;
        }
        leaf = level == 0 || (level <= 2 && (entry & EPT_LARGE));
        size = UINT64_C(1) << (12 + 9 * level);
        if ((entry & (EPT_READ | EPT_WRITE)) == EPT_WRITE ||
            ((entry & 7) == EPT_EXEC && !(caps & MSR_VMX_EPT_EXECONLY)) ||
            (entry & reserved)) {
            goto misconfig;
        }
        if (leaf) {
            uint32_t memtype = (entry >> 3) & 7;

            if (memtype == 2 || memtype == 3 || memtype == 7 ||
                (entry & (size - 1) & ~UINT64_C(0xfff)) ||
                (level == 1 && !(caps & MSR_VMX_EPT_2MB)) ||
                (level == 2 && !(caps & MSR_VMX_EPT_1GB))) {
                goto misconfig;
            }
        } else if (entry & (level == 3 ? 0xf8 : 0x78)) {
            goto misconfig;
        }
        perm &= entry;
        if (leaf) {
            break;
        }
        if (track && !(entry & EPT_ACCESSED)) {
            x86_stq_phys(cs, entry_addr, entry | EPT_ACCESSED);
        }
        table = entry & addr_mask;
    }
    if (!(perm & need)) {
        *fault |= perm << EPT_QUAL_PERM_SHIFT;
        return false;
    }
    *prot = (perm & EPT_READ ? PAGE_READ : 0) |
            (perm & EPT_WRITE ? PAGE_WRITE : 0) |
            (perm & EPT_EXEC ? PAGE_EXEC : 0);
    if (track) {
        uint64_t set = EPT_ACCESSED;

        if (access == MMU_DATA_STORE) {
            set |= EPT_DIRTY;
        } else if (!(entry & EPT_DIRTY)) {
            *prot &= ~PAGE_WRITE;       /* the first write walks again */
        }
        if (set & ~entry) {
            x86_stq_phys(cs, entry_addr, entry | set);
        }
    }
    *hpa = (entry & addr_mask & ~(size - 1)) | (gpa & (size - 1));
    *page_size = size;
    check_memory_type(env, *hpa, entry);
    return true;

misconfig:
    qemu_log_mask(LOG_GUEST_ERROR, "vmx: EPT misconfiguration at level %d: "
                  "entry %#" PRIx64 " for gpa %#" PRIx64 "\n",
                  level + 1, entry, gpa);
    *fault = EPT_FAULT_MISCONFIG;
    return false;
}

static bool ept_tracks_access(CPUX86State *env)
{
    return env->vmx.eptp & (1 << 6);
}

/* Whether the guest's own page walk only reads, as far as EPT is concerned. */
bool vmx_walk_is_read(CPUX86State *env)
{
    return env->vmx.nonroot && !ept_tracks_access(env);
}

G_NORETURN void vmx_ept_exit(CPUX86State *env, uint32_t fault, uint64_t gpa,
                             uint64_t gla, enum vmx_gla gla_kind,
                             uintptr_t retaddr)
{
    uint32_t len = take_insn_len(env, retaddr);

    exit_begin(env);
    env->vmx.exit.insn_len = len;
    env->vmx.exit.gpa = gpa;
    if (fault & EPT_FAULT_MISCONFIG) {
        exit_guest(env, VMX_EXIT_EPT_MISCONFIG);
    }
    vmx_tlb_violation(env, gpa, gla, gla_kind);
    if (gla_kind != VMX_GLA_NONE) {
        env->vmx.exit.gla = gla;
        fault |= EPT_QUAL_GLA_VALID;
    }
    if (gla_kind == VMX_GLA_ACCESS) {
        fault |= EPT_QUAL_GLA_FINAL;
    } else if (gla_kind == VMX_GLA_WALK) {
        fault |= EPT_QUAL_READ | (ept_tracks_access(env) ? EPT_QUAL_WRITE : 0);
    }
    env->vmx.exit.qualification = fault;
    exit_guest(env, VMX_EXIT_EPT_VIOLATION);
}

/* ------------------------------------------------- exits by instructions */

static bool msr_exits(CPUX86State *env, uint32_t msr, bool write)
{
    uint64_t bitmap = vmcs_read(env, VMCS_MSR_BITMAP);

    if (!CPU_BASED(USE_MSR_BITMAPS)) {
        return true;
    }
    if (msr >= 0xc0000000 && msr <= 0xc0001fff) {
        bitmap += 0x400;
    } else if (msr > 0x1fff) {
        return true;
    }
    bitmap += write ? 0x800 : 0;
    msr &= 0x1fff;
    return x86_ldub_phys(env_cpu(env), bitmap + msr / 8) & (1 << (msr & 7));
}

/* Before the exit (26.1.1), where TCG looks after it or not at all */
static void raise_unless_cpl0(CPUX86State *env, uintptr_t retaddr)
{
    if (env->hflags & HF_CPL_MASK) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, retaddr);
    }
}

/* The intercepts that SVM names and VMX has too. */
void vmx_check_intercept(CPUX86State *env, uint32_t type, uint64_t param,
                         uintptr_t retaddr)
{
    uint32_t reason;
    bool exits;

    switch (type) {
    case SVM_EXIT_CPUID:
        reason = VMX_EXIT_CPUID;
        exits = true;
        break;
    case SVM_EXIT_INVD:
        raise_unless_cpl0(env, retaddr);
        reason = VMX_EXIT_INVD;
        exits = true;
        break;
    case SVM_EXIT_XSETBV:
        if (!(env->cr[4] & CR4_OSXSAVE_MASK)) {
            raise_exception_ra(env, EXCP06_ILLOP, retaddr);
        }
        raise_unless_cpl0(env, retaddr);
        reason = VMX_EXIT_XSETBV;
        exits = true;
        break;
    case SVM_EXIT_WBINVD:
        raise_unless_cpl0(env, retaddr);
        reason = VMX_EXIT_WBINVD;
        exits = SECONDARY(WBINVD_EXITING);
        break;
    case SVM_EXIT_HLT:
        reason = VMX_EXIT_HLT;
        exits = CPU_BASED(HLT_EXITING);
        break;
    case SVM_EXIT_RDTSC:
        reason = VMX_EXIT_RDTSC;
        exits = CPU_BASED(RDTSC_EXITING);
        break;
    case SVM_EXIT_RDPMC:
        reason = VMX_EXIT_RDPMC;
        exits = CPU_BASED(RDPMC_EXITING);
        break;
    case SVM_EXIT_PAUSE:
        reason = VMX_EXIT_PAUSE;
        exits = CPU_BASED(PAUSE_EXITING);
        break;
    case SVM_EXIT_MONITOR:
        reason = VMX_EXIT_MONITOR;
        exits = CPU_BASED(MONITOR_EXITING);
        break;
    case SVM_EXIT_MWAIT:
        reason = VMX_EXIT_MWAIT;
        exits = CPU_BASED(MWAIT_EXITING);
        break;
    case SVM_EXIT_MSR:
        reason = param ? VMX_EXIT_WRMSR : VMX_EXIT_RDMSR;
        exits = msr_exits(env, env->regs[R_ECX], param);
        break;
    default:
        return;
    }
    if (exits) {
        insn_exit(env, reason, 0, retaddr);
    }
}

void vmx_check_io(CPUX86State *env, uint32_t port, uint32_t param,
                  uint32_t insn_len, uintptr_t retaddr)
{
    uint32_t size = (param >> SVM_IOIO_SIZE_SHIFT) & 7;
    bool in = param & SVM_IOIO_TYPE_MASK;
    bool string = param & SVM_IOIO_STR_MASK;
    bool exits;

    port &= 0xffff;
    if (CPU_BASED(USE_IO_BITMAPS)) {
        CPUState *cs = env_cpu(env);

        exits = port + size > 0x10000;
        for (uint32_t p = port; p < port + size && !exits; p++) {
            uint64_t bitmap = vmcs_read(env, p < 0x8000 ? VMCS_IO_BITMAP_A :
                                        VMCS_IO_BITMAP_B);

            exits = x86_ldub_phys(cs, bitmap + (p & 0x7fff) / 8) &
                    (1 << (p & 7));
        }
    } else {
        exits = CPU_BASED(UNCOND_IO_EXITING);
    }
    if (!exits) {
        return;
    }

    cpu_restore_state(env_cpu(env), retaddr);
    exit_begin(env);
    env->vmx.exit.insn_len = insn_len;
    env->vmx.exit.qualification = (size - 1) | (in ? 1 << 3 : 0) |
        (string ? VMX_IO_STRING : 0) | (param & SVM_IOIO_REP_MASK ? 1 << 5 : 0) |
        port << 16;
    if (string) {
        bool code64 = env->hflags & HF_CS64_MASK;
        int seg = in ? R_ES : R_DS;
        uint64_t offset = env->regs[in ? R_EDI : R_ESI];

        /* A segment override of OUTS is not known here. */
        env->vmx.exit.gla = code64 ? offset :
                            (uint32_t)(offset + env->segs[seg].base);
        env->vmx.exit.insn_info = (code64 ? 2 : 1) << 7 | seg << 15;
    }
    exit_guest(env, VMX_EXIT_IO);
}

void helper_vmx_rdtscp(CPUX86State *env)
{
    if (!SECONDARY(RDTSCP)) {
        raise_exception_ra(env, EXCP06_ILLOP, GETPC());
    }
    if (CPU_BASED(RDTSC_EXITING)) {
        insn_exit(env, VMX_EXIT_RDTSCP, 0, GETPC());
    }
}

void helper_vmx_rdpid(CPUX86State *env)
{
    if (!SECONDARY(RDTSCP)) {
        raise_exception_ra(env, EXCP06_ILLOP, GETPC());
    }
}

void helper_vmx_invlpg(CPUX86State *env, target_ulong addr)
{
    if (CPU_BASED(INVLPG_EXITING)) {
        insn_exit(env, VMX_EXIT_INVLPG, addr, GETPC());
    }
}

/* info: VMX-instruction information; ldtr_tr: SLDT and so on, not SGDT */
void helper_vmx_desc_table(CPUX86State *env, uint32_t info, uint32_t ldtr_tr,
                           target_ulong disp)
{
    if (SECONDARY(DESC)) {
        uint32_t len = take_insn_len(env, GETPC());

        exit_begin(env);
        env->vmx.exit.insn_len = len;
        env->vmx.exit.insn_info = info;
        env->vmx.exit.qualification = disp;
        exit_guest(env, ldtr_tr ? VMX_EXIT_LDTR_TR : VMX_EXIT_GDTR_IDTR);
    }
}

/* MOV DR; qualification as in the VMCS */
void helper_vmx_mov_dr(CPUX86State *env, uint32_t qualification)
{
    if (CPU_BASED(MOV_DR_EXITING)) {
        insn_exit(env, VMX_EXIT_DR_ACCESS, qualification, GETPC());
    }
}

/* What the guest reads: its shadow where the mask says so. */
target_ulong helper_vmx_read_cr(CPUX86State *env, uint32_t qualification)
{
    uint64_t mask;

    switch (qualification & 15) {
    case 0:
        mask = vmcs_read(env, VMCS_CR0_MASK);
        return (env->cr[0] & ~mask) | (vmcs_read(env, VMCS_CR0_SHADOW) & mask);
    case 3:
        if (CPU_BASED(CR3_STORE_EXITING)) {
            insn_exit(env, VMX_EXIT_CR_ACCESS, qualification, GETPC());
        }
        return env->cr[3];
    case 4:
        mask = vmcs_read(env, VMCS_CR4_MASK);
        return (env->cr[4] & ~mask) | (vmcs_read(env, VMCS_CR4_SHADOW) & mask);
    case 8:
        if (CPU_BASED(CR8_STORE_EXITING)) {
            insn_exit(env, VMX_EXIT_CR_ACCESS, qualification, GETPC());
        }
        if (env->vmx.vapic) {
            return x86_ldub_phys(env_cpu(env), env->vmx.vapic + 0x80) >> 4;
        }
        return cpu_get_apic_tpr(env_archcpu(env)->apic_state);
    default:
        return env->cr[qualification & 15];
    }
}

/* #GP on what VMX operation forbids CR0 to be. */
static void check_guest_cr0(CPUX86State *env, uint64_t val, uintptr_t retaddr)
{
    uint64_t fixed = vmx_cap(env, MSR_IA32_VMX_CR0_FIXED0);

    if (SECONDARY(UNRESTRICTED_GUEST)) {
        fixed &= ~(uint64_t)(CR0_PE_MASK | CR0_PG_MASK);
    }
    if ((val & fixed) != fixed ||
        ((val & CR0_PG_MASK) && !(val & CR0_PE_MASK))) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, retaddr);
    }
}

/*
 * MOV to a control register in the guest, before it happens: exits, or returns
 * the value to load.  True: nothing is left to do.
 */
bool vmx_write_cr(CPUX86State *env, uint32_t qualification, target_ulong *val,
                  uintptr_t retaddr)
{
    uint64_t mask, shadow;

    switch (qualification & 15) {
    case 0:
        mask = vmcs_read(env, VMCS_CR0_MASK);
        shadow = vmcs_read(env, VMCS_CR0_SHADOW);
        if ((*val ^ shadow) & mask) {
            insn_exit(env, VMX_EXIT_CR_ACCESS, qualification, retaddr);
        }
        *val = (env->cr[0] & mask) | (*val & ~mask);
        check_guest_cr0(env, *val, retaddr);
        return false;
    case 3:
        if (CPU_BASED(CR3_LOAD_EXITING)) {
            uint32_t count = vmcs_read(env, VMCS_CR3_TARGET_COUNT);

            for (uint32_t i = 0; i < count; i++) {
                if (*val == vmcs_read(env, VMCS_CR3_TARGET0 + 2 * i)) {
                    return false;
                }
            }
            insn_exit(env, VMX_EXIT_CR_ACCESS, qualification, retaddr);
        }
        return false;
    case 4:
        mask = vmcs_read(env, VMCS_CR4_MASK);
        shadow = vmcs_read(env, VMCS_CR4_SHADOW);
        if ((*val ^ shadow) & mask) {
            insn_exit(env, VMX_EXIT_CR_ACCESS, qualification, retaddr);
        }
        *val = (env->cr[4] & mask) | (*val & ~mask);
        if (!(*val & CR4_VMXE_MASK)) {
            raise_exception_err_ra(env, EXCP0D_GPF, 0, retaddr);
        }
        return false;
    case 8:
        if (CPU_BASED(CR8_LOAD_EXITING)) {
            insn_exit(env, VMX_EXIT_CR_ACCESS, qualification, retaddr);
        }
        if (!env->vmx.vapic) {
            return false;
        }
        x86_stl_phys(env_cpu(env), env->vmx.vapic + 0x80, (*val & 15) << 4);
        if ((*val & 15) < vmcs_read(env, VMCS_TPR_THRESHOLD)) {
            env->vmx.tpr_exit_pending = true;
            bql_lock();
            cpu_interrupt(env_cpu(env), CPU_INTERRUPT_VMX);
            bql_unlock();
        }
        return true;
    default:
        return false;
    }
}

void helper_vmx_clts(CPUX86State *env)
{
    uint64_t mask = vmcs_read(env, VMCS_CR0_MASK);

    if (!(mask & CR0_TS_MASK)) {
        helper_clts(env);
    } else if (vmcs_read(env, VMCS_CR0_SHADOW) & CR0_TS_MASK) {
        insn_exit(env, VMX_EXIT_CR_ACCESS, 2 << 4, GETPC());
    }
}

void helper_vmx_lmsw(CPUX86State *env, target_ulong source, uint32_t memory)
{
    uint64_t mask = vmcs_read(env, VMCS_CR0_MASK);
    uint64_t shadow = vmcs_read(env, VMCS_CR0_SHADOW);
    uint64_t diff = (source ^ shadow) & mask;
    uint64_t val;

    /* LMSW writes bits 3:0, and never clears PE. */
    if ((diff & 0xe) || ((diff & 1) && (source & 1))) {
        insn_exit(env, VMX_EXIT_CR_ACCESS,
                  3 << 4 | memory << 6 | (source & 0xffff) << 16, GETPC());
    }
    val = (env->cr[0] & ~UINT64_C(0xe)) | (source & 0xe & ~mask) |
          (env->cr[0] & 0xe & mask) | (source & 1 & ~mask);
    check_guest_cr0(env, val, GETPC());
    cpu_x86_update_cr0(env, val);
}

/* -------------------------------------------------- exceptions and events */

static bool exception_exits(CPUX86State *env, int vector, int error)
{
    bool set = vmcs_read(env, VMCS_EXCEPTION_BITMAP) & (1u << vector);

    if (vector == EXCP0E_PAGE) {
        uint32_t mask = vmcs_read(env, VMCS_PF_ERROR_MASK);
        uint32_t match = vmcs_read(env, VMCS_PF_ERROR_MATCH);

        return (error & mask) == match ? set : !set;
    }
    return set;
}

/* A page fault: remember its address here if it exits, else in CR2. */
void vmx_page_fault(CPUX86State *env, int vector, int error, uint64_t addr)
{
    if (vector == EXCP0E_PAGE && exception_exits(env, vector, error)) {
        env->vmx.fault_addr = addr;
    } else {
        env->cr[2] = addr;
    }
}

void vmx_check_exception(CPUX86State *env, int vector, bool is_int, int error,
                         uint32_t insn_len, uintptr_t retaddr)
{
    uint32_t type = is_int ? VMX_EVENT_SW_EXC : VMX_EVENT_HW_EXC;
    bool has_error;

    if (vector >= 32 || vector == EXCP02_NMI ||
        (is_int && vector != EXCP03_INT3 && vector != EXCP04_INTO) ||
        !exception_exits(env, vector, error)) {
        return;
    }
    take_insn_len(env, retaddr);
    if (vector == EXCP08_DBLE) {
        env->vmx.event_info = 0;        /* not "during event delivery" */
    }
    has_error = !is_int && (env->cr[0] & CR0_PE_MASK) &&
                exception_has_error_code(vector);
    exit_begin(env);
    env->vmx.exit.intr_info = vector | type << VMX_EVENT_TYPE_SHIFT |
        (has_error ? VMX_EVENT_HAS_ERROR : 0) | VMX_EVENT_VALID;
    env->vmx.exit.intr_error = has_error ? error : 0;
    env->vmx.exit.insn_len = is_int ? insn_len : 0;
    if (vector == EXCP0E_PAGE) {
        env->vmx.exit.qualification = env->vmx.fault_addr;
    } else if (vector == EXCP01_DB) {
        env->vmx.exit.qualification = env->dr[6] & 0x600f;
    }
    exit_guest(env, VMX_EXIT_EXCEPTION_NMI);
}

/* Called around the delivery of each event in the guest. */
void vmx_event_begin(CPUX86State *env, int vector, bool is_int, int error,
                     uint64_t next_eip, bool is_hw)
{
    CPUVMXState *v = &env->vmx;
    uint32_t type;

    v->hlt = false;
    if ((v->event_info & VMX_EVENT_VALID) && (v->event_info & 0xff) == vector &&
        v->event_info == (uint32_t)vmcs_read(env, VMCS_ENTRY_INTR_INFO)) {
        return;                 /* injected: recorded as it was given */
    }
    if (is_hw) {
        type = vector == EXCP02_NMI ? VMX_EVENT_NMI : VMX_EVENT_EXT_INTR;
    } else if (is_int) {
        type = vector == EXCP03_INT3 || vector == EXCP04_INTO ?
               VMX_EVENT_SW_EXC : VMX_EVENT_SW_INT;
        v->event_insn_len = next_eip - env->eip;
    } else {
        type = VMX_EVENT_HW_EXC;
    }
    v->event_info = vector | type << VMX_EVENT_TYPE_SHIFT | VMX_EVENT_VALID;
    if (type == VMX_EVENT_HW_EXC && (env->cr[0] & CR0_PE_MASK) &&
        exception_has_error_code(vector)) {
        v->event_info |= VMX_EVENT_HAS_ERROR;
        v->event_error = error;
    }
}

void vmx_event_end(CPUX86State *env)
{
    env->vmx.event_info = 0;
}

/* ----------------------------------------------------------- interrupts */

static bool window_exit_pending(CPUX86State *env, uint32_t *reason)
{
    bool shadow = env->hflags & HF_INHIBIT_IRQ_MASK;

    if (env->vmx.tpr_exit_pending) {
        *reason = VMX_EXIT_TPR_THRESHOLD;
    } else if (env->vmx.timer_expired) {
        *reason = VMX_EXIT_PREEMPTION_TIMER;
    } else if (CPU_BASED(VIRTUAL_NMI_PENDING) && !shadow &&
               !(env->hflags2 & HF2_NMI_MASK)) {
        *reason = VMX_EXIT_NMI_WINDOW;
    } else if (CPU_BASED(VIRTUAL_INTR_PENDING) && !shadow &&
               (env->eflags & IF_MASK)) {
        *reason = VMX_EXIT_INTR_WINDOW;
    } else {
        return false;
    }
    return true;
}

/* x86_cpu_pending_interrupt() for the guest: what is taken, or exits, next. */
int vmx_pending_interrupt(CPUX86State *env, int interrupt_request)
{
    bool shadow = env->hflags & HF_INHIBIT_IRQ_MASK;
    bool nmi_blocked = (env->hflags2 & HF2_NMI_MASK) &&
                       !PIN_BASED(VIRTUAL_NMIS);
    uint32_t reason;

    if (interrupt_request & CPU_INTERRUPT_SIPI) {
        return CPU_INTERRUPT_SIPI;
    }
    if (env->vmx.wait_for_sipi) {
        return 0;
    }
    if (interrupt_request & CPU_INTERRUPT_INIT) {
        return CPU_INTERRUPT_INIT;
    }
    if ((interrupt_request & CPU_INTERRUPT_SMI) &&
        !(env->hflags & HF_SMM_MASK)) {
        return CPU_INTERRUPT_SMI;
    }
    if ((interrupt_request & CPU_INTERRUPT_VMX) &&
        window_exit_pending(env, &reason) && reason != VMX_EXIT_INTR_WINDOW) {
        return CPU_INTERRUPT_VMX;
    }
    if ((interrupt_request & CPU_INTERRUPT_NMI) && !nmi_blocked) {
        return CPU_INTERRUPT_NMI;
    }
    if (interrupt_request & CPU_INTERRUPT_MCE) {
        return CPU_INTERRUPT_MCE;
    }
    if ((interrupt_request & CPU_INTERRUPT_VMX) &&
        window_exit_pending(env, &reason)) {
        return CPU_INTERRUPT_VMX;
    }
    if ((interrupt_request & CPU_INTERRUPT_HARD) &&
        (PIN_BASED(EXT_INTR_MASK) || ((env->eflags & IF_MASK) && !shadow))) {
        return CPU_INTERRUPT_HARD;
    }
    return 0;
}

/*
 * What came ends neither HLT nor the wait for a SIPI, though TCG has taken the
 * processor out of it to look: not an instruction is executed.
 */
static void stay_inactive(CPUX86State *env)
{
    CPUState *cs = env_cpu(env);

    if (env->vmx.wait_for_sipi || env->vmx.hlt) {
        cs->halted = 1;
        cs->exception_index = EXCP_HLT;
        cpu_loop_exit(cs);
    }
}

/*
 * Take an interrupt in the guest.  False: it is not one that VMX changes.
 * Called with the BQL held.
 */
bool vmx_take_interrupt(CPUX86State *env, int interrupt)
{
    CPUState *cs = env_cpu(env);
    uint32_t reason;
    int vector;

    switch (interrupt) {
    case CPU_INTERRUPT_VMX:
        if (window_exit_pending(env, &reason)) {
            async_exit(env, reason, 0);
        }
        return true;
    case CPU_INTERRUPT_SIPI:
        cpu_reset_interrupt(cs, CPU_INTERRUPT_SIPI);
        if (env->vmx.wait_for_sipi) {
            APICCommonState *apic =
                APIC_COMMON(env_archcpu(env)->apic_state);

            async_exit(env, VMX_EXIT_SIPI, apic->sipi_vector);
        }
        stay_inactive(env);
        return true;
    case CPU_INTERRUPT_POLL:
        cs->interrupt_request &= ~CPU_INTERRUPT_POLL;
        apic_poll_irq(env_archcpu(env)->apic_state);
        stay_inactive(env);
        return true;
    case CPU_INTERRUPT_NMI:
        if (!PIN_BASED(NMI_EXITING)) {
            return false;
        }
        cs->interrupt_request &= ~CPU_INTERRUPT_NMI;
        exit_begin(env);
        env->vmx.exit.nmi = true;
        env->vmx.exit.intr_info = EXCP02_NMI | VMX_EVENT_VALID |
                                  VMX_EVENT_NMI << VMX_EVENT_TYPE_SHIFT;
        exit_guest(env, VMX_EXIT_EXCEPTION_NMI);
    case CPU_INTERRUPT_HARD:
        if (!PIN_BASED(EXT_INTR_MASK)) {
            return false;
        }
        exit_begin(env);
        if (vmcs_read(env, VMCS_EXIT_CTLS) & VMX_VM_EXIT_ACK_INTR_ON_EXIT) {
            cs->interrupt_request &= ~CPU_INTERRUPT_HARD;
            vector = cpu_get_pic_interrupt(env);
            if (vector < 0) {
                return true;
            }
            env->vmx.exit.intr_info = vector | VMX_EVENT_VALID |
                VMX_EVENT_EXT_INTR << VMX_EVENT_TYPE_SHIFT;
        }
        exit_guest(env, VMX_EXIT_EXTERNAL_INTERRUPT);
    default:
        return false;
    }
}

/*
 * INIT: false if it is for the processor itself.  It exits from the guest, is
 * dropped while that waits for SIPI, and stays pending in root operation.
 *
 * A SIPI that arrives in root operation is lost.  But hardware is back in the
 * wait-for-SIPI state long before a sender's second SIPI, which it is not here:
 * from INIT on, be it pending or the last exit, the first one is dropped, and
 * the second one held until the VM entry after that exit.
 */
bool vmx_holds_sipi(CPUX86State *env)
{
    return env->vmx.sipi_latch ||
           (env->vmx.on &&
            (env_cpu(env)->interrupt_request & CPU_INTERRUPT_INIT));
}

void vmx_note_sipi(CPUX86State *env)
{
    if (vmx_holds_sipi(env)) {
        env->vmx.sipi_count++;
    }
}

/* At a VM entry; called with the BQL held. */
static void drop_first_sipi(CPUX86State *env)
{
    if (!env->vmx.sipi_latch) {
        return;
    }
    if (env->vmx.sipi_count == 1) {
        qemu_log_mask(CPU_LOG_INT, "vmx: SIPI in root operation dropped\n");
        cpu_reset_interrupt(env_cpu(env), CPU_INTERRUPT_SIPI);
    }
    env->vmx.sipi_latch = false;
    env->vmx.sipi_count = 0;
}

bool vmx_take_init(CPUX86State *env)
{
    if (env->vmx.nonroot) {
        env_cpu(env)->interrupt_request &= ~CPU_INTERRUPT_INIT;
        if (!env->vmx.wait_for_sipi) {
            env->vmx.sipi_latch = true;
            async_exit(env, VMX_EXIT_INIT, 0);
        }
        env->vmx.sipi_count = 0;
    }
    return env->vmx.on;
}
