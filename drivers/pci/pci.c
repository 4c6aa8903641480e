/*
 * The PCI functions of the machine.  Bridges and ECAM ranges come from
 * firmware and devices: each bus is visited once and each function is in the
 * table once, whatever they say.
 */
#include "drivers/pci/pci.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_bars.h"
#include "drivers/pci/pci_caps.h"
#include "drivers/pci/pci_facts.h"
#include "hv/alloc.h"
#include "hv/format.h"
#include "hv/log.h"

#define BUS_SHIFT 20
#define DEVFN_SHIFT 12
#define DEVICES 32
#define FUNCTIONS 8

#define HEADER_TYPE_MASK 0x7f
#define HEADER_BRIDGE 0x01
#define HEADER_CARDBUS 0x02
#define BRIDGE_BARS 2
#define CARDBUS_BARS 1

#define COMMAND_DECODE ((u16)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY))

struct ecam_range {
	struct pci_ecam ecam;
	u32 visited[256 / 32];
};

static struct ecam_range ranges[PCI_MAX_ECAM];
static unsigned int range_count;
static struct pci_function *functions; /* @capacity of them in @table_pages */
static unsigned int function_count, capacity;
static size_t table_pages;

static void scan_bus(u16 segment, u8 bus, struct pci_function *parent,
		     unsigned int depth);

static struct ecam_range *find_range(u16 segment, u8 bus)
{
	for (unsigned int i = 0; i < range_count; i++)
		if (ranges[i].ecam.segment == segment &&
		    bus >= ranges[i].ecam.start_bus &&
		    bus <= ranges[i].ecam.end_bus)
			return &ranges[i];
	return NULL;
}

struct pci_function *pci_functions(unsigned int *count)
{
	*count = function_count;
	return functions;
}

struct pci_function *pci_find(struct pci_addr addr)
{
	for (unsigned int i = 0; i < function_count; i++)
		if (functions[i].addr.segment == addr.segment &&
		    functions[i].addr.bus == addr.bus &&
		    functions[i].addr.devfn == addr.devfn)
			return &functions[i];
	return NULL;
}

/* An address as if it were a function, to look whether one is there. */
static bool locate(struct pci_addr addr, struct pci_function *fn)
{
	const struct ecam_range *range = find_range(addr.segment, addr.bus);

	if (!range)
		return false;
	*fn = (struct pci_function){
		.addr = addr,
		.config = (volatile u8 *)(range->ecam.base +
					  ((u64)addr.bus << BUS_SHIFT) +
					  ((u64)addr.devfn << DEVFN_SHIFT)),
	};
	return true;
}

bool pci_has_bus(u16 segment, unsigned int bus)
{
	return bus <= 0xff && find_range(segment, bus);
}

void pci_set_bus(struct pci_function *fn, u8 bus)
{
	struct pci_addr addr = fn->addr;
	struct pci_function there;

	addr.bus = bus;
	if (!locate(addr, &there))
		return;
	fn->addr = addr;
	fn->config = there.config;
}

struct pci_function *pci_add(struct pci_addr addr)
{
	struct pci_function *fn = pci_find(addr);

	if (fn)
		return fn;
	if (function_count == capacity) {
		hv_log("pci: " PCI_FMT ": left out, for it came after the %u "
		       "functions that were counted\n",
		       PCI_ARG(addr), capacity);
		return NULL;
	}
	fn = &functions[function_count];
	if (!locate(addr, fn)) {
		hv_log("pci: " PCI_FMT ": in no ECAM range of the MCFG table\n",
		       PCI_ARG(addr));
		return NULL;
	}
	function_count++;
	return fn;
}

/* Nobody may decode an address while a BAR holds all ones; and no expansion ROM
 * that firmware left on (PCI 3.0 6.2.5.2) decodes one that nobody looks at. */
static void read_bars(struct pci_function *fn, u8 type)
{
	static const struct {
		u8 bars, rom;
	} header[] = {
		{PCI_BARS, PCI_ROM},
		[HEADER_BRIDGE] = {BRIDGE_BARS, PCI_BRIDGE_ROM},
		[HEADER_CARDBUS] = {CARDBUS_BARS, 0},
	};
	u16 command = pci_read16(fn, PCI_COMMAND), rom;

	if (type >= ARRAY_SIZE(header) || pci_facts(fn) & PCI_FACT_NO_BARS)
		return;
	rom = header[type].rom;
	pci_write16(fn, PCI_COMMAND, command & (u16)~COMMAND_DECODE);
	pci_size_bars(fn, PCI_BAR(0), header[type].bars, fn->bar);
	if (rom)
		pci_write32(fn, rom,
			    pci_read32(fn, rom) & ~(u32)PCI_ROM_ENABLE);
	pci_write16(fn, PCI_COMMAND, command);
}

static void log_function(const struct pci_function *fn)
{
	char text[160];

	if (fn->bridge)
		format(text, sizeof(text), "bridge to buses %02x-%02x",
		       fn->secondary, fn->subordinate);
	else
		pci_describe_bars(fn, text, sizeof(text));
	hv_log("pci: " PCI_FMT ": %04x:%04x class %06x%s%s\n",
	       PCI_ARG(fn->addr), fn->vendor, fn->device, fn->class,
	       text[0] ? ", " : "", text);
}

static void scan_behind(struct pci_function *bridge, unsigned int depth)
{
	u8 bus = bridge->secondary;

	if (!bus)
		return; /* not set up by firmware */
	if (bus <= bridge->addr.bus || bridge->subordinate < bus) {
		hv_log("pci: " PCI_FMT ": bus numbers make no sense\n",
		       PCI_ARG(bridge->addr));
		return;
	}
	for (unsigned int i = bus; i <= bridge->subordinate; i++) {
		if (find_range(bridge->addr.segment, i))
			continue;
		hv_log("pci: " PCI_FMT ": bus %02x behind it is in no ECAM "
		       "range of the MCFG table: what is there is not seen; "
		       "look for a newer firmware\n",
		       PCI_ARG(bridge->addr), i);
		break;
	}
	scan_bus(bridge->addr.segment, bus, bridge, depth + 1);
}

/* True if a function is at @addr; *multi: its device may have more. */
static bool scan_function(struct pci_addr addr, struct pci_function *parent,
			  unsigned int depth, bool *multi)
{
	struct pci_function here, *fn;
	u8 type;

	if (!locate(addr, &here) || pci_read16(&here, PCI_VENDOR_ID) == 0xffff)
		return false;
	type = pci_read8(&here, PCI_HEADER_TYPE);
	*multi = type & PCI_HEADER_MULTI_FUNCTION;
	fn = pci_add(addr);
	if (!fn)
		return true;
	fn->vendor = pci_read16(fn, PCI_VENDOR_ID);
	fn->device = pci_read16(fn, PCI_DEVICE_ID);
	fn->class = pci_read32(fn, PCI_REVISION) >> 8;
	fn->parent = parent;
	type &= HEADER_TYPE_MASK;
	fn->bridge = type == HEADER_BRIDGE;
	if (fn->bridge) {
		fn->secondary = pci_read8(fn, PCI_SECONDARY_BUS);
		fn->subordinate = pci_read8(fn, PCI_SUBORDINATE_BUS);
	}
	read_bars(fn, type);
	log_function(fn);
	if (fn->bridge)
		scan_behind(fn, depth);
	return true;
}

static void scan_bus(u16 segment, u8 bus, struct pci_function *parent,
		     unsigned int depth)
{
	struct ecam_range *range = find_range(segment, bus);
	struct pci_addr addr = {.segment = segment, .bus = bus};
	bool multi;

	if (!range || depth > PCI_MAX_DEPTH ||
	    range->visited[bus / 32] & BIT(bus % 32))
		return;
	range->visited[bus / 32] |= BIT(bus % 32);
	for (unsigned int device = 0; device < DEVICES; device++) {
		addr.devfn = device << 3;
		if (!scan_function(addr, parent, depth, &multi) || !multi)
			continue;
		for (unsigned int function = 1; function < FUNCTIONS;
		     function++) {
			addr.devfn = device << 3 | function;
			scan_function(addr, parent, depth, &multi);
		}
	}
}

/* The function at @addr and all VFs that it can have; *multi as above. */
static unsigned int count_function(struct pci_addr addr, bool *multi)
{
	struct pci_function here;
	u16 sriov;

	*multi = false;
	if (!locate(addr, &here) || pci_read16(&here, PCI_VENDOR_ID) == 0xffff)
		return 0;
	*multi = pci_read8(&here, PCI_HEADER_TYPE) & PCI_HEADER_MULTI_FUNCTION;
	sriov = pci_find_ext_cap(&here, PCI_EXT_CAP_SRIOV);
	if (!sriov || sriov > PCI_CONFIG_SIZE - SRIOV_TOTAL_VFS - 2)
		return 1;
	return 1 + pci_read16(&here, sriov + SRIOV_TOTAL_VFS);
}

static unsigned int count_bus(u16 segment, u8 bus)
{
	struct pci_addr addr = {.segment = segment, .bus = bus};
	unsigned int count = 0;
	bool multi, ignored;

	for (unsigned int device = 0; device < DEVICES; device++) {
		addr.devfn = device << 3;
		count += count_function(addr, &multi);
		for (unsigned int i = 1; multi && i < FUNCTIONS; i++) {
			addr.devfn = device << 3 | i;
			count += count_function(addr, &ignored);
		}
	}
	return count;
}

static unsigned int count_all(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < range_count; i++)
		for (unsigned int bus = ranges[i].ecam.start_bus;
		     bus <= ranges[i].ecam.end_bus; bus++)
			count += count_bus(ranges[i].ecam.segment, bus);
	return count;
}

static bool ecam_is_usable(const struct pci_ecam *ecam)
{
	u64 size = ((u64)ecam->end_bus + 1) << BUS_SHIFT;

	return ecam->base && IS_ALIGNED(ecam->base, MIB) &&
	       ecam->start_bus <= ecam->end_bus &&
	       ecam->base <= UINT64_MAX - size;
}

static void add_ranges(const struct pci_ecam *ecam, unsigned int count)
{
	range_count = 0;
	for (unsigned int i = 0; i < count; i++) {
		if (range_count == PCI_MAX_ECAM || !ecam_is_usable(&ecam[i])) {
			hv_log("pci: ECAM range at %lx left out\n",
			       ecam[i].base);
			continue;
		}
		ranges[range_count++] = (struct ecam_range){.ecam = ecam[i]};
	}
}

size_t pci_table_pages(const struct pci_ecam *ecam, unsigned int count)
{
	add_ranges(ecam, count);
	return (count_all() * sizeof(*functions) + PAGE_SIZE - 1) / PAGE_SIZE;
}

/* Room for as many functions as there are in @ecam's ranges. */
static int make_table(const struct pci_ecam *ecam, unsigned int count)
{
	if (table_pages)
		page_free(functions, table_pages, PAGES_DEVICE);
	function_count = capacity = 0;
	table_pages = pci_table_pages(ecam, count);
	functions = table_pages ? page_alloc(table_pages, PAGES_DEVICE) : NULL;
	if (!functions && table_pages) {
		hv_log("pci: no memory for a table of %zu KiB\n",
		       table_pages * 4);
		table_pages = 0;
		return -ENOMEM;
	}
	capacity = table_pages * PAGE_SIZE / sizeof(*functions);
	return 0;
}

int pci_enumerate(const struct pci_ecam *ecam, unsigned int count)
{
	const struct pci_ecam *range;
	int err = make_table(ecam, count);

	if (err)
		return err;
	if (!range_count) {
		hv_log("pci: no ECAM range: the MCFG table names none\n");
		return -ENODEV;
	}
	/* What no bridge leads to is a root bus of its own; the first bus of a
	 * range comes first, so that bridges are followed from above. */
	for (unsigned int i = 0; i < range_count; i++) {
		range = &ranges[i].ecam;
		for (unsigned int bus = range->start_bus; bus <= range->end_bus;
		     bus++)
			scan_bus(range->segment, bus, NULL, 0);
	}
	return 0;
}

bool pci_is_below(const struct pci_function *fn,
		  const struct pci_function *bridge)
{
	for (unsigned int depth = 0; fn && depth <= PCI_MAX_DEPTH + 1;
	     depth++) {
		if (fn == bridge)
			return true;
		fn = fn->parent;
	}
	return false;
}

/* True if @keep says so of @fn, or of one that is below it. */
static bool is_kept(const struct pci_function *fn,
		    bool (*keep)(const struct pci_function *fn))
{
	if (!fn->bridge)
		return keep(fn);
	for (unsigned int i = 0; i < function_count; i++)
		if (pci_is_below(&functions[i], fn) && keep(&functions[i]))
			return true;
	return false;
}

unsigned int pci_bus_master_off(bool (*keep)(const struct pci_function *fn))
{
	char text[160] = "";
	struct pci_function *fn;
	unsigned int count = 0;
	size_t at = 0;
	u16 command;

	for (unsigned int i = 0; i < function_count; i++) {
		fn = &functions[i];
		command = pci_read16(fn, PCI_COMMAND);
		if (command == 0xffff || !(command & PCI_COMMAND_MASTER) ||
		    is_kept(fn, keep))
			continue;
		pci_write16(fn, PCI_COMMAND,
			    command & (u16)~PCI_COMMAND_MASTER);
		count++;
		if (at < sizeof(text))
			at += format(text + at, sizeof(text) - at, " " PCI_FMT,
				     PCI_ARG(fn->addr));
	}
	if (count)
		hv_log("pci: bus mastering was on, now off, in %u:%s%s\n",
		       count, text, at < sizeof(text) ? "" : "...");
	return count;
}

void pci_enable_path(struct pci_function *fn)
{
	struct pci_function *bridge = fn->parent;
	u16 command = PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY;

	for (unsigned int i = 0; i < PCI_BARS; i++)
		if (fn->bar[i].io && fn->bar[i].size)
			command |= (u16)PCI_COMMAND_IO;
	for (unsigned int depth = 0; bridge && depth <= PCI_MAX_DEPTH;
	     depth++) {
		pci_write16(bridge, PCI_COMMAND,
			    pci_read16(bridge, PCI_COMMAND) | command);
		bridge = bridge->parent;
	}
}
