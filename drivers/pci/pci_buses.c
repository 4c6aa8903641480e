/* This file numbers buses (PCI-to-PCI Bridge 1.2, 3.2.5.3 to 3.2.5.5). */
#include "drivers/pci/pci_buses.h"
#include "drivers/pci/pci_access.h"
#include "hv/log.h"

#define PRIMARY_BUS 0x18 /* and secondary, subordinate, latency timer */
#define LATENCY_TIMER 0xff000000U

/* What is to be numbered: @more numbers behind the bus below @parent. */
struct plan {
	struct pci_function *parent;
	unsigned int more;
};

static struct pci_function *top_of(const struct pci_function *fn)
{
	struct pci_function *top = fn->parent;

	for (unsigned int i = 0; top && top->parent && i <= PCI_MAX_DEPTH; i++)
		top = top->parent;
	return top;
}

static u8 root_bus(const struct pci_function *fn)
{
	const struct pci_function *top = top_of(fn);

	return top ? top->addr.bus : fn->addr.bus;
}

/* The last number that is in use below the root bus that @top is on, and the
 * first that is another root bus's. */
static void find_limits(const struct pci_function *top, unsigned int *last,
			unsigned int *next)
{
	unsigned int count;
	const struct pci_function *fn = pci_functions(&count);

	*last = top->addr.bus;
	*next = 256;
	for (unsigned int i = 0; i < count; i++) {
		if (fn[i].addr.segment != top->addr.segment)
			continue;
		if (root_bus(&fn[i]) == top->addr.bus)
			*last = MAX(*last, fn[i].bridge ? fn[i].subordinate
							: fn[i].addr.bus);
		else if (root_bus(&fn[i]) > top->addr.bus)
			*next = MIN(*next, root_bus(&fn[i]));
	}
}

/* How many numbers @top needs for what is below it; 0: something there may not
 * be moved. */
static unsigned int count_buses(const struct pci_function *top,
				bool (*keep)(const struct pci_function *fn))
{
	unsigned int count, buses = 0;
	const struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++) {
		if (!pci_is_below(&fn[i], top))
			continue;
		if (fn[i].bridge)
			buses += fn[i].secondary != 0;
		else if (fn[i].pf || keep(&fn[i]) ||
			 pci_read16(&fn[i], PCI_COMMAND) & PCI_COMMAND_MASTER)
			return 0;
	}
	return buses;
}

static void set_numbers(struct pci_function *bridge, u8 secondary,
			u8 subordinate)
{
	u32 latency = pci_read32(bridge, PRIMARY_BUS) & LATENCY_TIMER;

	bridge->secondary = secondary;
	bridge->subordinate = subordinate;
	pci_write32(bridge, PRIMARY_BUS,
		    latency | (u32)subordinate << 16 | (u32)secondary << 8 |
			    bridge->addr.bus);
}

/* Move all that is right below @bridge to its bus.  A function learns its
 * number from a write (PCIe 2.2.6.2). */
static void move_below(struct pci_function *bridge)
{
	unsigned int count;
	struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++) {
		if (fn[i].parent != bridge)
			continue;
		pci_set_bus(&fn[i], bridge->secondary);
		pci_write32(&fn[i], PCI_VENDOR_ID, 0);
	}
}

/* Number what is below @bridge from @next on; the first number behind it.  From
 * above, with all that is left to give, so that what is below can be reached;
 * then what was needed. */
static unsigned int number(struct pci_function *bridge, unsigned int next,
			   unsigned int last, const struct plan *plan)
{
	unsigned int count, secondary = next++;
	struct pci_function *fn = pci_functions(&count);

	set_numbers(bridge, secondary, last);
	move_below(bridge);
	if (bridge == plan->parent)
		next += plan->more;
	for (unsigned int i = 0; i < count; i++)
		if (fn[i].parent == bridge && fn[i].bridge && fn[i].secondary)
			next = number(&fn[i], next, last, plan);
	set_numbers(bridge, secondary, next - 1);
	return next;
}

int pci_make_buses(const struct pci_function *fn, unsigned int more,
		   bool (*keep)(const struct pci_function *fn))
{
	struct pci_function *top = top_of(fn);
	struct plan plan = {fn->parent, more};
	unsigned int last, next, buses, first, end;

	if (!top)
		return -ENOSPC;
	buses = count_buses(top, keep);
	if (!buses) {
		hv_log("pci: " PCI_FMT ": its bus keeps its number: a function "
		       "below " PCI_FMT " does DMA for firmware, or may, or "
		       "is a VF\n",
		       PCI_ARG(fn->addr), PCI_ARG(top->addr));
		return -EBUSY;
	}
	find_limits(top, &last, &next);
	/* Those that it has, if no others come behind them */
	first = top->subordinate == last ? top->secondary : last + 1;
	end = first + buses + more - 1;
	if (end >= next || !pci_has_bus(top->addr.segment, first) ||
	    !pci_has_bus(top->addr.segment, end))
		return -ENOSPC;
	hv_log("pci: buses %02x-%02x below " PCI_FMT " become %02x-%02x, so "
	       "that VFs have numbers\n",
	       top->secondary, top->subordinate, PCI_ARG(top->addr), first,
	       end);
	number(top, first, end, &plan);
	return 0;
}
