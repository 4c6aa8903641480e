/* What the hypervisor's counters are called. */
#ifndef GUEST_TOOLS_COUNTERS_H
#define GUEST_TOOLS_COUNTERS_H

#include "hv/stat_abi.h"
#include <stdio.h>

#define REASON_CPUID 10

/* Basic exit reasons, Intel SDM 3D appendix C; NULL: not defined there. */
static const char *const reason_name[STAT_REASONS] = {
	[0] = "EXCEPTION_OR_NMI",
	[1] = "EXTERNAL_INTERRUPT",
	[2] = "TRIPLE_FAULT",
	[3] = "INIT",
	[4] = "SIPI",
	[5] = "IO_SMI",
	[6] = "OTHER_SMI",
	[7] = "INTERRUPT_WINDOW",
	[8] = "NMI_WINDOW",
	[9] = "TASK_SWITCH",
	[REASON_CPUID] = "CPUID",
	[11] = "GETSEC",
	[12] = "HLT",
	[13] = "INVD",
	[14] = "INVLPG",
	[15] = "RDPMC",
	[16] = "RDTSC",
	[17] = "RSM",
	[18] = "VMCALL",
	[19] = "VMCLEAR",
	[20] = "VMLAUNCH",
	[21] = "VMPTRLD",
	[22] = "VMPTRST",
	[23] = "VMREAD",
	[24] = "VMRESUME",
	[25] = "VMWRITE",
	[26] = "VMXOFF",
	[27] = "VMXON",
	[28] = "CR_ACCESS",
	[29] = "DR_ACCESS",
	[30] = "IO_INSTRUCTION",
	[31] = "RDMSR",
	[32] = "WRMSR",
	[33] = "ENTRY_FAILURE_GUEST_STATE",
	[34] = "ENTRY_FAILURE_MSR_LOADING",
	[36] = "MWAIT",
	[37] = "MONITOR_TRAP_FLAG",
	[39] = "MONITOR",
	[40] = "PAUSE",
	[41] = "ENTRY_FAILURE_MACHINE_CHECK",
	[43] = "TPR_BELOW_THRESHOLD",
	[44] = "APIC_ACCESS",
	[45] = "VIRTUALIZED_EOI",
	[46] = "GDTR_OR_IDTR_ACCESS",
	[47] = "LDTR_OR_TR_ACCESS",
	[48] = "EPT_VIOLATION",
	[49] = "EPT_MISCONFIGURATION",
	[50] = "INVEPT",
	[51] = "RDTSCP",
	[52] = "PREEMPTION_TIMER",
	[53] = "INVVPID",
	[54] = "WBINVD",
	[55] = "XSETBV",
	[56] = "APIC_WRITE",
	[57] = "RDRAND",
	[58] = "INVPCID",
	[59] = "VMFUNC",
	[60] = "ENCLS",
	[61] = "RDSEED",
	[62] = "PAGE_MODIFICATION_LOG_FULL",
	[63] = "XSAVES",
	[64] = "XRSTORS",
	[65] = "PCONFIG",
	[66] = "SPP_EVENT",
	[67] = "UMWAIT",
	[68] = "TPAUSE",
	[69] = "LOADIWKEY",
	[70] = "ENCLV",
	[72] = "ENQCMD_PASID_FAILURE",
	[73] = "ENQCMDS_PASID_FAILURE",
	[74] = "BUS_LOCK",
	[75] = "INSTRUCTION_TIMEOUT",
	[76] = "SEAMCALL",
	[77] = "TDCALL",
	[78] = "RDMSRLIST",
	[79] = "WRMSRLIST",
};

static const char *const cause_name[STAT_COUNTERS - STAT_REASONS] = {
	[STAT_CAUSE_NONE - STAT_REASONS] = "NO_DEVICE",
	[STAT_CAUSE_UART - STAT_REASONS] = "UART",
	[STAT_CAUSE_CMOS - STAT_REASONS] = "CMOS",
	[STAT_CAUSE_POWER - STAT_REASONS] = "POWER",
	[STAT_CAUSE_PCI_CONFIG - STAT_REASONS] = "PCI_CONFIG",
	[STAT_CAUSE_IOAPIC - STAT_REASONS] = "IOAPIC",
	[STAT_CAUSE_MSIX_TABLE - STAT_REASONS] = "MSIX_TABLE",
	[STAT_CAUSE_PF_MAILBOX - STAT_REASONS] = "PF_MAILBOX",
	[STAT_CAUSE_BAR - STAT_REASONS] = "BAR",
	[STAT_CAUSE_PF_MAILBOX_READ - STAT_REASONS] = "PF_MAILBOX_READ",
};

/* Names in @buf where the manual, or this program, has none. */
static inline const char *counter_name(unsigned int counter, char *buf,
				       size_t size)
{
	const char *name = NULL;

	if (counter < STAT_REASONS)
		name = reason_name[counter];
	else if (counter < STAT_COUNTERS)
		name = cause_name[counter - STAT_REASONS];
	if (name)
		return name;
	snprintf(buf, size, "%s_%u",
		 counter < STAT_REASONS ? "REASON" : "COUNTER", counter);
	return buf;
}

#endif
