#include "hv/exception.h"
#include "hv/asm.h"
#include "hv/log.h"
#include "hv/panic.h"
#include "hv/power.h"
#include "hv/segments.h"
#include "hv/vmx/nmi.h"
#include "hv/x86.h"

#define EXCEPTIONS 32
#define IDT_INTERRUPT_GATE 0x8e /* present, DPL 0, 64-bit (SDM 3A 6.14.1) */

struct idt_entry {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_middle;
	u32 offset_high, reserved;
};
_Static_assert(sizeof(struct idt_entry) == 16, "64-bit gate");

extern const s32 exception_stubs[EXCEPTIONS];

static struct idt_entry idt[EXCEPTIONS];

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

static u8 ist_of(unsigned int vector)
{
	switch (vector) {
	case VECTOR_NMI:
		return IST_NMI;
	case VECTOR_DF:
	case VECTOR_PF: /* may be the end of the stack */
		return IST_FAULT;
	default:
		return 0;
	}
}

void exception_init(void)
{
	for (unsigned int i = 0; i < EXCEPTIONS; i++) {
		u64 stub = (u64)exception_stubs + exception_stubs[i];

		idt[i] = (struct idt_entry){
			.offset_low = (u16)stub,
			.selector = HOST_CS,
			.ist = ist_of(i),
			.type = IDT_INTERRUPT_GATE,
			.offset_middle = (u16)(stub >> 16),
			.offset_high = (u32)(stub >> 32),
		};
	}
}

void exception_load_idt(void)
{
	struct descriptor_pointer idtr = {sizeof(idt) - 1, (u64)idt};

	__asm__ volatile("lidt %0" : : "m"(idtr));
}

void exception_handler(struct exception_frame *f)
{
	const char *name;

	if (f->vector == VECTOR_NMI) {
		nmi_in_root();
		return;
	}
	name = names[f->vector] ? names[f->vector] : "reserved";
	if (power_in_firmware())
		power_firmware_failed(name, f->rip);
	panic_exception(name, f);
}
