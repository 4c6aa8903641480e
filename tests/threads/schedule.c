/*
 * The hypervisor's concurrent parts under a scheduler: every CPU is a context
 * of its own, and before each access that CPUs share another one may go on, as
 * a generator of numbers decides.  A seed is one order of events, again and
 * again the same.
 *
 *   schedule [N [SEED]]     N runs from SEED on; V=1: with the log
 */
#include "tests/threads/schedule.h"
#include "guest/assign/table.h"
#include "hv/asm.h"
#include "hv/machine/events.h"
#include "hv/time.h"
#include "hv/vmx/nmi.h"
#include "hv/vmx/run.h"
#include "hv/vmx/vmx.h"
#include "tests/threads/model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define STACK 65536
#define ACTIONS 5 /* of a guest's CPU, at most */
#define STEPS_MAX 200000

struct processor processors[CPUS];
struct processor *here;
struct run run;
static u8 stacks[CPUS][STACK] __attribute__((aligned(16)));
static ucontext_t main_context, first[CPUS];
static jmp_buf over;

u32 any(u32 below)
{
	run.random ^= run.random << 13;
	run.random ^= run.random >> 7;
	run.random ^= run.random << 17;
	return (u32)((run.random >> 32) * below >> 32);
}

bool stands_still(const struct processor *p)
{
	return p == processors && p->place == GUEST && run.still_from &&
	       run.steps >= run.still_from;
}

/* Mostly slow, so that all orders come within each limit; sometimes a
 * millisecond passes, so that who waits asks again.  Fast where a limit is to
 * be reached. */
u64 time_us(void)
{
	run.now += run.still_from ? 20000 : any(32) ? 1 : 1000;
	return run.now;
}

/* --- whose turn it is */

bool window_opens(const struct processor *p)
{
	return p->controls & PROC_NMI_WINDOW &&
	       !(p->interruptibility & BLOCKING_NMI);
}

static bool can_go_on(const struct processor *p)
{
	if (stands_still(p))
		return false;
	switch (p->place) {
	case ROOT:
		return true;
	case GUEST:
		return !p->idle || p->nmi || p->init || window_opens(p);
	case WAIT_FOR_SIPI:
		return p->sipi >= 0;
	default:
		return false;
	}
}

/* Quiet: what was sent has arrived, and nobody does anything. */
static void check_quiet(void)
{
	bool runs = false;

	for (unsigned int i = 0; i < CPUS; i++) {
		struct processor *p = &processors[i];

		if (p->place != GUEST || stands_still(p))
			continue;
		runs = true;
		if (p->cpu.requests)
			model_broken("cpu %u is in the guest, asked for %x", i,
				     p->cpu.requests);
		if (p->cpu.ept_generation != guest.ept_generation)
			model_broken("cpu %u did not flush", i);
	}
	if (runs && !run.still_from && run.unit.faults != run.unit.told)
		model_broken("%u faults, %u of them told", run.unit.faults,
			     run.unit.told);
}

/* The guest ends by one that runs; if all wait for a SIPI it stands still. */
static struct processor *begin_end(void)
{
	if (run.ended)
		longjmp(over, 1);
	if (run.asked_for_end) {
		for (unsigned int i = 0; i < CPUS; i++)
			fprintf(stderr, "cpu %u: place %u, state %u\n", i,
				processors[i].place, processors[i].cpu.state);
		model_broken("the end does not come");
	}
	if (guest.end == GUEST_RUNS)
		check_quiet();
	run.asked_for_end = true;
	for (unsigned int i = 0, at = any(CPUS); i < CPUS; i++) {
		struct processor *p = &processors[(at + i) % CPUS];

		if (p->place != GUEST || stands_still(p))
			continue;
		p->idle = false;
		return p;
	}
	longjmp(over, 1);
}

static struct processor *next(void)
{
	struct processor *can[CPUS];
	unsigned int count = 0;

	if (here && can_go_on(here) && any(16) < run.stay)
		return here;
	for (unsigned int i = 0; i < CPUS; i++)
		if (can_go_on(&processors[i]))
			can[count++] = &processors[i];
	return count ? can[any(count)] : begin_end();
}

static void take_nmi_in_root(void)
{
	if (here->place != ROOT || !here->nmi || here->nmi_blocked)
		return;
	here->nmi = false;
	here->nmi_blocked = true;
	nmi_in_root();
	here->nmi_blocked = false;
}

static __attribute__((noinline)) void switch_to(struct processor *p)
{
	if (_setjmp(here->at))
		return;
	here = p;
	_longjmp(p->at, 1);
}

/* Another one, perhaps, until this one goes on. */
void model_step(void)
{
	struct processor *p = next();

	if (++run.steps > STEPS_MAX)
		model_broken("no end after %u steps", STEPS_MAX);
	run.path = (run.path ^ (u64)(p - processors + 1)) * 0x100000001b3;
	if (p != here)
		switch_to(p);
	take_nmi_in_root();
}

void model_halt(void)
{
	here->place = HALTED;
	for (;;)
		model_step();
}

/* --- a run */

/* The product's variables: the Makefile gives their sections these names. */
extern u8 __start_product_bss[], __stop_product_bss[];
extern u8 __start_product_data[], __stop_product_data[];

static u8 *fresh_data;

static void put_back(void)
{
	size_t size = (size_t)(__stop_product_data - __start_product_data);

	if (!fresh_data) {
		fresh_data = malloc(size);
		memcpy(fresh_data, __start_product_data, size);
	}
	memcpy(__start_product_data, fresh_data, size);
	memset(__start_product_bss, 0,
	       (size_t)(__stop_product_bss - __start_product_bss));
}

static void begin_cpu(void)
{
	if (!_setjmp(here->at))
		swapcontext(&first[here - processors], &main_context);
	vcpu_run();
}

static void set_up(u64 seed)
{
	static struct pci_function function;

	put_back();
	memset(processors, 0, sizeof(processors));
	memset(&run, 0, sizeof(run));
	run.random = (seed + 1) * 0x9e3779b97f4a7c15;
	model_seed = seed;
	run.now = 1;
	model_version = 0;
	run.path = 0xcbf29ce484222325;
	run.still_from = any(16) ? 0 : 1 + any(300);
	run.stay = 4 + any(12);
	run.function_is_gone = !any(8);
	assigned[0] = (struct assigned){.fn = &function, .missed_looks = 2};
	guest_events = &machine_events;
	vcpu_count = CPUS;
	for (unsigned int i = 0; i < CPUS; i++) {
		struct processor *p = &processors[i];

		cpus[i] = &p->cpu;
		p->cpu.index = p->cpu.apic_id = i;
		p->cpu.state = i ? CPU_WAIT_FOR_SIPI : CPU_GUEST;
		p->activity = i ? ACTIVITY_WAIT_FOR_SIPI : ACTIVITY_ACTIVE;
		p->cpu.vmcs_loaded = true;
		p->sipi = any(4) && i ? FIRST_VECTOR : -1;
		p->actions = any(ACTIONS + 1);
	}
}

static void one_run(u64 seed)
{
	set_up(seed);
	for (unsigned int i = 0; i < CPUS; i++) {
		here = &processors[i];
		getcontext(&first[i]);
		first[i].uc_stack.ss_sp = stacks[i];
		first[i].uc_stack.ss_size = STACK;
		makecontext(&first[i], begin_cpu, 0);
		swapcontext(&main_context, &first[i]);
	}
	if (setjmp(over))
		return;
	here = &processors[0];
	_longjmp(here->at, 1);
}

/* --- how many different ones */

#define TABLE (1u << 22)

static u64 *seen;

static bool is_new(u64 hash)
{
	u32 at = (u32)hash % TABLE;

	hash |= 1;
	while (seen[at] && seen[at] != hash)
		at = (at + 1) % TABLE;
	if (seen[at])
		return false;
	seen[at] = hash;
	return true;
}

int main(int argc, char **argv)
{
	u64 runs = argc > 1 ? strtoull(argv[1], NULL, 0) : 20000;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	u64 different = 0, all_steps = 0, ends = 0;

	seen = calloc(TABLE, sizeof(*seen));
	if (!seen || runs > TABLE / 2)
		return 2;
	for (u64 i = 0; i < runs; i++) {
		one_run(seed + i);
		different += is_new(run.path);
		all_steps += run.steps;
		ends += run.ended;
	}
	printf("schedule: %lu runs from seed %lu, %lu of them different, %lu "
	       "steps, %lu ends\n",
	       runs, seed, different, all_steps, ends);
	printf("[  PASSED  ] 1 test(s).\n");
	return 0;
}
