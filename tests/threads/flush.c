/*
 * A mapping is taken away, and a function lost, while other CPUs go in and out
 * of the guest as fast as they can: the product's code on threads, for
 * ThreadSanitizer to watch.
 */
#include "guest/assign/irq.h"
#include "guest/assign/stop.h"
#include "guest/assign/table.h"
#include "hv/apic.h"
#include "hv/asm.h"
#include "hv/time.h"
#include "hv/vmx/ept.h"
#include "hv/vmx/exits.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/nmi.h"
#include "hv/vmx/run.h"
#include "hv/vmx/trap.h"
#include "hv/vmx/vmcs.h"
#include "hv/vmx/vmentry.h"
#include "hv/vmx/vmx.h"
#include "tests/threads/model.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define CPUS 2
#define REMOVALS 10000
#define GUEST_NS 4000  /* at most, before an exit of its own */
#define INVEPT_NS 1000 /* it takes so long */
#define ANSWERS 100    /* of the function, before it is gone */

static struct processor {
	struct cpu cpu;
	u32 tlb;      /* version that was flushed */
	u32 in_guest; /* the guest's code runs */
	u32 nmi;      /* pending */
	u32 removals; /* left for the guest to ask for */
	u32 random;
	u64 exit_reason;
} processors[CPUS];

static __thread struct processor *here;
static u32 ends;
/* The trap lock is theirs */
static u32 answers, stops;

struct cpu *this_cpu(void)
{
	return &here->cpu;
}

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

u64 time_us(void)
{
	return now_ns() / 1000;
}

static void spin(u64 ns)
{
	u64 start = now_ns();

	while (now_ns() - start < ns)
		__builtin_ia32_pause();
}

static u32 any(u32 below)
{
	here->random = here->random * 1664525 + 1013904223;
	return (u32)((u64)here->random * below >> 32);
}

/* An NMI in root operation comes by the IDT; here, when the CPU looks. */
void model_step(void)
{
	if (__atomic_exchange_n(&here->nmi, 0, __ATOMIC_SEQ_CST))
		nmi_in_root();
	__builtin_ia32_pause();
}

void model_halt(void)
{
	pthread_exit(NULL);
}

u32 model_walks(unsigned int index)
{
	struct processor *p = &processors[index];

	if (!__atomic_load_n(&p->in_guest, __ATOMIC_SEQ_CST))
		return ~0u;
	return __atomic_load_n(&p->tlb, __ATOMIC_SEQ_CST);
}

bool invept(u64 type, const struct invept_descriptor *descriptor)
{
	u32 version = __atomic_load_n(&model_version, __ATOMIC_SEQ_CST);

	(void)type;
	(void)descriptor;
	spin(INVEPT_NS);
	__atomic_store_n(&here->tlb, version, __ATOMIC_SEQ_CST);
	return true;
}

u64 vmread(enum vmcs_field field)
{
	return field == EXIT_REASON ? here->exit_reason : 0;
}

void vmwrite(enum vmcs_field field, u64 value)
{
	(void)field;
	(void)value;
}

void vmx_unblock_nmis(void)
{
}

void apic_send_ipi(u32 destination, u32 icr_low)
{
	if ((icr_low & 0x700) == ICR_NMI)
		__atomic_store_n(&processors[destination].nmi, 1,
				 __ATOMIC_SEQ_CST);
}

int vmx_enter(struct guest_regs *regs, bool resume, u64 *host_rsp)
{
	u64 end = now_ns() + any(GUEST_NS);

	(void)regs;
	(void)resume;
	(void)host_rsp;
	__atomic_store_n(&here->in_guest, 1, __ATOMIC_SEQ_CST);
	here->exit_reason = EXIT_CPUID;
	while (now_ns() < end) {
		if (__atomic_exchange_n(&here->nmi, 0, __ATOMIC_SEQ_CST)) {
			here->exit_reason = EXIT_EXCEPTION_NMI;
			break;
		}
	}
	__atomic_store_n(&here->in_guest, 0, __ATOMIC_SEQ_CST);
	return 0;
}

/* Every CPU's guest takes a mapping away now and then; the first one to have
 * done so often enough ends. */
void exit_dispatch(struct cpu *cpu, u32 reason)
{
	if (reason == EXIT_EXCEPTION_NMI) {
		exit_nmi(cpu);
		return;
	}
	if (!here->removals) {
		guest_end(GUEST_POWEROFF, "done");
		return;
	}
	if (any(4))
		return;
	here->removals--;
	trap_lock();
	if (any(8))
		ept_remove(0xc0000000, PAGE_SIZE);
	else
		assign_poll();
	trap_unlock();
}

void vcpu_take_init(struct cpu *cpu)
{
	model_broken("cpu %u: INIT", cpu->index);
}

bool pci_answers(const struct pci_function *fn)
{
	(void)fn;
	return answers++ < ANSWERS;
}

void assigned_free_interrupts(struct assigned *a)
{
	(void)a;
	stops++;
}

static bool no_nmi(void)
{
	return false;
}

static void nothing(void)
{
}

static __attribute__((noreturn)) void after_end(void)
{
	for (unsigned int i = 0; i < vcpu_count; i++)
		if (__atomic_load_n(&cpus[i]->state, __ATOMIC_SEQ_CST) !=
		    CPU_STOPPED)
			model_broken("cpu %u runs at the end", i);
	assigned_stop(&assigned[0]);
	__atomic_add_fetch(&ends, 1, __ATOMIC_SEQ_CST);
	pthread_exit(NULL);
}

static const struct guest_events events = {no_nmi, nothing, after_end};

static void *run(void *p)
{
	here = p;
	vcpu_run();
}

static void no_mapping_is_used_after_it_was_taken_away(void **state)
{
	static struct pci_function function;
	pthread_t thread[CPUS];

	(void)state;
	assigned[0].fn = &function;
	guest_events = &events;
	vcpu_count = CPUS;
	for (unsigned int i = 0; i < CPUS; i++) {
		struct processor *p = &processors[i];

		cpus[i] = &p->cpu;
		p->cpu.index = p->cpu.apic_id = p->random = i;
		p->cpu.state = CPU_GUEST;
		p->removals = REMOVALS / CPUS;
	}
	for (unsigned int i = 0; i < CPUS; i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, run, &processors[i]),
			0);
	for (unsigned int i = 0; i < CPUS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(ends, 1);
	assert_int_equal(stops, 1);
	assert_true(answers > ANSWERS);
	assert_int_equal(guest.end, GUEST_POWEROFF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_mapping_is_used_after_it_was_taken_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
