/*
 * Several processors in 64-bit mode, each with a stack of its own and what it
 * keeps for itself at the stack's end.
 */
#ifndef ATTACK_SMP_H
#define ATTACK_SMP_H

#include "hv/types.h"

/* smp.inc has the same */
#define SMP_MAX 8
#define SMP_STACK 0x8000UL

/* What on_exception() caught while `resume` was set. */
struct caught {
	s64 vector; /* NO_FAULT */
	u64 error;
	u64 resume; /* where to go on; 0: a fault is not expected */
};

struct percpu {
	volatile struct caught caught;
	u32 random;
};

static inline struct percpu *percpu(void)
{
	u64 rsp;

	__asm__("mov %%rsp, %0" : "=r"(rsp));
	return (struct percpu *)(rsp & ~(SMP_STACK - 1));
}

/* Its place among the stacks: the APIC ID. */
unsigned int smp_here(void);

/* A number of 28 bits, each processor from a sequence of its own. */
u32 random(void);

/* Let every sequence begin anew. */
void random_seed(u32 seed);

/* What smp_start_cpu() makes processors do; it does not come back. */
extern void (*smp_job)(void);

/* INIT and SIPI to processor @id, until it does smp_job.  One caller at a time,
 * and nobody sends it an NMI before it does, except by smp_nmi(). */
void smp_start_cpu(unsigned int id);

/* The same, with @others interrupts to it before the SIPI. */
void smp_start_cpu_late(unsigned int id, unsigned int others);

/* Processor @id is no more doing smp_job: INIT comes, of the caller. */
void smp_leaves(unsigned int id);

/* False from smp_leaves() to smp_start_cpu(). */
bool smp_runs(unsigned int id);

/* An interrupt to processor @id, whatever that does. */
void smp_fixed(unsigned int id);

/* An NMI to processor @id if it does smp_job, so that it has an IDT. */
void smp_nmi(unsigned int id);

/* Note that this processor does its job. */
void smp_arrive(void);

#endif
