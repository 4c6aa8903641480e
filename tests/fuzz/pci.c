/* sources: drivers/pci/pci.c drivers/pci/pci_bars.c drivers/pci/pci_caps.c drivers/pci/pci_reset.c drivers/pci/pci_room.c drivers/pci/pci_buses.c drivers/pci/sriov.c drivers/pci/sriov_bars.c drivers/pci/pci_windows.c hv/host_ranges.c drivers/pci/pci_facts.c */
/* longest input: 1024 */
/*
 * Enumeration and capability walks over functions that answer what they like.
 * The input: number of buses; then records of bus, devfn, register, value, and
 * which bits of it can be written.  A function is there if a record names it.
 */
#include "drivers/pci/pci.h"
#include "drivers/pci/pci_bars.h"
#include "drivers/pci/pci_caps.h"
#include "drivers/pci/pci_reset.h"
#include "drivers/pci/sriov.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/pci_accessors.h"
#include <string.h>

/* Nothing is read there: only the model below knows what it means. */
#define ECAM_BASE (64 * GIB)
#define MAX_FUNCTIONS 16

static struct {
	u16 rid;
	bool changed;
	u8 space[PCI_CONFIG_SIZE], writable[PCI_CONFIG_SIZE];
} function[MAX_FUNCTIONS];
static unsigned int count;
static u8 number[65536]; /* by RID, from 1 on: most look-ups find none */
static unsigned int buses;
static u64 accesses;

static int find(u16 rid)
{
	return number[rid] - 1;
}

static int find_config(const struct pci_function *fn, u16 reg, size_t size)
{
	u64 at = (hpa_t)fn->config - ECAM_BASE;

	CHECK(at >> 20 < buses && !(at & 0xfff));
	CHECK((at >> 12 & 0xffff) == PCI_RID(fn->addr));
	CHECK(reg % size == 0 && reg + size <= PCI_CONFIG_SIZE);
	/* 65536 functions, and what those that answer have to say */
	CHECK(++accesses < 1000000);
	return find(at >> 12);
}

static u32 model_read(const struct pci_function *fn, u16 reg, size_t size)
{
	int i = find_config(fn, reg, size);
	u32 value = ~0u;

	if (i >= 0)
		memcpy(&value, function[i].space + reg, size);
	return size < 4 ? value & ((1u << 8 * size) - 1) : value;
}

static void model_write(const struct pci_function *fn, u16 reg, u32 value,
			size_t size)
{
	int i = find_config(fn, reg, size);

	if (i < 0)
		return;
	for (size_t b = 0; b < size; b++) {
		u8 mask = function[i].writable[reg + b];
		u8 *byte = &function[i].space[reg + b];

		*byte = (*byte & ~mask) | (value >> 8 * b & mask);
	}
}

static void forget(void)
{
	for (unsigned int i = 0; i < count; i++) {
		memset(function[i].space, 0, PCI_CONFIG_SIZE);
		memset(function[i].writable, 0, PCI_CONFIG_SIZE);
		number[function[i].rid] = 0;
	}
	count = 0;
	accesses = 0;
}

/* One record; false if there is no room for its function. */
static bool add_record(struct input *in)
{
	u16 rid = take(in, 2), reg = take(in, 2) & 0xffc;
	u32 value = take(in, 4), writable = take(in, 4);
	int i = find(rid);

	if (i < 0) {
		if (count == MAX_FUNCTIONS)
			return false;
		i = count++;
		function[i].rid = rid;
		number[rid] = count;
	}
	memcpy(function[i].space + reg, &value, 4);
	memcpy(function[i].writable + reg, &writable, 4);
	return true;
}

static void check_function(const struct pci_function *fn)
{
	char text[160];
	u64 size;
	hpa_t base;

	CHECK(pci_find(fn->addr) == fn);
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &fn->bar[i];

		CHECK(!(bar->size & (bar->size - 1)));
		CHECK(bar->base + bar->size >= bar->base);
	}
	pci_describe_bars(fn, text, sizeof(text));
	CHECK(memchr(text, '\0', sizeof(text)));
	for (unsigned int id = 0; id < 0x14; id++) {
		u16 cap = pci_find_cap(fn, id);

		CHECK(!cap || (cap >= 0x40 && cap <= 0xfc && cap % 4 == 0));
	}
	for (unsigned int id = 0; id < 0x14; id++) {
		u16 cap = pci_find_ext_cap(fn, id);

		CHECK(!cap ||
		      (cap >= 0x100 && cap < PCI_CONFIG_SIZE && cap % 4 == 0));
	}
	for (unsigned int prefetch = 0; fn->bridge && prefetch < 2; prefetch++)
		if (pci_bridge_window(fn, prefetch, &base, &size))
			CHECK(size && base + size > base);
}

static bool is_first(const struct pci_function *fn)
{
	return !PCI_RID(fn->addr);
}

static void walk(void)
{
	struct pci_function *fn;
	unsigned int found;

	fn = pci_functions(&found);
	for (unsigned int i = 0; i < found; i++)
		check_function(&fn[i]);
	CHECK(pci_bus_master_off(is_first) <= found);
	for (unsigned int i = 0; i < found && i < MAX_FUNCTIONS; i++) {
		pci_flr(&fn[i]);
		pci_enable_path(&fn[i]);
		if (sriov_enable(&fn[i], 2) == 0)
			for (u16 vf = 0; vf < 2; vf++)
				CHECK(sriov_vf(&fn[i], vf));
	}
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	struct input in = {bytes, size};
	struct pci_ecam ecam = {.base = ECAM_BASE};

	fuzz_begin();
	forget();
	buses = 1 + take(&in, 1) % 8;
	ecam.end_bus = buses - 1;
	while (in.left && add_record(&in))
		;
	CHECK(pci_enumerate(&ecam, 1) == 0);
	walk();
	return 0;
}
