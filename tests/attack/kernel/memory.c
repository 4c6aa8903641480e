/* Guest-physical addresses that are not RAM: read, written, executed, by every
 * width and kind of instruction. */
#include "tests/attack/kernel/attack.h"

/* What an access without a device behind it gives. */
#define ONES(bits) (~0ULL >> (64 - (bits)))

static struct {
	u32 accesses, ones, refused, wrong;
} count;

static void judge(bool good)
{
	count.accesses++;
	if (!good)
		count.wrong++;
}

static void read(volatile u8 *p, bool nothing_there)
{
	u64 value = 0;

#define READ(code, bits)                                                       \
	do {                                                                   \
		TRY(code, "+a"(value), "d"(p));                                \
		judge(caught.vector == NO_FAULT &&                             \
		      (!nothing_there || (value & ONES(bits)) == ONES(bits))); \
	} while (0)
	READ("movb (%%rdx), %%al", 8);
	READ("movw (%%rdx), %%ax", 16);
	READ("movl (%%rdx), %%eax", 32);
	READ("movq (%%rdx), %%rax", 64);
	READ("movzbl (%%rdx), %%eax", 8);
	READ("movswq (%%rdx), %%rax", 64);
	READ("movslq (%%rdx), %%rax", 64);
#undef READ
}

static void write(volatile u8 *p)
{
#define WRITE(code)                                                            \
	do {                                                                   \
		TRY(code, NONE, "d"(p), "a"(0));                               \
		judge(caught.vector == NO_FAULT);                              \
	} while (0)
	WRITE("movb %%al, (%%rdx)");
	WRITE("movw %%ax, (%%rdx)");
	WRITE("movl %%eax, (%%rdx)");
	WRITE("movq %%rax, (%%rdx)");
	WRITE("movl $0x12345678, (%%rdx)");
	WRITE("movb $0, (%%rdx)");
#undef WRITE
}

/* Not moves: #GP and a line of log, and the machine goes on. */
static void others(volatile u8 *p)
{
	static u8 here[64];

#define OTHER(code)                                                            \
	do {                                                                   \
		TRY(code, NONE, "d"(p), "a"(0), "S"(p), "D"(here), "c"(4));    \
		judge(caught.vector == GP);                                    \
		count.refused++;                                               \
	} while (0)
	OTHER("lock xaddl %%eax, (%%rdx)");
	OTHER("xchgq %%rax, (%%rdx)");
	OTHER("addl $1, (%%rdx)");
	OTHER("lock cmpxchgl %%ecx, (%%rdx)");
	OTHER("cmpb $0, (%%rdx)");
	OTHER("btsl $3, (%%rdx)");
	OTHER("pushq (%%rdx)\n\tadd $8, %%rsp");
	OTHER("rep movsb");
	/* LGDT would end the guest where another processor has moved a BAR */
	OTHER("sgdt (%%rdx)");
	OTHER("fldl (%%rdx)");
	OTHER("movnti %%eax, (%%rdx)");
#undef OTHER
}

static void attack_address(u64 gpa, bool nothing_there)
{
	volatile u8 *p = map_gpa(gpa);

	read(p, nothing_there);
	write(p);
	read(p, nothing_there);
	if (nothing_there)
		others(p);
}

/* GPAs of nothing.  Host-physical ones of the same number belong to somebody:
 * the remapping unit, HPET, firmware, ECAM, memory above the guest's. */
static const u64 nothing[] = {
	0xbffff000,  0xc8000000,  0xdffffff8, 0xe0100000, 0xe8000000,
	0xfec01000,  0xfed00000,  0xfed90000, 0xfed90028, 0xfee00000,
	0xfee00020,  0xfee00300,  0xffc00000, 0xfffffff0, 0x100000000,
	0x800000000, 0x800020000,
};

static void beyond_ends(u64 ram_end)
{
	attack_address(ram_end, true);
	attack_address(ram_end + 0xff8, true);
	attack_address(ram_end + 0x1ffff8, true);
	attack_address((1UL << (cpuid(0x80000008, 0).eax & 0xff)) - 8, true);
}

/* An access of which a part is RAM, and the last bytes of the address space's
 * pages. */
static void across(u64 ram_end)
{
	volatile u8 *p;

	/* Two pages side by side in the window's 2 MiB, so where RAM ends in
	 * the middle of one */
	if (!(ram_end & 0x1fffff))
		return;
	p = map_gpa(ram_end) - 4;
	TRY("movq (%%rdx), %%rax", NONE, "d"(p), "a"(0));
	judge(caught.vector == NO_FAULT || caught.vector == GP);
	TRY("movq %%rax, (%%rdx)", NONE, "d"(p), "a"(0));
	judge(caught.vector == NO_FAULT || caught.vector == GP);
}

void attack_memory(u64 ram_end)
{
	count.accesses = count.wrong = count.refused = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(nothing); i++)
		if (nothing[i] != 0xbffff000 || ram_end < 0xbffff000)
			attack_address(nothing[i], true);
	beyond_ends(ram_end);
	across(ram_end);
	report("memory that is not there", !count.wrong,
	       "%u accesses, %u of them #GP, %u ended otherwise; RAM ends at "
	       "%lx",
	       count.accesses, count.refused, count.wrong, ram_end);
	count.accesses = count.wrong = 0;
	/* Virtual devices, at each of their bytes */
	for (u64 at = 0; at < 4096; at += at < 0x40 ? 1 : 61)
		attack_address(GUEST_IOAPIC + at, false);
	for (u64 at = 0; at < 4096; at += at < 0x100 ? 1 : 61) {
		attack_address(GUEST_ECAM + at, false);
		attack_address(GUEST_ECAM + 0x8000 + at, false);
	}
	for (u64 at = 0x10000; at < GUEST_ECAM_SIZE; at += 0x1000)
		attack_address(GUEST_ECAM + at, false);
	report("device memory", !count.wrong, "%u accesses, %u wrong",
	       count.accesses, count.wrong);
}

/* Execution where no memory is: no instruction there. */
static const u64 no_code[] = {
	0xc8000000, 0xdffff000,	 GUEST_ECAM,   GUEST_ECAM + 0x8000,
	0xe0100000, 0xfed90000,	 GUEST_IOAPIC, 0xfee00000,
	0xffffff00, 0x100000000, 0x800020000,
};

void attack_execution(void)
{
	unsigned int refused = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(no_code); i++) {
		TRY("jmp *%[to]", NONE, [to] "a"(map_gpa(no_code[i])));
		refused += caught.vector == UD;
	}
	report("execution from device memory", refused == ARRAY_SIZE(no_code),
	       "%u of %u got #UD", refused, (unsigned int)ARRAY_SIZE(no_code));
}
