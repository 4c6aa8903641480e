/* What each processor has of its own. */
#ifndef HV_CPU_H
#define HV_CPU_H

#include "hv/stat_abi.h"
#include "hv/types.h"

#define MAX_CPUS 512
#define CPU_STACK_PAGES 4

/* The guest's general registers, in the order of the encoding (0 = RAX). */
struct guest_regs {
	u64 reg[16]; /* [4], RSP, lives in the VMCS */
};

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

/* 64-bit TSS (Intel SDM 3A 7.7) */
struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3, iomap;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "64-bit TSS");

enum cpu_state {
	CPU_ABSENT,
	CPU_STARTED,	   /* runs hypervisor code, before the guest */
	CPU_GUEST,	   /* has a vCPU that runs */
	CPU_WAIT_FOR_SIPI, /* has a vCPU that waits; only a SIPI gets through */
	CPU_STOPPED,	   /* halted for good, in VMX root operation */
};

/* What others ask of a CPU; it looks before each VM entry. */
#define REQUEST_STOP BIT(0) /* leave the guest for good */
#define REQUEST_NMI BIT(1)  /* an NMI came: look whose it is */

struct recent_exit {
	u64 tsc; /* 0: none, or being written */
	u32 reason;
	u64 rip, qualification;
};

/* MTRRs as the guest programmed them on this CPU; EPT ignores them. */
struct guest_mtrrs {
	u64 def_type;
	u64 fixed[11];
	u64 variable[16]; /* base, mask, base, ... */
};

struct cpu {
	struct cpu *self; /* at GS:0 */
	unsigned int index;
	u32 apic_id;
	enum cpu_state state;
	u32 requests;

	u64 gdt[8];
	struct tss tss;
	u8 *stack; /* lowest byte; the page below is a guard */

	void *vmxon_region, *vmcs;
	bool vmcs_loaded; /* entries of the NMI handler may write to it */
	bool launched;
	bool started; /* by a SIPI, and no exit since */
	u64 host_rsp; /* as the VMCS has it */
	struct guest_regs regs;
	bool nmi_to_inject;
	u32 ept_generation; /* of the last INVEPT */
	bool in_guest;	    /* between the check before an entry and the exit */
	bool kicked;	    /* an NMI of another CPU is on its way */
	struct guest_mtrrs mtrrs;

	u64 exits[STAT_COUNTERS];
	struct recent_exit recent[STAT_EXITS];
	unsigned int recent_next;
};

extern struct cpu *cpus[MAX_CPUS];
extern unsigned int cpu_count;
/* CPU 0 to vcpu_count-1 run the guest; the others are halted. */
extern unsigned int vcpu_count;

static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

#endif
