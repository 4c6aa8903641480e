/* This file has what every step with one of the guest's functions needs. */
#include "guest/assign/assigned.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_bars.h"
#include "drivers/pci/pci_caps.h"
#include "drivers/pci/pci_room.h"
#include "hv/guest_layout.h"
#include "hv/host_paging.h"
#include "hv/log.h"

struct vpci_room assigned_room = {GUEST_PCI_WINDOW, GUEST_PCI_IO_WINDOW, 0, 0};

int assigned_service(const struct assigned *a)
{
	return a->pf_driver ? a->pf_driver->service(a->pf) : 0;
}

/* What does not fit, msix_init() refuses. */
static int map_msix_table(const struct pci_function *fn, unsigned int i)
{
	const struct pci_bar *bar = &fn->bar[i];
	u16 cap = pci_find_cap(fn, PCI_CAP_MSIX), control;
	u32 table, offset, size;

	if (!cap)
		return 0;
	control = pci_read16(fn, cap + PCI_MSIX_CONTROL);
	table = pci_read32(fn, cap + PCI_MSIX_TABLE);
	offset = table & ~(u32)PCI_MSIX_BIR;
	size = ((control & PCI_MSIX_CONTROL_SIZE) + 1) * MSIX_ENTRY_SIZE;
	if ((table & PCI_MSIX_BIR) != i || offset > bar->size - size)
		return 0;
	return host_map_device(bar->base + offset, size);
}

static int map_bar(const struct pci_function *fn, unsigned int i)
{
	const struct pci_bar *bar = &fn->bar[i];

	if (!bar->size || bar->io)
		return 0;
	if (bar->size >= PCI_LARGE_BAR)
		return map_msix_table(fn, i);
	return host_map_device(bar->base, bar->size);
}

int assigned_map_for_host(const struct pci_function *fn)
{
	char reason[ASSIGNED_REASON_SIZE];
	int err = 0;

	if (pci_bars_refused(fn, reason, sizeof(reason))) {
		hv_log("assign: " PCI_FMT " (%04x:%04x): %s\n",
		       PCI_ARG(fn->addr), fn->vendor, fn->device, reason);
		return -EOPNOTSUPP;
	}
	for (unsigned int i = 0; !err && i < PCI_BARS; i++)
		err = map_bar(fn, i);
	return err;
}
