/* sources: vtd/fault_event.c vtd/faults.c vtd/flood.c vtd/explain.c vtd/reasons.c vtd/context.c vtd/reserved.c vtd/second_level.c vtd/scope.c vtd/invalidate.c hv/paging.c hv/vmx/ept_format.c hv/memory_map.c tests/fuzz/functions.c drivers/pci/pci_facts.c */
/* longest input: 1024 */
/*
 * Fault records that say anything, of a unit that is up: each must be told in
 * two lines, whole, and the service must end, also when the faults do not: bit
 * 1 of the first byte has the unit answer ones behind the end of the input.
 */
#include "hv/vmx/ept_format.h"
#include "tests/fuzz/functions.h"
#include "tests/fuzz/fuzz.h"
#include "vtd/context.h"
#include "vtd/explain.h"
#include "vtd/faults.h"
#include "vtd/flood.h"
#include "vtd/regs.h"
#include "vtd/unit.h"
#include <string.h>

struct vtd_unit vtd_units[DMAR_MAX_UNITS];
unsigned int vtd_unit_count;
const struct dmar *vtd_dmar;

static struct input answers;
static struct vtd_entry queue[256] __attribute__((aligned(4096)));
static struct vtd_entry root[256] __attribute__((aligned(4096)));
static struct vtd_entry context[256] __attribute__((aligned(4096)));
static struct vtd_entry irt[VTD_IRT_ENTRIES] __attribute__((aligned(4096)));
static struct vtd_entry table[256] __attribute__((aligned(4096)));
static unsigned int tables;
static bool endless;
static unsigned int reads;

int vtd_unit_flush_buffers(struct vtd_unit *unit)
{
	(void)unit;
	return 0;
}

int vtd_unit_translate(struct vtd_unit *unit)
{
	(void)unit;
	return 0;
}

void vtd_unit_store(const struct vtd_unit *unit, volatile u64 *half, u64 value)
{
	(void)unit;
	*half = value;
}

volatile struct vtd_entry *vtd_unit_table(const struct vtd_unit *unit,
					  unsigned int pages, const char *what)
{
	(void)unit;
	(void)what;
	CHECK(pages == 1);
	CHECK(++tables <= VTD_MAX_MUTED);
	return table;
}

u64 vtd_read64(hpa_t base, u32 reg)
{
	CHECK(!base && reg + 8 <= VTD_REGISTERS_SIZE);
	CHECK(++reads < 100000);
	return answers.left || !endless ? take(&answers, 8) : ~0ULL;
}

/* FSTS alone: its record number is past the end, its bits mostly set. */
u32 vtd_read32(hpa_t base, u32 reg)
{
	CHECK(!base && reg == 0x34);
	CHECK(++reads < 100000);
	return answers.left || !endless ? take(&answers, 2) : ~0x70u;
}

void vtd_write32(hpa_t base, u32 reg, u32 value)
{
	CHECK(!base && reg + 4 <= VTD_REGISTERS_SIZE);
	if (reg == 0x34)
		CHECK(!(value & ~0xf5u));
	else
		CHECK(value == 0x80000000 && reg % 16 == 12);
}

void vtd_write64(hpa_t base, u32 reg, u64 value)
{
	CHECK(!base && reg == 0x88 && !(value & ~0x7fff0ULL));
}

static void explain_one(struct input *in)
{
	struct vtd_record record = {.low = take(in, 8)};

	record.high = take(in, 8);
	/* Mostly the VF's, and mostly a reason that exists */
	if (record.high & 0x10000)
		record.high = (record.high & ~0xffffULL) | 0x0180;
	if (record.high & 0x20000)
		record.high &= ~0xd000000000ULL;
	fuzz_log[0] = '\0';
	vtd_explain(&vtd_units[0], &record);
	CHECK(!strncmp(fuzz_log, "vtd-fault: unit=dmar0 source=", 29));
	CHECK(strstr(fuzz_log, " access="));
	CHECK(strstr(fuzz_log, " reason=0x"));
	if (strstr(fuzz_log, " irte="))
		CHECK(record.low >> 48 < ARRAY_SIZE(irt));
	/* Longer lines than fit would lose their ends. */
	CHECK(fuzz_log[strlen(fuzz_log) - 1] == '\n');
	CHECK(strlen(fuzz_log) < 479);
}

static void make_unit(struct input *in, struct vtd_domain *domain)
{
	static struct dmar_unit unit;
	static struct memory_map map;

	u8 how = take(in, 1);

	endless = how & 2;
	map.count = 0;
	memory_map_add(&map, 0, 5 * GIB, 3 * MIB, REGION_RAM);
	memory_map_add(&map, 4 * GIB, 8 * GIB, 4 * KIB, REGION_RAM);
	*domain = (struct vtd_domain){.id = 1, .map = &map};
	CHECK(!pt_init(&domain->table, &ept_format, how & 1 ? 3 : 4,
		       BIT(1) | BIT(2), false));
	CHECK(!pt_map(&domain->table, 0, 5 * GIB, 3 * MIB, PT_READ | PT_WRITE));
	memset(root, 0, sizeof(root));
	root[1].low = (uintptr_t)context | 1;
	context[0x80] =
		(struct vtd_entry){(uintptr_t)domain->table.root | 1, 0x102};
	irt[3] = (struct vtd_entry){0x410001, 0x40180};
	vtd_units[0] = (struct vtd_unit){
		.name = "dmar0",
		.dmar = &unit,
		.cap = take(in, 1) << 24 | take(in, 2) << 40,
		.queue.entry = queue,
		.root = root,
		.irt = irt,
	};
	vtd_attached[0] =
		(struct vtd_attachment){domain, &vtd_units[0], 0x0180};
	/* Without an end, a few records do */
	if (endless)
		vtd_units[0].cap &= ~(0xfcULL << 40);
	vtd_unit_count = 1;
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	struct input in = {bytes, size};
	struct vtd_domain domain;
	u64 count = vtd_fault_count(0, NULL);

	fuzz_begin();
	make_unit(&in, &domain);
	for (unsigned int i = take(&in, 1) % 8; i; i--)
		explain_one(&in);
	answers = in;
	reads = 0;
	/* A call takes one record: the clock says that its time is over */
	for (unsigned int i = 0; i < 64; i++)
		vtd_service_faults();
	CHECK(vtd_fault_count(0, NULL) >= count);
	/* Who is assigned is not silenced */
	CHECK(context[0x80].low == ((uintptr_t)domain.table.root | 1));
	vtd_faults_pending();
	pt_destroy(&domain.table);
	return 0;
}
