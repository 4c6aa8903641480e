/* sources: vtd/dmar.c vtd/scope.c tests/fuzz/functions.c */
/* longest input: 2048 */
/*
 * The DMAR table, and finding a function's unit by what it says.  Bit 0 of the
 * first byte: signature, length and checksum are made right, so that what is
 * behind the header gets its turn.
 */
#include "tests/fuzz/functions.h"
#include "tests/fuzz/fuzz.h"
#include "vtd/scope.h"
#include <stdlib.h>
#include <string.h>

struct vtd_unit vtd_units[DMAR_MAX_UNITS];
unsigned int vtd_unit_count;
const struct dmar *vtd_dmar;

static void make_header(u8 *table, size_t size)
{
	u32 length = size;
	u8 sum = 0;

	memcpy(table, "DMAR", 4);
	memcpy(table + 4, &length, 4);
	for (size_t i = 0; i < size; i++)
		sum += table[i];
	table[9] -= sum;
}

static void check_scopes(const struct dmar_scope *scope, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		CHECK(scope[i].type >= DMAR_SCOPE_ENDPOINT &&
		      scope[i].type <= DMAR_SCOPE_ACPI);
		CHECK(scope[i].path_length >= 1 &&
		      scope[i].path_length <= DMAR_MAX_PATH);
		for (unsigned int h = 0; h < scope[i].path_length; h++)
			CHECK(scope[i].path[h].device < 32 &&
			      scope[i].path[h].function < 8);
	}
}

static void check_accepted(const struct dmar *dmar)
{
	CHECK(dmar->unit_count <= DMAR_MAX_UNITS);
	CHECK(dmar->rmrr_count <= DMAR_MAX_RMRRS);
	CHECK(dmar->scope_count <= DMAR_MAX_SCOPES);
	for (unsigned int i = 0; i < dmar->unit_count; i++) {
		const struct dmar_unit *unit = &dmar->unit[i];

		CHECK(unit->base && IS_ALIGNED(unit->base, PAGE_SIZE));
		CHECK(!(unit->base >> dmar->address_width));
		CHECK(unit->scope + unit->scope_count <=
		      dmar->scope + dmar->scope_count);
		check_scopes(unit->scope, unit->scope_count);
	}
	for (unsigned int i = 0; i < dmar->rmrr_count; i++) {
		const struct dmar_rmrr *rmrr = &dmar->rmrr[i];

		CHECK(rmrr->scope + rmrr->scope_count <=
		      dmar->scope + dmar->scope_count);
		check_scopes(rmrr->scope, rmrr->scope_count);
	}
}

static void look_up(const struct dmar *dmar)
{
	u16 sid;

	vtd_dmar = dmar;
	vtd_unit_count = dmar->unit_count;
	for (unsigned int i = 0; i < vtd_unit_count; i++)
		vtd_units[i].dmar = &dmar->unit[i];
	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		const struct vtd_unit *unit = vtd_unit_of(&functions[i]);

		if (unit)
			CHECK(unit->dmar->segment == functions[i].addr.segment);
		vtd_rmrr_of(&functions[i]);
	}
	for (unsigned int id = 0; id < 256; id += 15)
		vtd_unit_of_ioapic(id, &sid);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	static struct dmar dmar;
	u8 *table;

	if (!size)
		return 0;
	fuzz_begin();
	table = malloc(size - 1);
	memcpy(table, bytes + 1, size - 1);
	if (bytes[0] & 1 && size > 48)
		make_header(table, size - 1);
	if (dmar_parse(table, size - 1, &dmar) == 0) {
		check_accepted(&dmar);
		look_up(&dmar);
	}
	free(table);
	return 0;
}
