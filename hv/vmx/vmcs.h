/* What a VMCS holds at creation, after INIT, SIPI, and at the entry to Linux
 * (Intel SDM 3C 24, 26). */
#ifndef HV_VMX_VMCS_H
#define HV_VMX_VMCS_H

#include "hv/cpu.h"

/* Registers that the first CPU starts with, in 64-bit mode. */
struct vcpu_entry {
	gpa_t rip, rsi; /* kernel entry, boot_params */
	gpa_t cr3;
	gpa_t gdt;
	u16 gdt_limit;
	u16 cs, ds;
};

/* Bitmaps that all vCPUs share: which ports and MSRs exit.  -ENOMEM. */
#define VCPU_BITMAP_PAGES 3
int vcpu_bitmaps_init(void);

/* From now on these ports are the guest's without an exit; the last of them is
 * at most FFFFh, and vcpu_bitmaps_init() was called. */
void vcpu_pass_ports(u16 first, unsigned int count);

/* Allocate and load this CPU's VMCS and set its controls and host state; the
 * guest's state is that after INIT, waiting for SIPI.  -EIO. */
int vcpu_create(void);

/* Put this vCPU at Linux's 64-bit entry (Documentation/x86/boot.rst). */
void vcpu_set_entry(const struct vcpu_entry *entry);

/* State after INIT (Intel SDM 3A table 9-1), waiting for SIPI; and the start
 * that a SIPI with @vector gives. */
void vcpu_reset_for_init(void);

void vcpu_start_at(u8 vector);

/* An exit for INIT: the state after it, unless a SIPI has overtaken it. */
void vcpu_take_init(struct cpu *cpu);

#endif
