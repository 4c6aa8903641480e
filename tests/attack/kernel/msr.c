/* Every MSR that the bitmaps can name: read, then written where that is not
 * the guest's own business. */
#include "tests/attack/kernel/attack.h"

#define LOW_END 0x2000
#define HIGH 0xc0000000

s64 msr_read(u32 msr, u64 *value)
{
	u32 low = 0, high = 0;

	TRY("rdmsr", WITH("+a"(low), "+d"(high)), "c"(msr));
	*value = (u64)high << 32 | low;
	return caught.vector;
}

s64 msr_write(u32 msr, u64 value)
{
	TRY("wrmsr", NONE, "c"(msr), "a"((u32)value), "d"(value >> 32));
	return caught.vector;
}

/* Those that the guest has as its own: it may write what hardware takes. */
static const u32 own[] = {
	0x10,		  /* TSC: the write is ignored */
	0x48,	    0x49, /* speculation control, where CPUID has them */
	0x8b,		  /* microcode version */
	0x10b,		  /* L1D flush */
	0x174,	    0x175,	0x176, /* SYSENTER */
	0x1a0,			       /* as it is */
	0x1d9,			       /* DEBUGCTL: BTF */
	0x277,	    0x2ff,	       /* PAT, MTRR default type */
	0x6e0,			       /* TSC deadline */
	0xda0,			       /* XSS: 0 */
	0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,
	0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103,
};

static bool is_own(u32 msr)
{
	if ((msr >= 0x200 && msr < 0x210) || msr == 0x250 || msr == 0x258 ||
	    msr == 0x259 || (msr >= 0x268 && msr < 0x270) ||
	    (msr >= 0x800 && msr < 0x900))
		return true;
	for (unsigned int i = 0; i < ARRAY_SIZE(own); i++)
		if (own[i] == msr)
			return true;
	return false;
}

/* Readable, not the guest's: APIC base, feature control, MTRR capabilities,
 * IA32_ARCH_CAPABILITIES. */
static bool is_constant(u32 msr)
{
	return msr == 0x1b || msr == 0x3a || msr == 0xfe || msr == 0x10a;
}

static struct {
	u32 read, refused_reads, refused_writes, wrong;
	u32 first_wrong;
} count;

static void wrong(u32 msr)
{
	if (!count.wrong++)
		count.first_wrong = msr;
}

static void attack_one(u32 msr)
{
	static const u64 hostile[] = {0, ~0ULL, 0x5555555555555555ULL, 1};
	u64 value = 0;
	s64 vector = msr_read(msr, &value);

	if (vector == NO_FAULT)
		count.read++;
	else
		count.refused_reads++;
	if (vector != NO_FAULT && vector != GP)
		wrong(msr);
	if (is_own(msr))
		return;
	if (vector == NO_FAULT && !is_constant(msr))
		wrong(msr);
	for (unsigned int i = 0; i < ARRAY_SIZE(hostile); i++) {
		if (hostile[i] == value && is_constant(msr))
			continue;
		vector = msr_write(msr, hostile[i]);
		if (vector != GP)
			wrong(msr);
		else
			count.refused_writes++;
	}
}

static void sweep(void)
{
	static const u32 odd[] = {0x2000,     0x40000000, 0x4b564d00,
				  0xbfffffff, 0xc0002000, 0xc0010000,
				  0xc0011029, 0xffffffff};

	for (u32 i = 0; i < LOW_END; i++) {
		attack_one(i);
		attack_one(HIGH + i);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(odd); i++)
		attack_one(odd[i]);
	report("every MSR", !count.wrong,
	       "%u read, %u reads and %u writes got #GP, %u otherwise (first "
	       "%x)",
	       count.read, count.refused_reads, count.refused_writes,
	       count.wrong, count.first_wrong);
}

/* Values that Gangway must not take.  (What does not exit is the processor's to
 * refuse, and emulators refuse less.) */
static const struct {
	u32 msr;
	u64 value;
} forbidden[] = {
	{0x1b, 0xfee00000},		 /* APIC off */
	{0x1b, 0xfee00800},		 /* x2APIC mode left */
	{0x1b, 0xfee00d00 + 0x10000000}, /* moved */
	{0x1b, 0xfee00d01},
	{0x3a, 0x5}, /* VMX unlocked */
	{0x17a, 4},
	{0x1a0, 0},
	{0x1d9, 0xffff},
	{0x1d9, 1 << 6}, /* branch trace */
	{0x200, 2},	 /* memory type that is none */
	{0x201, 1ULL << 60},
	{0x250, 0x0606060606060602ULL},
	{0x258, ~0ULL},
	{0x26f, 7},
	{0x2ff, 0xc02},
	{0x2ff, ~0ULL},
	{0xda0, 1 << 8},
	{0xda0, ~0ULL},
};

static void forbidden_values(void)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(forbidden); i++) {
		if (msr_write(forbidden[i].msr, forbidden[i].value) == GP)
			continue;
		bad++;
		print("attack kernel: MSR %x took %lx\n", forbidden[i].msr,
		      forbidden[i].value);
	}
	report("forbidden MSR values", !bad, "%u of %u got #GP",
	       (unsigned int)ARRAY_SIZE(forbidden) - bad,
	       (unsigned int)ARRAY_SIZE(forbidden));
}

/* EFER: every bit alone and every two of those that exist, from 64-bit code.
 * SCE and NXE are the guest's, LMA ignores what is written, LME stays while
 * paging is on, the others are reserved (SDM 3A 2.2.1). */
static void efer(void)
{
	const u64 lme = 1 << 8, lma = 1 << 10, own_bits = 1 | 1 << 11;
	u64 was = 0, now = 0;
	unsigned int tried = 0, refused = 0, bad = 0;

	msr_read(0xc0000080, &was);
	for (unsigned int i = 0; i < 64; i++)
		for (unsigned int j = 0; j < 64; j++) {
			u64 value = was ^ (1ULL << i | 1ULL << j);
			bool valid = !(value & ~(lme | lma | own_bits)) &&
				     value & lme;
			s64 vector = msr_write(0xc0000080, value);
			u64 expected = valid ? value | lma : was;

			msr_read(0xc0000080, &now);
			tried++;
			refused += vector == GP;
			bad += vector != (valid ? NO_FAULT : GP) ||
			       now != expected;
			msr_write(0xc0000080, was);
		}
	report("EFER", !bad, "%u values, %u got #GP, %u ended otherwise", tried,
	       refused, bad);
}

/* Each of the page attribute table's entries with each of 256 types (3A
 * 11.12.2). */
static void pat(void)
{
	unsigned int refused = 0, bad = 0;
	u64 was = 0, now = 0;

	msr_read(0x277, &was);
	for (unsigned int i = 0; i < 8; i++)
		for (u64 type = 0; type < 256; type++) {
			u64 value = (was & ~(0xffULL << 8 * i)) | type << 8 * i;
			bool valid = type < 8 && type != 2 && type != 3;
			s64 vector = msr_write(0x277, value);

			msr_read(0x277, &now);
			refused += vector == GP;
			bad += vector != (valid ? NO_FAULT : GP) ||
			       now != (valid ? value : was);
			msr_write(0x277, was);
		}
	report("PAT", !bad, "2048 values, %u got #GP, %u ended otherwise",
	       refused, bad);
}

static void tsc_write(void)
{
	u64 before = tsc(), after;
	s64 vector = msr_write(0x10, 0);

	after = tsc();
	report("TSC write", vector == NO_FAULT && after >= before,
	       "ignored: %lx before, %lx after", before, after);
}

void attack_msrs(void)
{
	sweep();
	forbidden_values();
	efer();
	pat();
	tsc_write();
}
