/*
 * VMX (Intel SDM 3C 24-28): instructions, VMCS fields, controls.  Names are the
 * manual's; fields in the order of appendix B.
 */
#ifndef HV_VMX_VMX_H
#define HV_VMX_VMX_H

#include "hv/cpu.h"
#include "hv/types.h"

/* Capability MSRs (3D appendix A) */
#define MSR_VMX_BASIC 0x480
#define VMX_BASIC_REVISION 0x7fffffff
#define VMX_BASIC_TRUE_CONTROLS BIT(55)
#define MSR_VMX_PINBASED 0x481
#define MSR_VMX_PROCBASED 0x482
#define MSR_VMX_EXIT 0x483
#define MSR_VMX_ENTRY 0x484
#define MSR_VMX_MISC 0x485
#define VMX_MISC_WAIT_FOR_SIPI BIT(8)
#define MSR_VMX_CR0_FIXED0 0x486
#define MSR_VMX_CR0_FIXED1 0x487
#define MSR_VMX_CR4_FIXED0 0x488
#define MSR_VMX_CR4_FIXED1 0x489
#define MSR_VMX_PROCBASED2 0x48b
#define MSR_VMX_EPT_VPID_CAP 0x48c
#define EPT_CAP_WALK_4 BIT(6)
#define EPT_CAP_WB BIT(14)
#define EPT_CAP_2M BIT(16)
#define EPT_CAP_1G BIT(17)
#define EPT_CAP_INVEPT BIT(20)
#define EPT_CAP_INVEPT_SINGLE BIT(25)
#define EPT_CAP_INVEPT_ALL BIT(26)
#define EPT_CAP_INVVPID BIT(32)
#define EPT_CAP_INVVPID_ALL BIT(42)
#define MSR_VMX_TRUE_PINBASED 0x48d
#define MSR_VMX_TRUE_PROCBASED 0x48e
#define MSR_VMX_TRUE_EXIT 0x48f
#define MSR_VMX_TRUE_ENTRY 0x490

/* Pin-based controls (24.6.1) */
#define PIN_NMI_EXITING BIT(3)
#define PIN_VIRTUAL_NMIS BIT(5)

/* Primary processor-based controls (24.6.2) */
#define PROC_MWAIT_EXITING BIT(10)
#define PROC_RDPMC_EXITING BIT(11)
#define PROC_NMI_WINDOW BIT(22)
#define PROC_IO_BITMAPS BIT(25)
#define PROC_MSR_BITMAPS BIT(28)
#define PROC_MONITOR_EXITING BIT(29)
#define PROC_SECONDARY BIT(31)
#define PROC_MWAIT (PROC_MWAIT_EXITING | PROC_MONITOR_EXITING)

/* Secondary processor-based controls */
#define PROC2_EPT BIT(1)
#define PROC2_RDTSCP BIT(3)
#define PROC2_VPID BIT(5)
#define PROC2_UNRESTRICTED BIT(7)
#define PROC2_INVPCID BIT(12)
#define PROC2_XSAVES BIT(20)

/* VM-exit controls (24.7.1) */
#define EXIT_SAVE_DEBUG BIT(2)
#define EXIT_HOST_64 BIT(9)
#define EXIT_LOAD_PAT BIT(19)
#define EXIT_SAVE_EFER BIT(20)
#define EXIT_LOAD_EFER BIT(21)

/* VM-entry controls (24.8.1) */
#define ENTRY_LOAD_DEBUG BIT(2)
#define ENTRY_IA32E BIT(9)
#define ENTRY_LOAD_PAT BIT(14)
#define ENTRY_LOAD_EFER BIT(15)

/* Field encodings (3D appendix B) */
enum vmcs_field {
	VPID = 0x0000,
	GUEST_ES_SELECTOR = 0x0800,
	GUEST_CS_SELECTOR = 0x0802,
	GUEST_SS_SELECTOR = 0x0804,
	GUEST_DS_SELECTOR = 0x0806,
	GUEST_FS_SELECTOR = 0x0808,
	GUEST_GS_SELECTOR = 0x080a,
	GUEST_LDTR_SELECTOR = 0x080c,
	GUEST_TR_SELECTOR = 0x080e,
	HOST_ES_SELECTOR = 0x0c00,
	HOST_CS_SELECTOR = 0x0c02,
	HOST_SS_SELECTOR = 0x0c04,
	HOST_DS_SELECTOR = 0x0c06,
	HOST_FS_SELECTOR = 0x0c08,
	HOST_GS_SELECTOR = 0x0c0a,
	HOST_TR_SELECTOR = 0x0c0c,
	IO_BITMAP_A = 0x2000,
	IO_BITMAP_B = 0x2002,
	MSR_BITMAP = 0x2004,
	EPT_POINTER = 0x201a,
	XSS_EXITING_BITMAP = 0x202c,
	GUEST_PHYSICAL_ADDRESS = 0x2400,
	VMCS_LINK_POINTER = 0x2800,
	GUEST_DEBUGCTL = 0x2802,
	GUEST_PAT = 0x2804,
	GUEST_EFER = 0x2806,
	GUEST_PDPTE0 = 0x280a,
	HOST_PAT = 0x2c00,
	HOST_EFER = 0x2c02,
	PIN_CONTROLS = 0x4000,
	PROC_CONTROLS = 0x4002,
	EXCEPTION_BITMAP = 0x4004,
	PF_ERROR_MASK = 0x4006,
	PF_ERROR_MATCH = 0x4008,
	CR3_TARGET_COUNT = 0x400a,
	EXIT_CONTROLS = 0x400c,
	EXIT_MSR_STORE_COUNT = 0x400e,
	EXIT_MSR_LOAD_COUNT = 0x4010,
	ENTRY_CONTROLS = 0x4012,
	ENTRY_MSR_LOAD_COUNT = 0x4014,
	ENTRY_INTERRUPTION = 0x4016,
	ENTRY_EXCEPTION_ERROR = 0x4018,
	ENTRY_INSTRUCTION_LENGTH = 0x401a,
	PROC2_CONTROLS = 0x401e,
	VM_INSTRUCTION_ERROR = 0x4400,
	EXIT_REASON = 0x4402,
	EXIT_INTERRUPTION = 0x4404,
	EXIT_INTERRUPTION_ERROR = 0x4406,
	IDT_VECTORING = 0x4408,
	IDT_VECTORING_ERROR = 0x440a,
	EXIT_INSTRUCTION_LENGTH = 0x440c,
	GUEST_ES_LIMIT = 0x4800,
	GUEST_LDTR_LIMIT = 0x480c,
	GUEST_TR_LIMIT = 0x480e,
	GUEST_GDTR_LIMIT = 0x4810,
	GUEST_IDTR_LIMIT = 0x4812,
	GUEST_ES_ACCESS = 0x4814,
	GUEST_CS_ACCESS = 0x4816,
	GUEST_LDTR_ACCESS = 0x4820,
	GUEST_TR_ACCESS = 0x4822,
	GUEST_INTERRUPTIBILITY = 0x4824,
	GUEST_ACTIVITY = 0x4826,
	GUEST_SYSENTER_CS = 0x482a,
	HOST_SYSENTER_CS = 0x4c00,
	CR0_MASK = 0x6000,
	CR4_MASK = 0x6002,
	CR0_SHADOW = 0x6004,
	CR4_SHADOW = 0x6006,
	EXIT_QUALIFICATION = 0x6400,
	GUEST_LINEAR_ADDRESS = 0x640a,
	GUEST_CR0 = 0x6800,
	GUEST_CR3 = 0x6802,
	GUEST_CR4 = 0x6804,
	GUEST_ES_BASE = 0x6806,
	GUEST_CS_BASE = 0x6808,
	GUEST_LDTR_BASE = 0x6812,
	GUEST_TR_BASE = 0x6814,
	GUEST_GDTR_BASE = 0x6816,
	GUEST_IDTR_BASE = 0x6818,
	GUEST_DR7 = 0x681a,
	GUEST_RSP = 0x681c,
	GUEST_RIP = 0x681e,
	GUEST_RFLAGS = 0x6820,
	GUEST_PENDING_DEBUG = 0x6822,
	GUEST_SYSENTER_ESP = 0x6824,
	GUEST_SYSENTER_EIP = 0x6826,
	HOST_CR0 = 0x6c00,
	HOST_CR3 = 0x6c02,
	HOST_CR4 = 0x6c04,
	HOST_FS_BASE = 0x6c06,
	HOST_GS_BASE = 0x6c08,
	HOST_TR_BASE = 0x6c0a,
	HOST_GDTR_BASE = 0x6c0c,
	HOST_IDTR_BASE = 0x6c0e,
	HOST_SYSENTER_ESP = 0x6c10,
	HOST_SYSENTER_EIP = 0x6c12,
	HOST_RSP = 0x6c14,
	HOST_RIP = 0x6c16,
};

/* Segment registers in the order of their fields: each 2 apart */
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR };
#define GUEST_SELECTOR(seg) (GUEST_ES_SELECTOR + 2 * (seg))
#define GUEST_LIMIT(seg) (GUEST_ES_LIMIT + 2 * (seg))
#define GUEST_ACCESS(seg) (GUEST_ES_ACCESS + 2 * (seg))
#define GUEST_BASE(seg) (GUEST_ES_BASE + 2 * (seg))

/* Access rights (24.4.1): type, S, DPL, P, AVL, L, D, G, unusable */
#define ACCESS_CODE32 0xc09b
#define ACCESS_CODE64 0xa09b
#define ACCESS_DATA 0xc093
#define ACCESS_CODE16 0x009b
#define ACCESS_DATA16 0x0093
#define ACCESS_TSS_BUSY 0x008b
#define ACCESS_LDT 0x0082
#define ACCESS_UNUSABLE 0x10000
#define ACCESS_LONG BIT(13)
#define ACCESS_DB BIT(14)

/* Basic exit reasons (3D appendix C) */
#define EXIT_REASON_ENTRY_FAILURE BIT(31)
enum exit_reason {
	EXIT_EXCEPTION_NMI = 0,
	EXIT_TRIPLE_FAULT = 2,
	EXIT_INIT = 3,
	EXIT_SIPI = 4,
	EXIT_NMI_WINDOW = 8,
	EXIT_TASK_SWITCH = 9,
	EXIT_CPUID = 10,
	EXIT_GETSEC = 11,
	EXIT_INVD = 13,
	EXIT_RDPMC = 15,
	EXIT_VMCALL = 18,
	EXIT_VMXON = 27,
	EXIT_CR_ACCESS = 28,
	EXIT_IO = 30,
	EXIT_RDMSR = 31,
	EXIT_WRMSR = 32,
	EXIT_MWAIT = 36,
	EXIT_MONITOR = 39,
	EXIT_ENTRY_MACHINE_CHECK = 41,
	EXIT_EPT_VIOLATION = 48,
	EXIT_EPT_MISCONFIGURATION = 49,
	EXIT_INVEPT = 50,
	EXIT_INVVPID = 53,
	EXIT_XSETBV = 55,
	EXIT_SEAMCALL = 76,
	EXIT_TDCALL = 77,
	EXIT_RDMSR_IMMEDIATE = 84,
	EXIT_WRMSR_IMMEDIATE = 85,
};

/* Guest activity states (24.4.2) */
#define ACTIVITY_ACTIVE 0
#define ACTIVITY_HLT 1
#define ACTIVITY_WAIT_FOR_SIPI 3

/* Interruptibility (24.4.2) */
#define BLOCKING_STI BIT(0)
#define BLOCKING_MOV_SS BIT(1)
#define BLOCKING_NMI BIT(3)

/* Pending debug exceptions (24.4.2): single step */
#define PENDING_DEBUG_BS BIT(14)

/* Interruption information (24.8.3, 24.9.2, 24.9.3) */
#define INTERRUPTION_VALID BIT(31)
#define INTERRUPTION_ERROR_CODE BIT(11)
#define INTERRUPTION_TYPE(info) ((info) >> 8 & 7)
#define INTERRUPTION_VECTOR(info) ((info) & 0xff)
#define TYPE_NMI 2
#define INTERRUPTION_NMI_UNBLOCKED BIT(12) /* by IRET (27.2.3) */
#define TYPE_EXCEPTION 3
#define TYPE_SOFT_INTERRUPT 4
#define TYPE_PRIV_SOFT_EXCEPTION 5
#define TYPE_SOFT_EXCEPTION 6

static inline u64 vmread(enum vmcs_field field)
{
	u64 value;

	__asm__ volatile("vmread %1, %0"
			 : "=rm"(value)
			 : "r"((u64)field)
			 : "cc");
	return value;
}

/* Panics with the field's number where the processor refuses it. */
void vmwrite_failed(enum vmcs_field field, u64 value);

static inline void vmwrite(enum vmcs_field field, u64 value)
{
	bool failed;

	__asm__ volatile("vmwrite %2, %1"
			 : "=@ccbe"(failed)
			 : "r"((u64)field), "rm"(value));
	if (failed)
		vmwrite_failed(field, value);
}

struct invept_descriptor {
	u64 eptp, zero;
};
_Static_assert(sizeof(struct invept_descriptor) == 16, "INVEPT (30.3)");

/* False if the processor refuses it. */
static inline bool invept(u64 type, const struct invept_descriptor *descriptor)
{
	bool failed;

	__asm__ volatile("invept %1, %2"
			 : "=@ccbe"(failed)
			 : "m"(*descriptor), "r"(type)
			 : "memory");
	return !failed;
}

/* The controls of this machine, decided once from the capability MSRs. */
struct vmx_controls {
	u32 revision;
	u32 pin, proc, proc2, exit, entry;
	u64 cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	u64 ept_vpid_cap;
	bool wait_for_sipi; /* the activity state can be entered */
};

extern struct vmx_controls vmx;

/* Read the capabilities into vmx; logs them in one line.  vmx_check() has
 * seen before that all that is needed is there. */
void vmx_capabilities(void);

/* Allowed settings of the control @msr and its true variant (appendix A.3.1):
 * low half must be 1, high half may be 1. */
u64 vmx_control_msr(u32 msr, u32 true_msr);

/*
 * Enter VMX root operation on this CPU (23.7): IA32_FEATURE_CONTROL locked on
 * where firmware left it unlocked, CR0 and CR4 as the fixed bits demand.
 * -EOPNOTSUPP: locked off on this CPU; -EINVAL: its
 * capabilities differ from the first one's; -EIO: VMXON failed.
 */
int vmx_on(void);

/* Leave it. */
void vmx_off(void);

/* Forget what this CPU has cached of all guests' linear addresses (28.3.3.3);
 * nothing to do without VPID, where each entry and exit does it. */
void vpid_invalidate(void);

#endif
