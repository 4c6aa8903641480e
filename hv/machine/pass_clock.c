/* This file gives the guest a clock beside the TSC, which Linux does not trust
 * alone: the machine's ACPI PM timer. */
#include "hv/machine/pass_clock.h"
#include "drivers/pci/pci_room.h"
#include "hv/acpi_tables.h"
#include "hv/log.h"
#include "hv/time.h"
#include "hv/vmx/trap.h"
#include "hv/vmx/vmcs.h"

/* Below are the devices of ISA, whatever a table says */
#define FIRST_PORT 0x400

/* Why these ports may be more than the timer; NULL: they are not */
static const char *refusal(u16 port)
{
	const struct acpi_header *fadt = acpi_table("FACP");

	if (port < FIRST_PORT)
		return "are those of ISA devices";
	/* A multiple of 4 also ends before port 10000h */
	if (port % PM_TIMER_PORTS)
		return "are no multiple of 4";
	if (!trap_ports_free(port, PM_TIMER_PORTS))
		return "are the guest's for something else";
	if (!fadt || acpi_fadt_has_ports(fadt, port, PM_TIMER_PORTS))
		return "are another register's, too, by the FADT";
	if (pci_ports_taken(NULL, port, PM_TIMER_PORTS))
		return "are a PCI function's, too";
	return NULL;
}

/*
 * The guest reads it without an exit, so the ports must be the timer's alone:
 * the bitmap has one bit a port, for reading and writing, and the timer ignores
 * writes (ACPI 6.3 4.8.3.3).  An access that reaches beyond them exits (Intel
 * SDM 3C 25.1.3).
 */
u16 machine_pass_pm_timer(void)
{
	u16 port = time_pm_timer();
	const char *why;

	if (!port) {
		hv_log("guest: no second clock: this machine has no ACPI PM "
		       "timer that runs\n");
		return 0;
	}
	why = refusal(port);
	if (why) {
		hv_log("guest: no second clock: the ACPI PM timer's ports 0x%x "
		       "to 0x%x %s; look for a newer firmware\n",
		       port, port + PM_TIMER_PORTS - 1, why);
		return 0;
	}
	vcpu_pass_ports(port, PM_TIMER_PORTS);
	hv_log("guest: the ACPI PM timer, ports 0x%x to 0x%x, without exits\n",
	       port, port + PM_TIMER_PORTS - 1);
	return port;
}
