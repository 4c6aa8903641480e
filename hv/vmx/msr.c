/*
 * The guest's model-specific registers (Intel SDM 4).  A short list reaches
 * the hardware without an exit; some are emulated; every other access gets #GP
 * and, the first time, a log line.
 */
#include "hv/vmx/msr.h"
#include "hv/asm.h"
#include "hv/log.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/guest_power.h"
#include "hv/vmx/icr.h"
#include "hv/vmx/vcpu.h"
#include "hv/vmx/vmx.h"
#include "hv/x86.h"

#define PASS_READ BIT(0)
#define PASS_WRITE BIT(1)
#define PASS (PASS_READ | PASS_WRITE)

/* CPUID bits that say an MSR exists */
#define LEAF1_ECX_TSC_DEADLINE BIT(24)
#define LEAF7_EBX_TSC_ADJUST BIT(1)
#define LEAF7_EDX_SPEC_CTRL BIT(26)
#define LEAF7_EDX_L1D_FLUSH BIT(28)
#define LEAF7_EDX_ARCH_CAPABILITIES BIT(29)

/* The bitmap's four parts (Intel SDM 3C 24.6.9) */
#define BITMAP_READ_LOW 0x000
#define BITMAP_READ_HIGH 0x400
#define BITMAP_WRITE_LOW 0x800
#define BITMAP_WRITE_HIGH 0xc00
#define BITMAP_BITS 0x2000

/* Emulated MTRRs: 8 variable ranges, fixed ranges, write-combining */
#define MTRR_VARIABLE 8
#define MTRRCAP_VALUE (MTRR_VARIABLE | BIT(8) | BIT(10))
#define MTRR_DEF_ENABLE BIT(11)
#define MTRR_DEF_FIXED BIT(10)
#define MTRR_WB 6
#define MTRR_DEF_VALID 0xcffULL
#define MTRR_BASE_VALID 0x0ffffffffffff0ffULL
#define MTRR_MASK_VALID 0x0ffffffffffff800ULL

/* What the processor is not prone to, and what VERW clears; not the bits that
 * name MSRs, which are not the guest's (Intel SDM 4, table 2-2). */
#define ARCH_CAPABILITIES_SHOWN 0x1d1ae17fULL

/* Not LBR: there are no branch records, and on some processors VM entry refuses
 * the bit */
#define DEBUGCTL_ALLOWED DEBUGCTL_BTF
#define EFER_VALID (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)
#define PAT_UC_MINUS 7

static void bitmap_clear(u8 *bitmap, unsigned int low, unsigned int high,
			 u32 msr)
{
	unsigned int part = msr >= 0xc0000000 ? high : low;
	unsigned int bit = msr & (BITMAP_BITS - 1);

	bitmap[part + bit / 8] &= ~BIT(bit % 8);
}

static void pass(u8 *bitmap, u32 msr, u32 how)
{
	if (how & PASS_READ)
		bitmap_clear(bitmap, BITMAP_READ_LOW, BITMAP_READ_HIGH, msr);
	if (how & PASS_WRITE)
		bitmap_clear(bitmap, BITMAP_WRITE_LOW, BITMAP_WRITE_HIGH, msr);
}

/* All of these are the guest's alone: switched by the VMCS, or not used by the
 * hypervisor. */
static const struct {
	u32 msr;
	u32 how;
} passed[] = {
	{MSR_TSC, PASS_READ},	    {MSR_SYSENTER_CS, PASS},
	{MSR_SYSENTER_ESP, PASS},   {MSR_SYSENTER_EIP, PASS},
	{MSR_STAR, PASS},	    {MSR_LSTAR, PASS},
	{MSR_CSTAR, PASS},	    {MSR_FMASK, PASS},
	{MSR_FS_BASE, PASS},	    {MSR_GS_BASE, PASS},
	{MSR_KERNEL_GS_BASE, PASS}, {MSR_TSC_AUX, PASS},
};

/* Of power management, where the guest has it: what Linux's intel_pstate and
 * intel_idle use. */
static void pass_power(u8 *bitmap)
{
	if (guest_power.hwp) {
		pass(bitmap, MSR_PM_ENABLE, PASS_READ);
		pass(bitmap, MSR_HWP_CAPABILITIES, PASS_READ);
		pass(bitmap, MSR_HWP_REQUEST, PASS);
	}
	/* Ratios: the driver of HWP asks for them, too */
	if (guest_power.hwp || guest_power.mwait) {
		pass(bitmap, MSR_PLATFORM_INFO, PASS_READ);
		pass(bitmap, MSR_TURBO_RATIO_LIMIT, PASS_READ);
	}
	if (guest_power.mwait) {
		pass(bitmap, MSR_PKG_CST_CONFIG, PASS_READ);
		pass(bitmap, MSR_MPERF, PASS_READ);
		pass(bitmap, MSR_APERF, PASS_READ);
		pass(bitmap, MSR_POWER_CTL, PASS_READ);
	}
}

static struct cpuid_regs leaf_7(void)
{
	return cpuid(0, 0).eax >= 7 ? cpuid(7, 0) : (struct cpuid_regs){0};
}

static bool has_tsc_adjust(void)
{
	return leaf_7().ebx & LEAF7_EBX_TSC_ADJUST;
}

void msr_bitmap_fill(u8 *bitmap)
{
	u32 edx7 = leaf_7().edx;

	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		bitmap[i] = 0xff;
	for (unsigned int i = 0; i < ARRAY_SIZE(passed); i++)
		pass(bitmap, passed[i].msr, passed[i].how);
	pass_power(bitmap);
	/* Switched by the VMCS, too; what is written there is checked */
	pass(bitmap, MSR_PAT, PASS_READ);
	pass(bitmap, MSR_EFER, PASS_READ);
	/* The whole local APIC is the guest's: no exit for EOI, IPI, timer.
	 * IPIs are looked at only where icr_exits says so. */
	for (u32 msr = MSR_X2APIC_FIRST; msr <= MSR_X2APIC_LAST; msr++)
		pass(bitmap, msr,
		     msr == MSR_X2APIC_ICR && icr_exits ? PASS_READ : PASS);
	if (cpuid(1, 0).ecx & LEAF1_ECX_TSC_DEADLINE)
		pass(bitmap, MSR_TSC_DEADLINE, PASS);
	/* Linux reads it each second when it goes idle */
	if (has_tsc_adjust())
		pass(bitmap, MSR_TSC_ADJUST, PASS_READ);
	if (edx7 & LEAF7_EDX_SPEC_CTRL) {
		pass(bitmap, MSR_SPEC_CTRL, PASS);
		pass(bitmap, MSR_PRED_CMD, PASS_WRITE);
	}
	if (edx7 & LEAF7_EDX_L1D_FLUSH)
		pass(bitmap, MSR_FLUSH_CMD, PASS_WRITE);
}

/* As firmware would leave them, the same on every CPU: all memory write-back,
 * and EPT says what is not. */
void msr_reset_mtrrs(struct cpu *cpu)
{
	cpu->mtrrs = (struct guest_mtrrs){
		.def_type = MTRR_DEF_ENABLE | MTRR_DEF_FIXED | MTRR_WB,
	};
	for (unsigned int i = 0; i < ARRAY_SIZE(cpu->mtrrs.fixed); i++)
		cpu->mtrrs.fixed[i] = 0x0606060606060606ULL;
}

static bool type_valid(u64 type)
{
	return type <= 6 && type != 2 && type != 3; /* 3A 11.11.2.1 */
}

static bool fixed_valid(u64 value)
{
	for (unsigned int i = 0; i < 8; i++)
		if (!type_valid(value >> (8 * i) & 0xff))
			return false;
	return true;
}

/* Where @msr is kept, if it is an MTRR; and whether @value may stand there. */
static u64 *mtrr(struct cpu *cpu, u32 msr, u64 value, bool *valid)
{
	struct guest_mtrrs *m = &cpu->mtrrs;
	u32 variable = msr - MSR_MTRR_PHYSBASE0;

	if (msr == MSR_MTRR_DEF_TYPE) {
		*valid = !(value & ~MTRR_DEF_VALID) && type_valid(value & 0xff);
		return &m->def_type;
	}
	if (msr >= MSR_MTRR_PHYSBASE0 && variable < 2 * MTRR_VARIABLE) {
		*valid = variable % 2 ? !(value & ~MTRR_MASK_VALID)
				      : !(value & ~MTRR_BASE_VALID) &&
						type_valid(value & 0xff);
		return &m->variable[variable];
	}
	*valid = fixed_valid(value);
	if (msr == MSR_MTRR_FIX64K)
		return &m->fixed[0];
	if (msr == MSR_MTRR_FIX16K || msr == MSR_MTRR_FIX16K + 1)
		return &m->fixed[1 + msr - MSR_MTRR_FIX16K];
	if (msr >= MSR_MTRR_FIX4K && msr < MSR_MTRR_FIX4K + 8)
		return &m->fixed[3 + msr - MSR_MTRR_FIX4K];
	return NULL;
}

static u64 misc_enable(void)
{
	u64 shown = guest_power.mwait
			    ? MISC_ENABLE_MONITOR | MISC_ENABLE_TURBO_DISABLE
			    : 0;

	return MISC_ENABLE_FAST_STRINGS | MISC_ENABLE_BTS_UNAVAILABLE |
	       MISC_ENABLE_PEBS_UNAVAILABLE |
	       (shown ? rdmsr(MSR_MISC_ENABLE) & shown : 0);
}

static bool msr_read(struct cpu *cpu, u32 msr, u64 *value)
{
	bool valid;
	u64 *m = mtrr(cpu, msr, 0, &valid);

	if (m) {
		*value = *m;
		return true;
	}
	switch (msr) {
	case MSR_APIC_BASE:
	case MSR_BIOS_SIGN_ID:
		*value = rdmsr(msr);
		return true;
	case MSR_FEATURE_CONTROL:
		*value = FEATURE_CONTROL_LOCK; /* VMX is locked off */
		return true;
	case MSR_MTRRCAP:
		*value = MTRRCAP_VALUE;
		return true;
	case MSR_XSS:
		*value = 0;
		return true;
	case MSR_MISC_ENABLE:
		*value = misc_enable();
		return true;
	case MSR_ARCH_CAPABILITIES:
		if (!(leaf_7().edx & LEAF7_EDX_ARCH_CAPABILITIES))
			return false;
		*value = rdmsr(msr) & ARCH_CAPABILITIES_SHOWN;
		return true;
	case MSR_DEBUGCTL:
		*value = vmread(GUEST_DEBUGCTL);
		return true;
	default:
		return false;
	}
}

static bool write_icr(u64 value)
{
	enum icr_verdict verdict = icr_check(value);
	static u32 logged;

	if (verdict == ICR_GOES)
		guest_send_ipi((u32)(value >> 32), (u32)value);
	if (verdict == ICR_DROPPED &&
	    !__atomic_exchange_n(&logged, 1, __ATOMIC_RELAXED))
		hv_log("guest: interrupt command 0x%lx not sent; further ones "
		       "are not logged\n",
		       value);
	return verdict != ICR_FAULTS;
}

/* LME stays while paging is on, LMA is the processor's (3A 2.2.1). */
static bool write_efer(u64 value)
{
	u64 efer = vmread(GUEST_EFER);

	if (value & ~EFER_VALID ||
	    ((value ^ efer) & EFER_LME && vmread(GUEST_CR0) & CR0_PG))
		return false;
	vmwrite(GUEST_EFER, (value & ~EFER_LMA) | (efer & EFER_LMA));
	return true;
}

/* 3A 11.12.2 */
static bool write_pat(u64 value)
{
	for (unsigned int i = 0; i < 8; i++) {
		u64 type = value >> (8 * i) & 0xff;

		if (!type_valid(type) && type != PAT_UC_MINUS)
			return false;
	}
	vmwrite(GUEST_PAT, value);
	return true;
}

/* Linux turns the promotion to C1E off where it knows the idle states. */
static bool write_power_ctl(u64 value)
{
	if (!guest_power.mwait ||
	    (value ^ rdmsr(MSR_POWER_CTL)) & ~POWER_CTL_C1E)
		return false;
	wrmsr(MSR_POWER_CTL, value);
	return true;
}

static bool msr_write(struct cpu *cpu, u32 msr, u64 value)
{
	bool valid;
	u64 *m = mtrr(cpu, msr, value, &valid);

	if (m) {
		if (valid)
			*m = value;
		return valid;
	}
	switch (msr) {
	case MSR_APIC_BASE: /* neither moved nor switched off */
		return value == rdmsr(MSR_APIC_BASE);
	case MSR_TSC_ADJUST: /* the TSC is the hypervisor's clock, too */
		return has_tsc_adjust() && value == rdmsr(MSR_TSC_ADJUST);
	case MSR_TSC:
	case MSR_BIOS_SIGN_ID:
		return true;
	case MSR_PM_ENABLE: /* it is on, for good */
		return guest_power.hwp && value == 1;
	case MSR_POWER_CTL:
		return write_power_ctl(value);
	case MSR_X2APIC_ICR:
		return write_icr(value);
	case MSR_XSS:
		return value == 0;
	case MSR_MISC_ENABLE:
		return value == misc_enable();
	case MSR_DEBUGCTL:
		if (value & ~DEBUGCTL_ALLOWED)
			return false;
		vmwrite(GUEST_DEBUGCTL, value);
		return true;
	case MSR_EFER:
		return write_efer(value);
	case MSR_PAT:
		return write_pat(value);
	default:
		return false;
	}
}

/* What kernels ask for by the processor's model, without having been promised
 * it, and do without: nobody attacks (Intel SDM 4, tables of models);
 * C0011029h is AMD's. */
static const struct {
	u32 msr;
	const char *name;
} probed[] = {
	{0x34, "SMI count"},
	{0x140, "feature enables: CPUID faulting, ring 3 MWAIT"},
	{0x179, "machine check capabilities"},
	{0x186, "performance event select 0"},
	{0x64e, "productive performance count"},
	{0xc0011029, "AMD's decode configuration"},
};

static const char *probed_name(u32 msr)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(probed); i++)
		if (probed[i].msr == msr)
			return probed[i].name;
	return NULL;
}

/* Say once for each MSR that it is unknown; the memory for that is small, and
 * the log says when it is full. */
static void log_refused(const char *access, u32 msr)
{
	static u32 seen[64];
	static u32 count;
	u32 known = MIN(__atomic_load_n(&count, __ATOMIC_ACQUIRE),
			(u32)ARRAY_SIZE(seen));
	const char *name;
	u32 at;

	for (u32 i = 0; i < known; i++)
		if (seen[i] == msr)
			return;
	if (known == ARRAY_SIZE(seen))
		return;
	at = __atomic_fetch_add(&count, 1, __ATOMIC_ACQ_REL);
	if (at >= ARRAY_SIZE(seen))
		return;
	seen[at] = msr;
	name = probed_name(msr);
	hv_log("guest: %s of MSR 0x%x refused%s%s%s\n", access, msr,
	       name ? ", as kernels expect on a processor without it: " : "",
	       name ? name : "", log_last(at + 1, ARRAY_SIZE(seen)));
}

void exit_rdmsr(struct cpu *cpu)
{
	u32 msr = (u32)cpu->regs.reg[RCX];
	u64 value;

	if (!msr_read(cpu, msr, &value)) {
		log_refused("read", msr);
		vcpu_inject(VECTOR_GP, 0);
		return;
	}
	cpu->regs.reg[RAX] = (u32)value;
	cpu->regs.reg[RDX] = value >> 32;
	vcpu_skip_instruction();
}

void exit_wrmsr(struct cpu *cpu)
{
	u32 msr = (u32)cpu->regs.reg[RCX];
	u64 value = cpu->regs.reg[RDX] << 32 | (u32)cpu->regs.reg[RAX];

	if (!msr_write(cpu, msr, value)) {
		log_refused("write", msr);
		vcpu_inject(VECTOR_GP, 0);
		return;
	}
	vcpu_skip_instruction();
}
