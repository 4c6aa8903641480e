/* sources: vtd/vtd.c vtd/unit.c vtd/invalidate.c vtd/fault_event.c vtd/faults.c vtd/flood.c vtd/explain.c vtd/reasons.c vtd/context.c vtd/reserved.c vtd/scope.c vtd/second_level.c vtd/irte.c hv/paging.c hv/memory_map.c tests/fuzz/functions.c drivers/pci/pci_facts.c */
/* longest input: 1024 */
/*
 * A remapping unit whose registers answer what they like: brought up, asked
 * for faults, told to attach and detach.  Every wait ends, and nothing is
 * written that the specification reserves.
 *
 * The input: capabilities of two units, then the answers, one after the other;
 * behind its end a unit answers 0, or as commanded (bit 0 of the first byte).
 */
#include "hv/alloc.h"
#include "tests/fuzz/functions.h"
#include "tests/fuzz/fuzz.h"
#include "vtd/context.h"
#include "vtd/faults.h"
#include "vtd/irte.h"
#include "vtd/regs.h"
#include "vtd/scope.h"
#include "vtd/second_level.h"
#include "vtd/unit.h"
#include "vtd/vtd.h"
#include <string.h>

#define BASE 0xfed90000UL
#define BASE_2 0xfed91000UL

static struct input answers;
static bool obedient;
static u64 capabilities[2][2];
static u32 status[2];
static u64 tail[2];
static u32 last_read[2]; /* where reserved bits are to be preserved */
static unsigned int accesses;

static unsigned int unit_at(hpa_t base)
{
	CHECK(base == BASE || base == BASE_2);
	/* Ten looks for each wait, 64 rounds over 256 records */
	CHECK(++accesses < 2000000);
	return base == BASE_2;
}

u64 vtd_read64(hpa_t base, u32 reg)
{
	unsigned int u = unit_at(base);

	CHECK(reg % 8 == 0 && reg + 8 <= VTD_REGISTERS_SIZE);
	if (reg == 0x08)
		return capabilities[u][0];
	if (reg == 0x10)
		return capabilities[u][1];
	if (answers.left || !obedient)
		return take(&answers, 8);
	return reg == 0x80 || reg == 0x88 ? tail[u] : 0;
}

u32 vtd_read32(hpa_t base, u32 reg)
{
	unsigned int u = unit_at(base);

	CHECK(reg % 4 == 0 && reg + 4 <= VTD_REGISTERS_SIZE);
	last_read[u] = 0;
	if (answers.left || !obedient)
		last_read[u] = take(&answers, 4);
	else if (reg == 0x1c)
		last_read[u] = status[u];
	return last_read[u];
}

static bool in_records(unsigned int u, u32 reg)
{
	u32 first = (capabilities[u][0] >> 24 & 0x3ff) * 16;
	u32 count = (capabilities[u][0] >> 40 & 0xff) + 1;

	return reg >= first && reg < first + 16 * count && reg % 16 == 12;
}

void vtd_write32(hpa_t base, u32 reg, u32 value)
{
	unsigned int u = unit_at(base);

	switch (reg) {
	case 0x18: /* bits 22:0 are reserved, 10.4.4 */
		CHECK(!(value & 0x007fffff));
		status[u] = value & ~(1u << 27);
		return;
	case 0x34: /* W1C bits alone, 10.4.9 */
		CHECK(!(value & ~0xfdu));
		return;
	case 0x38:
		CHECK(!((value ^ last_read[u]) & 0x3fffffff));
		return;
	case 0x3c:
		CHECK(value == 0x400);
		return;
	case 0x40:
		CHECK(value >> 20 == 0xfee && !(value & 0xfff));
		return;
	case 0x44:
		CHECK(!(value & 0xff));
		return;
	case 0x64:
		CHECK(value == (last_read[u] & 0x7fffffff));
		return;
	}
	CHECK(in_records(u, reg));
	CHECK(value == 0x80000000);
}

/* A queue that obeys does what a wait descriptor says (VT-d 6.5.2.8). */
static void run_queue(unsigned int u)
{
	volatile struct vtd_entry *entry = vtd_units[u].queue.entry;
	unsigned int last = (tail[u] / 16 + 255) % 256;

	if (obedient && entry && (entry[last].low & 0xf) == 5)
		*(volatile u32 *)(uintptr_t)entry[last].high =
			entry[last].low >> 32;
}

void vtd_write64(hpa_t base, u32 reg, u64 value)
{
	unsigned int u = unit_at(base);

	switch (reg) {
	case 0x20:
		CHECK(value && !(value & 0xfff));
		return;
	case 0x88: /* 18:4 */
		CHECK(!(value & ~0x7fff0ULL));
		tail[u] = value;
		run_queue(u);
		return;
	case 0x90:
		CHECK(value && !(value & 0xfff));
		return;
	case 0xb8:
		CHECK((value & 0x7ff) == 9); /* of 2^(9 + 1) entries */
		return;
	}
	CHECK(!"64-bit write to another register");
}

/* Lines of tables that the allocator gave, read to see that they are. */
void vtd_write_back(const volatile void *start, size_t size)
{
	const volatile u8 *p = start;

	CHECK(size && size <= VTD_IRT_PAGES * PAGE_SIZE);
	(void)(p[0] + p[size - 1]);
}

static struct dmar dmar = {
	.address_width = 39,
	.intr_remap = true,
	.unit_count = 2,
	.unit = {{.base = BASE, .scope_count = 2, .scope = dmar.scope},
		 {.base = BASE_2, .include_all = true}},
	.scope = {{.type = DMAR_SCOPE_BRIDGE,
		   .path_length = 1,
		   .path = {{1, 0}}},
		  {.type = DMAR_SCOPE_IOAPIC,
		   .path_length = 1,
		   .path = {{0x1e, 7}}}},
};

/* Half of the values are what a unit of the field has, with a bit changed. */
static u64 take_capabilities(struct input *in, u64 usual)
{
	u8 how = take(in, 1);

	if (how < 0x80)
		return usual ^ BIT(how & 0x3f);
	return how < 0xc0 ? usual : take(in, 8);
}

static void release(const volatile void *table, size_t pages)
{
	if (table)
		page_free((void *)(uintptr_t)table, pages, PAGES_VTD);
}

static void release_tables(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct vtd_unit *unit = &vtd_units[i];

		release(unit->queue.entry, 1);
		release(unit->root, 1);
		release(unit->irt, VTD_IRT_PAGES);
		memset(unit, 0, sizeof(*unit));
	}
	CHECK(page_count(PAGES_VTD_SL) == 0);
}

static void use(struct input *in)
{
	static u8 ram[4 * PAGE_SIZE] __attribute__((aligned(4096)));
	static struct memory_map map;
	struct vtd_interrupt interrupt = {.vector = 0x41};
	struct vtd_domain domain;
	u64 context;
	int index;

	map.count = 0;
	CHECK(!memory_map_add(&map, 0, (hpa_t)ram, sizeof(ram), REGION_RAM));
	if (vtd_domain_init(&domain, take(in, 2), &map))
		return;
	if (vtd_attach(&domain, VF) == 0) {
		vtd_service_faults();
		vtd_detach(&domain, VF);
	}
	index = vtd_irte_alloc(VF);
	if (index >= 0) {
		vtd_irte_set(index, &interrupt);
		vtd_service_faults();
		vtd_irte_free(index);
	}
	vtd_service_faults();
	context = vtd_unit_of(VF)->root[1].low & PT_ADDR_MASK;
	vtd_block_all();
	release((void *)(uintptr_t)context, 1);
	pt_destroy(&domain.table);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	struct input in = {bytes, size};

	fuzz_begin();
	memset(vtd_attached, 0, sizeof(vtd_attached));
	obedient = take(&in, 1) & 1;
	for (unsigned int u = 0; u < 2; u++) {
		capabilities[u][0] =
			take_capabilities(&in, 0x00d2008c222f0606ULL);
		capabilities[u][1] = take_capabilities(&in, 0xf00f5aULL);
		status[u] = 0;
		tail[u] = 0;
	}
	accesses = 0;
	answers = (struct input){NULL, 0};
	if (!obedient)
		answers = in;
	if (vtd_probe(&dmar, true, 0x102)) {
		vtd_only_block();
	} else if (!vtd_start(0x102)) {
		answers = in;
		use(&in);
	}
	vtd_fault_summary();
	release_tables();
	return 0;
}
