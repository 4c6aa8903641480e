/* This file decides the VMX controls and enters and leaves VMX operation
 * (Intel SDM 3C 23, 24). */
#include "hv/vmx/vmx.h"
#include "hv/asm.h"
#include "hv/cpu.h"
#include "hv/log.h"
#include "hv/panic.h"
#include "hv/vmx/below.h"
#include "hv/vmx/guest_power.h"
#include "hv/x86.h"

struct vmx_controls vmx;

void vmwrite_failed(enum vmcs_field field, u64 value)
{
	panic("vmx: VMWRITE of 0x%lx to field 0x%x refused, error %lu", value,
	      field, vmread(VM_INSTRUCTION_ERROR));
}

u64 vmx_control_msr(u32 msr, u32 true_msr)
{
	bool has_true = rdmsr(MSR_VMX_BASIC) & VMX_BASIC_TRUE_CONTROLS;

	return rdmsr(has_true && true_msr ? true_msr : msr);
}

/* What must be 1, and of @wanted what may be 1 (appendix A.3 to A.5). */
static u32 adjust(u32 msr, u32 true_msr, u32 wanted)
{
	u64 allowed = vmx_control_msr(msr, true_msr);

	return (wanted | (u32)allowed) & (u32)(allowed >> 32);
}

static void log_capabilities(void)
{
	const char *below = below_signature();

	hv_log("vmx: revision %u, unrestricted guest, EPT with 4K%s%s "
	       "pages, %s, %s%s\n",
	       vmx.revision, vmx.ept_vpid_cap & EPT_CAP_2M ? "+2M" : "",
	       vmx.ept_vpid_cap & EPT_CAP_1G ? "+1G" : "",
	       vmx.proc2 & PROC2_VPID ? "VPID" : "no VPID",
	       below ? "under hypervisor " : "no hypervisor below",
	       below ? below : "");
}

void vmx_capabilities(void)
{
	vmx.revision = rdmsr(MSR_VMX_BASIC) & VMX_BASIC_REVISION;
	vmx.pin = adjust(MSR_VMX_PINBASED, MSR_VMX_TRUE_PINBASED,
			 PIN_NMI_EXITING | PIN_VIRTUAL_NMIS);
	vmx.proc = adjust(MSR_VMX_PROCBASED, MSR_VMX_TRUE_PROCBASED,
			  PROC_RDPMC_EXITING | PROC_IO_BITMAPS |
				  PROC_MSR_BITMAPS | PROC_SECONDARY |
				  (guest_power.mwait ? 0 : PROC_MWAIT));
	vmx.proc2 = adjust(MSR_VMX_PROCBASED2, 0,
			   PROC2_EPT | PROC2_RDTSCP | PROC2_VPID |
				   PROC2_UNRESTRICTED | PROC2_INVPCID |
				   PROC2_XSAVES);
	vmx.exit = adjust(MSR_VMX_EXIT, MSR_VMX_TRUE_EXIT,
			  EXIT_SAVE_DEBUG | EXIT_HOST_64 | EXIT_LOAD_PAT |
				  EXIT_SAVE_EFER | EXIT_LOAD_EFER);
	vmx.entry = adjust(MSR_VMX_ENTRY, MSR_VMX_TRUE_ENTRY,
			   ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER);
	vmx.cr0_fixed0 = rdmsr(MSR_VMX_CR0_FIXED0);
	vmx.cr0_fixed1 = rdmsr(MSR_VMX_CR0_FIXED1);
	vmx.cr4_fixed0 = rdmsr(MSR_VMX_CR4_FIXED0);
	vmx.cr4_fixed1 = rdmsr(MSR_VMX_CR4_FIXED1);
	vmx.ept_vpid_cap = rdmsr(MSR_VMX_EPT_VPID_CAP);
	vmx.wait_for_sipi = rdmsr(MSR_VMX_MISC) & VMX_MISC_WAIT_FOR_SIPI;
	/* VPID serves only if it can be flushed (28.3.3.1) */
	if (!(vmx.ept_vpid_cap & EPT_CAP_INVVPID) ||
	    !(vmx.ept_vpid_cap & EPT_CAP_INVVPID_ALL))
		vmx.proc2 &= ~PROC2_VPID;
	log_capabilities();
}

static int feature_control_on(void)
{
	u64 fc = rdmsr(MSR_FEATURE_CONTROL);

	if (!(fc & FEATURE_CONTROL_LOCK)) {
		fc |= FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX;
		wrmsr(MSR_FEATURE_CONTROL, fc);
		fc = rdmsr(MSR_FEATURE_CONTROL);
	}
	if (fc & FEATURE_CONTROL_VMX)
		return 0;
	hv_log("vmx: cpu %u: firmware has locked VMX off "
	       "(IA32_FEATURE_CONTROL %lx): turn on \"Intel Virtualization "
	       "Technology\" in its set-up\n",
	       this_cpu()->index, fc);
	return -EOPNOTSUPP;
}

/* The controls were decided for all by what the first processor can. */
static int compare_capabilities(const struct cpu *cpu)
{
	static u64 first[MSR_VMX_TRUE_ENTRY - MSR_VMX_BASIC + 1];

	for (unsigned int i = 0; i < ARRAY_SIZE(first); i++) {
		u64 value = rdmsr(MSR_VMX_BASIC + i);

		if (cpu->index == 0)
			first[i] = value;
		if (value == first[i])
			continue;
		hv_log("vmx: cpu %u: MSR 0x%x is 0x%lx, on cpu 0 0x%lx: not "
		       "used; update the firmware, which brings the "
		       "microcode\n",
		       cpu->index, MSR_VMX_BASIC + i, value, first[i]);
		return -EINVAL;
	}
	return 0;
}

int vmx_on(void)
{
	struct cpu *cpu = this_cpu();
	hpa_t region;
	bool failed;
	int err = feature_control_on();

	if (!err)
		err = compare_capabilities(cpu);
	if (err)
		return err;
	*(u32 *)cpu->vmxon_region = vmx.revision;
	write_cr0((read_cr0() | vmx.cr0_fixed0) & vmx.cr0_fixed1);
	write_cr4((read_cr4() | vmx.cr4_fixed0) & vmx.cr4_fixed1);
	region = (hpa_t)cpu->vmxon_region;
	__asm__ volatile("vmxon %1"
			 : "=@ccbe"(failed)
			 : "m"(region)
			 : "memory");
	if (!failed)
		return 0;
	hv_log("vmx: cpu %u: VMXON failed\n", cpu->index);
	return -EIO;
}

#define INVVPID_ALL 2

void vpid_invalidate(void)
{
	static const u64 descriptor[2];
	bool failed;

	if (!(vmx.proc2 & PROC2_VPID))
		return;
	__asm__ volatile("invvpid %1, %2"
			 : "=@ccbe"(failed)
			 : "m"(descriptor), "r"((u64)INVVPID_ALL)
			 : "memory");
	if (failed)
		panic("vmx: INVVPID refused");
}

void vmx_off(void)
{
	hpa_t vmcs = (hpa_t)this_cpu()->vmcs;

	this_cpu()->vmcs_loaded = false;
	if (vmcs)
		__asm__ volatile("vmclear %0" : : "m"(vmcs) : "cc", "memory");
	__asm__ volatile("vmxoff" : : : "cc");
}
