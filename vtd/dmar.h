/* The DMAR table (VT-d 8), into plain structures. */
#ifndef VTD_DMAR_H
#define VTD_DMAR_H

#include "hv/types.h"

/* What is beyond one of these costs the entry, and what follows from that. */
#define DMAR_MAX_UNITS 256
#define DMAR_MAX_RMRRS 256
#define DMAR_MAX_SCOPES 2048 /* of all entries */
#define DMAR_MAX_PATH 8

/* Device scope types (VT-d 8.3.1) */
enum dmar_scope_type {
	DMAR_SCOPE_ENDPOINT = 1,
	DMAR_SCOPE_BRIDGE = 2,
	DMAR_SCOPE_IOAPIC = 3,
	DMAR_SCOPE_HPET = 4,
	DMAR_SCOPE_ACPI = 5,
};

struct dmar_scope {
	u8 type;
	u8 enumeration_id; /* IOAPIC ID, HPET number */
	u8 start_bus;
	u8 path_length;
	struct {
		u8 device : 5, function : 3;
	} path[DMAR_MAX_PATH];
};

struct dmar_unit {
	hpa_t base;
	u16 segment;
	bool include_all;
	unsigned int scope_count;
	struct dmar_scope *scope;
};

struct dmar_rmrr {
	u16 segment;
	hpa_t base, limit; /* limit: last byte; may be below base */
	unsigned int scope_count;
	struct dmar_scope *scope;
};

struct dmar {
	u8 address_width; /* host address width in bits */
	bool intr_remap;  /* INTR_REMAP flag */
	bool x2apic_opt_out;
	unsigned int unit_count, rmrr_count, scope_count;
	/* Units that are not in unit[], because their entries or registers
	 * cannot be used: nothing can be assigned then, but the others block.
	 */
	unsigned int dropped_count;
	/* Memory is reserved for functions that are not known */
	bool rmrr_unknown;
	/* A unit in unit[] has more below it than its scopes say: same */
	bool scopes_unknown;
	struct dmar_unit unit[DMAR_MAX_UNITS];
	struct dmar_rmrr rmrr[DMAR_MAX_RMRRS];
	struct dmar_scope
		scope[DMAR_MAX_SCOPES]; /* units and RMRRs point here */
};

/*
 * Parse the table at @table, of which @size bytes may be read.  Checks
 * signature, length and checksum, each structure's length against what
 * encloses it, and unit addresses (not 0, not all ones, page-aligned).
 * Unknown structures are skipped, with a log line; an RMRR whose extent is
 * impossible is kept, with one.  An entry that is wrong, or beyond the limits
 * above, is dropped: dropped_count, rmrr_unknown, scopes_unknown.  -EINVAL: not
 * a table, or it cannot be read to its end; what came before is in @dmar.  All
 * with the reason and its offset logged.
 */
/*@ requires size <= UINT32_MAX;
  @ requires \valid_read(table + (0 .. size - 1)) && \valid(dmar);
  @ requires \separated(table + (0 .. size - 1), dmar);
  @ assigns *dmar;
  @ ensures dmar->unit_count <= DMAR_MAX_UNITS;
  @ ensures dmar->rmrr_count <= DMAR_MAX_RMRRS;
  @ ensures dmar->scope_count <= DMAR_MAX_SCOPES;
  @ ensures dmar->address_width <= 52;
  @*/
int dmar_parse(const u8 *table, size_t size, struct dmar *dmar);

#endif
