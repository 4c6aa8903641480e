/* sources: vtd/dmar.c vtd/vtd.c vtd/unit.c vtd/invalidate.c vtd/fault_event.c vtd/faults.c vtd/flood.c vtd/explain.c vtd/reasons.c vtd/context.c vtd/reserved.c vtd/scope.c vtd/second_level.c vtd/irte.c hv/paging.c hv/acpi_tables.c drivers/pci/mcfg.c hv/host_ranges.c hv/memory_map.c tests/unit/vtd_model.c drivers/pci/pci_facts.c */
/*
 * The tables of tests/data: NAME.table goes through the parser that its name
 * begins with, and must give what NAME.expect says, a claim a line:
 *
 *   says TEXT                        stands in the log
 *   DMAR: result N                   of dmar_parse()
 *         units N, rmrrs N           how many there are
 *         unit I BASE SEGMENT all|listed SCOPES
 *         rmrr I BASE LIMIT SCOPES
 *         init N                     of vtd_init(), with a model of each unit
 *         blocked                    no DMA passes any unit, translation is on
 *         unit-of FUNCTION I|none
 *         ioapic ID none|I SID
 *         attach FUNCTION N          of vtd_attach()
 *   MADT: cpus ID..., first-ioapic none|ID BASE GSI, gsi IRQ GSI
 *   MCFG: ecams N, ecam I BASE SEGMENT FIRST LAST
 *   FADT: pm-timer PORT
 *   and of these three: missing      acpi_table() does not give it
 */
#include "drivers/pci/mcfg.h"
#include "hv/acpi_tables.h"
#include "tests/unit/vtd_model.h"
#include "vtd/context.h"
#include "vtd/reserved.h"
#include "vtd/scope.h"
#include "vtd/second_level.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA "tests/data"
#define MAX_TABLES 256
#define MAX_CLAIM 512

static struct dmar dmar;
static struct model *unit[4];
static struct memory_map map;
static struct vtd_domain domain;

static struct pci_function *add(u16 segment, u8 bus, u8 device, u8 function,
				struct pci_function *parent)
{
	struct pci_function *fn = model_pci_add(segment, bus, device, function);

	fn->parent = parent;
	return fn;
}

static struct pci_function *add_bridge(u8 bus, u8 device, u8 secondary,
				       struct pci_function *parent)
{
	struct pci_function *fn = add(0, bus, device, 0, parent);

	fn->bridge = true;
	fn->secondary = fn->subordinate = secondary;
	return fn;
}

/* As tests/data/make_tables.py draws it */
static void make_machine(void)
{
	struct pci_function *bridge, *pf;

	model_reset();
	bridge = add_bridge(0, 1, 1, NULL);
	pf = add(0, 1, 0, 0, bridge);
	add(0, 1, 0x10, 0, bridge)->pf = pf;
	bridge = add_bridge(0, 0x1c, 2, NULL);
	add(0, 3, 0, 0, add_bridge(2, 0, 3, bridge));
	add(0, 4, 0, 0, add_bridge(0, 7, 4, NULL));
	add(0, 0x86, 0, 0, add_bridge(0x85, 0, 0x86, NULL));
	add(0, 0, 2, 0, NULL);
	add(0, 0, 0x14, 0, NULL);
	add(0, 0, 0x1f, 2, NULL);
	add(0, 0x80, 4, 3, NULL);
	add(1, 0, 0, 0, NULL);
}

/* The file's contents in memory of just its size, so that a read beyond its end
 * is found. */
static u8 *read_file(const char *name, const char *end, size_t *size)
{
	char path[300];
	FILE *f;
	u8 *bytes;

	snprintf(path, sizeof(path), DATA "/%s.%s", name, end);
	f = fopen(path, "rb");
	if (!f)
		fail_msg("%s: cannot be read", path);
	fseek(f, 0, SEEK_END);
	*size = ftell(f);
	rewind(f);
	bytes = malloc(*size + !*size);
	assert_int_equal(fread(bytes, 1, *size, f), *size);
	fclose(f);
	return bytes;
}

/* --- claims about a DMAR table */

static struct pci_function *function(const char *text)
{
	unsigned int segment, bus, device, fn;
	struct pci_function *found;

	assert_int_equal(
		sscanf(text, "%x:%x:%x.%x", &segment, &bus, &device, &fn), 4);
	found = pci_find((struct pci_addr){segment, bus, device << 3 | fn});
	assert_non_null(found);
	return found;
}

static void start_units(long expected)
{
	for (unsigned int i = 0; i < dmar.unit_count && i < 4; i++)
		unit[i] = model_add(dmar.unit[i].base, MODEL_CAP, MODEL_ECAP);
	vtd_reserved_avoid(NULL, 0);
	assert_int_equal(vtd_init(&dmar, 0, true), expected);
	if (!expected)
		assert_int_equal(vtd_domain_init(&domain, 1, &map), 0);
}

static void expect_blocked(void)
{
	static const u16 sids[] = {0, 0x0010, 0x0100, 0x0180, 0xffff};
	u64 hpa;

	for (unsigned int i = 0; i < dmar.unit_count; i++) {
		assert_true(unit[i]->gsts >> 31);
		for (unsigned int s = 0; s < ARRAY_SIZE(sids); s++)
			assert_int_not_equal(
				model_dma(unit[i], sids[s], 0, true, &hpa), 0);
		assert_false(unit[i]->passed);
	}
}

static void expect_unit_of(const char *where, const char *number)
{
	const struct vtd_unit *found = vtd_unit_of(function(where));

	if (!strcmp(number, "none"))
		assert_null(found);
	else
		assert_ptr_equal(found, &vtd_units[atoi(number)]);
}

static void expect_ioapic(unsigned long id, const char *number, const char *sid)
{
	u16 source = 0;
	const struct vtd_unit *found = vtd_unit_of_ioapic(id, &source);

	if (!strcmp(number, "none")) {
		assert_null(found);
		return;
	}
	assert_ptr_equal(found, &vtd_units[atoi(number)]);
	assert_int_equal(source, strtoul(sid, NULL, 0));
}

static void expect_unit(char *const *word, const unsigned long *number)
{
	const struct dmar_unit *u = &dmar.unit[number[1]];

	assert_true(number[1] < dmar.unit_count);
	assert_int_equal(u->base, number[2]);
	assert_int_equal(u->segment, number[3]);
	assert_int_equal(u->include_all, !strcmp(word[4], "all"));
	assert_int_equal(u->scope_count, number[5]);
}

static void expect_rmrr(const unsigned long *number)
{
	const struct dmar_rmrr *r = &dmar.rmrr[number[1]];

	assert_true(number[1] < dmar.rmrr_count);
	assert_int_equal(r->base, number[2]);
	assert_int_equal(r->limit, number[3]);
	assert_int_equal(r->scope_count, number[4]);
}

static void check_dmar(const u8 *table, size_t size, char *const *word,
		       const unsigned long *number)
{
	if (!strcmp(word[0], "result"))
		assert_int_equal(dmar_parse(table, size, &dmar),
				 (long)number[1]);
	else if (!strcmp(word[0], "units"))
		assert_int_equal(dmar.unit_count, number[1]);
	else if (!strcmp(word[0], "dropped"))
		assert_int_equal(dmar.dropped_count, number[1]);
	else if (!strcmp(word[0], "scopes-unknown"))
		assert_int_equal(dmar.scopes_unknown, number[1]);
	else if (!strcmp(word[0], "rmrr-unknown"))
		assert_int_equal(dmar.rmrr_unknown, number[1]);
	else if (!strcmp(word[0], "rmrrs"))
		assert_int_equal(dmar.rmrr_count, number[1]);
	else if (!strcmp(word[0], "unit"))
		expect_unit(word, number);
	else if (!strcmp(word[0], "rmrr"))
		expect_rmrr(number);
	else if (!strcmp(word[0], "init"))
		start_units(number[1]);
	else if (!strcmp(word[0], "blocked"))
		expect_blocked();
	else if (!strcmp(word[0], "unit-of"))
		expect_unit_of(word[1], word[2]);
	else if (!strcmp(word[0], "ioapic"))
		expect_ioapic(number[1], word[2], word[3]);
	else if (!strcmp(word[0], "attach"))
		assert_int_equal(vtd_attach(&domain, function(word[1])),
				 (long)number[2]);
	else
		fail_msg("no such claim: %s", word[0]);
}

/* --- claims about the others */

static u8 rsdp[36], xsdt[44];
static hpa_t table_at;
static size_t table_size;

static bool within(hpa_t base, u64 size, hpa_t at, size_t room)
{
	return base >= at && base - at <= room && size <= room - (base - at);
}

static int map_table(hpa_t base, u64 size)
{
	return within(base, size, (hpa_t)rsdp, sizeof(rsdp)) ||
			       within(base, size, (hpa_t)xsdt, sizeof(xsdt)) ||
			       within(base, size, table_at, table_size)
		       ? 0
		       : -EINVAL;
}

static void set_sum(u8 *bytes, size_t size, u8 *at)
{
	u8 sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
	*at -= sum;
}

/* An RSDP and an XSDT that lead to @table (ACPI 5.2.5.3, 5.2.8) */
static const struct acpi_header *find(const u8 *table, size_t size)
{
	static const char *const signatures[] = {"APIC", "MCFG", "FACP"};
	const struct acpi_header *found = NULL;
	u64 at = (u64)xsdt;

	table_at = (hpa_t)table;
	table_size = size;
	memset(rsdp, 0, sizeof(rsdp));
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = 2;
	rsdp[20] = sizeof(rsdp);
	memcpy(rsdp + 24, &at, 8);
	set_sum(rsdp, 20, rsdp + 8);
	set_sum(rsdp, sizeof(rsdp), rsdp + 32);
	memset(xsdt, 0, sizeof(xsdt));
	memcpy(xsdt, "XSDT", 4);
	xsdt[4] = sizeof(xsdt);
	memcpy(xsdt + 36, &table_at, 8);
	set_sum(xsdt, sizeof(xsdt), xsdt + 9);
	acpi_init((hpa_t)rsdp, map_table);
	for (unsigned int i = 0; i < ARRAY_SIZE(signatures) && !found; i++)
		found = acpi_table(signatures[i]);
	return found;
}

static void expect_cpus(const struct acpi_header *madt, char *const *word,
			const unsigned long *number)
{
	unsigned int expected = 0, count;
	u32 id[16];

	while (word[expected + 1])
		expected++;
	count = acpi_cpus(madt, id, ARRAY_SIZE(id));
	assert_int_equal(count, expected);
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(id[i], number[i + 1]);
}

static void expect_first_ioapic(const struct acpi_header *madt,
				char *const *word, const unsigned long *number)
{
	struct acpi_ioapic ioapic;
	u32 at = 0;
	bool found = acpi_next_ioapic(madt, &at, &ioapic);

	assert_int_equal(found, !!strcmp(word[1], "none"));
	if (!found)
		return;
	assert_int_equal(ioapic.id, number[1]);
	assert_int_equal(ioapic.base, number[2]);
	assert_int_equal(ioapic.gsi_base, number[3]);
}

static void expect_ecam(const struct acpi_header *mcfg,
			const unsigned long *number)
{
	struct pci_ecam ecam[PCI_MAX_ECAM];
	unsigned int count = mcfg_ecam(mcfg, ecam, PCI_MAX_ECAM);

	assert_true(number[1] < count);
	assert_int_equal(ecam[number[1]].base, number[2]);
	assert_int_equal(ecam[number[1]].segment, number[3]);
	assert_int_equal(ecam[number[1]].start_bus, number[4]);
	assert_int_equal(ecam[number[1]].end_bus, number[5]);
}

static void check_acpi(const u8 *table, size_t size, char *const *word,
		       const unsigned long *number)
{
	struct pci_ecam ecam[PCI_MAX_ECAM];
	const struct acpi_header *h = find(table, size);

	if (!strcmp(word[0], "missing")) {
		assert_null(h);
		return;
	}
	assert_non_null(h);
	if (!strcmp(word[0], "cpus"))
		expect_cpus(h, word, number);
	else if (!strcmp(word[0], "first-ioapic"))
		expect_first_ioapic(h, word, number);
	else if (!strcmp(word[0], "gsi"))
		assert_int_equal(acpi_isa_gsi(h, number[1]), number[2]);
	else if (!strcmp(word[0], "ecams"))
		assert_int_equal(mcfg_ecam(h, ecam, PCI_MAX_ECAM), number[1]);
	else if (!strcmp(word[0], "ecam"))
		expect_ecam(h, number);
	else if (!strcmp(word[0], "pm-timer"))
		assert_int_equal(acpi_pm_timer(h), number[1]);
	else
		fail_msg("no such claim: %s", word[0]);
}

/* --- all tables */

static void check_claim(const char *name, const u8 *table, size_t size,
			char *claim)
{
	unsigned long number[8] = {0};
	char *word[8] = {0};
	unsigned int words = 0;

	if (!strncmp(claim, "says ", 5)) {
		if (!strstr(test_log, claim + 5))
			fail_msg("%s: not said: %s", name, claim + 5);
		return;
	}
	for (char *w = strtok(claim, " "); w && words < 7;
	     w = strtok(NULL, " "))
		word[words++] = w;
	assert_true(words);
	for (unsigned int i = 0; i < words; i++)
		number[i] = strtoul(word[i], NULL, 0);
	if (!strncmp(name, "dmar-", 5))
		check_dmar(table, size, word, number);
	else
		check_acpi(table, size, word, number);
}

static void check_table(void **state)
{
	const char *name = *state;
	size_t size, expect_size;
	u8 *table = read_file(name, "table", &size);
	char *expect = (char *)read_file(name, "expect", &expect_size);
	char claim[MAX_CLAIM];
	size_t at = 0, length;

	make_machine();
	test_log_clear();
	memset(&dmar, 0, sizeof(dmar));
	memset(&map, 0, sizeof(map));
	memory_map_add(&map, 0, 5 * GIB, 4 * MIB, REGION_RAM);
	for (; at < expect_size; at += length + 1) {
		const char *end = memchr(expect + at, '\n', expect_size - at);

		assert_non_null(end);
		length = end - (expect + at);
		assert_true(length < sizeof(claim));
		memcpy(claim, expect + at, length);
		claim[length] = '\0';
		check_claim(name, table, size, claim);
	}
	assert_true(at > 0);
	free(table);
	free(expect);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct CMUnitTest *)a)->name,
		      ((const struct CMUnitTest *)b)->name);
}

int main(void)
{
	static struct CMUnitTest tests[MAX_TABLES];
	size_t count = 0;
	DIR *folder = opendir(DATA);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)) && count < MAX_TABLES) {
		char *end = strstr(entry->d_name, ".table");
		char *name;

		if (!end)
			continue;
		*end = '\0';
		name = strdup(entry->d_name);
		tests[count++] = (struct CMUnitTest){
			.name = name,
			.test_func = check_table,
			.initial_state = name,
		};
	}
	if (!count) {
		fprintf(stderr, "no tables in " DATA "\n");
		return 1;
	}
	closedir(folder);
	qsort(tests, count, sizeof(tests[0]), by_name);
	return _cmocka_run_group_tests("firmware", tests, count, NULL, NULL);
}
