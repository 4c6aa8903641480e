/*
 * Whose a range of host-physical addresses is.  Every BAR passes this before
 * anybody reaches for what it names, wherever the address came from.
 */
#ifndef DRIVERS_PCI_PCI_ROOM_H
#define DRIVERS_PCI_PCI_ROOM_H

#include "drivers/pci/pci.h"
#include "hv/host_ranges.h"

struct pci_owner {
	struct host_range range;       /* name: what is there */
	const struct pci_function *fn; /* whose it is; NULL: the machine's */
};

/*
 * True if [@base, @base + @size), which does not wrap and is meant for @fn or
 * its VFs, is another's in part: noted as taken (hv/host_ranges.h), a BAR of a
 * function, or what a bridge forwards that does not lead to @fn.  @bar is
 * @fn's own that the range is of, NULL if there is none yet; BARs of @fn's
 * VFs do not count.  *owner: who has it.
 */
bool pci_range_taken(const struct pci_function *fn, const struct pci_bar *bar,
		     hpa_t base, u64 size, struct pci_owner *owner);

/* "a BAR of 0000:00:04.0 (0xc0000000-0xc000ffff)" */
void pci_describe_owner(const struct pci_owner *owner, char *buf, size_t size);

/* True if I/O ports [@base, @base + @size), which are @fn's (NULL: no
 * function's), are also behind an I/O BAR of another function, or in what a
 * bridge forwards that does not lead to @fn. */
bool pci_ports_taken(const struct pci_function *fn, u64 base, u64 size);

/* True if each bridge above @fn forwards all of [@base, @base + @size); on a
 * root bus nobody says what is forwarded. */
bool pci_is_forwarded(const struct pci_function *fn, hpa_t base, u64 size);

/*
 * True if not every memory BAR of @fn has an address that is its alone; @buf:
 * which and why, and what to do.
 */
bool pci_bars_refused(const struct pci_function *fn, char *buf, size_t size);

#endif
