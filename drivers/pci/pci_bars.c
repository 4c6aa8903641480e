/* This file reads and sizes base address registers and bridge windows (PCI
 * 3.0 6.2.5, bridges 3.2.5). */
#include "drivers/pci/pci_bars.h"
#include "drivers/pci/pci.h"
#include "drivers/pci/pci_access.h"
#include "hv/format.h"
#include "hv/log.h"

#define BAR_TYPE_MASK 0x6
#define BAR_TYPE_32 0x0
#define BAR_TYPE_64 0x4
#define BAR_IO_MASK 0xfffffffcU
#define BAR_MEMORY_MASK 0xfffffff0U

#define WINDOW_MASK 0xfff0U
#define WINDOW_TYPE_MASK 0xfU
#define WINDOW_64 0x1U
#define WINDOW_GRANULE 0x100000ULL
#define IO_WINDOW_MASK 0xf0U
#define IO_WINDOW_TYPE_MASK 0xfU
#define IO_WINDOW_32 0x1U
#define IO_WINDOW_GRANULE 0x1000U

/* What one register answers to all ones; its value is put back. */
static u32 probe(const struct pci_function *fn, u16 reg)
{
	u32 value = pci_read32(fn, reg), answer;

	pci_write32(fn, reg, 0xffffffff);
	answer = pci_read32(fn, reg);
	pci_write32(fn, reg, value);
	return answer;
}

static void size_io_bar(const struct pci_function *fn, u16 reg, u32 value,
			struct pci_bar *bar)
{
	u32 mask = probe(fn, reg) & BAR_IO_MASK;

	bar->io = true;
	bar->base = value & BAR_IO_MASK;
	bar->size = mask & -mask;
}

/* True if BAR sizing left @base behind: nobody gave it an address.  Firmware
 * that has no room may leave all ones in it, or in its lower half; the size
 * reaches up to 4 GiB then, where every PC has its reset vector. */
static bool is_left_by_sizing(hpa_t base, u64 mask)
{
	return base == mask || ((u32)mask && base == (u32)mask);
}

static void size_memory_bar(const struct pci_function *fn, u16 reg, u32 value,
			    struct pci_bar *bar)
{
	u64 mask = probe(fn, reg) & BAR_MEMORY_MASK;

	bar->prefetch = value & PCI_BAR_PREFETCH;
	bar->base = value & BAR_MEMORY_MASK;
	if (bar->is64) {
		mask |= (u64)probe(fn, reg + 4) << 32;
		bar->base |= (u64)pci_read32(fn, reg + 4) << 32;
	}
	/* The lowest bit that can be written is the size (6.2.5.1). */
	bar->size = mask & -mask;
	if (is_left_by_sizing(bar->base, mask) ||
	    bar->base + bar->size < bar->base)
		bar->base = 0;
}

void pci_size_bars(const struct pci_function *fn, u16 reg,
		   unsigned int registers, struct pci_bar *bar)
{
	unsigned int type;
	u32 value;

	for (unsigned int i = 0; i < registers; i++)
		bar[i] = (struct pci_bar){0};
	for (unsigned int i = 0; i < registers; i++) {
		value = pci_read32(fn, reg + 4 * i);
		if (value & PCI_BAR_IO) {
			size_io_bar(fn, reg + 4 * i, value, &bar[i]);
			continue;
		}
		type = value & BAR_TYPE_MASK;
		bar[i].is64 = type == BAR_TYPE_64;
		if ((type != BAR_TYPE_32 && type != BAR_TYPE_64) ||
		    (bar[i].is64 && i + 1 == registers)) {
			hv_log("pci: " PCI_FMT ": malformed BAR %u: %08x\n",
			       PCI_ARG(fn->addr), i, value);
			continue;
		}
		size_memory_bar(fn, reg + 4 * i, value, &bar[i]);
		i += bar[i].is64;
	}
}

bool pci_bar_is_high(const struct pci_function *fn, unsigned int i)
{
	const struct pci_bar *bar = &fn->bar[i];
	bool large = false;

	for (unsigned int n = 0; n < PCI_BARS; n++)
		large |= !fn->bar[n].io && fn->bar[n].size >= PCI_LARGE_BAR;
	return large && bar->is64 && bar->size >= PAGE_SIZE &&
	       bar->base >= 4 * GIB;
}

/* A power of two in the largest unit that fits. */
static int describe_size(char *buf, size_t size, u64 bytes)
{
	if (bytes >= GIB)
		return format(buf, size, "%luG", bytes / GIB);
	if (bytes >= MIB)
		return format(buf, size, "%luM", bytes / MIB);
	if (bytes >= KIB)
		return format(buf, size, "%luK", bytes / KIB);
	return format(buf, size, "%lu", bytes);
}

void pci_describe_bars(const struct pci_function *fn, char *buf, size_t size)
{
	const struct pci_bar *bar;
	char length[16], base[24];
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < PCI_BARS && at < size; i++) {
		bar = &fn->bar[i];
		if (!bar->size)
			continue;
		describe_size(length, sizeof(length), bar->size);
		if (bar->base || bar->io)
			format(base, sizeof(base), "%lx", bar->base);
		else
			format(base, sizeof(base), "without address");
		at += format(buf + at, size - at, "%sBAR%u %s %s%s",
			     at ? ", " : "", i, base, length,
			     bar->io ? " I/O" : "");
	}
}

bool pci_bridge_window(const struct pci_function *bridge, bool prefetch,
		       hpa_t *base, u64 *size)
{
	u32 window = pci_read32(bridge, prefetch ? PCI_PREFETCH_WINDOW
						 : PCI_MEMORY_WINDOW);
	u64 first = (u64)(window & WINDOW_MASK) << 16;
	u64 last = (u64)(window >> 16 & WINDOW_MASK) << 16;

	if (prefetch && (window & WINDOW_TYPE_MASK) == WINDOW_64) {
		first |= (u64)pci_read32(bridge, PCI_PREFETCH_BASE_HIGH) << 32;
		last |= (u64)pci_read32(bridge, PCI_PREFETCH_LIMIT_HIGH) << 32;
	}
	if (!last || first > last || last > UINT64_MAX - WINDOW_GRANULE)
		return false;
	*base = first;
	*size = last - first + WINDOW_GRANULE;
	return true;
}

bool pci_bridge_io_window(const struct pci_function *bridge, u64 *base,
			  u64 *size)
{
	u16 window = pci_read16(bridge, PCI_IO_WINDOW);
	u64 first = (window & IO_WINDOW_MASK) << 8;
	u64 last = window & IO_WINDOW_MASK << 8;

	if ((window & IO_WINDOW_TYPE_MASK) == IO_WINDOW_32) {
		u32 high = pci_read32(bridge, PCI_IO_WINDOW_HIGH);

		first |= (u64)(high & 0xffff) << 16;
		last |= (u64)(high >> 16) << 16;
	}
	/* What forwards no ports reads 0 (PCI-to-PCI bridges 1.2, 3.2.5.6) */
	if (!last || first > last)
		return false;
	*base = first;
	*size = last - first + IO_WINDOW_GRANULE;
	return true;
}
