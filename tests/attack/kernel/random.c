/* Attacks at random, on all processors at the same time. */
#include "hv/string.h"
#include "tests/attack/kernel/attack.h"
#include "tests/attack/kernel/vf.h"

#define BLOCKED 0x1000000000ULL
#define SCRATCH 0x200000ULL
#define SAID_S 30

static u64 ram, khz, end;
static u32 done, restarts;

static u32 any32(void)
{
	return random() ^ random() << 12;
}

/* --- those that move mappings while others walk them */

static void any_config(void)
{
	unsigned int flr = vf_capability(0x10) + 8;

	for (unsigned int i = 0; i < 50; i++) {
		unsigned int reg = random() % 0x100 & ~3u;

		if (reg != (flr & ~3u))
			*config32(reg) = any32();
	}
}

static void any_bar(void)
{
	static const u64 place[] = {VF_BAR0,	VF_BAR3,    VF_BAR0 + 0x100000,
				    SCRATCH,	GUEST_ECAM, 0xdfffc000,
				    0xffffc000, 1ULL << 47};

	for (unsigned int i = 0; i < 10; i++)
		move_bar(random() & 1 ? CONFIG_BAR0 : CONFIG_BAR3,
			 place[random() % ARRAY_SIZE(place)]);
}

static void any_size(void)
{
	unsigned int bar = random() & 1 ? CONFIG_BAR0 : CONFIG_BAR3;
	u32 low = *config32(bar), high = *config32(bar + 4);

	for (unsigned int i = 0; i < 10; i++) {
		move_bar(bar, ~0ULL);
		move_bar(bar, (u64)high << 32 | low);
	}
}

static void any_decoding(void)
{
	for (unsigned int i = 0; i < 20; i++)
		*config16(CONFIG_COMMAND) = random() & 7;
	*config16(CONFIG_COMMAND) = COMMAND_ON;
}

/* Both BARs come and go. */
static void on_and_off(void)
{
	move_bar(CONFIG_BAR0, VF_BAR0 + (random() & 7) * 0x100000);
	move_bar(CONFIG_BAR3, VF_BAR3 + (random() & 7) * 0x100000);
	for (unsigned int i = 0; i < 50; i++)
		*config16(CONFIG_COMMAND) = i & 1 ? COMMAND_ON : 0;
}

static void any_access(void)
{
	for (unsigned int i = 0; i < 200; i++)
		*(volatile u32 *)(VF_BAR0 + (random() & 0x6ffc));
}

static void any_exit(void)
{
	for (unsigned int i = 0; i < 500; i++)
		cpuid(1, 0);
}

/* Vectors that stay pending, at whoever it is. */
static void any_fixed(void)
{
	for (unsigned int i = 0; i < 100; i++)
		smp_fixed(random() % guest_cpus());
}

static void any_nmi(void)
{
	for (unsigned int i = 0; i < 50; i++)
		smp_nmi(random() % guest_cpus());
}

/* --- the device's work */

static void any_traffic(void)
{
	if (!vf_start())
		return;
	for (unsigned int i = 0; i < 20; i++) {
		if (random() & 1)
			vf_read(SCRATCH + (random() & 0x3fc0));
		else
			vf_write(SCRATCH + (random() & 0x3ffc),
				 1 + random() % 254);
	}
}

static void any_blocked(void)
{
	static const u64 at[] = {BLOCKED,    0xfed90020, 0xfee00000, 0xfee00010,
				 0xc0000000, GUEST_ECAM, 1ULL << 52};

	if (!vf_start())
		return;
	for (unsigned int i = 0; i < 5; i++)
		vf_write(at[random() % ARRAY_SIZE(at)], 1 + random() % 254);
}

static void any_memory(void)
{
	attack_memory(ram);
}

/* --- processors that take others away.  One at a time, for else all could wait
 * for a SIPI, which would be the guest's end without a word. */

static u32 taker; /* 1 + who it is */

static void let_go(void)
{
	unsigned int here = smp_here();

	for (unsigned int i = 0; i < guest_cpus(); i++)
		if (i != here && !smp_runs(i))
			smp_start_cpu(i);
	__atomic_store_n(&taker, 0, __ATOMIC_SEQ_CST);
}

static bool take(void)
{
	u32 none = 0;

	return __atomic_compare_exchange_n(&taker, &none, smp_here() + 1, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void start_any(unsigned int interrupts)
{
	unsigned int other = random() % guest_cpus();

	if (other == smp_here() || !take())
		return;
	smp_start_cpu_late(other, interrupts);
	let_go();
}

static void any_start(void)
{
	start_any(random() % 2 ? 500 : 0);
}

static void any_late_start(void)
{
	start_any(20000);
}

/* What uses the other processor by itself, whichever that is. */
static void with_other(void (*attack)(void))
{
	unsigned int other = !smp_here();

	if (other >= guest_cpus() || !take())
		return;
	smp_leaves(other);
	attack();
	let_go();
}

static void any_ipis(void)
{
	with_other(attack_ipis);
}

static void any_modes(void)
{
	with_other(attack_modes);
}

static void any_task_switch(void)
{
	with_other(attack_task_switch);
}

/* --- the draw */

struct choice {
	void (*attack)(void);
	u32 share; /* of the draws */
};

/* Of the first processor, and of the others, which mostly come and go without
 * the lock that it holds meanwhile. */
static const struct choice movers[] = {
	{on_and_off, 80}, {any_bar, 5}, {any_size, 5}, {any_decoding, 5},
	{any_config, 2},  {any_nmi, 2}, {vf_reset, 1},
};

static const struct choice others[] = {
	{any_exit, 100}, {any_access, 10}, {any_nmi, 10},     {any_config, 2},
	{any_bar, 2},	 {any_size, 2},	   {any_decoding, 2},
};

static const struct choice all[] = {
	{any_config, 40},
	{any_bar, 40},
	{any_size, 40},
	{any_decoding, 40},
	{on_and_off, 40},
	{any_access, 40},
	{any_exit, 40},
	{any_nmi, 40},
	{any_fixed, 10},
	{vf_reset, 10},
	{any_traffic, 60},
	{any_blocked, 10},
	{any_start, 20},
	{any_memory, 5},
	{any_ipis, 2},
	{any_modes, 4},
	{any_task_switch, 4},
	{attack_bars, 2},
	{attack_bus_mastering, 4},
	{attack_compatibility, 4},
	{attack_config, 1},
	{attack_control_registers, 5},
	{attack_cpuid, 5},
	{attack_debug, 10},
	{attack_execution, 10},
	{attack_flr, 4},
	{attack_instructions, 10},
	{attack_mailbox, 4},
	{attack_msix, 4},
	{attack_msrs, 1},
	{attack_ports, 1},
	{attack_rip, 10},
	{attack_table_moved, 4},
	{attack_xcr0, 5},
};

/* Processors wait for a SIPI again and again, and get what must not end that.
 */
static const struct choice starters[] = {{any_late_start, 1}};
static const struct choice senders[] = {{any_fixed, 1}};

#define CHOICES(choices) choices, ARRAY_SIZE(choices)

static const struct set {
	const char *name;
	struct {
		const struct choice *choice;
		unsigned int count;
	} of[2]; /* the first processor, the others */
} sets[] = {
	{"all", {{CHOICES(all)}, {CHOICES(all)}}},
	{"race", {{CHOICES(movers)}, {CHOICES(others)}}},
	{"sipi", {{CHOICES(starters)}, {CHOICES(senders)}}},
};

static const struct set *set = sets;

static const struct choice *draw(void)
{
	bool first = !smp_here();
	const struct choice *choice = set->of[!first].choice;
	u32 sum = 0, at;

	for (unsigned int i = 0; i < set->of[!first].count; i++)
		sum += choice[i].share;
	at = random() % sum;
	for (; at >= choice->share; choice++)
		at -= choice->share;
	return choice;
}

static void choose_set(const char *name)
{
	for (unsigned int i = 0; name && i < ARRAY_SIZE(sets); i++)
		if (!memcmp(name, sets[i].name, strlen(sets[i].name)))
			set = &sets[i];
}

static void tell(const char *what)
{
	say("attack kernel: random: %s: %u attacks, %u times a processor began "
	    "anew\n",
	    what, done, restarts);
}

/* One of them says it; the others go on until the hypervisor stops them.  It
 * takes them all, for else another could send it INIT before it has ended. */
static void say_end(void)
{
	if (!take())
		return;
	tell("over");
	power_off();
}

static void work(void)
{
	static u64 next;
	u64 was;

	__atomic_add_fetch(&restarts, 1, __ATOMIC_RELAXED);
	/* Begun anew by an exception, on the way */
	if (__atomic_load_n(&taker, __ATOMIC_SEQ_CST) == smp_here() + 1)
		let_go();
	for (;;) {
		draw()->attack();
		__atomic_add_fetch(&done, 1, __ATOMIC_RELAXED);
		if (tsc() >= end)
			say_end();
		was = __atomic_load_n(&next, __ATOMIC_RELAXED);
		if (tsc() >= was &&
		    __atomic_compare_exchange_n(
			    &next, &was, tsc() + khz * 1000 * SAID_S, false,
			    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			tell("going on");
	}
}

static void start_all(void (*job)(void))
{
	smp_job = job;
	msr_write(0x80f, 0x1ff);
	msr_write(0x808, 0x10);
	smp_arrive();
	for (unsigned int i = 1; i < guest_cpus(); i++)
		smp_start_cpu(i);
}

void attack_random(const char *name, u32 seed, u32 seconds, u64 ram_end)
{
	khz = cpuid(0x40000101, 0).edx;
	end = tsc() + khz * 1000 * seconds;
	ram = ram_end;
	random_seed(seed);
	choose_set(name);
	print("attack kernel: random: seed %u, %u s, %u processors\n", seed,
	      seconds, guest_cpus());
	vf_start();
	be_quiet();
	exceptions_begin_anew();
	start_all(work);
	work();
}

/* --- what must not hide behind a processor */

static u32 hidden_seconds;
static volatile u32 first_runs;

/* The first processor is on its way as long as it counts. */
static void wait_for_init(void)
{
	u32 was;

	do {
		was = first_runs;
		wait_ms(500);
	} while (first_runs != was);
}

static void hide(void)
{
	u64 start;

	smp_leaves(0);
	msr_write(0x830, 0x4500); /* INIT to the first */
	wait_for_init();
	print("attack kernel: hidden: begin\n");
	for (unsigned int i = 0; i < 20; i++)
		vf_write(BLOCKED, 1 + i);
	for (start = tsc(); tsc() - start < khz * 1000 * hidden_seconds;)
		__asm__ volatile("pause");
	print("attack kernel: hidden: over\n");
	power_off();
}

void attack_hidden(u32 seconds)
{
	hidden_seconds = seconds;
	khz = cpuid(0x40000101, 0).edx;
	vf_start();
	start_all(hide);
	for (;;)
		first_runs++;
}

static void no_exit(void)
{
	for (;;)
		__asm__ volatile("pause");
}

void attack_bar_moves(void)
{
	u64 next = 0;

	khz = cpuid(0x40000101, 0).edx;
	vf_reset();
	start_all(no_exit);
	for (u32 moved = 0;; moved++) {
		move_bar(CONFIG_BAR0, moved & 1 ? VF_BAR0 : VF_BAR0 + 0x100000);
		if (tsc() < next)
			continue;
		next = tsc() + khz * 1000;
		print("attack kernel: moves: %u\n", moved);
	}
}
