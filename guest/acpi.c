/* This file writes the guest's ACPI tables; section numbers are those of ACPI
 * 6.3. */
#include "guest/acpi.h"
#include "hv/acpi_tables.h"
#include "hv/cpu.h"
#include "hv/guest_layout.h"
#include "hv/string.h"

struct rsdp {
	u8 signature[8];
	u8 checksum; /* of the first 20 bytes */
	u8 oem_id[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 extended_checksum;
	u8 reserved[3];
} __attribute__((packed));

_Static_assert(sizeof(struct rsdp) == 36, "5.2.5.3");
#define RSDP_V1_SIZE 20

struct xsdt {
	struct acpi_header header;
	u64 entry[3]; /* FADT, MADT, MCFG */
} __attribute__((packed));

/* Generic address structure (5.2.3.2) */
struct acpi_gas {
	u8 space, bit_width, bit_offset, access_size;
	u64 address;
} __attribute__((packed));

#define GAS_SYSTEM_IO 1
#define GAS_BYTE 1
#define GAS_DWORD 3

struct fadt {
	struct acpi_header header;
	u32 facs, dsdt;
	u8 reserved1, pm_profile;
	u16 sci_interrupt;
	u32 smi_command;
	u8 fixed_hardware1[76 - 52]; /* none: hardware-reduced */
	u32 pm_timer;
	u8 fixed_hardware2[91 - 80], pm_timer_length;
	u8 fixed_hardware3[109 - 92];
	u16 boot_arch;
	u8 reserved2;
	u32 flags;
	struct acpi_gas reset;
	u8 reset_value;
	u16 arm_boot_arch;
	u8 minor_version;
	u64 x_facs, x_dsdt;
	u8 fixed_hardware4[208 - 148];
	struct acpi_gas x_pm_timer;
	u8 fixed_hardware5[244 - 220];
	struct acpi_gas sleep_control, sleep_status;
	u8 hypervisor[8];
} __attribute__((packed));

_Static_assert(sizeof(struct fadt) == 276, "5.2.9");
_Static_assert(offsetof(struct fadt, boot_arch) == 109, "5.2.9");
_Static_assert(offsetof(struct fadt, x_dsdt) == 140, "5.2.9");
_Static_assert(offsetof(struct fadt, pm_timer) == 76, "5.2.9");
_Static_assert(offsetof(struct fadt, pm_timer_length) == 91, "5.2.9");
_Static_assert(offsetof(struct fadt, x_pm_timer) == 208, "5.2.9");

#define FADT_BOOT_NO_VGA BIT(2) /* IAPC_BOOT_ARCH, 5.2.9.3 */
#define FADT_WBINVD BIT(0)	/* flags, table 5-34 */
#define FADT_NO_POWER_BUTTON BIT(4)
#define FADT_NO_SLEEP_BUTTON BIT(5)
#define FADT_RESET_REG BIT(10)
#define FADT_HW_REDUCED BIT(20)

struct madt {
	struct acpi_header header;
	u32 local_apic;
	u32 flags;
} __attribute__((packed));

#define MADT_LOCAL_APIC 0 /* 5.2.12.2 */
#define MADT_ENABLED BIT(0)
#define XAPIC_ID_MAX 254

struct madt_local_apic {
	u8 type, length;
	u8 uid, apic_id;
	u32 flags;
} __attribute__((packed));

struct madt_x2apic {
	u8 type, length;
	u16 reserved;
	u32 apic_id, flags, uid;
} __attribute__((packed));

struct madt_ioapic {
	u8 type, length;
	u8 id, reserved;
	u32 address, gsi_base;
} __attribute__((packed));

/* One ECAM range (PCI Firmware 3.2, table 4-3) */
struct mcfg {
	struct acpi_header header;
	u64 reserved1;
	u64 base;
	u16 segment;
	u8 start_bus, end_bus;
	u32 reserved2;
} __attribute__((packed));

_Static_assert(sizeof(struct mcfg) == 60, "MCFG with one range");

/* Where the next table goes. */
struct builder {
	u8 *buf;
	size_t size, used;
	u64 gpa;
	bool full;
	bool malformed; /* what it was given */
};

/*
 * Take @size bytes, 16-aligned, and give their GPA.  Once something did not
 * fit, NULL, until the end.
 */
static void *take(struct builder *b, size_t size, u64 *gpa)
{
	size_t start = ALIGN_UP(b->used, 16);

	if (b->full || start > b->size || size > b->size - start) {
		b->full = true;
		return NULL;
	}
	b->used = start + size;
	*gpa = b->gpa + start;
	return b->buf + start;
}

static u8 checksum(const void *table, size_t size)
{
	const u8 *bytes = table;
	u8 sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
	return -sum;
}

/* Fill the header last: the checksum covers the whole table. */
static void finish(struct acpi_header *h, const char *signature, u32 length,
		   u8 revision)
{
	memcpy(h->signature, signature, sizeof(h->signature));
	h->length = length;
	h->revision = revision;
	memcpy(h->oem_id, "GANGWY", sizeof(h->oem_id));
	memcpy(h->oem_table_id, "GANGWAY ", sizeof(h->oem_table_id));
	h->oem_revision = 1;
	memcpy(&h->creator_id, "GWAY", sizeof(h->creator_id));
	h->creator_revision = 1;
	h->checksum = 0;
	h->checksum = checksum(h, length);
}

/* Put @value where the DSDT has the eight letters of @mark, once. */
static bool fill_in(u8 *table, size_t size, const char *mark, u64 value)
{
	unsigned int found = 0;

	for (size_t i = 0; i + sizeof(value) <= size; i++) {
		if (memcmp(table + i, mark, sizeof(value)))
			continue;
		memcpy(table + i, &value, sizeof(value));
		found++;
	}
	return found == 1;
}

static u64 add_dsdt(struct builder *b, const void *dsdt, size_t size,
		    const struct acpi_machine *machine)
{
	u64 gpa = 0;
	u8 *table = take(b, size, &gpa);

	if (!table)
		return gpa;
	memcpy(table, dsdt, size);
	b->malformed = !fill_in(table, size, "HIGHBASE", machine->high_start) ||
		       !fill_in(table, size, "HIGHSIZE",
				machine->high_end - machine->high_start);
	((struct acpi_header *)table)->checksum = 0;
	((struct acpi_header *)table)->checksum = checksum(table, size);
	return gpa;
}

static struct acpi_gas io_register(u16 port)
{
	return (struct acpi_gas){GAS_SYSTEM_IO, 8, 0, GAS_BYTE, port};
}

/* The one piece of fixed hardware.  By 3.11.1 the system need not look at it;
 * Linux does, and has a clock beside the TSC. */
static void add_pm_timer(struct fadt *fadt, u16 port)
{
	if (!port)
		return;
	fadt->pm_timer = port;
	fadt->pm_timer_length = 4;
	fadt->x_pm_timer =
		(struct acpi_gas){GAS_SYSTEM_IO, 32, 0, GAS_DWORD, port};
}

static u64 add_fadt(struct builder *b, u64 dsdt, u16 pm_timer)
{
	u64 gpa = 0;
	struct fadt *fadt = take(b, sizeof(*fadt), &gpa);

	if (!fadt)
		return 0;
	fadt->dsdt = dsdt;
	fadt->x_dsdt = dsdt;
	fadt->boot_arch = FADT_BOOT_NO_VGA;
	fadt->flags = FADT_WBINVD | FADT_NO_POWER_BUTTON |
		      FADT_NO_SLEEP_BUTTON | FADT_RESET_REG | FADT_HW_REDUCED;
	fadt->reset = io_register(GUEST_RESET_PORT);
	fadt->reset_value = GUEST_RESET_VALUE;
	fadt->sleep_control = io_register(GUEST_SLEEP_CONTROL_PORT);
	fadt->sleep_status = io_register(GUEST_SLEEP_STATUS_PORT);
	add_pm_timer(fadt, pm_timer);
	memcpy(fadt->hypervisor, "GANGWAY ", sizeof(fadt->hypervisor));
	fadt->minor_version = 3;
	finish(&fadt->header, "FACP", sizeof(*fadt), 6);
	return gpa;
}

/* IDs up to 254 as local APIC entries, the others, which these cannot name, as
 * x2APIC entries (5.2.12.12). */
static void add_madt_cpu(struct builder *b, u32 uid, u32 apic_id)
{
	const bool small = apic_id <= XAPIC_ID_MAX && uid <= XAPIC_ID_MAX;
	const size_t size = small ? sizeof(struct madt_local_apic)
				  : sizeof(struct madt_x2apic);
	void *entry;

	if (b->full || size > b->size - b->used) {
		b->full = true;
		return;
	}
	entry = b->buf + b->used;
	b->used += size;
	if (small)
		*(struct madt_local_apic *)entry = (struct madt_local_apic){
			.type = MADT_LOCAL_APIC,
			.length = sizeof(struct madt_local_apic),
			.uid = uid,
			.apic_id = apic_id,
			.flags = MADT_ENABLED,
		};
	else
		*(struct madt_x2apic *)entry = (struct madt_x2apic){
			.type = MADT_X2APIC,
			.length = sizeof(struct madt_x2apic),
			.apic_id = apic_id,
			.flags = MADT_ENABLED,
			.uid = uid,
		};
}

static u64 add_madt(struct builder *b, const struct acpi_machine *machine)
{
	struct {
		struct madt madt;
		struct madt_ioapic ioapic;
	} __attribute__((packed)) * table;
	u64 gpa = 0;

	table = take(b, sizeof(*table), &gpa);
	if (!table)
		return 0;
	table->madt.local_apic = GUEST_LAPIC;
	table->ioapic = (struct madt_ioapic){
		.type = MADT_IOAPIC,
		.length = sizeof(struct madt_ioapic),
		.id = acpi_ioapic_id(machine),
		.address = GUEST_IOAPIC,
	};
	for (unsigned int i = 0; i < machine->count; i++)
		add_madt_cpu(b, i, machine->apic_id[i]);
	finish(&table->madt.header, "APIC", b->buf + b->used - (u8 *)table, 5);
	return gpa;
}

static u64 add_mcfg(struct builder *b)
{
	u64 gpa = 0;
	struct mcfg *mcfg = take(b, sizeof(*mcfg), &gpa);

	if (!mcfg)
		return 0;
	mcfg->base = GUEST_ECAM;
	mcfg->end_bus = GUEST_ECAM_SIZE / MIB - 1; /* 1 MiB a bus */
	finish(&mcfg->header, "MCFG", sizeof(*mcfg), 1);
	return gpa;
}

static u64 add_xsdt(struct builder *b, u64 fadt, u64 madt, u64 mcfg)
{
	u64 gpa = 0;
	struct xsdt *xsdt = take(b, sizeof(*xsdt), &gpa);

	if (!xsdt)
		return 0;
	xsdt->entry[0] = fadt;
	xsdt->entry[1] = madt;
	xsdt->entry[2] = mcfg;
	finish(&xsdt->header, "XSDT", sizeof(*xsdt), 1);
	return gpa;
}

static void fill_rsdp(struct rsdp *rsdp, u64 xsdt)
{
	memcpy(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature));
	memcpy(rsdp->oem_id, "GANGWY", sizeof(rsdp->oem_id));
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = xsdt;
	rsdp->checksum = checksum(rsdp, RSDP_V1_SIZE);
	rsdp->extended_checksum = checksum(rsdp, sizeof(*rsdp));
}

u8 acpi_ioapic_id(const struct acpi_machine *machine)
{
	bool used[256] = {false};
	unsigned int id = 0;

	for (unsigned int i = 0; i < machine->count; i++)
		if (machine->apic_id[i] <= XAPIC_ID_MAX)
			used[machine->apic_id[i]] = true;
	while (used[id])
		id++;
	return id;
}

int acpi_build(void *buf, size_t size, u64 gpa,
	       const struct acpi_machine *machine, const void *dsdt,
	       size_t dsdt_size)
{
	struct builder b = {.buf = buf, .size = size, .gpa = gpa};
	struct rsdp *rsdp;
	u64 rsdp_gpa, dsdt_gpa, fadt, madt, mcfg, xsdt;

	memset(buf, 0, size);
	rsdp = take(&b, sizeof(*rsdp), &rsdp_gpa);
	dsdt_gpa = add_dsdt(&b, dsdt, dsdt_size, machine);
	fadt = add_fadt(&b, dsdt_gpa, machine->pm_timer);
	madt = add_madt(&b, machine);
	mcfg = add_mcfg(&b);
	xsdt = add_xsdt(&b, fadt, madt, mcfg);
	if (b.full)
		return -ENOSPC;
	if (b.malformed)
		return -EINVAL;
	fill_rsdp(rsdp, xsdt);
	return b.used;
}
