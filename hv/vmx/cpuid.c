/* This file shows the guest its processor: an allow-list over the real CPUID
 * (Intel SDM 2A, CPUID).  What is not listed reads 0. */
#include "hv/vmx/cpuid.h"
#include "hv/asm.h"
#include "hv/stat_abi.h"
#include "hv/time.h"
#include "hv/vmx/control_regs.h"
#include "hv/vmx/guest_power.h"
#include "hv/vmx/selftest.h"
#include "hv/vmx/stat.h"
#include "hv/vmx/vcpu.h"
#include "hv/vmx/vmx.h"
#include "hv/x86.h"

#define LAST_BASIC_LEAF 0x16
#define LAST_EXTENDED_LEAF 0x80000008
#define EPT_REACH 48 /* bits, by 4 levels (SDM 3 29.3.2) */

#define LEAF1_ECX_MONITOR BIT(3)
#define LEAF1_ECX_OSXSAVE BIT(27)
#define LEAF1_ECX_HYPERVISOR BIT(31)
/* SSE3 PCLMULQDQ SSSE3 FMA CMPXCHG16B PCID SSE4.1 SSE4.2 x2APIC MOVBE POPCNT
 * TSC-deadline AES XSAVE AVX F16C RDRAND */
#define LEAF1_ECX_ALLOWED                                                      \
	(BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) | BIT(19) |    \
	 BIT(20) | BIT(21) | BIT(22) | BIT(23) | BIT(24) | BIT(25) | BIT(26) | \
	 BIT(28) | BIT(29) | BIT(30))
/* All but MCE (7), MCA (14), PSN (18), DS (21), ACPI (22), TM (29), PBE (31) */
#define LEAF1_EDX_ALLOWED                                                      \
	(0xffffffffU & ~(BIT(7) | BIT(10) | BIT(14) | BIT(18) | BIT(20) |      \
			 BIT(21) | BIT(22) | BIT(29) | BIT(30) | BIT(31)))

#define LEAF7_EBX_INVPCID BIT(10)
/* FSGSBASE TSC_ADJUST BMI1 AVX2 SMEP BMI2 ERMS RDSEED ADX SMAP CLFLUSHOPT CLWB
 * SHA and AVX512 F DQ IFMA CD BW VL */
#define LEAF7_EBX_ALLOWED                                                      \
	(BIT(0) | BIT(1) | BIT(3) | BIT(5) | BIT(7) | BIT(8) | BIT(9) |        \
	 BIT(18) | BIT(19) | BIT(20) | BIT(23) | BIT(24) | BIT(29) | BIT(16) | \
	 BIT(17) | BIT(21) | BIT(28) | BIT(30) | BIT(31))
#define LEAF7_ECX_PKU BIT(3)
#define LEAF7_ECX_OSPKE BIT(4)
#define LEAF7_ECX_RDPID BIT(22)
/* AVX512_VBMI UMIP PKU VBMI2 GFNI VAES VPCLMULQDQ VNNI BITALG VPOPCNTDQ */
#define LEAF7_ECX_ALLOWED                                                      \
	(BIT(1) | BIT(2) | BIT(3) | BIT(6) | BIT(8) | BIT(9) | BIT(10) |       \
	 BIT(11) | BIT(12) | BIT(14))
/* FSRM MD_CLEAR IBRS STIBP L1D_FLUSH ARCH_CAPABILITIES SSBD */
#define LEAF7_EDX_ALLOWED                                                      \
	(BIT(4) | BIT(10) | BIT(26) | BIT(27) | BIT(28) | BIT(29) | BIT(31))

#define LEAFD1_EAX_XSAVES BIT(3)
/* XSAVEOPT XSAVEC XGETBV_ECX1 */
#define LEAFD1_EAX_ALLOWED (BIT(0) | BIT(1) | BIT(2))

/* LAHF ABM PREFETCHW */
#define EXT1_ECX_ALLOWED (BIT(0) | BIT(5) | BIT(8))
#define EXT1_EDX_RDTSCP BIT(27)
/* SYSCALL NX 1G-pages LM */
#define EXT1_EDX_ALLOWED (BIT(11) | BIT(20) | BIT(26) | BIT(29))
#define EXT7_EDX_INVARIANT_TSC BIT(8)

/* Linux keeps x2APIC mode without interrupt remapping only under a hypervisor
 * that it knows; KVM's signature without any feature asks for nothing else. */
#define KVM_SIGNATURE "KVMKVMKVM\0\0"
#define HYPERVISOR_LEAF_BASE 0x40000000
#define HYPERVISOR_LEAF_LAST 0x40000001

static struct cpuid_regs leaf_1(struct cpuid_regs r)
{
	r.ecx &=
		LEAF1_ECX_ALLOWED | (guest_power.mwait ? LEAF1_ECX_MONITOR : 0);
	r.ecx |= LEAF1_ECX_HYPERVISOR;
	if (vmread(GUEST_CR4) & CR4_OSXSAVE)
		r.ecx |= LEAF1_ECX_OSXSAVE;
	r.edx &= LEAF1_EDX_ALLOWED;
	return r;
}

static struct cpuid_regs leaf_7(u32 subleaf, struct cpuid_regs r)
{
	u32 ebx = r.ebx & LEAF7_EBX_ALLOWED, ecx = r.ecx & LEAF7_ECX_ALLOWED;

	if (subleaf)
		return (struct cpuid_regs){0};
	if (vmx.proc2 & PROC2_INVPCID)
		ebx |= r.ebx & LEAF7_EBX_INVPCID;
	if (vmx.proc2 & PROC2_RDTSCP)
		ecx |= r.ecx & LEAF7_ECX_RDPID;
	if (ecx & LEAF7_ECX_PKU && vmread(GUEST_CR4) & CR4_PKE)
		ecx |= LEAF7_ECX_OSPKE;
	return (struct cpuid_regs){0, ebx, ecx, r.edx & LEAF7_EDX_ALLOWED};
}

static struct cpuid_regs leaf_d(u32 subleaf, struct cpuid_regs r)
{
	u64 allowed = guest_xcr0_allowed();

	if (subleaf == 0) {
		r.eax = (u32)allowed;
		r.edx = allowed >> 32;
	} else if (subleaf == 1) {
		r.eax &= LEAFD1_EAX_ALLOWED |
			 (vmx.proc2 & PROC2_XSAVES ? LEAFD1_EAX_XSAVES : 0);
		r.ecx = r.edx = 0; /* no state in IA32_XSS */
	} else if (subleaf > 63 || !(allowed & BIT(subleaf))) {
		r = (struct cpuid_regs){0};
	}
	return r;
}

static u32 gcd(u32 a, u32 b)
{
	while (b) {
		u32 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/*
 * TSC / crystal = EBX / EAX, with ECX the crystal, which the APIC timer counts.
 * Linux multiplies crystal kHz by EBX in 32 bits: the fraction must be short.
 * Continued fractions give the nearest one with such an EBX.
 */
static struct cpuid_regs leaf_15(void)
{
	u32 tsc = time_tsc_khz(), crystal = time_apic_khz();
	u32 common = gcd(tsc, crystal), limit = UINT32_MAX / crystal;
	u32 a = tsc / common, b = crystal / common;
	u64 n0 = 0, d0 = 1, n1 = 1, d1 = 0; /* the last two convergents */

	while (b) {
		u64 n = a / b * n1 + n0, d = a / b * d1 + d0;
		u32 rest = a % b;

		if (n > limit)
			break;
		n0 = n1, d0 = d1;
		n1 = n, d1 = d;
		a = b;
		b = rest;
	}
	return (struct cpuid_regs){(u32)d1, (u32)n1, crystal * 1000, 0};
}

static struct cpuid_regs leaf_16(void)
{
	u32 mhz = time_tsc_khz() / 1000;

	return (struct cpuid_regs){mhz, mhz, time_apic_khz() / 1000, 0};
}

static struct cpuid_regs basic_leaf(u32 leaf, u32 subleaf)
{
	struct cpuid_regs r = {0};

	/* Beyond its last leaf a processor repeats that one */
	if (leaf <= cpuid(0, 0).eax)
		r = cpuid(leaf, subleaf);
	switch (leaf) {
	case 0:
		r.eax = LAST_BASIC_LEAF;
		return r;
	case 1:
		return leaf_1(r);
	case 2: /* cache descriptors */
	case 4:
	case 0xb: /* topology: APIC IDs are the real ones */
		return r;
	case 5: /* MONITOR and MWAIT */
		return guest_power.mwait ? r : (struct cpuid_regs){0};
	case 6:
		return guest_power_leaf_6(r);
	case 7:
		return leaf_7(subleaf, r);
	case 0xd:
		return leaf_d(subleaf, r);
	case 0x15:
		return leaf_15();
	case 0x16:
		return leaf_16();
	default:
		return (struct cpuid_regs){0};
	}
}

static struct cpuid_regs extended_leaf(u32 leaf)
{
	struct cpuid_regs r = cpuid(leaf, 0);

	switch (leaf) {
	case 0x80000000:
		r.eax = MIN(r.eax, LAST_EXTENDED_LEAF);
		return (struct cpuid_regs){.eax = r.eax};
	case 0x80000001:
		r.ecx &= EXT1_ECX_ALLOWED;
		r.edx &= EXT1_EDX_ALLOWED |
			 (vmx.proc2 & PROC2_RDTSCP ? EXT1_EDX_RDTSCP : 0);
		return (struct cpuid_regs){.ecx = r.ecx, .edx = r.edx};
	case 0x80000002: /* brand string */
	case 0x80000003:
	case 0x80000004:
	case 0x80000006: /* caches */
		return r;
	case 0x80000007:
		return (struct cpuid_regs){.edx = r.edx &
						  EXT7_EDX_INVARIANT_TSC};
	case 0x80000008: /* address widths, and what of it EPT reaches */
		r.eax &= 0xffff;
		if ((r.eax & 0xff) > EPT_REACH)
			r.eax |= EPT_REACH << 16;
		return (struct cpuid_regs){.eax = r.eax};
	default:
		return (struct cpuid_regs){0};
	}
}

static struct cpuid_regs leaf(u32 leaf, u32 subleaf)
{
	if (leaf <= LAST_BASIC_LEAF)
		return basic_leaf(leaf, subleaf);
	if (leaf == HYPERVISOR_LEAF_BASE)
		return cpuid_signature(HYPERVISOR_LEAF_LAST, KVM_SIGNATURE);
	if (leaf == SELFTEST_LEAF)
		selftest_run(subleaf);
	if (leaf >= STAT_LEAF_BASE && leaf <= STAT_LEAF_LAST)
		return stat_leaf(leaf, subleaf);
	if (leaf >= 0x80000000 && leaf <= LAST_EXTENDED_LEAF)
		return extended_leaf(leaf);
	return (struct cpuid_regs){0};
}

void exit_cpuid(struct cpu *cpu)
{
	struct cpuid_regs r =
		leaf((u32)cpu->regs.reg[RAX], (u32)cpu->regs.reg[RCX]);

	cpu->regs.reg[RAX] = r.eax;
	cpu->regs.reg[RBX] = r.ebx;
	cpu->regs.reg[RCX] = r.ecx;
	cpu->regs.reg[RDX] = r.edx;
	vcpu_skip_instruction();
}
