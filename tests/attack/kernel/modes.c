/* The attacks of modes.asm: what they need in memory, and their verdicts. */
#include "hv/string.h"
#include "tests/attack/kernel/attack.h"

/* modes.asm */
#define MODES 0x9000UL
#define VARIABLES 0xe000UL
#define COUNT (*(volatile u32 *)(VARIABLES + 16))
#define DONE (*(volatile u32 *)(VARIABLES + 20))
#define IOAPIC_VERSION (*(volatile u32 *)(VARIABLES + 24))
#define RESULTS ((volatile u8 *)(VARIABLES + 0x100))
#define RESULTS_MAX 0x700
#define TSS 0x50000UL
#define PAE_BAD ((volatile u64 *)0x41000UL)
#define TABLES_32 0x42000UL
#define PAE_GOOD 0x44000UL
#define ALIAS 0x800000UL
#define HOLE 0xa0000UL
#define NOTHING (GUEST_PCI_WINDOW + 0x8000000)
#define RESULT_NONE 0xff
#define RESULT_WRONG 0xfe

#define P 1UL
#define W 2UL
#define US 4UL
#define PS 0x80UL

struct attempt {
	const char *group, *name;
	u64 expected;
};

extern const u8 modes_start[], modes_end[];
extern const struct attempt modes_table[], modes_table_end[];

/* Top entries with a reserved bit each: two of the format, two beyond the
 * physical addresses, in each of the four. */
static void hostile_pdptes(void)
{
	static const u64 reserved[] = {1UL << 1,  1UL << 2,  1UL << 8,
				       1UL << 52, 1UL << 63, 0x1e6};

	for (unsigned int i = 0; i < ARRAY_SIZE(reserved); i++)
		for (unsigned int j = 0; j < 4; j++)
			PAE_BAD[4 * i + j] =
				PAE_GOOD | P | (i % 4 == j ? reserved[i] : 0);
}

/* 4 GiB as they are by 4 MiB, the first of them by 4 KiB, and the IOAPIC at
 * ALIAS once more. */
static void tables_32(void)
{
	volatile u32 *directory = (volatile u32 *)TABLES_32;
	volatile u32 *low = directory + 1024;

	for (u32 i = 0; i < 1024; i++) {
		directory[i] = i << 22 | PS | W | P;
		low[i] = i << 12 | W | P;
	}
	directory[0] = (u32)(u64)low | W | P;
	/* No other page of these 4 MiB is used */
	directory[ALIAS >> 22] = (GUEST_IOAPIC & 0xffc00000) | PS | W | P;
}

/* The same by 2 MiB, the first and the alias by 4 KiB; all for ring 3, too.
 * Virtual-8086 mode, which sees no more than 1 MiB, finds device memory at
 * HOLE. */
static void tables_pae(void)
{
	volatile u64 *top = (volatile u64 *)PAE_GOOD;
	volatile u64 *directory = top + 512, *low = top + 5 * 512;

	for (u64 i = 0; i < 4; i++)
		top[i] = (u64)(directory + 512 * i) | P;
	for (u64 i = 0; i < 4 * 512; i++)
		directory[i] = i << 21 | PS | US | W | P;
	for (u64 i = 0; i < 512; i++)
		low[i] = i << 12 | US | W | P;
	for (u64 i = 0; i < 16; i++)
		low[HOLE / 4096 + i] = (NOTHING + 4096 * i) | US | W | P;
	directory[0] = (u64)low | US | W | P;
	directory[ALIAS >> 21] = (u64)(low + 512) | US | W | P;
	low[512] = GUEST_IOAPIC | US | W | P;
}

static u32 ioapic_version(void)
{
	volatile u32 *ioapic = (volatile u32 *)GUEST_IOAPIC;

	ioapic[0] = 1;
	return ioapic[4];
}

static void install(void)
{
	memset((void *)VARIABLES, 0, 0x1000);
	memset((void *)TSS, 0, 0x1000);
	memcpy((void *)MODES, modes_start, (size_t)(modes_end - modes_start));
	IOAPIC_VERSION = ioapic_version();
	hostile_pdptes();
	tables_32();
	tables_pae();
}

static bool is_good(unsigned int i)
{
	u8 expected = (u8)modes_table[i].expected;

	if (RESULTS[i] == expected)
		return true;
	print("attack kernel: %s: %s: %s %u, not %u\n", modes_table[i].group,
	      modes_table[i].name,
	      RESULTS[i] == RESULT_WRONG ? "wrong value" : "vector", RESULTS[i],
	      expected);
	return false;
}

/* One line for each mode; what was not come to is not good either. */
static void judge(unsigned int count, unsigned int done)
{
	unsigned int i = 0;

	while (i < count) {
		const char *group = modes_table[i].group;
		unsigned int tried = 0, good = 0, faults = 0;

		for (; i < count && modes_table[i].group == group; i++) {
			tried++;
			faults += i < done && RESULTS[i] < 32;
			good += i < done && is_good(i);
		}
		report(group, good == tried,
		       "%u tried, %u got an exception, %u ended otherwise",
		       tried, faults, tried - good);
	}
}

void attack_modes(void)
{
	unsigned int count = (unsigned int)(modes_table_end - modes_table);

	if (guest_cpus() < 2)
		return;
	install();
	start_other_cpu(MODES);
	for (unsigned int i = 0; i < 5000 && !DONE; i++)
		wait_ms(1);
	if (!DONE && COUNT < count)
		print("attack kernel: no end of %s: %s\n",
		      modes_table[COUNT].group, modes_table[COUNT].name);
	judge(MIN(count, (unsigned int)RESULTS_MAX), COUNT);
}

/* --- compatibility mode, on this processor */

#define CODE32 0x20
#define CODE16 0x28

/* The boot descriptors again, and code of 32 and of 16 bits. */
static const u64 gdt[] = {
	0,
	0,
	0x00af9b000000ffff,
	0x00cf93000000ffff,
	0x00cf9b000000ffff,
	0x008f9b000000ffff,
};

/*
 * Run @code in the segment @selector by a far return; an exception, as the far
 * jump behind it, leads back to 64-bit mode (on_exception()).  EBX is the
 * address of device memory, ESI 4, EDI RAM; the value is in EAX.
 */
#define COMPATIBILITY(selector, bits, code)                                    \
	TRY("pushq %[segment]\n\t"                                             \
	    "leaq 78f(%%rip), %%rdx\n\t"                                       \
	    "pushq %%rdx\n\t"                                                  \
	    "lretq\n"                                                          \
	    ".code" bits "\n"                                                  \
	    "78:\n\t" code "\n\t"                                              \
	    "ljmpl $0x10, $79f\n"                                              \
	    ".code64\n"                                                        \
	    "79:",                                                             \
	    WITH("+a"(value), "+b"(address), "+c"(count), "+d"(other)),        \
	    [segment] "i"(selector), "S"(4UL), "D"(here))

#define EXPECT(name, expected, good)                                           \
	do {                                                                   \
		tried++;                                                       \
		if (caught.vector != (expected) || !(good)) {                  \
			wrong++;                                               \
			print("attack kernel: %s: vector %ld, value %lx\n",    \
			      name, caught.vector, value);                     \
		}                                                              \
	} while (0)

#define ABSENT(name, selector, bits, code, ones)                               \
	do {                                                                   \
		value = 0;                                                     \
		address = NOTHING;                                             \
		COMPATIBILITY(selector, bits, code);                           \
		EXPECT(name, NO_FAULT, (value & (ones)) == (ones));            \
	} while (0)

#define REFUSED(name, selector, bits, code, vector)                            \
	do {                                                                   \
		address = NOTHING;                                             \
		count = 0;                                                     \
		COMPATIBILITY(selector, bits, code);                           \
		EXPECT(name, vector, true);                                    \
	} while (0)

/* The decoder must know that this is not 64-bit code, though IA-32e mode is
 * on: REX prefixes are INC and DEC here, 63h is ARPL. */
#define BOTH(selector, bits)                                                   \
	do {                                                                   \
		ABSENT("MOV 4", selector, bits, "movl (%%ebx), %%eax", ONES);  \
		ABSENT("MOV 2", selector, bits,                                \
		       "movw 16(%%ebx, %%esi, 4), %%ax", 0xffffUL);            \
		ABSENT("MOVZX", selector, bits, "movzbl (%%ebx), %%eax",       \
		       0xffUL);                                                \
		ABSENT("MOV AH", selector, bits, "movb (%%ebx), %%ah",         \
		       0xff00UL);                                              \
		ABSENT("DEC before MOV", selector, bits,                       \
		       ".byte 0x48; movl (%%ebx), %%eax", ONES);               \
		ABSENT("MOV to it", selector, bits,                            \
		       "movl $0x12345678, (%%ebx); movl %%ecx, 4(%%ebx); "     \
		       "movb $1, (%%ebx); movl (%%ebx), %%eax",                \
		       ONES);                                                  \
		REFUSED("ARPL", selector, bits, "arpl %%cx, (%%ebx)", GP);     \
		REFUSED("XADD", selector, bits, "xaddl %%ecx, (%%ebx)", GP);   \
		REFUSED("PUSH", selector, bits, "pushl (%%ebx)", GP);          \
		REFUSED("CMPXCHG", selector, bits, "cmpxchgl %%ecx, (%%ebx)",  \
			GP);                                                   \
		REFUSED("VMCALL", selector, bits, "vmcall", UD);               \
		REFUSED("VMXON", selector, bits, "vmxon (%%edi)", UD);         \
		REFUSED("VMREAD", selector, bits, "vmread %%ecx, %%edx", UD);  \
		REFUSED("MONITOR", selector, bits, "monitor", UD);             \
		REFUSED("RDPMC", selector, bits, "rdpmc", GP);                 \
		REFUSED("CPUID", selector, bits, "cpuid", NO_FAULT);           \
		REFUSED("INS", selector, bits, "insb", GP);                    \
		REFUSED("jump to where no RAM is", selector, bits,             \
			"jmp *%%ebx", UD);                                     \
	} while (0)
#define ONES 0xffffffffUL

void attack_compatibility(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) gdtr = {sizeof(gdt) - 1, (u64)gdt};
	static u8 here[64];
	u64 value = 0, address, count = 0, other = 0;
	unsigned int tried = 0, wrong = 0;

	__asm__ volatile("lgdt %0" : : "m"(gdtr));
	BOTH(CODE32, "32");
	ABSENT("MOV by offset", CODE32, "32", "movl 0xc8000000, %%eax", ONES);
	BOTH(CODE16, "16");
	report("compatibility mode", !wrong, "%u tried, %u ended otherwise",
	       tried, wrong);
}
