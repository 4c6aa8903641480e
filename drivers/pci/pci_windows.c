/* This file makes bridges forward more. */
#include "drivers/pci/pci_windows.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_bars.h"
#include "drivers/pci/pci_room.h"
#include "hv/log.h"

#define GRANULE MIB
#define WINDOW_64 1 /* low bits of the prefetchable window's registers */
/* The least that a processor with VT-d has (MAXPHYADDR) */
#define ALL_REACH BIT(39)

struct extent {
	u64 start, end;
};

/* Registers of Intel's chipsets since the 100 series that no function shows,
 * where firmware usually has them: sideband ports, power management */
static const struct extent hidden = {0xfd000000, 0xfe010000};

/* The bridges above a function, the nearest first, and what they forward; empty
 * for a closed window. */
struct path {
	const struct pci_function *bridge[PCI_MAX_DEPTH + 1];
	struct extent window[PCI_MAX_DEPTH + 1];
	unsigned int count;
	bool prefetch;
};

static bool has_64_bits(const struct pci_function *bridge)
{
	return (pci_read16(bridge, PCI_PREFETCH_WINDOW) & 0xf) == WINDOW_64;
}

static struct extent window_of(const struct pci_function *bridge, bool prefetch)
{
	struct extent w = {0, 0};
	u64 size;

	if (!pci_bridge_window(bridge, prefetch, &w.start, &size))
		return (struct extent){0, 0};
	w.end = w.start + size;
	return w;
}

static void find_path(struct path *path, const struct pci_function *fn,
		      bool prefetch)
{
	const struct pci_function *bridge = fn->parent;

	*path = (struct path){.prefetch = prefetch};
	while (bridge && path->count <= PCI_MAX_DEPTH) {
		path->bridge[path->count] = bridge;
		path->window[path->count++] = window_of(bridge, prefetch);
		bridge = bridge->parent;
	}
}

static const struct pci_function *top_of(const struct pci_function *fn)
{
	for (unsigned int i = 0; fn->parent && i <= PCI_MAX_DEPTH; i++)
		fn = fn->parent;
	return fn;
}

static void include(struct extent *e, struct extent more, bool high)
{
	if (more.start >= more.end || (more.start >= 4 * GIB) != high)
		return;
	if (e->start == e->end)
		*e = more;
	e->start = MIN(e->start, more.start);
	e->end = MAX(e->end, more.end);
}

/* What the root bus above @fn is known to decode below 4 GiB, or above. */
static struct extent known_range(const struct pci_function *fn, bool high)
{
	unsigned int count;
	const struct pci_function *other = pci_functions(&count);
	struct extent e = {0, 0};
	bool only = true;

	for (unsigned int i = 0; i < count; i++) {
		if (top_of(&other[i])->addr.segment != fn->addr.segment ||
		    top_of(&other[i])->addr.bus != top_of(fn)->addr.bus) {
			only = false;
			continue;
		}
		for (unsigned int n = 0; n < PCI_BARS; n++)
			if (!other[i].bar[n].io && other[i].bar[n].base)
				include(&e,
					(struct extent){
						other[i].bar[n].base,
						other[i].bar[n].base +
							other[i].bar[n].size},
					high);
		for (unsigned int n = 0; n < 2 && other[i].bridge; n++)
			include(&e, window_of(&other[i], n), high);
	}
	if (only && high)
		include(&e, (struct extent){4 * GIB, ALL_REACH}, high);
	return e;
}

/* What window @i of @path becomes with @place in it. */
static struct extent grown(const struct path *path, unsigned int i,
			   struct extent place)
{
	struct extent w = path->window[i];

	if (w.start == w.end)
		return place;
	return (struct extent){MIN(w.start, place.start),
			       MAX(w.end, place.end)};
}

/* Is part of what window @i would have more another's?  *end: where that ends
 */
static bool is_taken(const struct path *path, unsigned int i,
		     struct extent place, u64 *end)
{
	struct extent w = path->window[i];
	u64 from = w.start == w.end ? place.start : w.end;
	struct pci_owner owner;

	if (place.end <= from)
		return false;
	/* Its limit is written in two halves: the upper one stays */
	if (w.start != w.end && (w.end - 1) >> 32 != (place.end - 1) >> 32) {
		*end = 0;
		return true;
	}
	if (ranges_overlap(from, place.end - from, hidden.start,
			   hidden.end - hidden.start)) {
		*end = hidden.end;
		return true;
	}
	if (!pci_range_taken(path->bridge[i], NULL, from, place.end - from,
			     &owner))
		return false;
	*end = owner.range.base + owner.range.size;
	return true;
}

/* A place for @size bytes that no window of @path has yet, and that each can
 * grow to.  Each round leaves a range behind, so they are bounded. */
static bool find_place(const struct path *path, struct extent within, u64 align,
		       u64 size, struct extent *place)
{
	unsigned int rounds;
	u64 end;
	bool taken;

	pci_functions(&rounds);
	rounds = rounds * (PCI_BARS + 2) + HOST_RANGES_MAX;
	for (unsigned int i = 0; i < path->count; i++)
		within.start = MAX(within.start, i ? path->window[i].start
						   : path->window[i].end);
	place->start = within.start;
	while (rounds--) {
		place->start = ALIGN_UP(place->start, align);
		place->end = place->start + size;
		if (place->start < within.start || place->end > within.end ||
		    place->end < place->start)
			return false;
		taken = false;
		for (unsigned int i = 0; i < path->count && !taken; i++)
			taken = is_taken(path, i, *place, &end);
		if (!taken)
			return true;
		if (end <= place->start)
			return false;
		place->start = end;
	}
	return false;
}

static bool all_have_64_bits(const struct path *path)
{
	for (unsigned int i = 0; i < path->count; i++)
		if (!has_64_bits(path->bridge[i]))
			return false;
	return true;
}

/* Make the window of @bridge @w, empty: closed.  True if it is so now. */
static bool write_window(const struct pci_function *bridge, bool prefetch,
			 struct extent w)
{
	u64 first = w.start == w.end ? 0xfff00000 : w.start;
	u64 last = w.start == w.end ? 0 : w.end - 1;
	struct extent now;

	if (prefetch && has_64_bits(bridge)) {
		pci_write32(bridge, PCI_PREFETCH_BASE_HIGH, first >> 32);
		pci_write32(bridge, PCI_PREFETCH_LIMIT_HIGH, last >> 32);
	}
	pci_write32(bridge, prefetch ? PCI_PREFETCH_WINDOW : PCI_MEMORY_WINDOW,
		    (u32)(first >> 16 & 0xfff0) | (u32)(last & 0xfff00000));
	now = window_of(bridge, prefetch);
	return now.start == w.start && now.end == w.end;
}

/* From the root on.  What was written is put back if one does not take it. */
static bool grow(const struct path *path, struct extent place)
{
	unsigned int i = path->count;
	bool taken = true;

	while (taken && i--)
		taken = write_window(path->bridge[i], path->prefetch,
				     grown(path, i, place));
	for (; !taken && i < path->count; i++)
		write_window(path->bridge[i], path->prefetch, path->window[i]);
	return taken;
}

bool pci_widen_window(const struct pci_function *fn, bool prefetch, u64 align,
		      u64 size)
{
	struct extent place;
	struct path path;
	bool found;

	find_path(&path, fn, prefetch);
	if (!path.count || size > ALL_REACH)
		return false;
	align = MAX(align, GRANULE);
	size = ALIGN_UP(size, GRANULE);
	found = prefetch && all_have_64_bits(&path) &&
		find_place(&path, known_range(fn, true), align, size, &place);
	if (!found)
		found = find_place(&path, known_range(fn, false), align, size,
				   &place);
	if (!found || !grow(&path, place))
		return false;
	hv_log("pci: " PCI_FMT " and what is above it forward 0x%lx-0x%lx, "
	       "too, so that VFs have room\n",
	       PCI_ARG(path.bridge[0]->addr), place.start, place.end - 1);
	return true;
}
