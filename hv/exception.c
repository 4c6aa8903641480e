/* This file handles exceptions and NMIs of the hypervisor itself, as they
 * come from exception.asm. */
#include "hv/exception.h"
#include "hv/asm.h"
#include "hv/panic.h"
#include "hv/power.h"
#include "hv/x86.h"

static exception_nmi_fn *nmi_handler;

static const char *const names[EXCEPTIONS] = {
	[0] = "divide error",
	[1] = "debug",
	[2] = "NMI",
	[3] = "breakpoint",
	[4] = "overflow",
	[5] = "bound range",
	[6] = "invalid opcode",
	[7] = "no math coprocessor",
	[8] = "double fault",
	[10] = "invalid TSS",
	[11] = "segment not present",
	[12] = "stack fault",
	[13] = "general protection",
	[14] = "page fault",
	[16] = "x87 error",
	[17] = "alignment check",
	[18] = "machine check",
	[19] = "SIMD error",
	[21] = "control protection",
};

void exception_init(exception_nmi_fn *nmi)
{
	nmi_handler = nmi;
}

void exception_handler(struct exception_frame *f)
{
	const char *name;

	if (f->vector == VECTOR_NMI) {
		nmi_handler();
		return;
	}
	name = names[f->vector] ? names[f->vector] : "reserved";
	if (power_in_firmware())
		power_firmware_failed(name, f->rip);
	panic_exception(name, f);
}
