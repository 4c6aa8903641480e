/*
 * The end of a function's time with the guest: when the guest has ended, or
 * before that, when the function or its PF is lost.  Its way to the guest's
 * memory is closed before anything that it must answer, whether it still obeys
 * or not.
 */
#include "guest/assign/stop.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_caps.h"
#include "drivers/pci/pci_reset.h"
#include "guest/assign/irq.h"
#include "guest/assign/pf_domain.h"
#include "guest/assign/table.h"
#include "guest/assign/whole.h"
#include "hv/log.h"
#include "hv/weaken.h"
#include "vtd/context.h"

/* A whole function may be away for a moment because the guest reset it by its
 * own registers, and a look that comes late, after the machine stood still, is
 * followed by one a second later: it is lost if it is away at three looks. */
#define LOOKS 3

int assigned_flr(const struct assigned *a)
{
	return weaken & WEAKEN_FLR ? 0 : pci_flr(a->fn);
}

static const char *how_it_ended(bool detached, bool was_reset)
{
	if (!detached)
		return "NOT detached: its DMA may still pass";
	return was_reset ? "reset" : "NOT reset: its DMA stays blocked";
}

/* The same order whatever state it is in: requests off, context entry closed
 * with context cache and IOTLB flushed, then what needs the function's or the
 * PF's help. */
void assigned_stop(struct assigned *a)
{
	bool detached;
	int err;

	if (a->stopped)
		return;
	a->stopped = true;
	pci_write16(a->fn, PCI_COMMAND,
		    pci_read16(a->fn, PCI_COMMAND) & (u16)~PCI_COMMAND_MASTER);
	detached = !vtd_detach(a->domain, a->fn);
	if (a->pf) {
		a->pf_driver->stop_vf(a->fn);
		err = assigned_flr(a);
	} else {
		err = assigned_reset_whole(a);
	}
	assigned_free_interrupts(a);
	hv_log("assign: " PCI_FMT " stopped and %s\n", PCI_ARG(a->fn->addr),
	       how_it_ended(detached, !err));
}

static bool pf_is_lost(const struct assigned *a)
{
	return a->pf && (!pci_answers(a->pf) || assigned_service(a));
}

/* The PF's own DMA ends with it, also if it goes after its last VF. */
static void check_pf(struct assigned *a)
{
	if (a->pf_lost || !pf_is_lost(a))
		return;
	a->pf_lost = true;
	pf_lose(a->pf);
}

void assigned_lose(struct assigned *a, const char *why)
{
	if (a->stopped)
		return;
	hv_log("assign: " PCI_FMT " is lost: %s; the guest reads all ones of "
	       "it from now on\n",
	       PCI_ARG(a->fn->addr), why);
	/* Before anything waits: an access of the guest's without an answer can
	 * be a fatal error to the platform (PCIe 6.6.2) */
	vpci_lose(&a->vpci);
	assigned_stop(a);
	check_pf(a);
}

void assigned_look(struct assigned *a)
{
	if (a->stopped) {
		check_pf(a);
	} else if (pf_is_lost(a)) {
		assigned_lose(a, "its PF does not answer any more");
	} else if (pci_answers(a->fn)) {
		a->missed_looks = 0;
	} else if (++a->missed_looks == LOOKS || a->pf) {
		assigned_lose(a, "its configuration space reads all ones");
	}
}

void assign_poll(void)
{
	for (unsigned int i = 0; i < assigned_count; i++)
		assigned_look(&assigned[i]);
}
