/* Translations that processors must not use any longer: after the hypervisor
 * has changed paging for the guest, started a processor anew, or taken a
 * device's page away.  A processor is free to keep what it is not told to
 * forget. */
#include "hv/string.h"
#include "tests/attack/kernel/vf.h"

/* stale.asm */
#define STALE 0x9000UL
#define VARIABLES 0xe000UL
#define VARIABLE(offset) (*(volatile u32 *)(VARIABLES + (offset)))
#define PHASE VARIABLE(0)
#define STEP VARIABLE(4)
#define EARLY VARIABLE(8)
#define ON VARIABLE(12)
#define OFF VARIABLE(16)
#define LOW VARIABLE(20)
#define RESTARTED VARIABLE(24)
#define DEVICE VARIABLE(28)
#define LOOPS VARIABLE(32)
#define TABLES 0x42000UL
#define ALIAS 0x800000UL
#define ALIAS_2 (ALIAS + 0x1000)
#define LOW_PAGE 0x60000UL
#define DEVICE_REGISTER (VF_BAR0 + 8)

/* Where ALIAS and LOW_PAGE lead with paging on */
#define ALIAS_TO 0x400000UL
#define LOW_PAGE_TO 0x61000UL

#define OWN 0x11111111	 /* stands at the address itself */
#define OTHER 0x22222222 /* where paging leads */
#define ABSENT 0xffffffff
#define ELSEWHERE (VF_BAR0 + 0x100000)

#define P 1UL
#define W 2UL
#define PS 0x80UL

extern const u8 stale_start[], stale_end[];

static u32 read32(u64 address)
{
	return *(volatile u32 *)address;
}

static void write32(u64 address, u32 value)
{
	*(volatile u32 *)address = value;
}

/* 4 GiB as they are by 4 MiB, the first of them by 4 KiB, but for two. */
static void page_tables(void)
{
	for (u64 i = 0; i < 1024; i++) {
		write32(TABLES + 4 * i, (u32)(i << 22 | PS | W | P));
		write32(TABLES + 0x1000 + 4 * i, (u32)(i << 12 | W | P));
	}
	write32(TABLES, (TABLES + 0x1000) | W | P);
	write32(TABLES + 4 * (ALIAS >> 22), ALIAS_TO | PS | W | P);
	write32(TABLES + 0x1000 + 4 * (LOW_PAGE >> 12), LOW_PAGE_TO | W | P);
}

static bool comes_to(u32 step)
{
	for (unsigned int i = 0; i < 2000 && STEP != step; i++)
		wait_ms(1);
	return STEP == step;
}

/* The other processor has read the device's register since. */
static bool reads_again(void)
{
	u32 from = LOOPS;

	for (unsigned int i = 0; i < 2000 && LOOPS - from < 2; i++)
		wait_ms(1);
	return LOOPS - from >= 2;
}

static void paging_switched(void)
{
	report("stale translations, paging on", EARLY == OWN && ON == OTHER,
	       "read %x without paging, then %x", EARLY, ON);
	report("stale translations, paging off", OFF == OWN,
	       "read %x with paging on, then %x", ON, OFF);
}

/* Both processors have used the page just before. */
static void device_taken_away(void)
{
	u32 here = read32(DEVICE_REGISTER), other;
	bool again = reads_again();

	other = DEVICE;
	report("stale translations, device there",
	       again && here != ABSENT && other == here,
	       "read %x here, %x on the other processor", here, other);
	here = read32(DEVICE_REGISTER);
	*config32(CONFIG_BAR0) = ELSEWHERE;
	here = read32(DEVICE_REGISTER);
	again = reads_again();
	other = DEVICE;
	report("stale translations, device gone", here == ABSENT, "read %x",
	       here);
	report("stale translations, device gone for the other processor",
	       again && other == ABSENT, "read %x", other);
	*config32(CONFIG_BAR0) = VF_BAR0;
}

static void started_anew(void)
{
	bool came, again = reads_again();
	u32 before = LOW;

	PHASE = 1;
	start_other_cpu(STALE);
	came = comes_to(2);
	report("stale translations, INIT",
	       again && came && before == OTHER && RESTARTED == OWN,
	       "read %x with paging on, then %x", before, RESTARTED);
}

void attack_stale(void)
{
	memset((void *)VARIABLES, 0, 0x1000);
	memcpy((void *)STALE, stale_start, (size_t)(stale_end - stale_start));
	page_tables();
	write32(ALIAS, OWN);
	write32(ALIAS_TO, OTHER);
	write32(ALIAS_2, OWN);
	write32(ALIAS_TO + 0x1000, OTHER);
	write32(LOW_PAGE, OWN);
	write32(LOW_PAGE_TO, OTHER);
	start_other_cpu(STALE);
	if (!comes_to(1)) {
		report("stale translations", false, "no other processor");
		return;
	}
	paging_switched();
	device_taken_away();
	started_anew();
}
