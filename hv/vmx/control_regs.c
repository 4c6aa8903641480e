/* This file handles CR0, CR4 and XCR0 of the guest, where it does not own a
 * bit (Intel SDM 3A 2.5, 2.6; 3C 25.1.3). */
#include "hv/vmx/control_regs.h"
#include "hv/asm.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/trap.h"
#include "hv/vmx/vcpu.h"
#include "hv/vmx/vmx.h"
#include "hv/x86.h"

#define CR4_ALLOWED                                                            \
	(CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE |  \
	 CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_UMIP | CR4_FSGSBASE |     \
	 CR4_PCIDE | CR4_OSXSAVE | CR4_SMEP | CR4_SMAP | CR4_PKE)
#define CR0_KNOWN                                                              \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP |        \
	 CR0_AM | CR0_NW | CR0_CD | CR0_PG)

/* Exit qualification (27.2.1 table 27-3) */
#define CR_NUMBER(q) ((q) & 0xf)
#define CR_ACCESS_TYPE(q) ((q) >> 4 & 3)
#define CR_MOV_TO 0
#define CR_REGISTER(q) ((q) >> 8 & 0xf)

#define PDPTE_PRESENT BIT(0)
#define PDPTE_RESERVED 0x1e6ULL /* and what is above the physical address */

#define ACCESS_TYPE(a) ((a) & 0xf)
#define TYPE_BUSY_TSS 0xb /* of 32 or 64 bits */

u64 guest_cr4_allowed(void)
{
	return CR4_ALLOWED & vmx.cr4_fixed1;
}

u64 guest_xcr0_allowed(void)
{
	struct cpuid_regs r = {0};

	if (cpuid(0, 0).eax >= 0xd && cpuid(1, 0).ecx & BIT(26))
		r = cpuid(0xd, 0);
	return ((u64)r.edx << 32 | r.eax) &
	       (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512 | XCR0_PKRU);
}

static bool cr0_valid(u64 cr0)
{
	u64 cr4 = vmread(GUEST_CR4);

	if (cr0 >> 32 || (cr0 & CR0_PG && !(cr0 & CR0_PE)) ||
	    (cr0 & CR0_NW && !(cr0 & CR0_CD)))
		return false;
	if (cr0 & CR0_PG)
		return true;
	/* Paging off: not in 64-bit code, and not with PCIDs (4.10.1) */
	return !(cr4 & CR4_PCIDE) && !vcpu_in_64bit_code();
}

static bool read_guest_ram(gpa_t gpa, void *to, u64 size)
{
	int err;

	trap_lock();
	err = guest_ram_read(&guest.map, gpa, to, size);
	trap_unlock();
	return !err;
}

/* Width of a physical address (CPUID 80000008H); 36 where there is no such
 * leaf. */
static unsigned int physical_bits(void)
{
	if (cpuid(0x80000000, 0).eax < 0x80000008)
		return 36;
	return MIN(cpuid(0x80000008, 0).eax & 0xff, 52u);
}

/* PAE paging reads the four top entries whenever CR0.PG, CD or NW changes
 * (4.4.1). */
static bool load_pdptes(void)
{
	gpa_t table = vmread(GUEST_CR3) & 0xffffffe0;
	u64 reserved = PDPTE_RESERVED | ~(BIT(physical_bits()) - 1);
	u64 pdpte[4];

	if (!read_guest_ram(table, pdpte, sizeof(pdpte)))
		return false;
	for (unsigned int i = 0; i < 4; i++)
		if (pdpte[i] & PDPTE_PRESENT && pdpte[i] & reserved)
			return false;
	for (unsigned int i = 0; i < 4; i++)
		vmwrite(GUEST_PDPTE0 + 2 * i, pdpte[i]);
	return true;
}

/* IA-32e mode follows EFER.LME when paging is switched on (4.1.2); not from
 * 64-bit code, and not with a 16-bit TSS (2A, MOV to control registers). */
static bool enter_ia32e_mode(u64 efer)
{
	if (!(vmread(GUEST_CR4) & CR4_PAE) ||
	    vmread(GUEST_ACCESS(SEG_CS)) & ACCESS_LONG ||
	    ACCESS_TYPE(vmread(GUEST_ACCESS(SEG_TR))) != TYPE_BUSY_TSS)
		return false;
	vmwrite(GUEST_EFER, efer | EFER_LMA);
	vmwrite(ENTRY_CONTROLS, vmx.entry | ENTRY_IA32E);
	return true;
}

/* What @cr0 with PG means for the paging mode. */
static bool set_paging_mode(u64 cr0)
{
	u64 efer = vmread(GUEST_EFER);

	if (!(cr0 & CR0_PG)) {
		vmwrite(GUEST_EFER, efer & ~EFER_LMA);
		vmwrite(ENTRY_CONTROLS, vmx.entry);
		return true;
	}
	if (efer & EFER_LMA)
		return true;
	if (efer & EFER_LME)
		return enter_ia32e_mode(efer);
	return !(vmread(GUEST_CR4) & CR4_PAE) || load_pdptes();
}

static bool write_guest_cr0(u64 cr0)
{
	if (!cr0_valid(cr0) || !set_paging_mode(cr0))
		return false;
	cr0 = (cr0 & CR0_KNOWN) | CR0_ET;
	vmwrite(GUEST_CR0, (cr0 & ~(CR0_CD | CR0_NW)) | CR0_NE);
	vmwrite(CR0_SHADOW, cr0);
	vpid_invalidate();
	return true;
}

/*
 * Exits come for bits that the guest does not own.  Of CR0 these are NE, CD and
 * NW.  Of CR4 they are those that CPUID does not show to the guest, and VMXE
 * and SMXE: each must stay 0, so every such write is refused.  CLTS and LMSW
 * touch no bit of ours.
 */
static bool cr_access(struct cpu *cpu, u64 q)
{
	u64 value = vcpu_reg(cpu, CR_REGISTER(q));

	/* Outside of 64-bit mode the operand has 32 bits. */
	if (!vcpu_in_64bit_code())
		value = (u32)value;
	return CR_ACCESS_TYPE(q) == CR_MOV_TO && CR_NUMBER(q) == 0 &&
	       write_guest_cr0(value);
}

void exit_cr_access(struct cpu *cpu)
{
	if (cr_access(cpu, vmread(EXIT_QUALIFICATION)))
		vcpu_skip_instruction();
	else
		vcpu_inject(VECTOR_GP, 0);
}

/* SDM 1 13.3: which combinations XSETBV takes. */
static bool xcr0_valid(u64 value)
{
	u64 avx512 = value & XCR0_AVX512;

	return !(value & ~guest_xcr0_allowed()) && value & XCR0_X87 &&
	       (!(value & XCR0_AVX) || value & XCR0_SSE) &&
	       (!avx512 || (avx512 == XCR0_AVX512 && value & XCR0_AVX));
}

/* The processor has looked at CR4.OSXSAVE and CPL before it exits (26.1.1). */
void exit_xsetbv(struct cpu *cpu)
{
	u64 value = cpu->regs.reg[RDX] << 32 | (u32)cpu->regs.reg[RAX];

	if ((u32)cpu->regs.reg[RCX] || !xcr0_valid(value)) {
		vcpu_inject(VECTOR_GP, 0);
		return;
	}
	xsetbv(0, value);
	vcpu_skip_instruction();
}
