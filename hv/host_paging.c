/* This file builds the hypervisor's own page tables (Intel SDM 3A 4.5). */
#include "hv/host_paging.h"
#include "hv/asm.h"
#include "hv/host_format.h"
#include "hv/host_ranges.h"
#include "hv/image.h"
#include "hv/log.h"
#include "hv/paging.h"
#include "hv/x86.h"

#define UEFI_MAX_DESCRIPTORS 4096

static struct page_table host;

bool host_has_1g_pages(void)
{
	return cpuid(0x80000001, 0).edx & BIT(26);
}

static int map_section(const char *start, const char *end, u32 attr)
{
	hpa_t from = ALIGN_DOWN((hpa_t)start, PAGE_SIZE);
	hpa_t to = ALIGN_UP((hpa_t)end, PAGE_SIZE);

	return pt_map(&host, from, from, to - from, attr);
}

static int map_image(void)
{
	int err;

	err = map_section(text_start, text_end, PT_READ | PT_EXEC);
	if (!err)
		err = map_section(rodata_start, rodata_end, PT_READ);
	if (!err)
		err = map_section(data_start, image_end, PT_READ | PT_WRITE);
	return err;
}

static int map_ram(hpa_t base, u64 size)
{
	return pt_map(&host, base, base, size, PT_READ | PT_WRITE);
}

/* Types 11 and 12 only ask for a mapping for runtime services.  Small ones are
 * registers that these use; large ones are on some machines all that the host
 * bridge forwards, and BARs are in there. */
#define MMIO_REGISTERS_MAX (256 * KIB)

/* No BAR may be where the map has something. */
static void note_taken(const struct uefi_descriptor *d)
{
	u64 size = uefi_memory_size(d);

	if (uefi_memory_is_ram(d))
		host_range_take(d->physical, size, "RAM");
	else if (d->type != UEFI_MMIO && d->type != UEFI_MMIO_PORTS)
		host_range_take(d->physical, size,
				"memory that firmware keeps");
	else if (size < MMIO_REGISTERS_MAX)
		host_range_take(d->physical, size,
				"registers that firmware uses");
}

/* What the UEFI map calls RAM in any form; MMIO and holes are left out and
 * mapped by those who drive the device. */
static int map_uefi_ram(const struct uefi_memory_map *map)
{
	u64 count = uefi_memory_count(map), index = 0, size;
	hpa_t base;

	if (count > UEFI_MAX_DESCRIPTORS) {
		hv_log("host: UEFI memory map has %lu entries, more than %u\n",
		       count, UEFI_MAX_DESCRIPTORS);
		return -E2BIG;
	}
	for (u64 i = 0; i < count; i++)
		note_taken(uefi_memory_at(map, i));
	while (uefi_memory_next_run(map, &index, &base, &size)) {
		int err = map_ram(base, size);

		if (err)
			return err;
	}
	return 0;
}

int host_paging_init(const struct uefi_memory_map *map, hpa_t trampoline)
{
	u32 leaves = BIT(1) | BIT(2) | (host_has_1g_pages() ? BIT(3) : 0);
	int err = pt_init(&host, &host_format, 4, leaves, false);

	if (!err)
		err = map_uefi_ram(map);
	if (!err)
		err = pt_unmap(&host, 0, PAGE_SIZE); /* NULL faults */
	if (!err)
		err = map_image();
	if (!err)
		/* The start-up code of the other CPUs runs here */
		err = pt_map(&host, trampoline, trampoline, PAGE_SIZE,
			     PT_READ | PT_WRITE | PT_EXEC);
	if (err)
		hv_log("host: page tables could not be built (%d)\n", err);
	return err;
}

int host_paging_lock_trampoline(hpa_t trampoline)
{
	int err = pt_map(&host, trampoline, trampoline, PAGE_SIZE,
			 PT_READ | PT_WRITE);

	write_cr3(read_cr3());
	return err;
}

static int map_device(hpa_t base, u64 size, u32 type)
{
	hpa_t from = ALIGN_DOWN(base, PAGE_SIZE);
	hpa_t to = ALIGN_UP(base + size, PAGE_SIZE);
	int err;

	/* Firmware's tables and BARs say where: not where memory is. */
	if (pt_maps_memory(&host, from, to - from)) {
		hv_log("host: device registers at 0x%lx would lie in RAM\n",
		       base);
		return -EBUSY;
	}
	err = pt_map(&host, from, from, to - from, PT_READ | PT_WRITE | type);
	if (err)
		hv_log("host: device registers at 0x%lx could not be mapped "
		       "(%d)\n",
		       base, err);
	write_cr3(read_cr3());
	return err;
}

int host_map_device(hpa_t base, u64 size)
{
	return map_device(base, size, PT_UNCACHED);
}

int host_map_screen(hpa_t base, u64 size)
{
	return map_device(base, size, PT_WRITE_COMBINING);
}

int host_unmap_page(const void *page)
{
	return pt_unmap(&host, (u64)page, PAGE_SIZE);
}

static bool page_mapped(hpa_t page)
{
	struct pt_step step[4];
	unsigned int n = pt_walk(&host, page, step);

	return host_format.present(step[n - 1].entry);
}

bool host_is_mapped(hpa_t base, u64 size)
{
	hpa_t last = base + size - 1;

	if (!size || last < base)
		return false;
	for (hpa_t p = ALIGN_DOWN(base, PAGE_SIZE); p <= last; p += PAGE_SIZE)
		if (!page_mapped(p))
			return false;
	return true;
}

void host_paging_load(void)
{
	wrmsr(MSR_EFER, EFER_LME | EFER_LMA | EFER_NXE);
	write_cr3((u64)host.root);
}

hpa_t host_paging_root(void)
{
	return (hpa_t)host.root;
}
