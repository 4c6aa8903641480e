/* This file ends the guest, and then the machine. */
#include "hv/machine/end.h"
#include "guest/assign/assign.h"
#include "hv/colour.h"
#include "hv/log.h"
#include "hv/machine/handover.h"
#include "hv/time.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/stat.h"
#include "hv/vmx/vmx.h"
#include "vtd/faults.h"
#include "vtd/vtd.h"

/* What a call leaves is counted too, if the faults stop within this. */
#define LAST_FAULTS_US 1000000

static void service_last_faults(void)
{
	u64 end = time_us() + LAST_FAULTS_US;

	do
		vtd_service_faults();
	while (vtd_faults_pending() && time_us() < end);
}

static const char *action_name(enum end_action action)
{
	switch (action) {
	case END_POWEROFF:
		return "poweroff";
	case END_RESET:
		return "reset";
	default:
		return "halt";
	}
}

void machine_end(enum end_action action)
{
	hv_log("gangway: end: %s\n", action_name(action));
	/* Some firmware resets by INIT, which root operation blocks.  One that
	 * the guest left pending comes now, and is a reset too. */
	if (action != END_HALT)
		vmx_off();
	power_end(action);
}

void machine_stop(const char *what)
{
	if (vtd_remapping())
		service_last_faults(); /* they may be the reason */
	hv_log(RED "gangway: stopped: %s" PLAIN "\n", what);
	machine_end(END_HALT);
}

static enum end_action log_end(void)
{
	const struct config *c = &handover->config;

	switch (guest.end) {
	case GUEST_POWEROFF:
		hv_log("gangway: guest powered off\n");
		return c->on_poweroff;
	case GUEST_REBOOT:
		hv_log("gangway: guest rebooted\n");
		return c->on_reboot;
	default:
		hv_log("gangway: guest crashed (%s)\n", guest.end_reason);
		return c->on_crash;
	}
}

void machine_after_end(void)
{
	enum end_action action = log_end();

	if (vtd_remapping()) {
		assign_stop();
		service_last_faults();
		vtd_fault_summary();
	}
	stat_log();
	machine_end(action);
}
