/*
 * VMX definitions: VMCS field encodings, exit reasons, and the CPU state
 * that TCG keeps while a processor is in VMX operation.
 *
 * Numbers are those of the Intel SDM volume 3, appendices B (field encoding)
 * and C (basic exit reasons).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef I386_VMX_DEFS_H
#define I386_VMX_DEFS_H

/* Field encodings, X(name, encoding).  Fields not listed do not exist here. */
#define VMCS_FIELD_LIST(X) \
    X(VPID,                         0x0000) \
    X(GUEST_ES_SEL,                 0x0800) \
    X(GUEST_CS_SEL,                 0x0802) \
    X(GUEST_SS_SEL,                 0x0804) \
    X(GUEST_DS_SEL,                 0x0806) \
    X(GUEST_FS_SEL,                 0x0808) \
    X(GUEST_GS_SEL,                 0x080a) \
    X(GUEST_LDTR_SEL,               0x080c) \
    X(GUEST_TR_SEL,                 0x080e) \
    X(HOST_ES_SEL,                  0x0c00) \
    X(HOST_CS_SEL,                  0x0c02) \
    X(HOST_SS_SEL,                  0x0c04) \
    X(HOST_DS_SEL,                  0x0c06) \
    X(HOST_FS_SEL,                  0x0c08) \
    X(HOST_GS_SEL,                  0x0c0a) \
    X(HOST_TR_SEL,                  0x0c0c) \
    X(IO_BITMAP_A,                  0x2000) \
    X(IO_BITMAP_B,                  0x2002) \
    X(MSR_BITMAP,                   0x2004) \
    X(EXIT_MSR_STORE_ADDR,          0x2006) \
    X(EXIT_MSR_LOAD_ADDR,           0x2008) \
    X(ENTRY_MSR_LOAD_ADDR,          0x200a) \
    X(EXEC_VMCS_PTR,                0x200c) \
    X(TSC_OFFSET,                   0x2010) \
    X(VIRTUAL_APIC_ADDR,            0x2012) \
    X(EPT_POINTER,                  0x201a) \
    X(GUEST_PHYS_ADDR,              0x2400) \
    X(VMCS_LINK_PTR,                0x2800) \
    X(GUEST_DEBUGCTL,               0x2802) \
    X(GUEST_PAT,                    0x2804) \
    X(GUEST_EFER,                   0x2806) \
    X(GUEST_PDPTE0,                 0x280a) \
    X(GUEST_PDPTE1,                 0x280c) \
    X(GUEST_PDPTE2,                 0x280e) \
    X(GUEST_PDPTE3,                 0x2810) \
    X(HOST_PAT,                     0x2c00) \
    X(HOST_EFER,                    0x2c02) \
    X(PIN_CTLS,                     0x4000) \
    X(PROC_CTLS,                    0x4002) \
    X(EXCEPTION_BITMAP,             0x4004) \
    X(PF_ERROR_MASK,                0x4006) \
    X(PF_ERROR_MATCH,               0x4008) \
    X(CR3_TARGET_COUNT,             0x400a) \
    X(EXIT_CTLS,                    0x400c) \
    X(EXIT_MSR_STORE_COUNT,         0x400e) \
    X(EXIT_MSR_LOAD_COUNT,          0x4010) \
    X(ENTRY_CTLS,                   0x4012) \
    X(ENTRY_MSR_LOAD_COUNT,         0x4014) \
    X(ENTRY_INTR_INFO,              0x4016) \
    X(ENTRY_INTR_ERROR,             0x4018) \
    X(ENTRY_INSN_LEN,               0x401a) \
    X(TPR_THRESHOLD,                0x401c) \
    X(PROC_CTLS2,                   0x401e) \
    X(INSN_ERROR,                   0x4400) \
    X(EXIT_REASON,                  0x4402) \
    X(EXIT_INTR_INFO,               0x4404) \
    X(EXIT_INTR_ERROR,              0x4406) \
    X(IDT_VECTORING_INFO,           0x4408) \
    X(IDT_VECTORING_ERROR,          0x440a) \
    X(EXIT_INSN_LEN,                0x440c) \
    X(EXIT_INSN_INFO,               0x440e) \
    X(GUEST_ES_LIMIT,               0x4800) \
    X(GUEST_CS_LIMIT,               0x4802) \
    X(GUEST_SS_LIMIT,               0x4804) \
    X(GUEST_DS_LIMIT,               0x4806) \
    X(GUEST_FS_LIMIT,               0x4808) \
    X(GUEST_GS_LIMIT,               0x480a) \
    X(GUEST_LDTR_LIMIT,             0x480c) \
    X(GUEST_TR_LIMIT,               0x480e) \
    X(GUEST_GDTR_LIMIT,             0x4810) \
    X(GUEST_IDTR_LIMIT,             0x4812) \
    X(GUEST_ES_AR,                  0x4814) \
    X(GUEST_CS_AR,                  0x4816) \
    X(GUEST_SS_AR,                  0x4818) \
    X(GUEST_DS_AR,                  0x481a) \
    X(GUEST_FS_AR,                  0x481c) \
    X(GUEST_GS_AR,                  0x481e) \
    X(GUEST_LDTR_AR,                0x4820) \
    X(GUEST_TR_AR,                  0x4822) \
    X(GUEST_INTERRUPTIBILITY,       0x4824) \
    X(GUEST_ACTIVITY,               0x4826) \
    X(GUEST_SMBASE,                 0x4828) \
    X(GUEST_SYSENTER_CS,            0x482a) \
    X(PREEMPTION_TIMER,             0x482e) \
    X(HOST_SYSENTER_CS,             0x4c00) \
    X(CR0_MASK,                     0x6000) \
    X(CR4_MASK,                     0x6002) \
    X(CR0_SHADOW,                   0x6004) \
    X(CR4_SHADOW,                   0x6006) \
    X(CR3_TARGET0,                  0x6008) \
    X(CR3_TARGET1,                  0x600a) \
    X(CR3_TARGET2,                  0x600c) \
    X(CR3_TARGET3,                  0x600e) \
    X(EXIT_QUALIFICATION,           0x6400) \
    X(IO_RCX,                       0x6402) \
    X(IO_RSI,                       0x6404) \
    X(IO_RDI,                       0x6406) \
    X(IO_RIP,                       0x6408) \
    X(GUEST_LINEAR_ADDR,            0x640a) \
    X(GUEST_CR0,                    0x6800) \
    X(GUEST_CR3,                    0x6802) \
    X(GUEST_CR4,                    0x6804) \
    X(GUEST_ES_BASE,                0x6806) \
    X(GUEST_CS_BASE,                0x6808) \
    X(GUEST_SS_BASE,                0x680a) \
    X(GUEST_DS_BASE,                0x680c) \
    X(GUEST_FS_BASE,                0x680e) \
    X(GUEST_GS_BASE,                0x6810) \
    X(GUEST_LDTR_BASE,              0x6812) \
    X(GUEST_TR_BASE,                0x6814) \
    X(GUEST_GDTR_BASE,              0x6816) \
    X(GUEST_IDTR_BASE,              0x6818) \
    X(GUEST_DR7,                    0x681a) \
    X(GUEST_RSP,                    0x681c) \
    X(GUEST_RIP,                    0x681e) \
    X(GUEST_RFLAGS,                 0x6820) \
    X(GUEST_PENDING_DBG,            0x6822) \
    X(GUEST_SYSENTER_ESP,           0x6824) \
    X(GUEST_SYSENTER_EIP,           0x6826) \
    X(HOST_CR0,                     0x6c00) \
    X(HOST_CR3,                     0x6c02) \
    X(HOST_CR4,                     0x6c04) \
    X(HOST_FS_BASE,                 0x6c06) \
    X(HOST_GS_BASE,                 0x6c08) \
    X(HOST_TR_BASE,                 0x6c0a) \
    X(HOST_GDTR_BASE,               0x6c0c) \
    X(HOST_IDTR_BASE,               0x6c0e) \
    X(HOST_SYSENTER_ESP,            0x6c10) \
    X(HOST_SYSENTER_EIP,            0x6c12) \
    X(HOST_RSP,                     0x6c14) \
    X(HOST_RIP,                     0x6c16)

enum {
#define X(name, enc) VMCS_##name = enc,
    VMCS_FIELD_LIST(X)
#undef X
};

/* Highest index (bits 9:1) among the encodings above, for VMCS_ENUM. */
#define VMCS_HIGHEST_INDEX 0x17

/* Basic exit reasons */
enum {
    VMX_EXIT_EXCEPTION_NMI      = 0,
    VMX_EXIT_EXTERNAL_INTERRUPT = 1,
    VMX_EXIT_TRIPLE_FAULT       = 2,
    VMX_EXIT_INIT               = 3,
    VMX_EXIT_SIPI               = 4,
    VMX_EXIT_INTR_WINDOW        = 7,
    VMX_EXIT_NMI_WINDOW         = 8,
    VMX_EXIT_TASK_SWITCH        = 9,
    VMX_EXIT_CPUID              = 10,
    VMX_EXIT_HLT                = 12,
    VMX_EXIT_INVD               = 13,
    VMX_EXIT_INVLPG             = 14,
    VMX_EXIT_RDPMC              = 15,
    VMX_EXIT_RDTSC              = 16,
    VMX_EXIT_VMCALL             = 18,
    VMX_EXIT_VMCLEAR            = 19,
    VMX_EXIT_VMLAUNCH           = 20,
    VMX_EXIT_VMPTRLD            = 21,
    VMX_EXIT_VMPTRST            = 22,
    VMX_EXIT_VMREAD             = 23,
    VMX_EXIT_VMRESUME           = 24,
    VMX_EXIT_VMWRITE            = 25,
    VMX_EXIT_VMXOFF             = 26,
    VMX_EXIT_VMXON              = 27,
    VMX_EXIT_CR_ACCESS          = 28,
    VMX_EXIT_DR_ACCESS          = 29,
    VMX_EXIT_IO                 = 30,
    VMX_EXIT_RDMSR              = 31,
    VMX_EXIT_WRMSR              = 32,
    VMX_EXIT_INVALID_GUEST      = 33,
    VMX_EXIT_MSR_LOAD           = 34,
    VMX_EXIT_MWAIT              = 36,
    VMX_EXIT_MONITOR            = 39,
    VMX_EXIT_PAUSE              = 40,
    VMX_EXIT_TPR_THRESHOLD      = 43,
    VMX_EXIT_GDTR_IDTR          = 46,
    VMX_EXIT_LDTR_TR            = 47,
    VMX_EXIT_EPT_VIOLATION      = 48,
    VMX_EXIT_EPT_MISCONFIG      = 49,
    VMX_EXIT_INVEPT             = 50,
    VMX_EXIT_RDTSCP             = 51,
    VMX_EXIT_PREEMPTION_TIMER   = 52,
    VMX_EXIT_INVVPID            = 53,
    VMX_EXIT_WBINVD             = 54,
    VMX_EXIT_XSETBV             = 55,
};

/* VM-instruction error numbers */
enum {
    VMX_ERR_VMCALL_IN_ROOT          = 1,
    VMX_ERR_VMCLEAR_BAD_ADDR        = 2,
    VMX_ERR_VMCLEAR_VMXON_PTR       = 3,
    VMX_ERR_VMLAUNCH_NOT_CLEAR      = 4,
    VMX_ERR_VMRESUME_NOT_LAUNCHED   = 5,
    VMX_ERR_ENTRY_CONTROLS          = 7,
    VMX_ERR_ENTRY_HOST_STATE        = 8,
    VMX_ERR_VMPTRLD_BAD_ADDR        = 9,
    VMX_ERR_VMPTRLD_VMXON_PTR       = 10,
    VMX_ERR_VMPTRLD_REVISION        = 11,
    VMX_ERR_UNSUPPORTED_FIELD       = 12,
    VMX_ERR_READ_ONLY_FIELD         = 13,
    VMX_ERR_VMXON_IN_ROOT           = 15,
    VMX_ERR_ENTRY_MOV_SS            = 26,
    VMX_ERR_INVEPT_INVVPID_OPERAND  = 28,
};

/* Event types of the interruption-information fields (bits 10:8) */
enum {
    VMX_EVENT_EXT_INTR = 0,
    VMX_EVENT_NMI      = 2,
    VMX_EVENT_HW_EXC   = 3,
    VMX_EVENT_SW_INT   = 4,
    VMX_EVENT_PRIV_SW  = 5,
    VMX_EVENT_SW_EXC   = 6,
    VMX_EVENT_OTHER    = 7,
};
#define VMX_EVENT_TYPE_SHIFT    8
#define VMX_EVENT_HAS_ERROR     (1u << 11)
#define VMX_EVENT_NMI_UNBLOCK   (1u << 12)
#define VMX_EVENT_VALID         (1u << 31)

/* Guest interruptibility */
#define VMX_BLOCK_STI           (1u << 0)
#define VMX_BLOCK_MOV_SS        (1u << 1)
#define VMX_BLOCK_SMI           (1u << 2)
#define VMX_BLOCK_NMI           (1u << 3)

/* Guest activity */
enum {
    VMX_ACTIVITY_ACTIVE    = 0,
    VMX_ACTIVITY_HLT       = 1,
    VMX_ACTIVITY_SHUTDOWN  = 2,
    VMX_ACTIVITY_WAIT_SIPI = 3,
};

/* EPT-violation exit qualification, and how walks report through error_code */
#define EPT_QUAL_READ           (1u << 0)
#define EPT_QUAL_WRITE          (1u << 1)
#define EPT_QUAL_FETCH          (1u << 2)
#define EPT_QUAL_PERM_SHIFT     3
#define EPT_QUAL_GLA_VALID      (1u << 7)
#define EPT_QUAL_GLA_FINAL      (1u << 8)
#define EPT_QUAL_NMI_UNBLOCK    (1u << 12)
#define EPT_FAULT_MISCONFIG     (1u << 30)

/* Exit qualification of I/O instructions */
#define VMX_IO_STRING           (1u << 4)

#define VMCS_REVISION_ID        0x51454d55      /* "QEMU" */
#define VMCS_SIZE               4096
#define VMCS_CLEARED            0x52454c43      /* "CLER" */
#define VMCS_INDEXES            28              /* indexes stored per group */

/*
 * The VMCS of this processor is cached here from VMPTRLD to VMCLEAR, as real
 * processors do: software that looks into the memory of an active VMCS, or
 * that makes it active on two processors, finds stale data.
 */
typedef struct VMCSCache {
    uint32_t revision;
    uint32_t abort;
    uint32_t launched;
    uint32_t cleared;           /* VMCS_CLEARED: VMCLEAR has seen it */
    uint64_t field[16 * VMCS_INDEXES];
} VMCSCache;
QEMU_BUILD_BUG_ON(sizeof(VMCSCache) > VMCS_SIZE);

typedef struct CPUVMXState {
    bool on;                    /* between VMXON and VMXOFF */
    bool nonroot;               /* a guest runs */
    bool sipi_latch;            /* an INIT exit, and no VM entry since */
    uint8_t sipi_count;         /* SIPIs since INIT, in root operation */
    bool wait_for_sipi;         /* the guest's activity state: */
    bool hlt;                   /* one of these, or active */
    bool timer_expired;
    bool tpr_exit_pending;
    uint64_t vmxon_ptr;
    uint64_t vmcs_ptr;          /* ~0: no current VMCS */
    VMCSCache vmcs;

    /* decoded from the VMCS at VM entry */
    uint32_t pin, proc, proc2;
    uint64_t eptp;
    uint16_t vpid;
    uint64_t vapic;             /* virtual-APIC page, if a TPR shadow is used */
    uint64_t entry_tsc;         /* TSC at VM entry, for the preemption timer */

    /* vmx_tlb.c: whose translations the guest's TLB indexes hold */
    uint64_t tlb_eptp;          /* bits 51:12 */
    uint32_t tlb_vpid;
    uint32_t tlb_mode[2];       /* permission modes of root and guest */
    uint64_t tlb_keys[2];       /* their protection keys */

    /* event being delivered: becomes IDT-vectoring information on an exit */
    uint32_t event_info;
    uint32_t event_error;
    uint32_t event_insn_len;

    uint32_t insn_len;          /* of the instruction that is exiting */
    uint64_t fault_addr;        /* linear address of a #PF that exits */

    /* exit being taken, written to the VMCS by vmx_do_exit() */
    struct {
        uint32_t reason;
        uint32_t intr_info;
        uint32_t intr_error;
        uint32_t insn_len;
        uint32_t insn_info;
        uint64_t qualification;
        uint64_t gpa, gla;
        bool nmi;
    } exit;
} CPUVMXState;

/* tcg/system/vmx_count.c: by world, root (0) and non-root (1), since power-on */
typedef struct CPUVMXCount {
    uint64_t insns[2];          /* instructions */
    uint64_t before_block;      /* of its world, when the block began */
    uint64_t waited;            /* in root operation, in loops around PAUSE */
    uint64_t last_pause;        /* insns[0] at the last PAUSE there */
    uint64_t exit_insns;        /* insns[0] and waited at the last VM exit */
    uint64_t exit_waited;
    uint64_t entries;           /* VM entries */
    uint64_t halts;             /* HLT in non-root operation */
    uint64_t first_insns;       /* insns[0] and waited at the first one */
    uint64_t first_waited;
    uint32_t reason;            /* of the last exit */
} CPUVMXCount;

#endif
