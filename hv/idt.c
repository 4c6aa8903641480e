/* This file fills and loads the interrupt descriptor table (Intel SDM 3A
 * 6.10, 6.14). */
#include "hv/idt.h"
#include "hv/exception.h"
#include "hv/segments.h"
#include "hv/x86.h"

#define IDT_INTERRUPT_GATE 0x8e /* present, DPL 0, 64-bit (SDM 3A 6.14.1) */

struct idt_entry {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_middle;
	u32 offset_high, reserved;
};

_Static_assert(sizeof(struct idt_entry) == 16, "64-bit gate");

static struct idt_entry idt[EXCEPTIONS];

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

void idt_init(void)
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

void idt_load(void)
{
	struct descriptor_pointer idtr = {sizeof(idt) - 1, (u64)idt};

	__asm__ volatile("lidt %0" : : "m"(idtr));
}
