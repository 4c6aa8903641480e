/* This file decides, before take-over, how much memory the hypervisor takes. */
#include "hv/machine/pool_size.h"
#include "drivers/nvme.h"
#include "drivers/pci/mcfg.h"
#include "guest/assign/bars.h"
#include "guest/assign/pf_domain.h"
#include "guest/assign/request.h"
#include "hv/acpi_tables.h"
#include "hv/asm.h"
#include "hv/cpu.h"
#include "hv/cpu_tables.h"
#include "hv/machine/pager.h"
#include "hv/machine/take_vtd.h"
#include "hv/vmx/vmcs.h"
#include "hv/vmx/vmx.h"
#include "vtd/flood.h"
#include "vtd/reserved.h"
#include "vtd/unit.h"
#include "vtd/vtd.h"

/* A range of device registers in the hypervisor's page tables: a table at each
 * end, one for their GiB, one for 512 GiB around it */
#define DEVICE_TABLES 4
/* Each section of the image may begin in a leaf, and so may the trampoline */
#define IMAGE_TABLES 8
/* ECAM ranges, screens, IOAPIC and others of which there are few */
#define DEVICES 24
/* Upper levels of a set of tables, and device memory (for EPT, of none but
 * where BARs are: assigned_table_pages()) */
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

/* The hypervisor's page tables: RAM as the firmware's map has it; the holes
 * below stacks, which are in the pool of @pool pages; registers. */
static u64 host_tables(const struct uefi_memory_map *map, u64 units, u64 pool)
{
	u64 devices =
		DEVICES + units + 6 * (ASSIGN_MAX + PF_DOMAINS_MAX) /* BARs */;

	return uefi_memory_tables(map, host_has_1g_pages()) + IMAGE_TABLES +
	       pool * PAGE_SIZE / (2 * MIB) + 2 + devices * DEVICE_TABLES;
}

/* Of functions: a context table each, and what PF drivers keep. */
static u64 function_pages(void)
{
	return ASSIGN_MAX + PF_DOMAINS_MAX + ASSIGN_MAX +
	       PF_DOMAINS_MAX * PF_DOMAIN_PAGES(NVME_DMA_PAGES);
}

/* What @pages that are contiguous take: they are aligned to their number's next
 * power of two. */
static u64 contiguous(u64 pages)
{
	u64 aligned = 1;

	while (aligned < pages)
		aligned *= 2;
	return pages ? 2 * aligned : 0;
}

/* The text on each screen. */
static u64 screen_pages(const struct handover *h)
{
	u64 pages = 0;

	for (unsigned int i = 0; i < h->screen_count; i++)
		pages += contiguous(framebuffer_pages(&h->screen[i]));
	return pages;
}

/* The table of PCI functions. */
static u64 pci_pages(void)
{
	const struct acpi_header *mcfg = acpi_table("MCFG");
	static struct pci_ecam ecam[PCI_MAX_ECAM];
	unsigned int count = mcfg ? mcfg_ecam(mcfg, ecam, PCI_MAX_ECAM) : 0;

	return contiguous(pci_table_pages(ecam, count));
}

/* Of VT-d; nothing where there are no units.  Those of a table that is not read
 * to its end block all the same. */
static u64 vtd_pages(const struct dmar *dmar, u64 ram)
{
	bool large_pages = vtd_has_large_pages(dmar);

	if (!dmar->unit_count)
		return 0;
	return dmar->unit_count * VTD_UNIT_PAGES + VTD_MAX_MUTED +
	       vtd_reserved_pages(dmar, large_pages) +
	       table_pages(ram, large_pages);
}

u64 machine_pool_size(const struct handover *h,
		      const struct uefi_memory_map *map, u64 ram)
{
	bool ept_large = rdmsr(MSR_VMX_EPT_VPID_CAP) & EPT_CAP_2M;
	const struct acpi_header *table;
	const struct dmar *dmar;
	u64 pages;

	acpi_init(h->rsdp, map_nothing);
	table = acpi_table("DMAR");
	machine_parse_dmar(table, &dmar);
	pages = VCPU_BITMAP_PAGES + function_pages() + pci_pages() +
		screen_pages(h) + vtd_pages(dmar, ram) +
		(h->config.mode == MODE_CHECK ? PAGER_PAGES : 0) +
		count_cpus(h) * CPU_PAGES + table_pages(ram, ept_large) +
		assigned_table_pages(h->config.assign_count,
				     h->config.assign_count, ept_large);

	pages += host_tables(map, dmar->unit_count, pages);
	/* The allocator's bitmap: a bit a page */
	pages += pages / (8 * PAGE_SIZE) + 1;
	return pages * PAGE_SIZE;
}
