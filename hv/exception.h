/* Exceptions and NMIs of the hypervisor itself. */
#ifndef HV_EXCEPTION_H
#define HV_EXCEPTION_H

#include "hv/cpu.h"
#include "hv/types.h"

/* What exception.asm leaves on the stack. */
struct exception_frame {
	struct guest_regs regs; /* in encoding order */
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/* Fill the IDT, once, before the first cpu_load_tables(). */
void exception_init(void);

/* Load the IDT on this CPU. */
void exception_load_idt(void);

#endif
