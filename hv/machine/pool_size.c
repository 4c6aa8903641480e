/* How much memory the hypervisor takes, decided before it takes over. */
#include "hv/machine/pool_size.h"
#include "hv/acpi_tables.h"
#include "hv/asm.h"
#include "hv/cpu.h"
#include "hv/machine/handover.h"
#include "hv/machine/pager.h"
#include "hv/machine/take_vtd.h"
#include "hv/vmx/vmx.h"
#include "vtd/flood.h"
#include "vtd/vtd.h"

/* Pages: for what does not grow, and for each CPU (hv/cpu.c) */
#define FIXED_PAGES 76
#define CPU_PAGES 14
/* Upper levels of a set of tables, and device memory */
#define TABLE_PAGES 8

static int map_nothing(hpa_t base, u64 size)
{
	(void)base;
	(void)size;
	return 0;
}

static u64 count_cpus(const struct handover *h)
{
	const struct acpi_header *madt = acpi_table("APIC");
	static u32 ids[MAX_CPUS];
	unsigned int count = madt ? acpi_cpus(madt, ids, MAX_CPUS) : 0;

	return MAX(count ? count : h->cpus, 1u);
}

/* One page table a GiB with 2 MiB leaves, 512 more with 4 KiB ones. */
static u64 table_pages(u64 ram, bool large_pages)
{
	u64 pages = ram / GIB + 1;

	return TABLE_PAGES + pages + (large_pages ? 0 : ram / (2 * MIB) + 1);
}

static bool vtd_large_pages(void)
{
	const struct acpi_header *table = acpi_table("DMAR");
	const struct dmar *dmar;

	/* Without VT-d there are no such tables */
	return !table || machine_parse_dmar(table, &dmar) ||
	       vtd_has_large_pages(dmar);
}

u64 machine_pool_size(const struct handover *h, u64 ram)
{
	bool ept_large = rdmsr(MSR_VMX_EPT_VPID_CAP) & EPT_CAP_2M;
	u64 pages;

	acpi_init(h->rsdp, map_nothing);
	pages = FIXED_PAGES + (h->config.mode == MODE_CHECK ? PAGER_PAGES : 0) +
		VTD_MAX_MUTED + count_cpus(handover) * CPU_PAGES +
		table_pages(ram, true) /* the hypervisor's own */ +
		table_pages(ram, ept_large) +
		table_pages(ram, vtd_large_pages());

	/* The allocator's bitmap: a bit a page */
	pages += pages / (8 * PAGE_SIZE) + 1;
	return pages * PAGE_SIZE;
}
