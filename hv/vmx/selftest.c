/* This file makes the hypervisor fail on demand, to test what follows. */
#include "hv/vmx/selftest.h"
#include "hv/asm.h"
#include "hv/cpu.h"
#include "hv/cpu_stop.h"
#include "hv/log.h"
#include "hv/panic.h"
#include "hv/time.h"
#include "hv/vmx/trap.h"
#include "hv/vmx/vmx.h"

#define CALL_LIMIT_US 1000000

static bool enabled;
static const struct cpu *failing;

void selftest_enable(void)
{
	enabled = true;
	hv_log("selftest: WARNING: selftest=panic in gangway.cfg: EVERY "
	       "PROGRAM OF THE GUEST CAN CRASH THE HYPERVISOR. For tests "
	       "only\n");
}

/* Out of the guest by an NMI, on their way to a lock that is ours. */
static void call_others(void)
{
	for (unsigned int i = 0; i < vcpu_count; i++) {
		if (cpus[i] == this_cpu())
			continue;
		cpu_interrupt(cpus[i]);
		wait_until(
			!__atomic_load_n(&cpus[i]->in_guest, __ATOMIC_SEQ_CST),
			CALL_LIMIT_US, "selftest: a CPU to exit");
	}
}

/* In place of the screen */
static void stand_still(const char *text, size_t length)
{
	(void)text;
	(void)length;
	while (this_cpu() == failing)
		cpu_pause();
}

static void fail_to_show(const char *text, size_t length)
{
	(void)text;
	(void)length;
	if (this_cpu() == failing)
		__asm__ volatile("ud2");
}

static void fail(unsigned int what)
{
	switch (what) {
	case SELFTEST_PANIC:
		panic("selftest: as the guest asked");
	case SELFTEST_INVALID_OPCODE:
		__asm__ volatile("ud2");
		break;
	case SELFTEST_PAGE_FAULT: /* page 0 is not mapped */
		__asm__ volatile("movb $0, (%0)" : : "r"(8UL) : "memory");
		break;
	case SELFTEST_STACK_OVERFLOW:
		/* below it is a hole (hv/cpu.c) */
		__asm__ volatile("1: push %rax; jmp 1b");
		break;
	case SELFTEST_PANIC_LOCKED:
		trap_lock();
		call_others();
		panic("selftest: as the guest asked, with the trap lock");
	case SELFTEST_GUEST_STATE: /* bit 1 of RFLAGS is always 1 */
		vmwrite(GUEST_RFLAGS, 0);
		break;
	case SELFTEST_CONTROLS: /* the address must be of a page */
		vmwrite(MSR_BITMAP, 1);
		break;
	case SELFTEST_LOG_STUCK:
		failing = this_cpu();
		log_screen = stand_still;
		hv_log("selftest: cpu %u keeps the lock of the log\n",
		       this_cpu()->index);
		break;
	case SELFTEST_PANIC_AGAIN:
		failing = this_cpu();
		log_screen = fail_to_show;
		panic("selftest: as the guest asked, twice");
	}
}

void selftest_run(unsigned int what)
{
	if (enabled)
		fail(what);
}
