/* This file measures time since take-over by the TSC, and waits for at most a
 * given time. */
#include "hv/time.h"
#include "hv/apic.h"
#include "hv/asm.h"
#include "hv/log.h"

/* A reference that counts at @hz, up, in @mask + 1 steps. */
struct reference {
	const char *name;
	u32 hz, mask;
	u16 port;
	u32 (*read)(u16 port);
};

#define PM_TIMER_HZ 3579545 /* ACPI 6.3 4.8.2.1 */
#define PM_TIMER_MASK 0xffffff

/* 8254 channel 2, gated by port 61H (datasheet 82C54, mode 0) */
#define PIT_HZ 1193182
#define PIT_CHANNEL2 0x42
#define PIT_CONTROL 0x43
#define PIT_CHANNEL2_MODE0 0xb0
#define PIT_LATCH_CHANNEL2 0x80
#define PORT_B 0x61
#define PORT_B_GATE2 BIT(0)
#define PORT_B_SPEAKER BIT(1)

/* The guest can have its function reset as often as it likes. */
#define DELAYS_LOGGED 64

#define MEASURE_MS 50
/* A reading counts if no interruption came between its two parts: the
 * shortest of this many. */
#define SAMPLES 32
/* The reference stands still if it has not moved after this many reads. */
#define ALIVE_READS 100000
/* More moments than any machine can read in MEASURE_MS. */
#define MAX_MOMENTS 1000000

static u32 tsc_khz, apic_khz;
static u16 pm_timer_port; /* 0: none that runs */
static u64 start_tsc, delayed_us;
static unsigned int delays;

u64 time_us(void)
{
	u64 ticks = rdtsc() - start_tsc;

	/* A counter that is behind the first one's has not yet begun */
	if (!tsc_khz || (s64)ticks < 0)
		return 0;
	return ticks / tsc_khz * 1000 + ticks % tsc_khz * 1000 / tsc_khz;
}

u32 time_tsc_khz(void)
{
	return tsc_khz;
}

u16 time_pm_timer(void)
{
	return pm_timer_port;
}

u32 time_apic_khz(void)
{
	return apic_khz;
}

u64 time_delayed_us(void)
{
	return delayed_us;
}

void delay_us(u64 us, const char *why)
{
	u64 end = time_us() + us;

	while (time_us() < end)
		cpu_pause();
	delayed_us += us;
	if (delays < DELAYS_LOGGED) {
		delays++;
		hv_log("time: waited %lu us: %s%s\n", us, why,
		       log_last(delays, DELAYS_LOGGED));
	}
}

int wait_timed_out(const char *what)
{
	hv_log("timeout: %s\n", what);
	return -ETIMEDOUT;
}

static u32 pm_timer_read(u16 port)
{
	return inl(port);
}

static u32 pit_read(u16 port)
{
	u32 count;

	outb(PIT_CONTROL, PIT_LATCH_CHANNEL2);
	count = inb(port);
	count |= inb(port) << 8;
	return 0xffff - count; /* it counts down */
}

static void pit_start(void)
{
	outb(PORT_B, (inb(PORT_B) & ~PORT_B_SPEAKER) | PORT_B_GATE2);
	outb(PIT_CONTROL, PIT_CHANNEL2_MODE0);
	outb(PIT_CHANNEL2, 0xff);
	outb(PIT_CHANNEL2, 0xff);
}

/* One moment on all three clocks. */
struct moment {
	u64 tsc;
	u32 reference, apic;
};

static struct moment read_moment(const struct reference *r)
{
	struct moment best = {0};
	u64 best_span = ~0ULL;

	for (int i = 0; i < SAMPLES; i++) {
		u64 before = rdtsc();
		u32 reference = r->read(r->port);
		u32 apic = apic_timer_elapsed();
		u64 span = rdtsc() - before;

		if (span >= best_span)
			continue;
		best_span = span;
		best = (struct moment){before + span / 2, reference, apic};
	}
	return best;
}

static bool runs(const struct reference *r)
{
	u32 first = r->read(r->port) & r->mask;

	for (int i = 0; i < ALIVE_READS; i++)
		if ((r->read(r->port) & r->mask) != first)
			return true;
	return false;
}

/* False if the reference stopped. */
static bool measure(const struct reference *r)
{
	u64 ticks = 0, enough = (u64)r->hz * MEASURE_MS / 1000;
	struct moment start, end = {0};

	apic_timer_start();
	start = read_moment(r);
	for (u32 i = 0; i < MAX_MOMENTS && ticks < enough; i++) {
		end = read_moment(r);
		ticks = (end.reference - start.reference) & r->mask;
	}
	apic_timer_stop();
	if (ticks < enough)
		return false;
	tsc_khz = (end.tsc - start.tsc) * r->hz / ticks / 1000;
	apic_khz = (u64)(end.apic - start.apic) * r->hz / ticks / 1000;
	hv_log("time: TSC %u kHz, APIC timer %u kHz, measured for %u ms "
	       "against the %s\n",
	       tsc_khz, apic_khz, MEASURE_MS, r->name);
	return true;
}

/* Intel SDM 2A CPUID leaf 15H: EAX denominator, EBX numerator, ECX Hz; the
 * APIC timer counts the same crystal (3A 11.5.4). */
static bool from_cpuid(void)
{
	struct cpuid_regs r;

	if (cpuid(0, 0).eax < 0x15)
		return false;
	r = cpuid(0x15, 0);
	if (!r.eax || !r.ebx || !r.ecx)
		return false;
	apic_khz = r.ecx / 1000;
	tsc_khz = (u64)r.ecx * r.ebx / r.eax / 1000;
	hv_log("time: TSC %u kHz, APIC timer %u kHz, by CPUID leaf 15H\n",
	       tsc_khz, apic_khz);
	return true;
}

int time_init(u16 pm_timer, u64 takeover_tsc)
{
	const struct reference pm = {"ACPI PM timer", PM_TIMER_HZ,
				     PM_TIMER_MASK, pm_timer, pm_timer_read};
	const struct reference pit = {"8254 timer", PIT_HZ, 0xffff,
				      PIT_CHANNEL2, pit_read};

	start_tsc = takeover_tsc;
	if (pm_timer && runs(&pm))
		pm_timer_port = pm_timer;
	if (from_cpuid())
		return 0;
	if (pm_timer_port && measure(&pm))
		return 0;
	pit_start();
	if (runs(&pit)) {
		pit_start();
		if (measure(&pit))
			return 0;
	}
	hv_log("time: no clock to measure the TSC against: neither CPUID leaf "
	       "15H nor the ACPI PM timer nor the 8254 runs\n");
	return -ENODEV;
}
