/* This file decides whose a range of host-physical addresses is. */
#include "drivers/pci/pci_room.h"
#include "drivers/pci/pci_bars.h"
#include "hv/format.h"

/* What page tables of 4 levels map one to one (Intel SDM 1 3.3.7.1) */
#define REACH BIT(47)
#define CLASS_SUBTRACTIVE_BRIDGE 0x060401

/* True if @range of @fn has part of @wanted; *owner says so. */
static bool found(struct pci_owner *owner, const struct host_range *range,
		  const struct pci_function *fn,
		  const struct host_range *wanted)
{
	if (!ranges_overlap(range->base, range->size, wanted->base,
			    wanted->size))
		return false;
	*owner = (struct pci_owner){*range, fn};
	return true;
}

/* Is part of @wanted behind a BAR of @other, but for @own? */
static bool decodes(const struct pci_function *other, const struct pci_bar *own,
		    const struct host_range *wanted, struct pci_owner *owner)
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &other->bar[i];
		struct host_range range = {bar->base, bar->size, "a BAR"};

		if (bar != own && !bar->io && bar->base &&
		    found(owner, &range, other, wanted))
			return true;
	}
	return false;
}

static bool forwards(const struct pci_function *bridge,
		     const struct host_range *wanted, struct pci_owner *owner)
{
	struct host_range range = {.name = "the window"};

	for (unsigned int prefetch = 0; prefetch < 2; prefetch++)
		if (pci_bridge_window(bridge, prefetch, &range.base,
				      &range.size) &&
		    found(owner, &range, bridge, wanted))
			return true;
	return false;
}

bool pci_range_taken(const struct pci_function *fn, const struct pci_bar *bar,
		     hpa_t base, u64 size, struct pci_owner *owner)
{
	const struct host_range wanted = {base, size, NULL};
	const struct host_range *taken = host_range_of(base, size);
	unsigned int count;
	const struct pci_function *other = pci_functions(&count);

	if (taken) {
		*owner = (struct pci_owner){*taken, NULL};
		return true;
	}
	for (unsigned int i = 0; i < count; i++) {
		/* VFs of an earlier time that are not enabled now */
		if (other[i].pf != fn &&
		    decodes(&other[i], bar, &wanted, owner))
			return true;
		/* What leads to @fn has windows that hold what is sought */
		if (other[i].bridge && !pci_is_below(fn, &other[i]) &&
		    forwards(&other[i], &wanted, owner))
			return true;
	}
	return false;
}

void pci_describe_owner(const struct pci_owner *owner, char *buf, size_t size)
{
	const struct host_range *r = &owner->range;
	u64 last = r->base + r->size - 1;

	if (!owner->fn)
		format(buf, size, "%s (0x%lx-0x%lx)", r->name, r->base, last);
	else
		format(buf, size, "%s of " PCI_FMT " (0x%lx-0x%lx)", r->name,
		       PCI_ARG(owner->fn->addr), r->base, last);
}

static bool has_ports(const struct pci_function *other, u64 base, u64 size)
{
	for (unsigned int i = 0; i < PCI_BARS; i++)
		if (other->bar[i].io &&
		    ranges_overlap(base, size, other->bar[i].base,
				   other->bar[i].size))
			return true;
	return false;
}

bool pci_ports_taken(const struct pci_function *fn, u64 base, u64 size)
{
	unsigned int count;
	const struct pci_function *other = pci_functions(&count);
	u64 window, length;

	for (unsigned int i = 0; i < count; i++) {
		if (&other[i] != fn && has_ports(&other[i], base, size))
			return true;
		if (other[i].bridge && !pci_is_below(fn, &other[i]) &&
		    pci_bridge_io_window(&other[i], &window, &length) &&
		    ranges_overlap(base, size, window, length))
			return true;
	}
	return false;
}

static bool has_window(const struct pci_function *bridge, hpa_t base, u64 size)
{
	hpa_t window;
	u64 length;

	for (unsigned int prefetch = 0; prefetch < 2; prefetch++)
		if (pci_bridge_window(bridge, prefetch, &window, &length) &&
		    base >= window && size <= length &&
		    base - window <= length - size)
			return true;
	/* It forwards what nobody else has claimed */
	return bridge->class == CLASS_SUBTRACTIVE_BRIDGE;
}

bool pci_is_forwarded(const struct pci_function *fn, hpa_t base, u64 size)
{
	const struct pci_function *bridge = fn->parent;

	for (unsigned int depth = 0; bridge && depth <= PCI_MAX_DEPTH;
	     depth++) {
		if (!has_window(bridge, base, size))
			return false;
		bridge = bridge->parent;
	}
	return true;
}

static bool bar_refused(const struct pci_function *fn, unsigned int i,
			char *buf, size_t size)
{
	const struct pci_bar *bar = &fn->bar[i];
	struct pci_owner owner;
	char text[120];

	if (!bar->size || bar->io)
		return false;
	if (!bar->base)
		format(buf, size,
		       "firmware gave its BAR %u no address: turn on \"Above "
		       "4G Decoding\" in the set-up, or take other cards out",
		       i);
	else if (bar->base + bar->size > REACH)
		format(buf, size,
		       "firmware put its BAR %u (0x%lx) beyond 128 TiB, where "
		       "Gangway does not reach: lower \"MMIO High Base\" in "
		       "the "
		       "set-up",
		       i, bar->base);
	else if (pci_range_taken(fn, bar, bar->base, bar->size, &owner)) {
		pci_describe_owner(&owner, text, sizeof(text));
		format(buf, size,
		       "firmware put its BAR %u (0x%lx) on %s: look for a "
		       "newer firmware, or use another slot",
		       i, bar->base, text);
	} else if (!pci_is_forwarded(fn, bar->base, bar->size))
		format(buf, size,
		       "firmware put its BAR %u (0x%lx) where a bridge above "
		       "does not forward: look for a newer firmware, or use "
		       "another slot",
		       i, bar->base);
	else
		return false;
	return true;
}

bool pci_bars_refused(const struct pci_function *fn, char *buf, size_t size)
{
	for (unsigned int i = 0; i < PCI_BARS; i++)
		if (bar_refused(fn, i, buf, size))
			return true;
	return false;
}
