/*
 * COM1's interrupt line.  It takes the device's way: IOAPIC, IRTE, local APIC
 * of the guest's choice, without an exit; the guest's handler then reads the
 * virtual UART, which takes what has come.
 */
#ifndef GUEST_COM1_H
#define GUEST_COM1_H

#include "hv/acpi_tables.h"

/* Find the line by the machine's @madt (NULL: none) and mask all others.  Where
 * there is no IOAPIC or no COM1 the guest has no input, and the log says so. */
void console_line_init(const struct acpi_header *madt);

/* The guest changed redirection entry @rte of @pin of its IOAPIC: let the
 * line follow, if it is the UART's.  In a handler. */
void console_line_route(unsigned int pin, u64 rte);

#endif
