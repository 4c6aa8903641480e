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
#include "drivers/pci/sriov.h"
#include "guest/assign/ports.h"
#include "guest/assign/table.h"
#include "hv/guest_layout.h"
#include "hv/host_paging.h"
#include "hv/log.h"

#define INTERRUPT_PIN 0x3d /* 0: it has no INTx */

/* IOAPICs, HPET, local APICs: no place for a BAR */
#define CHIPSET_START 0xfec00000ULL
#define CHIPSET_SIZE 0x01400000ULL

/* True if @other decodes, or forwards to what is not @fn, part of the range. */
static bool answers(const struct pci_function *other,
		    const struct pci_function *fn, hpa_t base, u64 size)
{
	hpa_t window;
	u64 length;

	for (unsigned int i = 0; other != fn && i < PCI_BARS; i++)
		if (!other->bar[i].io &&
		    ranges_overlap(base, size, other->bar[i].base,
				   other->bar[i].size))
			return true;
	for (unsigned int i = 0; other->bridge && i < 2; i++)
		if (!pci_is_below(fn, other) &&
		    pci_bridge_window(other, i, &window, &length) &&
		    ranges_overlap(base, size, window, length))
			return true;
	return false;
}

/* Firmware says where BARs are.  What is mapped for the hypervisor is RAM, or
 * registers that it uses; or the screen, which it can do without. */
static bool is_own(const struct pci_function *fn, const struct pci_bar *bar)
{
	unsigned int count;
	const struct pci_function *other = pci_functions(&count);

	if (ranges_overlap(bar->base, bar->size, CHIPSET_START, CHIPSET_SIZE))
		return false;
	for (u64 at = 0; at < bar->size; at += PAGE_SIZE)
		if (host_is_mapped(bar->base + at, 1) &&
		    !framebuffer_has(bar->base + at))
			return false;
	for (unsigned int i = 0; i < count; i++)
		if (answers(&other[i], fn, bar->base, bar->size))
			return false;
	return true;
}

static const char *bar_refusal(const struct pci_function *fn)
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &fn->bar[i];

		if (!bar->size || bar->io)
			continue;
		if (bar->size > GUEST_PCI_WINDOW_SIZE)
			return "one of its BARs is larger than the guest's PCI "
			       "window, 512 MiB";
		if (!bar->base)
			return "firmware gave one of its BARs no address";
		if (!is_own(fn, bar))
			return "firmware put one of its BARs where something "
			       "else is";
	}
	return NULL;
}

const char *assigned_whole_refusal(const struct pci_function *fn)
{
	if (fn->bridge || fn->class >> 16 == PCI_CLASS_BRIDGE)
		return "it is a bridge, and bridges stay with Gangway";
	if (!pci_find_cap(fn, PCI_CAP_MSI) && !pci_find_cap(fn, PCI_CAP_MSIX) &&
	    pci_read8(fn, INTERRUPT_PIN))
		return "it has INTx interrupts alone, no MSI and no MSI-X, and "
		       "these lines are shared: Gangway does not forward them";
	return bar_refusal(fn);
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
	const char *refusal = assigned_whole_refusal(fn);

	if (!refusal)
		return 0;
	hv_log("assign: " PCI_FMT " (%04x:%04x): %s\n", PCI_ARG(fn->addr),
	       fn->vendor, fn->device, refusal);
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
