/* The machine's ACPI tables (ACPI 6.3 5.2): found, checked, read. */
#ifndef HV_ACPI_TABLES_H
#define HV_ACPI_TABLES_H

#include "hv/types.h"

/* Header of every table (5.2.6) */
struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem_id[6], oem_table_id[8];
	u32 oem_revision, creator_id, creator_revision;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 5.2.6");

/* Structures of the MADT (5.2.12) */
#define MADT_IOAPIC 1
#define MADT_X2APIC 9

/* More than any table has that is read here; a longer one is refused. */
#define ACPI_TABLE_MAX (4 * MIB)

/*
 * Called before a table at @base is read, so that [base, base + size) can be
 * mapped where memory is not all mapped.  0, or an error.
 */
typedef int acpi_map_fn(hpa_t base, u64 size);

/* Where the machine's RSDP is (0: there is none), and how memory is made
 * readable; kept for acpi_table(). */
void acpi_init(hpa_t rsdp, acpi_map_fn *map);

/*
 * The table with @signature, by way of the RSDP and the XSDT (or the RSDT, in
 * ACPI 1.0).  Each table on the way and the one found have the right signature,
 * a sane length and a checksum of 0; else it is logged and passed over.  NULL:
 * there is none.
 */
const struct acpi_header *acpi_table(const char *signature);

/* The little-endian field of @size bytes (at most 8) at @offset of @table; it
 * need not be aligned. */
u64 acpi_field(const void *table, u32 offset, unsigned int size);

/* The next structure behind *@at of a table whose structures begin with type
 * and length, a byte each (MADT, SRAT); NULL at its end, or where a length is 0
 * or leads beyond it. */
const u8 *acpi_next_entry(const struct acpi_header *table, u32 *at);

/* APIC IDs of the processors that the MADT calls enabled (5.2.12.2, 5.2.12.12),
 * each once, at most @max; returns their number. */
unsigned int acpi_cpus(const struct acpi_header *madt, u32 *apic_id,
		       unsigned int max);

struct acpi_ioapic {
	u8 id;
	hpa_t base;
	u32 gsi_base;
};

/* The next IOAPIC of the MADT (5.2.12.3) behind *@at, which is 0 at first;
 * false if there is none. */
bool acpi_next_ioapic(const struct acpi_header *madt, u32 *at,
		      struct acpi_ioapic *ioapic);

/* Where the local APICs are by the MADT, and the HPET by its table (IA-PC HPET
 * 1.0a 3.2.4); 0: the table is too short. */
hpa_t acpi_local_apic(const struct acpi_header *madt);
hpa_t acpi_hpet(const struct acpi_header *hpet);

/* The global interrupt that ISA interrupt @irq arrives as (5.2.12.5). */
u32 acpi_isa_gsi(const struct acpi_header *madt, u8 irq);

/* I/O port of the PM timer, by the FADT (5.2.9); 0: there is none. */
u16 acpi_pm_timer(const struct acpi_header *fadt);

/* True if another register of the FADT than the PM timer is in part of the
 * @size ports from @base on, or the FADT is too short to say. */
bool acpi_fadt_has_ports(const struct acpi_header *fadt, u16 base, u64 size);

#endif
