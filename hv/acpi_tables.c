/* This file finds and checks the machine's ACPI tables, and reads what it
 * needs of them (ACPI 6.3 5.2). */
#include "hv/acpi_tables.h"
#include "hv/host_ranges.h"
#include "hv/log.h"
#include "hv/string.h"

#define RSDP_SIZE_1 20 /* ACPI 1.0: no XSDT */
#define RSDP_SIZE_2 36
#define RSDP_REVISION 15
#define RSDP_RSDT 16
#define RSDP_XSDT 24
#define MAX_TABLES 256

#define MADT_LOCAL_APIC 36
#define MADT_ENTRIES 44
#define MADT_LAPIC 0
#define MADT_OVERRIDE 2
#define MADT_CPU_ENABLED BIT(0)
/* All processors, so the ID of none (Intel SDM 3A 10.6.2.1, 10.12.9) */
#define XAPIC_BROADCAST 0xff
#define X2APIC_BROADCAST 0xffffffff

#define FADT_PM_TIMER_BLOCK 76
#define FADT_PM_TIMER_LENGTH 91
/* Generic addresses (5.2.3.2): the space, and where the address is */
#define GENERIC_SIZE 12
#define GENERIC_ADDRESS 4
#define GENERIC_PORTS 1

/* IA-PC HPET 1.0a 3.2.4: a generic address, whose address is its last half */
#define HPET_ADDRESS 44
#define HPET_SIZE 56

static hpa_t rsdp;
static acpi_map_fn *map;

u64 acpi_field(const void *table, u32 offset, unsigned int size)
{
	u64 value = 0;

	memcpy(&value, (const u8 *)table + offset, size);
	return value;
}

/*@ requires \valid_read(bytes + (0 .. size - 1));
  @ assigns \nothing;
  @*/
static bool sums_to_zero(const u8 *bytes, u64 size)
{
	u8 sum = 0;

	/*@ loop invariant 0 <= i <= size;
	  @ loop assigns i, sum;
	  @ loop variant size - i;
	  @*/
	for (u64 i = 0; i < size; i++)
		sum += bytes[i];
	return sum == 0;
}

/* Map and check the table at @base; NULL and a log line if it is broken. */
static const struct acpi_header *check_table(hpa_t base)
{
	const struct acpi_header *h = (const void *)base;

	if (!base || map(base, sizeof(*h)))
		return NULL;
	if (h->length < sizeof(*h) || h->length > ACPI_TABLE_MAX ||
	    map(base, h->length)) {
		hv_log("acpi: table %.4s at 0x%lx: length %u makes no sense\n",
		       h->signature, base, h->length);
		return NULL;
	}
	if (!sums_to_zero((const u8 *)h, h->length)) {
		hv_log("acpi: table %.4s at 0x%lx: checksum is wrong\n",
		       h->signature, base);
		return NULL;
	}
	return h;
}

static bool is_table(const struct acpi_header *h, const char *signature)
{
	return h && memcmp(h->signature, signature, 4) == 0;
}

static const struct acpi_header *find_in(const struct acpi_header *root,
					 unsigned int pointer_size,
					 const char *signature)
{
	u32 count = (root->length - sizeof(*root)) / pointer_size;

	for (u32 i = 0; i < MIN(count, MAX_TABLES); i++) {
		hpa_t at = acpi_field(root, sizeof(*root) + i * pointer_size,
				      pointer_size);
		const struct acpi_header *h = (const void *)at;

		/* Only what is looked for is checked, and complained about */
		if (!at || map(at, sizeof(*h)) ||
		    memcmp(h->signature, signature, 4))
			continue;
		h = check_table(at);
		if (h)
			return h;
	}
	return NULL;
}

void acpi_init(hpa_t at, acpi_map_fn *map_table)
{
	rsdp = at;
	map = map_table;
}

const struct acpi_header *acpi_table(const char *signature)
{
	const u8 *p = (const u8 *)rsdp;
	const struct acpi_header *root;

	if (!rsdp || map(rsdp, RSDP_SIZE_1))
		return NULL;
	if (memcmp(p, "RSD PTR ", 8) || !sums_to_zero(p, RSDP_SIZE_1)) {
		hv_log("acpi: RSDP at 0x%lx: signature or checksum is wrong\n",
		       rsdp);
		return NULL;
	}
	if (acpi_field(p, RSDP_REVISION, 1) >= 2 && !map(rsdp, RSDP_SIZE_2) &&
	    sums_to_zero(p, RSDP_SIZE_2)) {
		root = check_table(acpi_field(p, RSDP_XSDT, 8));
		if (is_table(root, "XSDT"))
			return find_in(root, 8, signature);
	}
	root = check_table(acpi_field(p, RSDP_RSDT, 4));
	if (is_table(root, "RSDT"))
		return find_in(root, 4, signature);
	hv_log("acpi: neither XSDT nor RSDT is readable\n");
	return NULL;
}

/*@ requires \valid_read(table + (0 .. length - 1)) && length <= ACPI_TABLE_MAX;
  @ requires \valid(at) && *at <= ACPI_TABLE_MAX;
  @ requires \separated(at, table + (0 .. length - 1));
  @ assigns *at;
  @ ensures \result == \null ==> *at == \old(*at);
  @ ensures \result != \null ==> \result == table + \old(*at) &&
  @   \old(*at) + 2 <= *at <= length && *at == \old(*at) + \result[1];
  @*/
static const u8 *next_entry(const u8 *table, u32 length, u32 *at)
{
	const u8 *entry = table + *at;

	if (*at + 2 > length || entry[1] < 2 || entry[1] > length - *at)
		return NULL;
	*at += entry[1];
	return entry;
}

const u8 *acpi_next_entry(const struct acpi_header *table, u32 *at)
{
	return next_entry((const u8 *)table, table->length, at);
}

static bool enabled_cpu(const u8 *entry, u32 *id)
{
	if (entry[0] == MADT_LAPIC && entry[1] >= 8) {
		*id = entry[3];
		return *id != XAPIC_BROADCAST &&
		       acpi_field(entry, 4, 4) & MADT_CPU_ENABLED;
	}
	if (entry[0] == MADT_X2APIC && entry[1] >= 16) {
		*id = (u32)acpi_field(entry, 4, 4);
		return *id != X2APIC_BROADCAST &&
		       acpi_field(entry, 8, 4) & MADT_CPU_ENABLED;
	}
	return false;
}

/*@ requires \valid_read(ids + (0 .. count - 1));
  @ assigns \nothing;
  @*/
static bool is_in(u32 id, const u32 *ids, unsigned int count)
{
	/*@ loop invariant 0 <= i <= count;
	  @ loop assigns i;
	  @ loop variant count - i;
	  @*/
	for (unsigned int i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

unsigned int acpi_cpus(const struct acpi_header *madt, u32 *apic_id,
		       unsigned int max)
{
	u32 at = MADT_ENTRIES;
	unsigned int count = 0;
	const u8 *entry;
	u32 id;

	while ((entry = acpi_next_entry(madt, &at)) && count < max)
		if (enabled_cpu(entry, &id) && !is_in(id, apic_id, count))
			apic_id[count++] = id;
	return count;
}

bool acpi_next_ioapic(const struct acpi_header *madt, u32 *at,
		      struct acpi_ioapic *ioapic)
{
	const u8 *entry;

	*at = MAX(*at, (u32)MADT_ENTRIES);
	while ((entry = acpi_next_entry(madt, at))) {
		if (entry[0] != MADT_IOAPIC || entry[1] < 12)
			continue;
		ioapic->id = entry[2];
		ioapic->base = acpi_field(entry, 4, 4);
		ioapic->gsi_base = (u32)acpi_field(entry, 8, 4);
		return true;
	}
	return false;
}

hpa_t acpi_local_apic(const struct acpi_header *madt)
{
	return madt->length < MADT_ENTRIES
		       ? 0
		       : acpi_field(madt, MADT_LOCAL_APIC, 4);
}

hpa_t acpi_hpet(const struct acpi_header *hpet)
{
	return hpet->length < HPET_SIZE ? 0 : acpi_field(hpet, HPET_ADDRESS, 8);
}

u32 acpi_isa_gsi(const struct acpi_header *madt, u8 irq)
{
	u32 at = MADT_ENTRIES;
	const u8 *entry;

	while ((entry = acpi_next_entry(madt, &at)))
		if (entry[0] == MADT_OVERRIDE && entry[1] >= 10 &&
		    entry[3] == irq)
			return (u32)acpi_field(entry, 4, 4);
	return irq;
}

u16 acpi_pm_timer(const struct acpi_header *fadt)
{
	u64 port;

	if (fadt->length <= FADT_PM_TIMER_LENGTH ||
	    acpi_field(fadt, FADT_PM_TIMER_LENGTH, 1) != 4)
		return 0;
	port = acpi_field(fadt, FADT_PM_TIMER_BLOCK, 4);
	return port <= UINT16_MAX ? (u16)port : 0;
}

#define FADT_SIZE_1 116 /* ACPI 1.0's */

/* The FADT's registers that may be in ports, but for the PM timer (5.2.9).
 * length_at: the byte that has a block's length; 0: it is one port. */
static const struct fadt_register {
	u16 at;
	u8 length_at;
	bool generic;
} fadt_registers[] = {
	{48, 0, false},			  /* SMI_CMD */
	{56, 88, false}, {60, 88, false}, /* PM1a, PM1b event */
	{64, 89, false}, {68, 89, false}, /* PM1a, PM1b control */
	{72, 90, false},		  /* PM2 control */
	{80, 92, false}, {84, 93, false}, /* GPE0, GPE1 */
	{116, 0, true},			  /* RESET_REG */
	{148, 88, true}, {160, 88, true}, /* The X_ fields of these */
	{172, 89, true}, {184, 89, true}, /* blocks */
	{196, 90, true}, {220, 92, true}, {232, 93, true},
	{244, 0, true},	 {256, 0, true}, /* Sleep control, status */
};

/* The first port of @r and how many; 0: it is not in ports. */
static u64 register_ports(const struct acpi_header *fadt,
			  const struct fadt_register *r, u64 *first)
{
	if (r->at + (r->generic ? GENERIC_SIZE : 4u) > fadt->length)
		return 0;
	if (r->generic && acpi_field(fadt, r->at, 1) != GENERIC_PORTS)
		return 0;
	*first = r->generic ? acpi_field(fadt, r->at + GENERIC_ADDRESS, 8)
			    : acpi_field(fadt, r->at, 4);
	if (!*first || *first > UINT16_MAX)
		return 0;
	return r->length_at ? acpi_field(fadt, r->length_at, 1) : 1;
}

bool acpi_fadt_has_ports(const struct acpi_header *fadt, u16 base, u64 size)
{
	u64 first, count;

	if (fadt->length < FADT_SIZE_1)
		return true;
	for (unsigned int i = 0; i < ARRAY_SIZE(fadt_registers); i++) {
		count = register_ports(fadt, &fadt_registers[i], &first);
		if (count && ranges_overlap(base, size, first, count))
			return true;
	}
	return false;
}
