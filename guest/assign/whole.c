/*
 * Functions that the guest gets whole: what there is to check before, and the
 * reset that takes from them what firmware left.
 */
#include "guest/assign/whole.h"
#include "drivers/framebuffer.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_bars.h"
#include "drivers/pci/pci_caps.h"
#include "drivers/pci/pci_reset.h"
#include "drivers/pci/pci_room.h"
#include "drivers/pci/sriov.h"
#include "guest/assign/ports.h"
#include "guest/assign/table.h"
#include "hv/format.h"
#include "hv/guest_layout.h"
#include "hv/log.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/vmx.h"

#define INTERRUPT_PIN 0x3d /* 0: it has no INTx */

/* 1 GiB leaves hold 512 GiB by one table */
#define BAR_MAX (512 * GIB)

/* Nothing is in the guest's high window without leaves of 2 MiB, and no more
 * than 1 GiB without those of 1 GiB: tables for it are not set aside. */
static bool has_leaves(u64 size)
{
	return vmx.ept_vpid_cap & EPT_CAP_2M &&
	       (size < GIB || vmx.ept_vpid_cap & EPT_CAP_1G);
}

static bool high_bar_refused(const struct pci_bar *bar, unsigned int i,
			     char *buf, size_t size)
{
	if (bar->size > BAR_MAX || !has_leaves(bar->size))
		format(buf, size,
		       "its BAR %u has %lu MiB, and %s: make it smaller in the "
		       "set-up (\"Resizable BAR\")",
		       i, bar->size / MIB,
		       bar->size > BAR_MAX
			       ? "Gangway forwards 512 GiB at most"
			       : "this processor's EPT has no large "
				 "pages for it");
	else if (bar->base < memory_map_ram_end(&guest.map))
		format(buf, size,
		       "its BAR %u (0x%lx) is where the guest would have RAM: "
		       "set memory= in gangway.cfg to %luM at most",
		       i, bar->base,
		       (u64)ALIGN_DOWN(bar->base - GUEST_HIGH_RAM +
					       GUEST_LOW_RAM_MAX,
				       2 * MIB) /
			       MIB);
	else
		return false;
	return true;
}

static bool bar_refused(const struct pci_function *fn, unsigned int i,
			char *buf, size_t size)
{
	const struct pci_bar *bar = &fn->bar[i];

	if (bar->io)
		return false;
	if (pci_bar_is_high(fn, i))
		return high_bar_refused(bar, i, buf, size);
	if (bar->size <= GUEST_PCI_WINDOW_SIZE)
		return false;
	format(buf, size,
	       "its BAR %u has %lu MiB below 4 GiB, and the guest's PCI window "
	       "has 512 MiB: turn on \"Above 4G Decoding\" in the set-up",
	       i, bar->size / MIB);
	return true;
}

static bool bars_refused(const struct pci_function *fn, char *buf, size_t size)
{
	for (unsigned int i = 0; i < PCI_BARS; i++)
		if (bar_refused(fn, i, buf, size))
			return true;
	return false;
}

bool assigned_whole_refused(const struct pci_function *fn, char *buf,
			    size_t size)
{
	const char *reason = NULL;

	if (fn->bridge || fn->class >> 16 == PCI_CLASS_BRIDGE)
		reason = "it is a bridge, and bridges stay with Gangway";
	else if (!pci_find_cap(fn, PCI_CAP_MSI) &&
		 !pci_find_cap(fn, PCI_CAP_MSIX) &&
		 pci_read8(fn, INTERRUPT_PIN))
		reason = "it has INTx interrupts alone, no MSI and no MSI-X, "
			 "and these lines are shared: Gangway does not forward "
			 "them";
	if (!reason)
		return pci_bars_refused(fn, buf, size) ||
		       bars_refused(fn, buf, size) ||
		       msix_refused(fn, buf, size);
	format(buf, size, "%s", reason);
	return true;
}

/* The log leaves the screen to a guest that gets the display. */
static void give_up_screen(const struct pci_function *fn)
{
	for (unsigned int i = 0; i < PCI_BARS; i++)
		if (!fn->bar[i].io)
			framebuffer_give_up(fn->bar[i].base, fn->bar[i].size);
}

/* True if a reset of the bus that @fn is on reaches the guest's functions
 * alone. */
static bool bus_is_ours(const struct pci_function *fn)
{
	unsigned int count;
	const struct pci_function *other = pci_functions(&count);

	for (unsigned int i = 0; fn->parent && i < count; i++)
		if (&other[i] != fn->parent &&
		    pci_is_below(&other[i], fn->parent) &&
		    !is_assigned_whole(&other[i]))
			return false;
	return true;
}

int assigned_check_whole(const struct assigned *a)
{
	const struct pci_function *fn = a->fn;
	char reason[ASSIGNED_REASON_SIZE];

	if (!assigned_whole_refused(fn, reason, sizeof(reason)))
		return 0;
	hv_log("assign: " PCI_FMT " (%04x:%04x): %s\n", PCI_ARG(fn->addr),
	       fn->vendor, fn->device, reason);
	return -EOPNOTSUPP;
}

int assigned_make_whole_ready(struct assigned *a)
{
	struct pci_function *fn = a->fn;
	enum pci_reset kind = pci_reset_kind(fn, bus_is_ours(fn));
	int err;

	give_up_screen(fn);
	assigned_check_ports(fn);
	/* VFs that firmware enabled are nobody's; the guest can enable none, as
	 * it does not see the capability. */
	sriov_disable(fn);
	pci_enable_path(fn);
	err = assigned_map_for_host(fn);
	if (!err && kind != PCI_RESET_NONE)
		err = pci_reset(fn, kind);
	if (err)
		return err;
	if (kind == PCI_RESET_NONE)
		hv_log("assign: " PCI_FMT ": no reset touches it alone: what "
		       "firmware left in it stays until the guest's driver "
		       "resets it\n",
		       PCI_ARG(fn->addr));
	pci_write16(fn, PCI_COMMAND, PCI_COMMAND_MEMORY);
	hv_log("assign: " PCI_FMT ": %04x:%04x class %06x, whole, %s\n",
	       PCI_ARG(fn->addr), fn->vendor, fn->device, fn->class,
	       pci_reset_name(kind));
	return 0;
}

int assigned_reset_whole(struct assigned *a)
{
	return pci_reset(a->fn, pci_reset_kind(a->fn, bus_is_ours(a->fn)));
}
