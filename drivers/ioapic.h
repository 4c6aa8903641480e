/* The machine's IOAPIC (82093AA, 3): everything masked but the lines that the
 * hypervisor listens to. */
#ifndef DRIVERS_IOAPIC_H
#define DRIVERS_IOAPIC_H

#include "hv/types.h"

/* Window (82093AA 3.1) and registers (3.2) */
#define IOREGSEL 0x00
#define IOWIN 0x10
#define IOAPIC_SIZE 0x20
#define IOAPICVER 0x01
#define IOREDTBL(pin) (0x10 + 2 * (pin)) /* two registers a pin */
#define RTE_MASKED BIT(16)

/* Mask every pin of the IOAPIC whose registers are at @base (mapped). */
void ioapic_mask_all(hpa_t base);

void ioapic_mask(hpa_t base, unsigned int pin);

/* Number of the last pin. */
unsigned int ioapic_last_pin(hpa_t base);

/* Pin @pin, edge-triggered, as @vector to the CPU with APIC ID @apic_id,
 * without interrupt remapping. */
void ioapic_route(hpa_t base, unsigned int pin, u8 apic_id, u8 vector);

/* Pin @pin, edge-triggered, in remappable format to entry @index (VT-d
 * 5.1.5.1); the entry has vector @vector. */
void ioapic_route_remapped(hpa_t base, unsigned int pin, u16 index, u8 vector);

#endif
