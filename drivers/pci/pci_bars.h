/* Base address registers and bridge windows (PCI 3.0 6.2.5, bridges 3.2.5). */
#ifndef DRIVERS_PCI_PCI_BARS_H
#define DRIVERS_PCI_PCI_BARS_H

#include "drivers/pci/pci.h"

/*
 * Size the memory and I/O BARs in @registers registers from @reg on, and fill
 * @bar[0..registers).  The registers keep their values; the caller has turned
 * decoding off.  Sizes are powers of two whatever the device answers, and
 * base + size does not wrap.  A memory BAR's base of 0: it has no address, as
 * it holds 0, or what sizing leaves.
 */
void pci_size_bars(const struct pci_function *fn, u16 reg,
		   unsigned int registers, struct pci_bar *bar);

/* A BAR of this size or more is a window to memory of the card's own. */
#define PCI_LARGE_BAR (64 * MIB)

/*
 * True if BAR @i of @fn has 64 bits, is above 4 GiB and of a function that has
 * a large one.  Such a BAR has its host address in a guest too: there is room
 * then, and leaves of 1 GiB; and graphics cards tell their drivers in registers
 * of their own where their BARs are.
 */
bool pci_bar_is_high(const struct pci_function *fn, unsigned int i);

/* The BARs of @fn for its log line: "BAR0 c0220000 128K, BAR3 ...". */
void pci_describe_bars(const struct pci_function *fn, char *buf, size_t size);

/* The memory window of @bridge (its prefetchable one).  False: closed. */
bool pci_bridge_window(const struct pci_function *bridge, bool prefetch,
		       hpa_t *base, u64 *size);

/* Same of its I/O window, in ports. */
bool pci_bridge_io_window(const struct pci_function *bridge, u64 *base,
			  u64 *size);

#endif
