/* This file tells hv/host_ranges.c what no BAR may be over. */
#include "hv/machine/take_ranges.h"
#include "drivers/pci/mcfg.h"
#include "hv/acpi_tables.h"
#include "hv/host_ranges.h"
#include "vtd/regs.h"

/* Of the PC since its beginnings: video memory, option ROMs, firmware */
#define LEGACY_SIZE MIB
/* From the IOAPICs on to 4 GiB: also HPET, TPM, remapping units, interrupt
 * messages, firmware's flash; most of it is in no table. */
#define CHIPSET_START 0xfec00000ULL
#define CHIPSET_SIZE 0x01400000ULL

static void take_apics(const struct acpi_header *madt)
{
	struct acpi_ioapic ioapic;
	u32 at = 0;

	while (acpi_next_ioapic(madt, &at, &ioapic))
		host_range_take(ioapic.base, PAGE_SIZE, "an IOAPIC");
	if (acpi_local_apic(madt))
		host_range_take(acpi_local_apic(madt), PAGE_SIZE,
				"the local APIC");
}

static void take_vtd(const struct dmar *dmar)
{
	for (unsigned int i = 0; i < dmar->unit_count; i++)
		host_range_take(dmar->unit[i].base, VTD_REGISTERS_SIZE,
				"a remapping unit");
	for (unsigned int i = 0; i < dmar->rmrr_count; i++)
		if (dmar->rmrr[i].base <= dmar->rmrr[i].limit)
			host_range_take(dmar->rmrr[i].base,
					dmar->rmrr[i].limit -
						dmar->rmrr[i].base + 1,
					"memory of an RMRR");
}

/* Those that are named come first. */
void machine_take_ranges(const struct dmar *dmar)
{
	const struct acpi_header *madt = acpi_table("APIC");
	const struct acpi_header *hpet = acpi_table("HPET");
	const struct acpi_header *mcfg = acpi_table("MCFG");

	take_vtd(dmar);
	if (madt)
		take_apics(madt);
	if (hpet && acpi_hpet(hpet))
		host_range_take(acpi_hpet(hpet), PAGE_SIZE, "the HPET");
	if (mcfg)
		mcfg_take(mcfg);
	host_range_take(0, LEGACY_SIZE, "the PC's first megabyte");
	host_range_take(CHIPSET_START, CHIPSET_SIZE, "the chipset's registers");
}
