/* The page from which a processor starts (hv/trampoline.asm). */
#ifndef HV_TRAMPOLINE_H
#define HV_TRAMPOLINE_H

#include "hv/types.h"

/* At the end of the trampoline's page; trampoline.asm knows the offsets. */
#define PARAMS_OFFSET 0xf00
struct trampoline_params {
	u16 gdt_limit;
	u32 gdt_base;
	u16 pad;
	u32 far_offset, far_selector;
	u64 cr3, stack, cpu, entry;
	u64 gdt[2];
} __attribute__((packed));
_Static_assert(offsetof(struct trampoline_params, far_offset) == 8, "P_FAR");
_Static_assert(offsetof(struct trampoline_params, cr3) == 16, "P_CR3");

/* What is copied there */
extern const u8 trampoline_start[], trampoline_end[], trampoline_long_mode[];

#endif
