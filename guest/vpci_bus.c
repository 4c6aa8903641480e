/*
 * The guest's PCI bus 0: which function an access is for, by memory (ECAM) or
 * by ports.  Every access is one of whole doublewords with byte enables, as on
 * the bus.
 */
#include "guest/vpci_bus.h"
#include "hv/guest_layout.h"

/* Of QEMU's generic PCIe host bridge, for which no driver looks */
#define HOST_BRIDGE_ID 0x00081b36
#define HOST_BRIDGE_CLASS 0x06000000

/* Mechanism #1: offsets in its ports, fields of CONFIG_ADDRESS */
#define CONFIG_ADDRESS 0
#define CONFIG_DATA 4
#define CONFIG_ENABLE BIT(31)
#define CONFIG_BUS(a) ((a) >> 16 & 0xff)
#define CONFIG_DEVFN(a) ((a) >> 8 & 0xff)
#define CONFIG_REGISTER(a) ((a) & 0xfc)
#define CONFIG_ADDRESS_WRITABLE 0x80fffffc

static struct vpci_function *find(const struct vpci_bus *bus, u64 offset)
{
	for (unsigned int i = 0; i < bus->count && i < VPCI_MAX_FUNCTIONS; i++)
		if (offset >> 12 == bus->function[i]->devfn)
			return bus->function[i];
	return NULL;
}

/* Linux believes in mechanism #1 if it finds a host bridge by it. */
static u32 read_host_bridge(u16 reg)
{
	switch (reg) {
	case PCI_VENDOR_ID:
		return HOST_BRIDGE_ID;
	case PCI_REVISION:
		return HOST_BRIDGE_CLASS;
	default:
		return 0;
	}
}

/* One doubleword at @offset, the bytes of @mask. */
static u32 access_register(const struct vpci_bus *bus, u64 offset, u32 mask,
			   bool write, u32 value)
{
	struct vpci_function *v = find(bus, offset);

	if (offset < PCI_CONFIG_SIZE)
		return write ? 0 : read_host_bridge(offset);
	if (!v || v->lost)
		return ~0u;
	if (!write)
		return vpci_read(v, offset & 0xfff);
	vpci_write(v, offset & 0xfff, value, mask);
	return 0;
}

void vpci_access(void *ctx, u64 offset, unsigned int size, bool write,
		 u64 *value)
{
	u64 result = ~0ULL;

	for (unsigned int done = 0; done < size && done < 8;) {
		u64 at = offset + done;
		unsigned int shift = 8 * (at % 4);
		unsigned int bytes = MIN(4 - at % 4, size - done);
		u64 ones = BIT(8 * bytes) - 1;
		u32 dword = *value >> (8 * done) << shift;

		dword = access_register(ctx, ALIGN_DOWN(at, 4), ones << shift,
					write, dword);
		result &= ~(ones << (8 * done));
		result |= (dword >> shift & ones) << (8 * done);
		done += bytes;
	}
	if (!write)
		*value = result;
}

void vpci_ports_access(void *ctx, u64 offset, unsigned int size, bool write,
		       u64 *value)
{
	struct vpci_bus *bus = ctx;
	u32 address = bus->address;

	if (offset == CONFIG_ADDRESS && size == 4) {
		if (write)
			bus->address = *value & CONFIG_ADDRESS_WRITABLE;
		else
			*value = address;
		return;
	}
	if (offset < CONFIG_DATA || !(address & CONFIG_ENABLE) ||
	    CONFIG_BUS(address) != 0) {
		*value = ~0ULL;
		return;
	}
	offset = CONFIG_DEVFN(address) << 12 | CONFIG_REGISTER(address) |
		 (offset - CONFIG_DATA);
	vpci_access(bus, offset, size, write, value);
}
