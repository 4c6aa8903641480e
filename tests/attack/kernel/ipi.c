/* Interprocessor interrupts: every mode, to processors that are there and to
 * some that are not, as fast as the local APIC takes them. */
#include "hv/string.h"
#include "tests/attack/kernel/attack.h"
#include "tests/attack/kernel/vf.h"

/* start.asm */
#define AP_PAGE 0x8000UL
#define AP(offset) (*(volatile u32 *)(AP_PAGE + (offset)))
#define AP_STARTS AP(0xf00)
#define AP_NMIS AP(0xf04)
#define AP_LOOPS AP(0xf08)
#define AP_MODE AP(0xf0c)
#define AP_TASK AP(0xf10)
enum {
	MODE_WAIT,
	MODE_CPUID,
	MODE_TASK_SWITCH,
	MODE_INIT_FIRST,
	MODE_INIT_AND_CRASH,
};
extern const u8 ap_start[], ap_nmi[], ap_end[];

/* x2APIC (Intel SDM 3A 10.12) */
#define X2APIC_ID 0x802
#define X2APIC_TPR 0x808
#define X2APIC_SVR 0x80f
#define X2APIC_ESR 0x828
#define X2APIC_ICR 0x830
#define X2APIC_SELF_IPI 0x83f
#define ICR_FIXED 0x4000
#define ICR_LOWEST 0x4100
#define ICR_SMI 0x4200
#define ICR_RESERVED 0x4300
#define ICR_NMI 0x4400
#define ICR_INIT 0x4500
#define ICR_STARTUP 0x4600
#define ICR_EXTINT 0x4700
#define ICR_LOGICAL 0x800
#define ICR_SELF 0x40000
#define ICR_ALL 0x80000
#define ICR_OTHERS 0xc0000
#define SIPI_VECTOR (AP_PAGE >> 12)

static u32 own_id, ap_id;
static unsigned int ap_count;

static s64 send(u32 to, u32 low)
{
	return msr_write(X2APIC_ICR, (u64)to << 32 | low);
}

/* Wait until *@counter has grown beyond @from; false after a second. */
static bool grows(volatile u32 *counter, u32 from)
{
	for (unsigned int i = 0; i < 1000; i++) {
		if (*counter != from)
			return true;
		wait_ms(1);
	}
	return false;
}

static void install(void)
{
	memcpy((void *)AP_PAGE, ap_start, (size_t)(ap_end - ap_start));
	AP_STARTS = AP_NMIS = AP_LOOPS = AP_MODE = AP_TASK = 0;
	/* Real mode's vector 2 */
	*(volatile u32 *)map_gpa(8) =
		(u32)(AP_PAGE >> 4) << 16 | (u32)(ap_nmi - ap_start);
}

/* INIT, 10 ms, SIPI, and another one in case that the first was lost (MP 1.4
 * B.4). */
static void init_and_sipi(u32 vector)
{
	send(ap_id, ICR_INIT);
	wait_ms(10);
	send(ap_id, ICR_STARTUP | vector);
	wait_ms(1);
	send(ap_id, ICR_STARTUP | vector);
}

static bool start_ap(void)
{
	u32 before = AP_STARTS;

	init_and_sipi(SIPI_VECTOR);
	return grows(&AP_STARTS, before);
}

static bool ap_runs(void)
{
	return grows(&AP_LOOPS, AP_LOOPS);
}

/* False if the guest has only this processor. */
static bool prepare(void)
{
	u64 id = 0;

	msr_read(X2APIC_ID, &id);
	own_id = (u32)id;
	ap_id = !own_id;
	ap_count = guest_cpus() - 1;
	msr_write(X2APIC_SVR, 0x1ff);
	/* Vectors below 32 would be taken for exceptions here */
	msr_write(X2APIC_TPR, 0x10);
	install();
	return ap_count;
}

void start_other_cpu(u64 page)
{
	if (!prepare())
		return;
	init_and_sipi((u32)(page >> 12));
}

static void absent(void)
{
	static const u32 id[] = {1,	2,    5,	  77,	     0xfe,
				 0x100, 0xff, 0x7fffffff, 0xfffffffe};
	static const u32 mode[] = {ICR_FIXED | 0x40, ICR_LOWEST | 0x40,
				   ICR_NMI,	     ICR_INIT,
				   ICR_STARTUP | 8,  ICR_FIXED | ICR_LOGICAL};
	unsigned int sent = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(id); i++)
		for (unsigned int j = 0; j < ARRAY_SIZE(mode); j++) {
			if (id[i] <= ap_count)
				continue;
			send(id[i], mode[j]);
			sent++;
		}
	report("IPIs to absent processors", true, "%u sent, nothing happened",
	       sent);
}

static void fixed(void)
{
	u64 before, missing = 0;

	__asm__ volatile("sti");
	for (u32 vector = 0; vector < 256; vector++) {
		before = interrupts[vector];
		send(own_id, ICR_FIXED | vector);
		msr_write(X2APIC_SELF_IPI, vector);
		__asm__ volatile("pause; pause; pause");
		if (vector >= 32 && interrupts[vector] == before)
			missing++;
	}
	__asm__ volatile("cli");
	msr_write(X2APIC_ESR, 0);
	report("self-IPIs", !missing, "vectors 0 to 255, %lu did not arrive",
	       missing);
}

static void own_nmis(void)
{
	u64 before = nmis;

	for (unsigned int i = 0; i < 2000; i++)
		send(own_id, ICR_NMI);
	wait_ms(5);
	report("NMI storm to itself", nmis > before, "%lu of 2000 came",
	       nmis - before);
}

static void nmis_to_ap(void)
{
	u32 before = AP_NMIS;
	bool came, runs;

	for (unsigned int i = 0; i < 5000; i++)
		send(ap_id, i % 16 ? ICR_NMI : ICR_OTHERS | ICR_NMI);
	came = grows(&AP_NMIS, before);
	runs = ap_runs();
	report("NMI storm to another", came && runs, "%u of 5000 came",
	       AP_NMIS - before);
}

/* INIT, SIPI, NMI and fixed interrupts without any pause, then the start that
 * the manual asks for. */
static void start_storm(void)
{
	static const u32 what[] = {ICR_INIT, ICR_STARTUP | SIPI_VECTOR,
				   ICR_NMI,  ICR_STARTUP | SIPI_VECTOR,
				   ICR_INIT, ICR_FIXED | 0x40};
	unsigned int rounds = 3000;
	u32 before = AP_STARTS;
	bool restarted;

	for (unsigned int i = 0; i < rounds; i++)
		send(ap_id, what[random() % ARRAY_SIZE(what)]);
	restarted = start_ap() && ap_runs();
	report("INIT, SIPI, NMI storm", restarted,
	       "%u sent, %u starts, and it starts again after it", rounds,
	       AP_STARTS - before);
}

/* Delivery modes and short-hands that no software uses. */
static void odd_modes(void)
{
	static const u32 low[] = {ICR_RESERVED,
				  ICR_EXTINT,
				  ICR_LOWEST | 0x41,
				  ICR_SELF | ICR_NMI,
				  ICR_SELF | ICR_INIT,
				  ICR_SELF | ICR_STARTUP | 8,
				  ICR_ALL | ICR_FIXED | 0x42,
				  ICR_OTHERS | ICR_EXTINT,
				  ICR_FIXED | 0x8000,
				  0x500, /* INIT de-assert */
				  0x8500};
	bool good;

	for (unsigned int i = 0; i < ARRAY_SIZE(low); i++)
		for (unsigned int logical = 0; logical < 2; logical++) {
			/* INIT to itself would be the end of this program. */
			if ((low[i] & 0xf00) == 0x500 && low[i] & 0x4000)
				continue;
			if (logical) /* ID n is bit n of cluster 0 */
				send(1u << ap_id, low[i] | ICR_LOGICAL);
			else
				send(ap_id, low[i]);
		}
	good = start_ap() && ap_runs();
	report("odd delivery modes", good, "%u sent; the other one starts",
	       2 * (unsigned int)ARRAY_SIZE(low));
}

/* LVT entries with NMI, SMI, ExtINT, INIT as their delivery mode. */
static void local_vectors(void)
{
	static const u32 lvt[] = {0x832, 0x833, 0x834, 0x835, 0x836, 0x837};
	static const u32 mode[] = {0x400, 0x700, 0x500, 0x200, 0x100, 0};
	u64 before = nmis;

	for (unsigned int i = 0; i < ARRAY_SIZE(lvt); i++) {
		for (unsigned int j = 0; j < ARRAY_SIZE(mode); j++)
			msr_write(lvt[i], mode[j]);
		msr_write(lvt[i], 0x10000);
	}
	msr_write(X2APIC_SVR, 0xff); /* switched off by software */
	send(own_id, ICR_NMI);
	msr_write(X2APIC_SVR, 0x1ff);
	report("local vector table", true, "every mode, %lu NMIs",
	       nmis - before);
}

void attack_ipis(void)
{
	bool started;

	if (!prepare()) {
		absent();
		fixed();
		own_nmis();
		return;
	}
	started = start_ap();
	report("start of another processor", started, "%u start", AP_STARTS);
	absent();
	fixed();
	own_nmis();
	nmis_to_ap();
	start_storm();
	odd_modes();
	local_vectors();
}

void attack_task_switch(void)
{
	if (!prepare())
		return;
	start_ap();
	AP_MODE = MODE_TASK_SWITCH;
	grows(&AP_TASK, 0);
	report("task switch", AP_TASK == GP, "vector %u", AP_TASK);
	AP_MODE = MODE_WAIT;
}

void attack_time(u32 seconds)
{
	u64 khz = cpuid(0x40000101, 0).edx, start = tsc(), count = 0;

	if (prepare()) {
		start_ap();
		AP_MODE = MODE_CPUID;
	}
	print("attack kernel: CPUID for %u s\n", seconds);
	for (; tsc() - start < khz * 1000 * seconds; count++)
		cpuid(0x40000100, 0);
	report("CPUID without end", count > 0,
	       "%lu on the first processor, %u on another", count, AP_LOOPS);
	AP_MODE = MODE_WAIT;
}

void attack_first_cpu(void)
{
	if (!prepare())
		return;
	print("attack kernel: INIT and SIPI to the first processor\n");
	start_ap();
	AP_MODE = MODE_INIT_FIRST;
	for (;;)
		__asm__ volatile("pause");
}

void attack_init_at_end(void)
{
	if (!prepare())
		return;
	print("attack kernel: INIT during a function-level reset\n");
	start_ap();
	AP_MODE = MODE_INIT_AND_CRASH;
	vf_reset(); /* 100 ms in the hypervisor */
	for (;;)
		__asm__ volatile("pause");
}

void attack_smi(void)
{
	if (prepare()) {
		bool started = start_ap() && ap_runs();

		own_nmis();
		nmis_to_ap();
		report("start of another processor", started, "%u start",
		       AP_STARTS);
	}
	print("attack kernel: SMI\n");
	send(own_id, ICR_SMI);
	wait_ms(100);
	print("attack kernel: still here\n");
}
