/* Instructions that VMX makes exit, or that would reach what is not the
 * guest's. */
#include "tests/attack/kernel/attack.h"

static u64 operand[2];

/* An instruction, and how hardware without that feature ends it. */
#define INSTRUCTION(name, code, expected)                                      \
	do {                                                                   \
		u64 a = (u64)operand, b = 0, c = 0, d = GUEST_UART_PORT;       \
		u64 source = a, to = a;                                        \
                                                                               \
		TRY(code, WITH("+a"(a), "+b"(b), "+c"(c), "+d"(d),             \
			       "+S"(source), "+D"(to)));                       \
		if (caught.vector != (expected)) {                             \
			wrong++;                                               \
			print("attack kernel: %s: vector %ld\n", name,         \
			      caught.vector);                                  \
		}                                                              \
		tried++;                                                       \
	} while (0)

void attack_instructions(void)
{
	unsigned int wrong = 0, tried = 0;

	INSTRUCTION("VMXON", "vmxon (%%rax)", UD);
	INSTRUCTION("VMCLEAR", "vmclear (%%rax)", UD);
	INSTRUCTION("VMPTRLD", "vmptrld (%%rax)", UD);
	INSTRUCTION("VMPTRST", "vmptrst (%%rax)", UD);
	INSTRUCTION("VMLAUNCH", "vmlaunch", UD);
	INSTRUCTION("VMRESUME", "vmresume", UD);
	INSTRUCTION("VMREAD", "vmread %%rbx, %%rcx", UD);
	INSTRUCTION("VMWRITE", "vmwrite %%rbx, %%rcx", UD);
	INSTRUCTION("VMCALL", "vmcall", UD);
	INSTRUCTION("VMXOFF", "vmxoff", UD);
	INSTRUCTION("INVEPT", "invept (%%rax), %%rbx", UD);
	INSTRUCTION("INVVPID", "invvpid (%%rax), %%rbx", UD);
	INSTRUCTION("VMFUNC", "vmfunc", UD);
	INSTRUCTION("GETSEC", "getsec", UD);
	INSTRUCTION("MONITOR", "monitor", UD);
	INSTRUCTION("MWAIT", "mwait", UD);
	INSTRUCTION("RSM", "rsm", UD);
	INSTRUCTION("VMRUN", "vmrun", UD);
	INSTRUCTION("VMMCALL", "vmmcall", UD);
	INSTRUCTION("ENCLS", "encls", UD);
	INSTRUCTION("RDPMC", "rdpmc", GP);
	INSTRUCTION("INVD", "invd", NO_FAULT);
	INSTRUCTION("WBINVD", "wbinvd", NO_FAULT);
	INSTRUCTION("INS", "insb", GP);
	INSTRUCTION("OUTS", "outsb", GP);
	INSTRUCTION("REP INS", "inc %%ecx; rep insl", GP);
	report("instructions", !wrong, "%u tried, %u ended otherwise", tried,
	       wrong);
}

/* Single steps over instructions that exit, a breakpoint, and ICEBP: each
 * debug exception arrives, once. */
void attack_debug(void)
{
	u64 before = debug_exceptions, steps, breaks, ice, dr6;

	__asm__ volatile("pushfq\n\t"
			 "orl $0x100, (%%rsp)\n\t"
			 "popfq\n\t"
			 "cpuid" /* the trap comes after it, and ends TF */
			 :
			 : "a"(0)
			 : "rbx", "rcx", "rdx", "memory", "cc");
	steps = debug_exceptions - before;
	__asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
	before = debug_exceptions;
	__asm__ volatile("mov %0, %%dr0" : : "r"(operand));
	__asm__ volatile("mov %0, %%dr7" : : "r"(0xd0402UL));
	*(volatile u64 *)operand = 1;
	__asm__ volatile("mov %0, %%dr7" : : "r"(0x400UL));
	breaks = debug_exceptions - before;
	before = debug_exceptions;
	__asm__ volatile(".byte 0xf1");
	ice = debug_exceptions - before;
	report("debug exceptions",
	       steps == 1 && breaks == 1 && ice == 1 && dr6 & 1 << 14,
	       "%lu by single step (DR6 %lx), %lu by breakpoint, %lu by ICEBP",
	       steps, dr6, breaks, ice);
}

/* --- CPUID */

static u64 asked;

static bool leaves(u32 first, u32 last)
{
	bool good = true;

	for (u32 leaf = first; leaf - first <= last - first; leaf++) {
		for (u32 sub = 0; sub < 72; sub++, asked++)
			cpuid(leaf, sub);
		cpuid(leaf, ~0u);
		cpuid(leaf, 0x80000000);
		cpuid(leaf, 0xffff0000);
		asked += 3;
	}
	return good;
}

void attack_cpuid(void)
{
	struct cpuid one = cpuid(1, 0), none = cpuid(0x40000103, ~0u);
	u32 hidden = 1 << 5 | 1 << 6 | 1 << 3; /* VMX, SMX, MONITOR */
	u32 width = cpuid(0x80000008, 0).eax;
	u32 reach = (width & 0xff) > 48 ? 48 : 0;

	leaves(0, 0x20);
	leaves(0x40000000, 0x40000001);
	leaves(0x400000fe, 0x40000106);
	leaves(0x7ffffffe, 0x80000010);
	leaves(0xfffffff0, 0xffffffff);
	report("CPUID",
	       !(one.ecx & hidden) && !none.eax && !none.ebx &&
		       width >> 16 == reach,
	       "%lu leaves answered, no VMX, SMX or MONITOR among them", asked);
}
