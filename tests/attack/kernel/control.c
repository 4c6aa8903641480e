/* Control registers and XCR0: each forbidden value, and that nothing of it
 * stuck. */
#include "tests/attack/kernel/attack.h"

#define CR0_PE 1UL
#define CR0_NE (1UL << 5)
#define CR0_WP (1UL << 16)
#define CR0_NW (1UL << 29)
#define CR0_CD (1UL << 30)
#define CR0_PG (1UL << 31)
#define CR4_PAE (1UL << 5)
#define CR4_OSXSAVE (1UL << 18)

static u64 read_cr0(void)
{
	u64 value;

	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static u64 read_cr4(void)
{
	u64 value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static s64 write_cr0(u64 value)
{
	TRY("mov %[v], %%cr0", NONE, [v] "r"(value));
	return caught.vector;
}

static s64 write_cr4(u64 value)
{
	TRY("mov %[v], %%cr4", NONE, [v] "r"(value));
	return caught.vector;
}

/* SDM 3A 2.5, from 64-bit code, which cannot switch paging off */
static bool cr0_valid(u64 value)
{
	return !(value >> 32) && value & CR0_PG && value & CR0_PE &&
	       (!(value & CR0_NW) || value & CR0_CD);
}

/*
 * Every combination of the bits that have rules, alone and with one more of the
 * upper half.  Each flips NE, CD or NW, which are not the guest's, so that it
 * exits: what the processor refuses by itself is not Gangway's, and emulators
 * refuse less.
 */
static void cr0(void)
{
	const u64 bits[] = {CR0_PE, CR0_NE, CR0_WP, CR0_NW, CR0_CD, CR0_PG};
	u64 was = read_cr0();
	unsigned int tried = 0, refused = 0;

	for (unsigned int i = 0; i < 1 << ARRAY_SIZE(bits); i++)
		for (unsigned int high = 31; high < 64; high++) {
			u64 value = was | (high > 31 ? 1UL << high : 0);

			for (unsigned int j = 0; j < ARRAY_SIZE(bits); j++)
				value ^= i >> j & 1 ? bits[j] : 0;
			if (cr0_valid(value) ||
			    !((value ^ was) & (CR0_NE | CR0_NW | CR0_CD)))
				continue;
			tried++;
			if (write_cr0(value) == GP && read_cr0() == was)
				refused++;
			else
				print("attack kernel: CR0 took %lx: %lx\n",
				      value, read_cr0());
		}
	report("CR0", refused == tried, "%u of %u got #GP", refused, tried);
}

/* What the guest may have, but not the machine: it sees what it wrote. */
static void cr0_view(void)
{
	u64 was = read_cr0();
	bool seen;

	seen = write_cr0(was | CR0_CD) == NO_FAULT && read_cr0() & CR0_CD &&
	       write_cr0(was | CR0_CD | CR0_NW) == NO_FAULT &&
	       write_cr0(was & ~CR0_NE) == NO_FAULT && !(read_cr0() & CR0_NE);
	write_cr0(was);
	report("CR0 caches off", seen && read_cr0() == was,
	       "the guest's view alone changes");
}

/* Every bit of CR4: either the guest's, and then it sticks, or #GP.  (PAE is
 * the guest's, and the processor's to refuse in 64-bit code.) */
static void cr4(void)
{
	/* VME PVI TSD DE PSE PAE PGE PCE OSFXSR OSXMMEXCPT UMIP FSGSBASE
	 * PCIDE OSXSAVE SMEP SMAP PKE */
	const u64 known = 0x770fbf & ~(3UL << 13) & ~(1UL << 12);
	u64 was = read_cr4();
	unsigned int refused = 0, taken = 0, wrong = 0;

	for (unsigned int bit = 0; bit < 64; bit++) {
		s64 vector;

		if (1UL << bit == CR4_PAE)
			continue;
		vector = write_cr4(was ^ 1UL << bit);
		if (vector == GP && read_cr4() == was)
			refused++;
		else if (vector == NO_FAULT && known >> bit & 1 &&
			 read_cr4() == (was ^ 1UL << bit))
			taken++;
		else
			wrong++;
		write_cr4(was);
	}
	report("CR4", !wrong && read_cr4() == was,
	       "of 63 bits %u got #GP, %u are the guest's, %u wrong", refused,
	       taken, wrong);
}

void attack_control_registers(void)
{
	cr0();
	cr0_view();
	cr4();
}

static s64 write_xcr(u32 index, u64 value)
{
	TRY("xsetbv", NONE, "c"(index), "a"((u32)value), "d"(value >> 32));
	return caught.vector;
}

static u64 read_xcr0(void)
{
	u32 low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (u64)high << 32 | low;
}

/* SDM 1 13.3 */
static bool xcr0_valid(u64 value, u64 there)
{
	return !(value & ~there) && value & 1 && (!(value & 4) || value & 2) &&
	       (!(value & 0xe0) || ((value & 0xe0) == 0xe0 && value & 4));
}

void attack_xcr0(void)
{
	u64 was_cr4 = read_cr4(), there, was;
	unsigned int wrong = 0, refused = 0;

	if (!(cpuid(1, 0).ecx >> 26 & 1)) {
		report("XCR0", true, "this processor has none");
		return;
	}
	write_cr4(was_cr4 & ~CR4_OSXSAVE);
	wrong += write_xcr(0, 1) != UD;
	write_cr4(was_cr4 | CR4_OSXSAVE);
	there = cpuid(13, 0).eax | (u64)cpuid(13, 0).edx << 32;
	was = read_xcr0();
	for (u64 value = 0; value < 1024; value++) {
		bool valid = xcr0_valid(value, there);
		s64 vector = write_xcr(0, value);

		if (vector != (valid ? NO_FAULT : GP) ||
		    (valid && read_xcr0() != value))
			wrong++;
		refused += vector == GP;
	}
	for (unsigned int bit = 10; bit < 64; bit++)
		wrong += write_xcr(0, 1 | 1UL << bit) != GP;
	wrong += write_xcr(1, 1) != GP;
	wrong += write_xcr(0xffffffff, 1) != GP;
	write_xcr(0, was);
	write_cr4(was_cr4);
	report("XCR0", !wrong, "%u of 1024 combinations got #GP, %u wrong",
	       refused, wrong);
}
