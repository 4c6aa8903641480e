/*
 * This file fills a VMCS: at creation, after INIT and SIPI, and at the entry to
 * Linux (Intel SDM 3C 24, 26):
 *
 *    VMCS, a page       0  revision identifier (bit 31: 0)
 *                       4  VMX-abort indicator
 *                       8  data, reached by VMREAD and VMWRITE alone:
 *
 *      guest state      loaded at entry, saved at exit: CR0, CR3, CR4, RSP,
 *                       RIP, RFLAGS, segments, GDTR, IDTR, EFER, PAT;
 *                       activity state (active, HLT, wait for SIPI),
 *                       interruptibility
 *      host state       loaded at exit: CR0, CR3, CR4, RSP, RIP, selectors,
 *                       bases of GS, TR, GDTR, IDTR, EFER, PAT
 *      controls         pin-based, processor-based (two words), exception
 *                       bitmap, I/O and MSR bitmaps, EPTP, VPID, CR0 and CR4
 *                       masks and shadows; for exit and entry
 *      exit information read-only: reason, qualification, GPA, instruction
 *                       length, IDT-vectoring information
 *
 *    field encoding     31       15 14   13 12 11 10 9            1   0
 *                      | 0        | width | 0| type | index        |high|
 *                       width 0: 16, 1: 64, 2: 32 bits, 3: natural
 *                       type 0: control, 1: exit information, 2: guest, 3: host
 */
#include "hv/vmx/vmcs.h"
#include "hv/alloc.h"
#include "hv/asm.h"
#include "hv/log.h"
#include "hv/segments.h"
#include "hv/string.h"
#include "hv/vmx/control_regs.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/msr.h"
#include "hv/vmx/vmx.h"
#include "hv/x86.h"

#define DR6_AT_RESET 0xffff0ff0UL
#define DR7_AT_RESET 0x400
#define CR0_AFTER_INIT (CR0_CD | CR0_NW | CR0_ET)
#define VPID_OF(cpu) ((cpu)->index + 1)

/* CR0 bits that the guest does not own: NE must be 1 under VMX; CD and NW are
 * a view only, so that one CPU cannot slow its neighbours' caches (24.6.6). */
#define CR0_HOST_OWNED (CR0_NE | CR0_CD | CR0_NW)

/*
 * A guest can arrange that the delivery of one of these causes the next, for
 * ever, in one instruction: no interrupt, NMI or INIT would get through, and
 * the processor would be lost to the hypervisor.  An exit breaks the chain.
 */
#define EXCEPTIONS_REFLECTED (BIT(VECTOR_DB) | BIT(VECTOR_AC))

/* The banks are not the guest's, and without the exit it would find nothing to
 * say why it ends.  CR4.MCE is on under it, whatever it does: else a machine
 * check is a shutdown (3A 6.15). */
#define EXCEPTIONS_TAKEN BIT(VECTOR_MC)

static u8 *io_bitmap, *msr_bitmap;

int vcpu_bitmaps_init(void)
{
	io_bitmap = page_alloc(2, PAGES_CPU);
	msr_bitmap = page_alloc(1, PAGES_CPU);
	if (!io_bitmap || !msr_bitmap)
		return -ENOMEM;
	memset(io_bitmap, 0xff, 2 * PAGE_SIZE);
	msr_bitmap_fill(msr_bitmap);
	return 0;
}

void vcpu_pass_ports(u16 first, unsigned int count)
{
	for (u32 port = first; port < first + count; port++)
		io_bitmap[port / 8] &= ~BIT(port % 8);
}

static void set_controls(const struct cpu *cpu)
{
	vmwrite(PIN_CONTROLS, vmx.pin);
	vmwrite(PROC_CONTROLS, vmx.proc);
	vmwrite(PROC2_CONTROLS, vmx.proc2);
	vmwrite(EXIT_CONTROLS, vmx.exit);
	vmwrite(ENTRY_CONTROLS, vmx.entry);
	vmwrite(EXCEPTION_BITMAP, EXCEPTIONS_REFLECTED | EXCEPTIONS_TAKEN);
	vmwrite(PF_ERROR_MASK, 0);
	vmwrite(PF_ERROR_MATCH, 0);
	vmwrite(CR3_TARGET_COUNT, 0);
	vmwrite(EXIT_MSR_STORE_COUNT, 0);
	vmwrite(EXIT_MSR_LOAD_COUNT, 0);
	vmwrite(ENTRY_MSR_LOAD_COUNT, 0);
	vmwrite(ENTRY_INTERRUPTION, 0);
	vmwrite(IO_BITMAP_A, (hpa_t)io_bitmap);
	vmwrite(IO_BITMAP_B, (hpa_t)io_bitmap + PAGE_SIZE);
	vmwrite(MSR_BITMAP, (hpa_t)msr_bitmap);
	vmwrite(EPT_POINTER, guest.eptp);
	if (vmx.proc2 & PROC2_VPID)
		vmwrite(VPID, VPID_OF(cpu));
	if (vmx.proc2 & PROC2_XSAVES)
		vmwrite(XSS_EXITING_BITMAP, 0);
	vmwrite(CR0_MASK, CR0_HOST_OWNED);
	vmwrite(CR4_MASK, ~guest_cr4_allowed());
	vmwrite(VMCS_LINK_POINTER, ~0ULL);
}

static void set_host_state(const struct cpu *cpu)
{
	struct descriptor_pointer idtr;

	__asm__ volatile("sidt %0" : "=m"(idtr));
	vmwrite(HOST_CR0, read_cr0());
	vmwrite(HOST_CR3, read_cr3());
	vmwrite(HOST_CR4, read_cr4());
	vmwrite(HOST_CS_SELECTOR, HOST_CS);
	vmwrite(HOST_SS_SELECTOR, HOST_DS);
	vmwrite(HOST_DS_SELECTOR, HOST_DS);
	vmwrite(HOST_ES_SELECTOR, HOST_DS);
	vmwrite(HOST_FS_SELECTOR, 0);
	vmwrite(HOST_GS_SELECTOR, 0);
	vmwrite(HOST_TR_SELECTOR, HOST_TR);
	vmwrite(HOST_FS_BASE, 0);
	vmwrite(HOST_GS_BASE, (u64)cpu);
	vmwrite(HOST_TR_BASE, (u64)&cpu->tss);
	vmwrite(HOST_GDTR_BASE, (u64)cpu->gdt);
	vmwrite(HOST_IDTR_BASE, idtr.base);
	vmwrite(HOST_SYSENTER_CS, 0);
	vmwrite(HOST_SYSENTER_ESP, 0);
	vmwrite(HOST_SYSENTER_EIP, 0);
	vmwrite(HOST_PAT, rdmsr(MSR_PAT));
	vmwrite(HOST_EFER, rdmsr(MSR_EFER));
}

int vcpu_create(void)
{
	struct cpu *cpu = this_cpu();
	hpa_t vmcs;
	bool failed;

	*(u32 *)cpu->vmcs = vmx.revision;
	vmcs = (hpa_t)cpu->vmcs;
	__asm__ volatile("vmclear %1\n\t"
			 "vmptrld %1"
			 : "=@ccbe"(failed)
			 : "m"(vmcs)
			 : "memory");
	if (failed) {
		hv_log("vmx: cpu %u: VMPTRLD failed\n", cpu->index);
		return -EIO;
	}
	cpu->vmcs_loaded = true;
	set_controls(cpu);
	set_host_state(cpu);
	msr_reset_mtrrs(cpu);
	vmwrite(GUEST_PAT, PAT_AT_RESET);
	vmwrite(GUEST_DEBUGCTL, 0);
	vmwrite(GUEST_PENDING_DEBUG, 0);
	vmwrite(GUEST_SYSENTER_CS, 0);
	vmwrite(GUEST_SYSENTER_ESP, 0);
	vmwrite(GUEST_SYSENTER_EIP, 0);
	vcpu_reset_for_init();
	return 0;
}

static void set_segment(unsigned int seg, u16 selector, u64 base, u32 limit,
			u32 access)
{
	vmwrite(GUEST_SELECTOR(seg), selector);
	vmwrite(GUEST_BASE(seg), base);
	vmwrite(GUEST_LIMIT(seg), limit);
	vmwrite(GUEST_ACCESS(seg), access);
}

static void set_cr0(u64 cr0)
{
	vmwrite(GUEST_CR0, (cr0 & ~(CR0_CD | CR0_NW)) | CR0_NE);
	vmwrite(CR0_SHADOW, cr0);
}

static void set_cr4(u64 cr4)
{
	vmwrite(GUEST_CR4, cr4 | vmx.cr4_fixed0 | CR4_MCE);
	vmwrite(CR4_SHADOW, cr4);
}

/* The guest's own, which no exit saves. */
static void reset_debug_registers(void)
{
	__asm__ volatile("mov %0, %%dr0\n\t"
			 "mov %0, %%dr1\n\t"
			 "mov %0, %%dr2\n\t"
			 "mov %0, %%dr3\n\t"
			 "mov %1, %%dr6"
			 :
			 : "r"(0UL), "r"(DR6_AT_RESET));
}

/* Intel SDM 3A table 9-1, column INIT.  CD and NW keep their value there; 1 is
 * what they have at power-up, and what firmware expects to find. */
void vcpu_reset_for_init(void)
{
	struct cpu *cpu = this_cpu();

	set_cr0(CR0_AFTER_INIT);
	set_cr4(0);
	vmwrite(GUEST_CR3, 0);
	vmwrite(GUEST_EFER, 0);
	vmwrite(ENTRY_CONTROLS, vmx.entry);
	set_segment(SEG_CS, 0xf000, 0xffff0000, 0xffff, ACCESS_CODE16);
	for (unsigned int seg = SEG_ES; seg <= SEG_GS; seg++)
		if (seg != SEG_CS)
			set_segment(seg, 0, 0, 0xffff, ACCESS_DATA16);
	set_segment(SEG_LDTR, 0, 0, 0xffff, ACCESS_LDT);
	set_segment(SEG_TR, 0, 0, 0xffff, ACCESS_TSS_BUSY);
	vmwrite(GUEST_GDTR_BASE, 0);
	vmwrite(GUEST_GDTR_LIMIT, 0xffff);
	vmwrite(GUEST_IDTR_BASE, 0);
	vmwrite(GUEST_IDTR_LIMIT, 0xffff);
	vmwrite(GUEST_DR7, DR7_AT_RESET);
	vmwrite(GUEST_RFLAGS, RFLAGS_RESERVED_1);
	vmwrite(GUEST_RIP, 0xfff0);
	vmwrite(GUEST_RSP, 0);
	vmwrite(GUEST_INTERRUPTIBILITY, 0);
	vmwrite(GUEST_PENDING_DEBUG, 0);
	vmwrite(ENTRY_INTERRUPTION, 0);
	vmwrite(GUEST_ACTIVITY, ACTIVITY_WAIT_FOR_SIPI);
	reset_debug_registers();
	write_cr2(0);
	vpid_invalidate();
	memset(&cpu->regs, 0, sizeof(cpu->regs));
	cpu->nmi_to_inject = false;
	cpu->regs.reg[RDX] = cpuid(1, 0).eax;
	__atomic_store_n(&cpu->state, CPU_WAIT_FOR_SIPI, __ATOMIC_RELEASE);
}

void vcpu_start_at(u8 vector)
{
	vmwrite(GUEST_SELECTOR(SEG_CS), (u16)vector << 8);
	vmwrite(GUEST_BASE(SEG_CS), (u64)vector << 12);
	vmwrite(GUEST_RIP, 0);
	/* Waiting for SIPI blocks SMIs (26.7.2).  An exit may save that, and
	 * VM entry refuses it outside of SMM (26.3.1.5). */
	vmwrite(GUEST_INTERRUPTIBILITY, 0);
	vmwrite(GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	this_cpu()->started = true;
	__atomic_store_n(&this_cpu()->state, CPU_GUEST, __ATOMIC_RELEASE);
}

/*
 * INIT is blocked in the wait-for-SIPI state (26.7.2).  Where it is held back
 * and not dropped, the INIT that the guest sent before its SIPI comes when the
 * SIPI has started the vCPU, before the first instruction: too late to count.
 */
void vcpu_take_init(struct cpu *cpu)
{
	if (!cpu->started || vmread(GUEST_RIP))
		vcpu_reset_for_init();
	cpu->started = false;
}

void vcpu_set_entry(const struct vcpu_entry *e)
{
	struct cpu *cpu = this_cpu();

	set_cr0(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE);
	set_cr4(CR4_PAE);
	vmwrite(GUEST_CR3, e->cr3);
	vmwrite(GUEST_EFER, EFER_LME | EFER_LMA);
	vmwrite(ENTRY_CONTROLS, vmx.entry | ENTRY_IA32E);
	for (unsigned int seg = SEG_ES; seg <= SEG_GS; seg++)
		set_segment(seg, e->ds, 0, 0xffffffff, ACCESS_DATA);
	set_segment(SEG_CS, e->cs, 0, 0xffffffff, ACCESS_CODE64);
	vmwrite(GUEST_GDTR_BASE, e->gdt);
	vmwrite(GUEST_GDTR_LIMIT, e->gdt_limit);
	vmwrite(GUEST_IDTR_LIMIT, 0);
	vmwrite(GUEST_RIP, e->rip);
	vmwrite(GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	cpu->regs.reg[RSI] = e->rsi;
	__atomic_store_n(&cpu->state, CPU_GUEST, __ATOMIC_RELEASE);
}
