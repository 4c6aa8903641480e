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

/* exception.asm: where each vector arrives, as an offset from this table. */
#define EXCEPTIONS 32
extern const s32 exception_stubs[EXCEPTIONS];

/* What an NMI does that arrives in root operation. */
typedef void exception_nmi_fn(void);
void exception_init(exception_nmi_fn *nmi);

/* Called by exception.asm. */
void exception_handler(struct exception_frame *frame);

#endif
