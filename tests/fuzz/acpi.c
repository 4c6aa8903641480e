/* sources: hv/acpi_tables.c drivers/pci/mcfg.c hv/host_ranges.c */
/* longest input: 2048 */
/*
 * ACPI tables in memory that begins at 10000000H, with the RSDP first.  Bit 0
 * of the first byte: what is looked at has a right checksum.
 */
#include "drivers/pci/mcfg.h"
#include "drivers/pci/pci.h"
#include "hv/acpi_tables.h"
#include "tests/fuzz/fuzz.h"
#include <sanitizer/asan_interface.h>
#include <string.h>
#include <sys/mman.h>

#define MEMORY 0x10000000UL
#define MEMORY_SIZE 4096

static size_t used;
static bool make_right;

/* Sets @byte so that [@start, @start + @size) sums to 0. */
static void set_sum(u8 *start, u64 size, u8 *byte)
{
	u8 sum = 0;

	for (u64 i = 0; i < size; i++)
		sum += start[i];
	*byte -= sum;
}

static int map(hpa_t base, u64 size)
{
	u8 *p = (u8 *)base;

	if (base < MEMORY || base - MEMORY > used ||
	    size > used - (base - MEMORY))
		return -EINVAL;
	if (!make_right)
		return 0;
	if (size == 20)
		set_sum(p, 20, p + 8);
	else if (base == MEMORY && size == 36)
		set_sum(p, 36, p + 32);
	else if (size >= sizeof(struct acpi_header))
		set_sum(p, size, p + 9);
	return 0;
}

static const struct acpi_header *find(const char *signature)
{
	const struct acpi_header *h;

	acpi_init(MEMORY, map);
	h = acpi_table(signature);

	if (!h)
		return NULL;
	CHECK(!memcmp(h->signature, signature, 4));
	CHECK(h->length >= sizeof(*h));
	CHECK((hpa_t)h >= MEMORY && (hpa_t)h + h->length <= MEMORY + used);
	return h;
}

static void read_madt(const struct acpi_header *madt)
{
	struct acpi_ioapic ioapic;
	unsigned int count;
	u32 id[8], at = 0;

	count = acpi_cpus(madt, id, ARRAY_SIZE(id));
	CHECK(count <= ARRAY_SIZE(id));
	for (unsigned int i = 0; i < count; i++)
		for (unsigned int j = 0; j < i; j++)
			CHECK(id[i] != id[j]);
	while (acpi_next_ioapic(madt, &at, &ioapic))
		CHECK(at <= madt->length);
	for (u8 irq = 0; irq < 16; irq++)
		acpi_isa_gsi(madt, irq);
}

static void read_mcfg(const struct acpi_header *mcfg)
{
	struct pci_ecam ecam[PCI_MAX_ECAM];
	unsigned int count = mcfg_ecam(mcfg, ecam, PCI_MAX_ECAM);

	CHECK(count <= PCI_MAX_ECAM);
	for (unsigned int i = 0; i < count; i++)
		CHECK(ecam[i].start_bus <= ecam[i].end_bus);
}

static void read_all(void)
{
	const struct acpi_header *h;

	h = find("APIC");
	if (h)
		read_madt(h);
	h = find("MCFG");
	if (h)
		read_mcfg(h);
	h = find("FACP");
	if (h)
		acpi_pm_timer(h);
	find("DMAR");
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	static u8 *memory;

	if (!memory)
		memory = mmap((void *)MEMORY, MEMORY_SIZE,
			      PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			      -1, 0);
	CHECK((hpa_t)memory == MEMORY);
	if (!size || size > MEMORY_SIZE)
		return 0;
	fuzz_begin();
	make_right = bytes[0] & 1;
	used = size - 1;
	ASAN_UNPOISON_MEMORY_REGION(memory, MEMORY_SIZE);
	memcpy(memory, bytes + 1, used);
	ASAN_POISON_MEMORY_REGION(memory + used, MEMORY_SIZE - used);
	read_all();
	return 0;
}
