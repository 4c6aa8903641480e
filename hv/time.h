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

/* Who waits asks again after this. */
#define ASK_AGAIN_US 1000

/*
 * How long somebody waits.  What passes between two looks counts as a quarter
 * of the limit at most: if it was longer, who waits stood still (an SMI, a
 * device that held the bus, an emulator that was stopped), and so, perhaps, did
 * what it waits for, which then has the rest of the time.
 */
struct wait {
	u64 limit, waited;
	u64 looked; /* last; 0: not yet */
	u64 asked;
};

/* Note that @w looked in vain; true once its time is up. */
static inline bool wait_is_over(struct wait *w)
{
	u64 now = time_us(), most = MAX(w->limit / 4, 1ULL);

	if (w->looked)
		w->waited += MIN(now - w->looked, most);
	w->looked = now;
	return w->waited >= w->limit;
}

/*
 * Look until @cond is true, for at most @us microseconds, and do @ask, if it is
 * not true at once, before that and every millisecond.  The time begins after
 * the first @ask, and there is a last look when it is up.  Evaluates to what
 * the look gave that ended the wait: @cond need not stay true.
 */
#define ask_until(cond, ask, us)                                               \
	({                                                                     \
		struct wait wait_ = {.limit = (us)};                           \
		bool over_ = false, true_;                                     \
		while (!(true_ = (cond)) && !over_) {                          \
			if (time_due(&wait_.asked, ASK_AGAIN_US)) {            \
				ask;                                           \
			}                                                      \
			over_ = wait_is_over(&wait_);                          \
			__builtin_ia32_pause();                                \
		}                                                              \
		true_;                                                         \
	})

/*
 * The same for a device that was asked before.  Evaluates to 0, or to
 * -ETIMEDOUT after having logged "timeout: WHAT".
 */
#define wait_until(cond, us, what)                                             \
	(ask_until(cond, , us) ? 0 : wait_timed_out(what))

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

/* The first port of the machine's ACPI PM timer, 0 if it has none that runs;
 * after time_init(). */
#define PM_TIMER_PORTS 4
u16 time_pm_timer(void);
u32 time_apic_khz(void);
/* Sum of all delay_us() until now. */
u64 time_delayed_us(void);

#endif
