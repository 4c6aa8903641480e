/* The guest's platform devices and what they stand on: UART, IOAPIC, clock,
 * power, PCI bus. */
#ifndef GUEST_PLATFORM_H
#define GUEST_PLATFORM_H

#include "guest/vpci_bus.h"

/* Give the guest its devices, with @bus as its PCI bus.  @ioapic_id is free of
 * the CPUs' APIC IDs. */
void platform_init(struct vpci_bus *bus, u8 ioapic_id);

#endif
