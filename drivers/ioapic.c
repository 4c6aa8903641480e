/* This file masks and routes the pins of a real IOAPIC (82093AA). */
#include "drivers/ioapic.h"
#include "hv/mmio.h"

#define MAX_ENTRY(version) ((version) >> 16 & 0xff)

#define RTE_DESTINATION(id) ((u64)(id) << 56)
/* Remappable format (VT-d 5.1.5.1): index bits 14:0 at 63:49, bit 15 at 11 */
#define RTE_REMAPPABLE BIT(48)
#define RTE_INDEX(i) ((u64)((i) & 0x7fff) << 49 | (u64)((i) >> 15) << 11)

static u32 read_register(hpa_t base, u32 reg)
{
	mmio_write32((void *)(base + IOREGSEL), reg);
	return mmio_read32((void *)(base + IOWIN));
}

static void write_register(hpa_t base, u32 reg, u32 value)
{
	mmio_write32((void *)(base + IOREGSEL), reg);
	mmio_write32((void *)(base + IOWIN), value);
}

/* Masked until both halves are there. */
static void write_entry(hpa_t base, unsigned int pin, u64 entry)
{
	write_register(base, IOREDTBL(pin), RTE_MASKED);
	write_register(base, IOREDTBL(pin) + 1, (u32)(entry >> 32));
	write_register(base, IOREDTBL(pin), (u32)entry);
}

unsigned int ioapic_last_pin(hpa_t base)
{
	return MAX_ENTRY(read_register(base, IOAPICVER));
}

void ioapic_mask(hpa_t base, unsigned int pin)
{
	write_entry(base, pin, RTE_MASKED);
}

void ioapic_mask_all(hpa_t base)
{
	for (unsigned int pin = 0; pin <= ioapic_last_pin(base); pin++)
		ioapic_mask(base, pin);
}

void ioapic_route(hpa_t base, unsigned int pin, u8 apic_id, u8 vector)
{
	write_entry(base, pin, RTE_DESTINATION(apic_id) | vector);
}

void ioapic_route_remapped(hpa_t base, unsigned int pin, u16 index, u8 vector)
{
	write_entry(base, pin, RTE_REMAPPABLE | RTE_INDEX(index) | vector);
}
