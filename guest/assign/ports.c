/*
 * I/O BARs of the guest's functions.  Each access exits and is done for the
 * guest: which ports a guest may use without exits is one list for all of them,
 * and a mistake in it would open the machine's own.
 */
#include "guest/assign/ports.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_bars.h"
#include "drivers/pci/pci_room.h"
#include "drivers/port.h"
#include "guest/assign/assigned.h"
#include "hv/guest_layout.h"
#include "hv/log.h"
#include "hv/vmx/trap.h"

/* Below are the machine's own, which no window of a bridge says (PCI-to-PCI
 * bridges 1.2, 3.2.5.6: windows are multiples of 4096) */
#define FIRST_PORT 0x1000
#define PORTS 0x10000

/* ISA Enable (PCI-to-PCI bridges 1.2, 3.2.5.18): @bridge forwards only the
 * first 256 ports of each 1024. */
static bool is_left_to_isa(const struct pci_function *bridge,
			   const struct pci_bar *bar)
{
	return pci_read16(bridge, PCI_BRIDGE_CONTROL) &
		       PCI_BRIDGE_CONTROL_ISA &&
	       bar->base % 1024 + bar->size > 256;
}

/* True if @bridge forwards all the ports. */
static bool forwards(const struct pci_function *bridge,
		     const struct pci_bar *bar)
{
	u64 base, size;

	if (!pci_bridge_io_window(bridge, &base, &size))
		return false;
	return bar->base >= base && bar->base - base <= size &&
	       bar->size <= size - (bar->base - base) &&
	       !is_left_to_isa(bridge, bar);
}

/* Every bridge above must lead there: else the machine's own ports may be
 * what answers. */
static bool is_led_to(const struct pci_function *fn, const struct pci_bar *bar)
{
	const struct pci_function *bridge = fn->parent;

	for (unsigned int depth = 0; bridge && depth <= PCI_MAX_DEPTH;
	     depth++) {
		if (!forwards(bridge, bar))
			return false;
		bridge = bridge->parent;
	}
	return fn->parent;
}

static bool is_own(const struct pci_function *fn, const struct pci_bar *bar)
{
	return bar->base >= FIRST_PORT && bar->base <= PORTS - bar->size &&
	       is_led_to(fn, bar) && !pci_ports_taken(fn, bar->base, bar->size);
}

void assigned_check_ports(struct pci_function *fn)
{
	const struct pci_bar *wrong = NULL;

	for (unsigned int i = 0; i < PCI_BARS; i++)
		if (fn->bar[i].io && fn->bar[i].size &&
		    !is_own(fn, &fn->bar[i]))
			wrong = &fn->bar[i];
	if (!wrong)
		return;
	hv_log("assign: " PCI_FMT ": its I/O BARs are not given to the guest: "
	       "ports 0x%lx to 0x%lx are not led to it alone\n",
	       PCI_ARG(fn->addr), wrong->base, wrong->base + wrong->size - 1);
	/* None of them, as decoding is one bit for all */
	for (unsigned int i = 0; i < PCI_BARS; i++)
		if (fn->bar[i].io)
			fn->bar[i].size = 0;
}

/* trap_fn over an I/O BAR. */
static void access_ports(void *ctx, u64 offset, unsigned int size, bool write,
			 u64 *value)
{
	const struct pci_bar *bar = ctx;
	u16 port = (u16)(bar->base + offset);

	if (write)
		port_write(port, size, (u32)*value);
	else
		*value = port_read(port, size);
}

int assigned_map_ports(struct vpci_function *v, unsigned int bar, u64 address)
{
	struct assigned *a = v->ctx;
	struct pci_bar *real = &a->fn->bar[bar];
	struct trap_range range = {address, real->size, access_ports, real,
				   STAT_CAUSE_BAR};

	if (!address) {
		trap_ports_remove(v->bar[bar].mapped);
		return 0;
	}
	if (address < GUEST_PCI_IO_WINDOW ||
	    real->size > GUEST_PCI_IO_WINDOW_SIZE ||
	    address - GUEST_PCI_IO_WINDOW >
		    GUEST_PCI_IO_WINDOW_SIZE - real->size)
		return -EINVAL;
	return trap_ports(&range);
}
