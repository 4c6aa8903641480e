/* This file does what must be done between exits: faults of the remapping
 * units, which come as NMIs, and what must be polled. */
#include "hv/machine/events.h"
#include "guest/assign/stop.h"
#include "hv/console.h"
#include "hv/cpu_stop.h"
#include "hv/machine/end.h"
#include "hv/time.h"
#include "hv/vmx/trap.h"
#include "vtd/faults.h"
#include "vtd/vtd.h"

/* A unit can signal again while its faults are being served; that NMI then
 * finds nothing, and is not the guest's if it comes this soon.  This is the
 * only place where an NMI of the guest's may be swallowed. */
#define FAULT_ECHO_US 10000
#define POLL_US 1000000
#define LINE_US 100000

static u64 last_fault_us;
/* Index of the one that gets the NMIs of the units; the first at the start
 * (vtd_start()) */
static u32 fault_cpu;

static bool service_faults(void)
{
	bool any;

	/* The messages name what lies at an address, by the guest's map */
	trap_lock();
	any = vtd_service_faults();
	trap_unlock();
	if (!any)
		return false;
	__atomic_store_n(&last_fault_us, time_us(), __ATOMIC_RELAXED);
	return true;
}

static bool machine_nmi(void)
{
	u64 last;

	if (!vtd_remapping())
		return false;
	if (service_faults())
		return true;
	last = __atomic_load_n(&last_fault_us, __ATOMIC_RELAXED);
	return last && time_us() - last < FAULT_ECHO_US;
}

/*
 * An exit is the time to look, and there is no other: at most once a second,
 * and not while a line of the guest's is under way, which what it finds would
 * cut in two.  At the units too: the NMI of a fault may have come to a CPU that
 * cannot take it.
 */
static void poll_devices(void)
{
	static u64 next_us;
	u64 now = time_us(), next = __atomic_load_n(&next_us, __ATOMIC_RELAXED);

	if (now < next || (console_guest_in_line() && now < next + LINE_US) ||
	    !__atomic_compare_exchange_n(&next_us, &next, now + POLL_US, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	if (vtd_remapping())
		service_faults();
	trap_lock();
	assign_poll();
	trap_unlock();
}

static bool runs(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->state, __ATOMIC_SEQ_CST) == CPU_GUEST;
}

/* The one that the units send their faults to takes NMIs. */
static bool faults_arrive(void)
{
	return runs(cpus[__atomic_load_n(&fault_cpu, __ATOMIC_SEQ_CST)]);
}

/* What came before, and was lost on the other CPU, is looked at right away. */
static void take_faults(struct cpu *cpu)
{
	trap_lock();
	if (!faults_arrive()) {
		vtd_send_faults_to(cpu->apic_id);
		__atomic_store_n(&fault_cpu, cpu->index, __ATOMIC_SEQ_CST);
	}
	trap_unlock();
	service_faults();
}

/* This CPU waits for a SIPI from now on: another one is to take the faults, and
 * may have no exit of its own. */
static void leave_faults(struct cpu *cpu)
{
	for (unsigned int i = 0; i < vcpu_count; i++) {
		if (cpus[i] != cpu && runs(cpus[i])) {
			cpu_interrupt(cpus[i]);
			return;
		}
	}
}

/* A flood of faults is served in parts, or the guest would stand still. */
static void machine_before_entry(void)
{
	struct cpu *cpu = this_cpu();

	if (vtd_faults_pending())
		service_faults();
	if (vtd_remapping() && !faults_arrive())
		(runs(cpu) ? take_faults : leave_faults)(cpu);
	/* Not where a SIPI is expected: that path must be short */
	if (runs(cpu))
		poll_devices();
}

const struct guest_events machine_events = {
	machine_nmi,
	machine_before_entry,
	machine_after_end,
};
