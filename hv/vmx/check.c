/*
 * What Gangway needs of the processor, checked before anything is taken over
 * (Intel SDM 3C 23.6 to 23.8, appendix A).  Each thing that is missing is
 * named with the firmware setting or the processors that have it.
 */
#include "hv/vmx/check.h"
#include "hv/asm.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/vmx/vmx.h"
#include "hv/x86.h"

#define LEAF1_ECX_VMX BIT(5)
#define LEAF1_ECX_X2APIC BIT(21)
#define EXT1_EDX_NX BIT(20)

struct report {
	char *buf;
	size_t size, length;
};

static void complain(struct report *r, const char *text)
{
	if (r->length < r->size)
		r->length += format(r->buf + r->length, r->size - r->length,
				    "%s\n", text);
}

static bool may_set(u32 msr, u32 true_msr, u32 bits)
{
	return (~(vmx_control_msr(msr, true_msr) >> 32) & bits) == 0;
}

/* The MSR of the secondary controls is there only if they are. */
static bool has_ept(void)
{
	return may_set(MSR_VMX_PROCBASED, MSR_VMX_TRUE_PROCBASED,
		       PROC_SECONDARY) &&
	       may_set(MSR_VMX_PROCBASED2, 0, PROC2_EPT);
}

static void check_secondary(struct report *r)
{
	if (!has_ept()) {
		complain(r, "no EPT: Intel processors have it from the first "
			    "Core i series (Nehalem, 2008) on");
		return;
	}
	if (!may_set(MSR_VMX_PROCBASED2, 0, PROC2_UNRESTRICTED))
		complain(r, "no unrestricted guest (VMX runs real mode): "
			    "Intel processors have it from Westmere (2010) "
			    "on");
}

static void check_controls(struct report *r)
{
	check_secondary(r);
	if (!may_set(MSR_VMX_PROCBASED, MSR_VMX_TRUE_PROCBASED,
		     PROC_MSR_BITMAPS | PROC_IO_BITMAPS))
		complain(r, "no MSR or I/O bitmaps: every processor with EPT "
			    "has them; check the hypervisor below");
	if (!may_set(MSR_VMX_PINBASED, MSR_VMX_TRUE_PINBASED,
		     PIN_NMI_EXITING | PIN_VIRTUAL_NMIS) ||
	    !may_set(MSR_VMX_PROCBASED, MSR_VMX_TRUE_PROCBASED,
		     PROC_NMI_WINDOW))
		complain(r, "no virtual NMIs with NMI-window exiting: every "
			    "processor with EPT has them; check the hypervisor "
			    "below");
	if (!may_set(MSR_VMX_EXIT, MSR_VMX_TRUE_EXIT,
		     EXIT_SAVE_EFER | EXIT_LOAD_EFER | EXIT_LOAD_PAT) ||
	    !may_set(MSR_VMX_ENTRY, MSR_VMX_TRUE_ENTRY,
		     ENTRY_LOAD_EFER | ENTRY_LOAD_PAT))
		complain(r, "VMX does not switch EFER and PAT: Intel "
			    "processors do from Nehalem (2008) on");
	if (!(rdmsr(MSR_VMX_BASIC) & VMX_BASIC_TRUE_CONTROLS))
		complain(r, "no true VMX controls: Intel processors have them "
			    "from Nehalem (2008) on");
}

static void check_ept(struct report *r)
{
	/* The memory types are those of the tables (appendix A.10) */
	u64 need = EPT_CAP_WALK_4 | EPT_CAP_WB | EPT_CAP_INVEPT;
	u64 cap;

	if (!has_ept())
		return;
	cap = rdmsr(MSR_VMX_EPT_VPID_CAP);
	if ((cap & need) != need ||
	    !(cap & (EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL)))
		complain(r, "EPT lacks 4-level walks, tables in WB memory "
			    "or INVEPT: every processor with EPT has "
			    "them; check the hypervisor below");
}

static bool locked_off(void)
{
	u64 fc = rdmsr(MSR_FEATURE_CONTROL);

	return fc & FEATURE_CONTROL_LOCK && !(fc & FEATURE_CONTROL_VMX);
}

bool vmx_check(char *buf, size_t size)
{
	struct report r = {buf, size, 0};
	u32 ecx = cpuid(1, 0).ecx;

	if (!(ecx & LEAF1_ECX_X2APIC))
		complain(&r, "no x2APIC: Intel processors have it from Sandy "
			     "Bridge (2011) on; if this one has, turn on "
			     "\"x2APIC\" in the firmware's set-up");
	if (!(cpuid(0x80000001, 0).edx & EXT1_EDX_NX))
		complain(&r, "no execute-disable: every 64-bit Intel processor "
			     "has it; turn on \"Execute Disable Bit\" (XD, NX) "
			     "in the firmware's set-up");
	if (!(ecx & LEAF1_ECX_VMX)) {
		complain(&r, "no VMX: this needs an Intel processor with "
			     "VT-x; if it has, turn on \"Intel "
			     "Virtualization Technology\" (VT-x, VMX) in the "
			     "firmware's set-up; under a hypervisor, turn on "
			     "nested virtualization");
		return false;
	}
	if (read_cr4() & CR4_LA57)
		complain(&r, "the firmware runs with 5-level paging: turn it "
			     "off in the firmware's set-up");
	if (locked_off())
		complain(&r, "VMX is locked off (IA32_FEATURE_CONTROL): turn "
			     "on \"Intel Virtualization Technology\" (VT-x, "
			     "VMX) in the firmware's set-up and switch the "
			     "machine off and on");
	check_controls(&r);
	check_ept(&r);
	return r.length == 0;
}
