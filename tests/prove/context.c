/* Claims about root and context entries. */
#include "hv/weaken.h"

static u32 weakened;
#define weaken weakened
#include "tests/prove/fields.h"
#include "vtd/context.c"

/* What is stored first, and then, and where */
static volatile u64 *first_half, *second_half;
static u64 first, second;
static unsigned int stores;

void vtd_unit_store(const struct vtd_unit *unit, volatile u64 *half, u64 value)
{
	(void)unit;
	if (stores++) {
		second_half = half;
		second = value;
	} else {
		first_half = half;
		first = value;
	}
}

/* VT-d 9.1, bits 63:0.  P 0, reserved 11:1, context table 63:12. */
bool claim_root_entry(u64 table)
{
	u64 low;

	if (table & ~PT_ADDR_MASK)
		return true;
	low = root_entry((struct vtd_entry *)table);
	return FIELD(low, 11, 0) == 1 && FIELD(low, 63, 12) == table >> 12;
}

/* VT-d 9.3, and 6.2.2.1: the half with P is written last.  Low: P 0, FPD 1 as
 * 0, translation type 3:2 as 0, reserved 11:4, table 63:12.  High: address
 * width 66:64, 1 for 3 levels and 2 for 4, ignored 70:67 as 0, reserved 71,
 * domain ID 87:72, reserved 127:88. */
bool claim_context_entry(u64 root, bool four_levels, u16 id)
{
	struct vtd_entry *entry = (struct vtd_entry *)PAGE_SIZE;
	struct vtd_domain domain;

	if (root & ~PT_ADDR_MASK)
		return true;
	domain.id = id;
	domain.table.root = (u64 *)root;
	domain.table.levels = four_levels ? 4 : 3;
	weakened = 0;
	stores = 0;
	write_entry(NULL, entry, &domain);
	return stores == 2 && first_half == &entry->high &&
	       second_half == &entry->low && FIELD(second, 11, 0) == 1 &&
	       FIELD(second, 63, 12) == root >> 12 &&
	       FIELD(first, 2, 0) == (four_levels ? 2 : 1) &&
	       FIELD(first, 7, 3) == 0 && FIELD(first, 23, 8) == id &&
	       FIELD(first, 63, 24) == 0;
}
