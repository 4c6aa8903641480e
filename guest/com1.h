/*
 * COM1 as the guest's UART.  Its interrupt line takes the device's way: IOAPIC,
 * IRTE, local APIC of the guest's choice, without an exit; the guest's handler
 * then reads the virtual UART, which takes what has come.
 */
#ifndef GUEST_COM1_H
#define GUEST_COM1_H

#include "guest/vioapic.h"
#include "hv/acpi_tables.h"

/* The UART as after a reset; it interrupts by @ioapic. */
void com1_init(struct vioapic *ioapic);

/* trap_fn over GUEST_UART_PORT, 8 ports */
void com1_access(void *ctx, u64 offset, unsigned int size, bool write,
		 u64 *value);

/* Find the real line by the machine's @madt (NULL: none) and mask all others,
 * of every IOAPIC.  Where no IOAPIC has it the guest has no input, and the log
 * says so; nor has it any where there is no COM1. */
void com1_line_init(const struct acpi_header *madt);

/* The guest changed redirection entry @rte of @pin of its IOAPIC: let the
 * line follow, if it is the UART's.  In a handler. */
void com1_line_route(unsigned int pin, u64 rte);

#endif
