/* The guest's ACPI tables: hardware-reduced (ACPI 6.3 3.11.1). */
#ifndef GUEST_ACPI_H
#define GUEST_ACPI_H

#include "hv/types.h"

/* What the tables say of the guest's machine */
struct acpi_machine {
	unsigned int count; /* CPUs */
	const u32 *apic_id; /* of CPU 0, 1, ... */
	u16 pm_timer;	    /* port of the ACPI PM timer; 0: none */
	/* The PCI window above 4 GiB; both 0: none */
	u64 high_start, high_end;
};

/*
 * Write RSDP, XSDT, FADT, MADT, MCFG and DSDT to @buf, which the guest sees at
 * @gpa, below 4 GiB.  @dsdt is compiled AML (dsdt.asl).  The rest of the buffer
 * becomes zero.  Returns the bytes used, the RSDP first; -ENOSPC if @size is
 * too small; -EINVAL: @dsdt has not, once each, the places of the window above
 * 4 GiB.
 */
int acpi_build(void *buf, size_t size, u64 gpa,
	       const struct acpi_machine *machine, const void *dsdt,
	       size_t dsdt_size);

/* The ID that the MADT gives to the guest's IOAPIC: the lowest one that no
 * CPU's local APIC has. */
u8 acpi_ioapic_id(const struct acpi_machine *machine);

#endif
