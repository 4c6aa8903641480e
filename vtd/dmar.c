/* This file parses the DMAR table; nothing in it is trusted. */
#include "vtd/dmar.h"
#include "hv/log.h"

/* Offsets in the table (VT-d 8.1) */
#define TABLE_SIGNATURE 0
#define SIGNATURE_DMAR 0x52414d44 /* "DMAR" */
#define TABLE_LENGTH 4
#define TABLE_ADDRESS_WIDTH 36 /* bits minus one */
#define TABLE_FLAGS 37
#define TABLE_FLAG_INTR_REMAP BIT(0)
#define TABLE_FLAG_X2APIC_OPT_OUT BIT(1)
#define TABLE_STRUCTURES 48

/* Every remapping structure begins with type and length (VT-d 8.2). */
enum structure_type {
	TYPE_DRHD = 0,
	TYPE_RMRR = 1,
	TYPE_ATSR = 2,
	TYPE_RHSA = 3,
	TYPE_ANDD = 4,
	TYPE_SATC = 5,
	TYPE_SIDP = 6,
};
#define STRUCTURE_HEADER 4
/* DRHD (VT-d 8.3) */
#define DRHD_FLAGS 4
#define DRHD_FLAG_INCLUDE_PCI_ALL BIT(0)
#define DRHD_SEGMENT 6
#define DRHD_BASE 8
#define DRHD_SCOPES 16
/* RMRR (VT-d 8.4) */
#define RMRR_SEGMENT 6
#define RMRR_BASE 8
#define RMRR_LIMIT 16
#define RMRR_SCOPES 24
/* Device scope (VT-d 8.3.1) */
#define SCOPE_ENUMERATION_ID 4
#define SCOPE_START_BUS 5
#define SCOPE_PATH 6

#define MAX_PHYSICAL_BITS 52

/* A part of the table: @size bytes from offset @at on. */
struct part {
	const u8 *table;
	size_t at, size;
};

/*@ predicate readable(u8 *table, integer end) =
  @   end <= UINT32_MAX && \valid_read(table + (0 .. end - 1));
  @ predicate part(struct part *p) =
  @   \valid_read(p) && readable(p->table, p->at + p->size);
  @ predicate limits(struct dmar *d) =
  @   d->unit_count <= DMAR_MAX_UNITS && d->rmrr_count <= DMAR_MAX_RMRRS &&
  @   d->scope_count <= DMAR_MAX_SCOPES && d->address_width <= 52;
  @ predicate result(struct part *p, struct dmar *d) =
  @   \valid(d) && limits(d) && \separated(p, d) &&
  @   \separated(p->table + (0 .. p->at + p->size - 1), d);
  @*/

/*@ requires part(p) && 1 <= bytes <= 8 && offset + bytes <= p->size;
  @ assigns \nothing;
  @ ensures bytes == 1 ==> \result <= UINT8_MAX;
  @ ensures bytes == 2 ==> \result <= UINT16_MAX;
  @ ensures bytes == 4 ==> \result <= UINT32_MAX;
  @*/
static u64 read_bytes(const struct part *p, size_t offset, unsigned int bytes)
{
	const u8 *field = p->table + p->at + offset;
	u64 value = 0;

	/*@ loop invariant 0 <= i <= bytes;
	  @ loop invariant bytes - i == 0 ==> value == 0;
	  @ loop invariant bytes - i == 1 ==> value <= UINT8_MAX;
	  @ loop invariant bytes - i == 2 ==> value <= UINT16_MAX;
	  @ loop invariant bytes - i == 3 ==> value <= 0xffffff;
	  @ loop invariant bytes - i == 4 ==> value <= UINT32_MAX;
	  @ loop assigns i, value;
	  @ loop variant i;
	  @*/
	for (unsigned int i = bytes; i > 0; i--)
		value = value * 256 + field[i - 1];
	return value;
}

/*@ requires \valid_read(p);
  @ assigns \nothing;
  @ ensures \result == -EINVAL;
  @*/
static int bad(const struct part *p, const char *why)
{
	hv_log("vtd: DMAR table, offset 0x%zx: %s\n", p->at, why);
	return -EINVAL;
}

/*@ requires \valid_read(p);
  @ assigns \nothing;
  @ ensures \result == -ENOSPC;
  @*/
static int too_many(const struct part *p, const char *of_what)
{
	hv_log("vtd: DMAR table, offset 0x%zx: more %s than Gangway has room "
	       "for\n",
	       p->at, of_what);
	return -ENOSPC;
}

/*@ requires part(p) && p->at == 0;
  @ requires \valid(length) && \separated(p, length);
  @ assigns *length;
  @ ensures \result == 0 || \result == -EINVAL;
  @ ensures \result == 0 ==> TABLE_STRUCTURES <= *length <= p->size;
  @*/
static int check_header(const struct part *p, size_t *length)
{
	u8 sum = 0;

	if (p->size < TABLE_STRUCTURES)
		return bad(p, "shorter than its header");
	if (read_bytes(p, TABLE_SIGNATURE, 4) != SIGNATURE_DMAR)
		return bad(p, "signature is not DMAR");
	*length = read_bytes(p, TABLE_LENGTH, 4);
	if (*length < TABLE_STRUCTURES || *length > p->size)
		return bad(p, "length is impossible");
	/*@ loop invariant 0 <= i <= *length;
	  @ loop assigns i, sum;
	  @ loop variant *length - i;
	  @*/
	for (size_t i = 0; i < *length; i++)
		sum += p->table[i];
	if (sum)
		return bad(p, "checksum is wrong");
	return 0;
}

/*@ requires part(p) && 8 <= p->size <= 255 && p->size % 2 == 0;
  @ requires \valid(scope) && \separated(p, scope);
  @ requires \separated(p->table + (0 .. p->at + p->size - 1), scope);
  @ assigns scope->path[0 .. DMAR_MAX_PATH - 1], scope->path_length;
  @ ensures \result == 0 ==> 1 <= scope->path_length <= DMAR_MAX_PATH;
  @*/
static int parse_path(const struct part *p, struct dmar_scope *scope)
{
	size_t hops = (p->size - SCOPE_PATH) / 2;

	if (hops > DMAR_MAX_PATH)
		return too_many(p, "hops in a device path");
	/*@ loop invariant 0 <= i <= hops;
	  @ loop assigns i, scope->path[0 .. DMAR_MAX_PATH - 1];
	  @ loop variant hops - i;
	  @*/
	for (size_t i = 0; i < hops; i++) {
		u8 device = read_bytes(p, SCOPE_PATH + 2 * i, 1);
		u8 function = read_bytes(p, SCOPE_PATH + 2 * i + 1, 1);

		if (device > 31 || function > 7)
			return bad(p, "device path beyond 1f.7");
		scope->path[i].device = device;
		scope->path[i].function = function;
	}
	scope->path_length = hops;
	return 0;
}

/* The scopes that fill @p, @count of them from *@scope on. */
/*@ requires readable(p.table, p.at + p.size);
  @ requires \valid(dmar) && limits(dmar) && \valid(scope) && \valid(count);
  @ requires \separated(scope, count, &dmar->scope_count,
  @                      &dmar->scope[0 .. DMAR_MAX_SCOPES - 1]);
  @ requires \separated(p.table + (0 .. p.at + p.size - 1), dmar);
  @ requires \separated(p.table + (0 .. p.at + p.size - 1), scope);
  @ requires \separated(p.table + (0 .. p.at + p.size - 1), count);
  @ assigns *scope, *count, dmar->scope_count,
  @         dmar->scope[0 .. DMAR_MAX_SCOPES - 1];
  @ ensures \old(dmar->scope_count) <= dmar->scope_count <= DMAR_MAX_SCOPES;
  @ ensures *scope == &dmar->scope[\old(dmar->scope_count)];
  @ ensures *count == dmar->scope_count - \old(dmar->scope_count);
  @*/
static int parse_scopes(struct part p, struct dmar *dmar,
			struct dmar_scope **scope, unsigned int *count)
{
	size_t end = p.at + p.size;
	struct dmar_scope *next = &dmar->scope[dmar->scope_count];
	int err;
	u8 type;

	*scope = next;
	/*@ loop invariant \at(p.at, LoopEntry) <= p.at <= end <= UINT32_MAX;
	  @ loop invariant p.table == \at(p.table, LoopEntry);
	  @ loop invariant dmar->scope_count <= DMAR_MAX_SCOPES;
	  @ loop invariant
	  @   *count == dmar->scope_count - \at(dmar->scope_count, Pre);
	  @ loop invariant next == &dmar->scope[dmar->scope_count];
	  @ loop assigns p, type, err, next, *count, dmar->scope_count,
	  @              dmar->scope[0 .. DMAR_MAX_SCOPES - 1];
	  @ loop variant end - p.at;
	  @*/
	for (*count = 0; p.at < end; p.at += p.size) {
		p.size = end - p.at;
		if (p.size < SCOPE_PATH + 2)
			return bad(&p, "device scope is cut off");
		type = read_bytes(&p, 0, 1);
		p.size = read_bytes(&p, 1, 1);
		if (p.size < SCOPE_PATH + 2 || p.size % 2 ||
		    p.size > end - p.at)
			return bad(&p, "device scope of impossible length");
		if (type < DMAR_SCOPE_ENDPOINT || type > DMAR_SCOPE_ACPI) {
			hv_log("vtd: DMAR table, offset 0x%zx: device scope "
			       "of unknown type %u skipped\n",
			       p.at, type);
			continue;
		}
		if (dmar->scope_count == DMAR_MAX_SCOPES)
			return too_many(&p, "device scopes");
		next->type = type;
		next->enumeration_id = read_bytes(&p, SCOPE_ENUMERATION_ID, 1);
		next->start_bus = read_bytes(&p, SCOPE_START_BUS, 1);
		err = parse_path(&p, next);
		if (err)
			return err;
		next++;
		++*count;
		dmar->scope_count++;
	}
	return 0;
}

/*@ requires part(p) && offset <= p->size;
  @ assigns \nothing;
  @ ensures \result.table == p->table && \result.at == p->at + offset &&
  @         \result.size == p->size - offset;
  @*/
static struct part rest_of(const struct part *p, size_t offset)
{
	return (struct part){p->table, p->at + offset, p->size - offset};
}

/*@ requires part(p) && STRUCTURE_HEADER <= p->size && result(p, dmar);
  @ assigns *dmar;
  @ ensures limits(dmar);
  @ ensures dmar->unit_count >= \old(dmar->unit_count);
  @*/
static int parse_drhd(const struct part *p, struct dmar *dmar)
{
	struct dmar_unit *unit = &dmar->unit[dmar->unit_count];

	if (p->size < DRHD_SCOPES)
		return bad(p, "remapping unit (DRHD) is cut off");
	if (dmar->unit_count == DMAR_MAX_UNITS)
		return too_many(p, "remapping units");
	unit->base = read_bytes(p, DRHD_BASE, 8);
	unit->segment = read_bytes(p, DRHD_SEGMENT, 2);
	unit->include_all =
		read_bytes(p, DRHD_FLAGS, 1) & DRHD_FLAG_INCLUDE_PCI_ALL;
	if (unit->base == 0 || !IS_ALIGNED(unit->base, PAGE_SIZE) ||
	    unit->base >> dmar->address_width)
		return bad(p, "remapping unit at an impossible address");
	/*@ loop invariant 0 <= i <= dmar->unit_count;
	  @ loop assigns i;
	  @ loop variant dmar->unit_count - i;
	  @*/
	for (unsigned int i = 0; i < dmar->unit_count; i++)
		if (dmar->unit[i].base == unit->base) {
			bad(p, "remapping unit listed twice");
			return -EEXIST;
		}
	dmar->unit_count++;
	return parse_scopes(rest_of(p, DRHD_SCOPES), dmar, &unit->scope,
			    &unit->scope_count);
}

/*@ requires part(p) && STRUCTURE_HEADER <= p->size && result(p, dmar);
  @ assigns *dmar;
  @ ensures limits(dmar);
  @*/
static int parse_rmrr(const struct part *p, struct dmar *dmar)
{
	struct dmar_rmrr *rmrr = &dmar->rmrr[dmar->rmrr_count];

	if (p->size < RMRR_SCOPES)
		return bad(p, "reserved memory region (RMRR) is cut off");
	if (dmar->rmrr_count == DMAR_MAX_RMRRS)
		return too_many(p, "reserved memory regions");
	rmrr->segment = read_bytes(p, RMRR_SEGMENT, 2);
	rmrr->base = read_bytes(p, RMRR_BASE, 8);
	rmrr->limit = read_bytes(p, RMRR_LIMIT, 8);
	/* Whom it is for counts, and that stands elsewhere */
	if (rmrr->limit < rmrr->base || rmrr->limit >> dmar->address_width)
		bad(p, "reserved memory region (RMRR) of impossible extent; "
		       "what it names cannot be assigned");
	dmar->rmrr_count++;
	return parse_scopes(rest_of(p, RMRR_SCOPES), dmar, &rmrr->scope,
			    &rmrr->scope_count);
}

/* What Gangway has no use for: ATS is never enabled, so neither ATSR nor SATC
 * matters; RHSA speaks of proximity; ANDD and SIDP of devices not assigned. */
/*@ requires \valid_read(p);
  @ assigns \nothing;
  @*/
static void skip(const struct part *p, u16 type)
{
	static const char *const name[] = {
		[TYPE_ATSR] = "ATSR", [TYPE_RHSA] = "RHSA",
		[TYPE_ANDD] = "ANDD", [TYPE_SATC] = "SATC",
		[TYPE_SIDP] = "SIDP",
	};

	hv_log("vtd: DMAR table, offset 0x%zx: structure of %s type %u "
	       "skipped\n",
	       p->at, type < ARRAY_SIZE(name) ? name[type] : "unknown", type);
}

/* It blocks, if its address is known; and one that is listed twice is there
 * once. */
/*@ requires part(p) && STRUCTURE_HEADER <= p->size && result(p, dmar);
  @ assigns *dmar;
  @ ensures limits(dmar);
  @*/
static void add_unit(const struct part *p, struct dmar *dmar)
{
	unsigned int before = dmar->unit_count;
	int err = parse_drhd(p, dmar);

	if (!err || err == -EEXIST)
		return;
	if (dmar->unit_count > before)
		dmar->scopes_unknown = true;
	else
		dmar->dropped_count++;
	hv_log("vtd: DMAR table, offset 0x%zx: no device can be assigned, "
	       "because it is not known which are behind this unit: look for "
	       "a newer firmware\n",
	       p->at);
}

/*@ requires part(p) && STRUCTURE_HEADER <= p->size && result(p, dmar);
  @ assigns *dmar;
  @ ensures limits(dmar);
  @*/
static void parse_structure(const struct part *p, struct dmar *dmar)
{
	u16 type = read_bytes(p, 0, 2);

	if (type == TYPE_DRHD)
		add_unit(p, dmar);
	else if (type == TYPE_RMRR)
		dmar->rmrr_unknown |= parse_rmrr(p, dmar) != 0;
	else
		skip(p, type);
}

int dmar_parse(const u8 *table, size_t size, struct dmar *dmar)
{
	struct part p = {table, 0, size};
	size_t end;
	u8 width, flags;
	int err;

	dmar->address_width = 0;
	dmar->intr_remap = dmar->x2apic_opt_out = false;
	dmar->unit_count = dmar->rmrr_count = dmar->scope_count = 0;
	dmar->dropped_count = 0;
	dmar->rmrr_unknown = dmar->scopes_unknown = false;
	err = check_header(&p, &end);
	if (err)
		return err;
	width = read_bytes(&p, TABLE_ADDRESS_WIDTH, 1);
	if (width >= MAX_PHYSICAL_BITS)
		return bad(&p, "host address width above 52 bits");
	dmar->address_width = width + 1;
	flags = read_bytes(&p, TABLE_FLAGS, 1);
	dmar->intr_remap = flags & TABLE_FLAG_INTR_REMAP;
	dmar->x2apic_opt_out = flags & TABLE_FLAG_X2APIC_OPT_OUT;

	/*@ loop invariant TABLE_STRUCTURES <= p.at <= end <= size;
	  @ loop invariant p.table == table && limits(dmar);
	  @ loop assigns p, *dmar;
	  @ loop variant end - p.at;
	  @*/
	for (p.at = TABLE_STRUCTURES; p.at < end; p.at += p.size) {
		p.size = end - p.at;
		if (p.size < STRUCTURE_HEADER)
			return bad(&p, "structure is cut off");
		p.size = read_bytes(&p, 2, 2);
		if (p.size < STRUCTURE_HEADER || p.size > end - p.at)
			return bad(&p, "structure of impossible length");
		parse_structure(&p, dmar);
	}
	return 0;
}
