#include "hv/selftest.h"
#include "hv/log.h"
#include "hv/trap.h"
#include "hv/vcpu.h"

static bool enabled;

void selftest_enable(void)
{
	enabled = true;
	hv_log("selftest: WARNING: selftest=panic in gangway.cfg: EVERY "
	       "PROGRAM OF THE GUEST CAN CRASH THE HYPERVISOR. For tests "
	       "only\n");
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
		panic("selftest: as the guest asked, with the trap lock");
	case SELFTEST_GUEST_STATE: /* bit 1 of RFLAGS is always 1 */
		vmwrite(GUEST_RFLAGS, 0);
		break;
	case SELFTEST_CONTROLS: /* the address must be of a page */
		vmwrite(MSR_BITMAP, 1);
		break;
	}
}

void selftest_run(unsigned int what)
{
	if (enabled)
		fail(what);
}
