/* This file writes what a processor has of its own, beside its page tables and
 * descriptor tables: control registers and MSRs. */
#include "hv/host_state.h"
#include "hv/asm.h"
#include "hv/log.h"
#include "hv/x86.h"

#define CR0_OF_HOST (CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE)
#define LEAF1_ECX_XSAVE BIT(26)
#define LEAF7_EDX_ARCH_CAPABILITIES BIT(29)

enum cpuid_register { EAX, EBX, ECX, EDX };

/* Each MSR is there if any of @bits is set in that register of that leaf. */
static const struct fact {
	u32 msr;
	const char *name;
	u64 value;
	u32 leaf, subleaf;
	enum cpuid_register reg;
	u32 bits;
} facts[] = {
	/* Shadow stacks and indirect branch tracking (3A 18.1) */
	{MSR_S_CET, "IA32_S_CET", 0, 7, 0, ECX, BIT(7)},
	{MSR_S_CET, "IA32_S_CET", 0, 7, 0, EDX, BIT(20)},
	/* Protection keys of supervisor pages */
	{MSR_PKRS, "IA32_PKRS", 0, 7, 0, ECX, BIT(31)},
	/* What XSAVES saves beside XCR0: nothing, as the guest is told */
	{MSR_XSS, "IA32_XSS", 0, 0xd, 1, EAX, BIT(3)},
	{MSR_XFD, "IA32_XFD", 0, 0xd, 1, EAX, BIT(4)},
	/* Branch records, traces, counters: off */
	{MSR_DEBUGCTL, "IA32_DEBUGCTL", 0, 1, 0, EDX, BIT(5)},
	{MSR_LBR_CTL, "IA32_LBR_CTL", 0, 7, 0, EDX, BIT(19)},
	{MSR_RTIT_CTL, "IA32_RTIT_CTL", 0, 7, 0, EBX, BIT(25)},
	{MSR_PERF_GLOBAL_CTRL, "IA32_PERF_GLOBAL_CTRL", 0, 0xa, 0, EAX, 0xfe},
	{MSR_PAT, "IA32_PAT", PAT_OF_HOST, 1, 0, EDX, BIT(16)},
};

static struct cpuid_regs leaf(u32 number, u32 subleaf)
{
	return cpuid(0, 0).eax >= number ? cpuid(number, subleaf)
					 : (struct cpuid_regs){0};
}

static bool is_there(const struct fact *f)
{
	struct cpuid_regs r = leaf(f->leaf, f->subleaf);
	const u32 regs[] = {r.eax, r.ebx, r.ecx, r.edx};

	return regs[f->reg] & f->bits;
}

static void set_msr(const struct fact *f, bool log)
{
	u64 left = rdmsr(f->msr);

	if (left == f->value)
		return;
	if (log)
		hv_log("cpu: firmware left %s at 0x%lx; now 0x%lx\n", f->name,
		       left, f->value);
	wrmsr(f->msr, f->value);
}

static bool has_xsave(void)
{
	return cpuid(1, 0).ecx & LEAF1_ECX_XSAVE;
}

/* The guest is told that there is no TSX; without this its programs could use
 * it all the same, and its kernel would not guard itself against TAA. */
static void disable_tsx(bool log)
{
	static const struct fact off = {
		.msr = MSR_TSX_CTRL,
		.name = "IA32_TSX_CTRL",
		.value = TSX_CTRL_RTM_DISABLE | TSX_CTRL_CPUID_CLEAR,
	};

	if (leaf(7, 0).edx & LEAF7_EDX_ARCH_CAPABILITIES &&
	    rdmsr(MSR_ARCH_CAPABILITIES) & ARCH_CAPABILITIES_TSX_CTRL)
		set_msr(&off, log);
}

u64 host_cr4(void)
{
	return CR4_PAE | CR4_MCE | (has_xsave() ? CR4_OSXSAVE : 0);
}

void host_state_set(bool log)
{
	/* First of all CET off, by CR4: its shadow stack is not mapped in our
	 * tables */
	write_cr4(host_cr4());
	write_cr0(CR0_OF_HOST);
	for (unsigned int i = 0; i < ARRAY_SIZE(facts); i++)
		if (is_there(&facts[i]))
			set_msr(&facts[i], log);
	disable_tsx(log);
	if (has_xsave())
		xsetbv(0, XCR0_X87);
}
