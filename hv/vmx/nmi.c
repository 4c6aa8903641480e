/* This file finds out whose an NMI is, and gives the guest its own. */
#include "hv/vmx/nmi.h"
#include "hv/cpu_stop.h"
#include "hv/panic_state.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/vmentry.h"
#include "hv/vmx/vmx.h"
#include "hv/x86.h"

/* A processor that waits for SIPI takes none either, and to inject one there
 * would be no valid state (26.3.1.5). */
static bool nmi_blocked(void)
{
	return vmread(GUEST_INTERRUPTIBILITY) &
		       (BLOCKING_NMI | BLOCKING_MOV_SS | BLOCKING_STI) ||
	       vmread(GUEST_ACTIVITY) == ACTIVITY_WAIT_FOR_SIPI;
}

static void want_nmi_window(bool wanted)
{
	vmwrite(PROC_CONTROLS, vmx.proc | (wanted ? PROC_NMI_WINDOW : 0));
}

/* The guest's NMI: now if it can take one, else as soon as it can (24.6.2). */
void nmi_inject(struct cpu *cpu)
{
	bool event = vmread(ENTRY_INTERRUPTION) & INTERRUPTION_VALID;

	if (cpu->nmi_to_inject && !event && !nmi_blocked()) {
		vmwrite(ENTRY_INTERRUPTION,
			INTERRUPTION_VALID | TYPE_NMI << 8 | VECTOR_NMI);
		cpu->nmi_to_inject = false;
	}
	want_nmi_window(cpu->nmi_to_inject);
}

void nmi_whose(struct cpu *cpu)
{
	bool kicked =
		__atomic_exchange_n(&cpu->kicked, false, __ATOMIC_SEQ_CST);
	bool ours = guest_events->nmi();

	if (!kicked && !ours)
		cpu->nmi_to_inject = true;
}

void nmi_in_root(void)
{
	struct cpu *cpu = this_cpu();

	/* Wherever it is, be it waiting for a lock: it is not to go on */
	if (panic_elsewhere())
		cpu_park();
	__atomic_or_fetch(&cpu->requests, REQUEST_NMI, __ATOMIC_SEQ_CST);
	if (cpu->vmcs_loaded)
		want_nmi_window(true);
}

/* This CPU may wait for a lock before it enters again, and must then be within
 * reach of a panic on another. */
void exit_nmi(struct cpu *cpu)
{
	vmx_unblock_nmis();
	__atomic_or_fetch(&cpu->requests, REQUEST_NMI, __ATOMIC_SEQ_CST);
}
