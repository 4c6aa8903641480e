/*
 * Failures on demand, to test what follows from them.  Only with selftest=panic
 * in gangway.cfg: any program of the guest can then crash the hypervisor.
 *
 * CPUID leaf 400001FFH, sub-leaf: what is to fail on the CPU that executes it.
 */
#ifndef HV_VMX_SELFTEST_H
#define HV_VMX_SELFTEST_H

#define SELFTEST_LEAF 0x400001ff

enum selftest {
	SELFTEST_PANIC = 1,
	SELFTEST_INVALID_OPCODE,
	SELFTEST_PAGE_FAULT,
	SELFTEST_STACK_OVERFLOW,
	SELFTEST_PANIC_LOCKED, /* holding the lock for which the others wait
				  since an NMI made them exit */
	SELFTEST_GUEST_STATE,  /* that VM entry refuses (SDM 3C 26.3) */
	SELFTEST_CONTROLS,     /* that VM entry refuses (SDM 3C 26.2) */
	SELFTEST_LOG_STUCK,    /* stands still with the lock of the log */
	SELFTEST_PANIC_AGAIN,  /* the panic's log line fails */
};

/* Turn it on, loudly. */
void selftest_enable(void);

/* On an exit for CPUID leaf SELFTEST_LEAF.  Does nothing if it is off. */
void selftest_run(unsigned int what);

#endif
