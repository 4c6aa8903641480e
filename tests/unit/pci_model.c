#include "tests/unit/pci_model.h"
#include "tests/unit/pci_accessors.h"
#include "tests/unit/support.h"
#include <stdlib.h>
#include <string.h>

static u8 *space, *writable;
static size_t space_size;
void (*model_written)(u8 bus, u8 devfn, u16 reg, u32 value);

void model_reset(unsigned int buses)
{
	free(space);
	free(writable);
	space_size = buses * MIB;
	space = aligned_alloc(MIB, space_size);
	writable = aligned_alloc(MIB, space_size);
	assert_non_null(space);
	assert_non_null(writable);
	memset(space, 0xff, space_size);
	memset(writable, 0, space_size);
	model_written = NULL;
}

struct pci_ecam model_ecam(void)
{
	return (struct pci_ecam){.base = (hpa_t)space,
				 .end_bus = space_size / MIB - 1};
}

static size_t offset_of(u8 bus, u8 devfn, u16 reg)
{
	return (size_t)bus << 20 | (size_t)devfn << 12 | reg;
}

static void set(u8 bus, u8 devfn, u16 reg, u32 value, u32 mask, size_t size)
{
	size_t at = offset_of(bus, devfn, reg);

	assert_true(at + size <= space_size);
	memcpy(space + at, &value, size);
	memcpy(writable + at, &mask, size);
}

void model_move_bus(u8 from, u8 to)
{
	size_t at = offset_of(from, 0, 0), there = offset_of(to, 0, 0);

	assert_true(at + MIB <= space_size && there + MIB <= space_size);
	memcpy(space + there, space + at, MIB);
	memcpy(writable + there, writable + at, MIB);
	memset(space + at, 0xff, MIB);
	memset(writable + at, 0, MIB);
}

void model_set8(u8 bus, u8 devfn, u16 reg, u8 value, u8 mask)
{
	set(bus, devfn, reg, value, mask, 1);
}

void model_set16(u8 bus, u8 devfn, u16 reg, u16 value, u16 mask)
{
	set(bus, devfn, reg, value, mask, 2);
}

void model_set32(u8 bus, u8 devfn, u16 reg, u32 value, u32 mask)
{
	set(bus, devfn, reg, value, mask, 4);
}

u32 model_get32(u8 bus, u8 devfn, u16 reg)
{
	u32 value;

	memcpy(&value, space + offset_of(bus, devfn, reg), 4);
	return value;
}

u16 model_get16(u8 bus, u8 devfn, u16 reg)
{
	u16 value;

	memcpy(&value, space + offset_of(bus, devfn, reg), 2);
	return value;
}

void model_add(u8 bus, u8 devfn, u16 vendor, u16 device, u32 class)
{
	memset(space + offset_of(bus, devfn, 0), 0, 4096);
	memset(writable + offset_of(bus, devfn, 0), 0, 4096);
	model_set16(bus, devfn, PCI_VENDOR_ID, vendor, 0);
	model_set16(bus, devfn, PCI_DEVICE_ID, device, 0);
	model_set32(bus, devfn, PCI_REVISION, class << 8 | 1, 0);
	model_set16(bus, devfn, PCI_COMMAND, 0, 0x0547);
}

void model_bridge(u8 bus, u8 devfn, u8 secondary, u8 subordinate)
{
	model_set8(bus, devfn, PCI_HEADER_TYPE, 1, 0);
	model_set8(bus, devfn, PCI_SECONDARY_BUS, secondary, 0xff);
	model_set8(bus, devfn, PCI_SUBORDINATE_BUS, subordinate, 0xff);
	/* Both windows closed: base above limit */
	model_set32(bus, devfn, PCI_MEMORY_WINDOW, 0x0000fff0, 0xfff0fff0);
	model_set32(bus, devfn, PCI_PREFETCH_WINDOW, 0x0000fff0, 0xfff0fff0);
}

void model_cap(u8 bus, u8 devfn, u8 at, u8 id, u8 next)
{
	u16 status = model_get16(bus, devfn, PCI_STATUS);

	if (!(status & 0x10)) {
		model_set16(bus, devfn, PCI_STATUS, status | 0x10, 0);
		model_set8(bus, devfn, PCI_CAP_POINTER, at, 0);
	}
	model_set8(bus, devfn, at, id, 0);
	model_set8(bus, devfn, at + 1, next, 0);
}

void model_ext_cap(u8 bus, u8 devfn, u16 at, u16 id, u16 next)
{
	model_set32(bus, devfn, at, (u32)next << 20 | 1 << 16 | id, 0);
}

struct pci_function model_function(u8 bus, u8 devfn)
{
	return (struct pci_function){.addr = {.bus = bus, .devfn = devfn},
				     .config =
					     space + offset_of(bus, devfn, 0)};
}

static u32 model_read(const struct pci_function *fn, u16 reg, size_t size)
{
	size_t at = fn->config - space + reg;
	u32 value = 0;

	assert_true(reg % size == 0 && reg + size <= 4096);
	assert_true(at + size <= space_size);
	memcpy(&value, space + at, size);
	return value;
}

static void model_write(const struct pci_function *fn, u16 reg, u32 value,
			size_t size)
{
	size_t at = fn->config - space + reg, i;

	assert_true(reg % size == 0 && reg + size <= 4096);
	assert_true(at + size <= space_size);
	for (i = 0; i < size; i++)
		space[at + i] = (space[at + i] & ~writable[at + i]) |
				(value >> 8 * i & writable[at + i]);
	if (model_written)
		model_written(at >> 20, at >> 12, reg, value);
}
