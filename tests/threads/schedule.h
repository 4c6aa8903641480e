/* What the scheduler and the processors that it runs share. */
#ifndef TESTS_THREADS_SCHEDULE_H
#define TESTS_THREADS_SCHEDULE_H

#include "hv/cpu.h"
#include <setjmp.h>

#define CPUS 3
#define FIRST_VECTOR 8 /* of a SIPI */

enum place { ROOT, GUEST, WAIT_FOR_SIPI, HALTED };

struct processor {
	struct cpu cpu;
	enum place place;
	bool nmi, nmi_blocked, init, executed;
	bool idle; /* its guest does nothing more by itself */
	int sipi;  /* vector, or -1 */
	u32 tlb;   /* version that was flushed */
	unsigned int actions;
	u64 reason, interruptibility, activity, entry, controls;
	jmp_buf at;
};

extern struct processor processors[CPUS];
extern struct processor *here;

/* One run, as far as both know of it; all of it 0 at the start. */
extern struct run {
	u64 random, now, steps, path;
	unsigned int stay; /* of 16: how often the same one goes on */
	/* CPU 0 does not come out of the guest from this step on, until that
	 * has ended; 0: it does */
	u64 still_from;
	struct processor *in_trap; /* who holds the lock */
	unsigned int stops;	   /* of the assigned function */
	bool asked_for_end, ended, function_is_gone;
	/* The remapping unit: what it blocked, what of it is in the log, and
	 * where its event goes to */
	struct {
		u32 faults, told, cpu;
	} unit;
} run;

/* A number below @below. */
u32 any(u32 below);

bool stands_still(const struct processor *p);

/* True if @p would exit because its guest can take an NMI. */
bool window_opens(const struct processor *p);

#endif
