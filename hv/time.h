/* Time since take-over, and bounded waits. */
#ifndef HV_TIME_H
#define HV_TIME_H

#include "hv/types.h"

/* Microseconds since the hypervisor took the machine over. */
u64 time_us(void);

/* True if @us microseconds have passed since it was last true for @last, which
 * starts as 0; the first time at once.  One CPU at a time. */
static inline bool time_due(u64 *last, u64 us)
{
	u64 now = time_us();

	if (*last && now - *last < us)
		return false;
	*last = now;
	return true;
}

/*
 * Busy-wait for @us microseconds.  Only for delays that a specification
 * demands; @why names the section, and the sum of all such delays is logged.
 */
void delay_us(u64 us, const char *why);

/*
 * Poll until @cond is true, for at most @us microseconds.  Evaluates to 0, or
 * to -ETIMEDOUT after having logged "timeout: WHAT".
 */
#define wait_until(cond, us, what)                                             \
	({                                                                     \
		u64 deadline_ = time_us() + (us);                              \
		int result_ = 0;                                               \
		while (!(cond)) {                                              \
			if (time_us() >= deadline_) {                          \
				result_ = (cond) ? 0 : wait_timed_out(what);   \
				break;                                         \
			}                                                      \
			__builtin_ia32_pause();                                \
		}                                                              \
		result_;                                                       \
	})

/* Log that @what did not come in time; returns -ETIMEDOUT. */
int wait_timed_out(const char *what);

/*
 * Find the frequency of the TSC and of the APIC timer's input clock: from CPUID
 * leaf 15H if the processor tells both, else measured for 50 ms against the
 * ACPI PM timer at @pm_timer_port (0: against the 8254).  @takeover_tsc is
 * when time_us() began.  -ENODEV: none of them runs.
 */
int time_init(u16 pm_timer_port, u64 takeover_tsc);

u32 time_tsc_khz(void);
u32 time_apic_khz(void);
/* Sum of all delay_us() until now. */
u64 time_delayed_us(void);

#endif
