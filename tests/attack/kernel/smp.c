/* Processors that run 64-bit code beside the first. */
#include "tests/attack/kernel/smp.h"
#include "hv/string.h"
#include "tests/attack/kernel/attack.h"

/* smp.inc */
#define SMP_PAGE 0x6000UL
#define SMP_NMI (SMP_PAGE + 4)
#define SMP_CR3 (*(volatile u64 *)(SMP_PAGE + 0xfe0))
#define SMP_STACKS (*(volatile u64 *)(SMP_PAGE + 0xfe8))
#define SMP_MAIN (*(volatile u64 *)(SMP_PAGE + 0xff0))

#define X2APIC_TPR 0x808
#define X2APIC_SVR 0x80f
#define X2APIC_ICR 0x830
#define ICR_FIXED 0x4000
#define ICR_NMI 0x4400
#define ICR_INIT 0x4500
#define ICR_STARTUP 0x4600
#define SENDER_LOOPS 10000000
#define START_MS 10000

extern const u8 smp_start[], smp_end[];

u8 smp_stacks[SMP_MAX][SMP_STACK] __attribute__((aligned(0x8000)));
void (*smp_job)(void);
static volatile bool runs[SMP_MAX], sending[SMP_MAX];

unsigned int smp_here(void)
{
	return (unsigned int)(((u64)percpu() - (u64)smp_stacks) / SMP_STACK);
}

u32 random(void)
{
	struct percpu *p = percpu();

	p->random = p->random * 1664525 + 1013904223;
	return p->random >> 4;
}

void random_seed(u32 seed)
{
	for (u32 i = 0; i < SMP_MAX; i++)
		((struct percpu *)smp_stacks[i])->random =
			seed * 2654435761u + i * 0x9e3779b9u;
}

static void send(unsigned int id, u32 low)
{
	msr_write(X2APIC_ICR, (u64)id << 32 | low);
}

void smp_arrive(void)
{
	unsigned int here = smp_here();

	sending[here] = false;
	__atomic_store_n(&runs[here], true, __ATOMIC_SEQ_CST);
}

bool smp_runs(unsigned int id)
{
	return __atomic_load_n(&runs[id], __ATOMIC_SEQ_CST);
}

void smp_main(void)
{
	load_idt();
	caught.resume = 0;
	msr_write(X2APIC_SVR, 0x1ff);
	/* Vectors below 32 would be taken for exceptions here */
	msr_write(X2APIC_TPR, 0x10);
	smp_arrive();
	smp_job();
}

/* Those that still send, and have looked before. */
static void wait_for_senders(unsigned int but)
{
	for (unsigned int i = 0; i < SMP_MAX; i++)
		for (u32 n = 0; i != but && sending[i] && n < SENDER_LOOPS; n++)
			__asm__ volatile("pause");
}

void smp_leaves(unsigned int id)
{
	__atomic_store_n(&runs[id], false, __ATOMIC_SEQ_CST);
	wait_for_senders(id);
}

void smp_fixed(unsigned int id)
{
	send(id, ICR_FIXED | 0x40);
}

void smp_nmi(unsigned int id)
{
	volatile bool *mine = &sending[smp_here()];

	__atomic_store_n(mine, true, __ATOMIC_SEQ_CST);
	if (smp_runs(id))
		send(id, ICR_NMI);
	__atomic_store_n(mine, false, __ATOMIC_SEQ_CST);
}

/* It may be in the hypervisor when INIT comes, and then waits for a SIPI later
 * than we think. */
static void start(unsigned int id, unsigned int others)
{
	u64 cr3;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	memcpy((void *)SMP_PAGE, smp_start, (size_t)(smp_end - smp_start));
	SMP_CR3 = cr3;
	SMP_STACKS = (u64)smp_stacks;
	SMP_MAIN = (u64)smp_main;
	/* Real mode's vector 2 */
	*(volatile u32 *)map_gpa(8) = (u32)SMP_NMI;
	smp_leaves(id);
	send(id, ICR_INIT);
	for (unsigned int i = 0; i < others; i++)
		smp_fixed(id);
	for (u32 ms = 0; ms < START_MS && !smp_runs(id); ms += 2) {
		wait_ms(1);
		send(id, ICR_STARTUP | (u32)(SMP_PAGE >> 12));
		wait_ms(1);
	}
}

void smp_start_cpu(unsigned int id)
{
	start(id, 0);
}

void smp_start_cpu_late(unsigned int id, unsigned int others)
{
	start(id, others);
}
