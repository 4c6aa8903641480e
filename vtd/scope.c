/*
 * Resolving DMAR device scopes.  A scope names a function by a path of device
 * and function numbers from a bus on, since firmware may have numbered the
 * buses below bridges otherwise than they are numbered now.
 */
#include "vtd/scope.h"

/* Follow the path of @scope through the bridges; false if one is missing. */
/*@ requires \valid_read(scope) && scope->path_length <= DMAR_MAX_PATH;
  @ requires \valid(addr) && \separated(scope, addr);
  @ assigns *addr;
  @*/
static bool resolve(const struct dmar_scope *scope, u16 segment,
		    struct pci_addr *addr)
{
	const struct pci_function *bridge;

	*addr = (struct pci_addr){.segment = segment, .bus = scope->start_bus};
	/*@ loop invariant 0 <= i <= scope->path_length;
	  @ loop assigns i, bridge, *addr;
	  @ loop variant scope->path_length - i;
	  @*/
	for (unsigned int i = 0; i < scope->path_length; i++) {
		addr->devfn =
			scope->path[i].device * 8u + scope->path[i].function;
		if (i + 1 == scope->path_length)
			return true;
		bridge = pci_find(*addr);
		if (!bridge || !bridge->bridge)
			return false;
		addr->bus = bridge->secondary;
	}
	return false;
}

/* True if @scope is of @type and names @fn, or a bridge above it. */
/*@ requires \valid_read(scope) && scope->path_length <= DMAR_MAX_PATH;
  @ requires \valid_read(fn);
  @ assigns \nothing;
  @*/
static bool covers(const struct dmar_scope *scope, u16 segment, u8 type,
		   const struct pci_function *fn)
{
	const struct pci_function *named;
	struct pci_addr addr;

	if (scope->type != type || !resolve(scope, segment, &addr))
		return false;
	named = pci_find(addr);
	if (!named)
		return false;
	return type == DMAR_SCOPE_BRIDGE ? pci_is_below(fn, named)
					 : named == fn;
}

/*@ requires unit(unit) && \valid_read(fn);
  @ assigns \nothing;
  @*/
static bool unit_covers(const struct vtd_unit *unit, u8 type,
			const struct pci_function *fn)
{
	/*@ loop invariant 0 <= i <= unit->dmar->scope_count;
	  @ loop assigns i;
	  @ loop variant unit->dmar->scope_count - i;
	  @*/
	for (unsigned int i = 0; i < unit->dmar->scope_count; i++)
		if (covers(&unit->dmar->scope[i], unit->dmar->segment, type,
			   fn))
			return true;
	return false;
}

/*@ requires units && \valid_read(fn);
  @ assigns \nothing;
  @ ensures \result == \null || one_of_units(\result);
  @*/
static struct vtd_unit *unit_by_scope(u8 type, const struct pci_function *fn)
{
	/*@ loop invariant 0 <= i <= vtd_unit_count;
	  @ loop assigns i;
	  @ loop variant vtd_unit_count - i;
	  @*/
	for (unsigned int i = 0; i < vtd_unit_count; i++)
		if (unit_covers(&vtd_units[i], type, fn))
			return &vtd_units[i];
	return NULL;
}

/* The function itself, a bridge above it, or what is left over. */
struct vtd_unit *vtd_unit_of(const struct pci_function *fn)
{
	const struct pci_function *listed = fn->pf ? fn->pf : fn;
	struct vtd_unit *unit = unit_by_scope(DMAR_SCOPE_ENDPOINT, listed);

	if (!unit)
		unit = unit_by_scope(DMAR_SCOPE_BRIDGE, listed);
	/*@ loop invariant 0 <= i <= vtd_unit_count;
	  @ loop invariant unit == \null || one_of_units(unit);
	  @ loop assigns i, unit;
	  @ loop variant vtd_unit_count - i;
	  @*/
	for (unsigned int i = 0; !unit && i < vtd_unit_count; i++)
		if (vtd_units[i].dmar->include_all &&
		    vtd_units[i].dmar->segment == listed->addr.segment)
			unit = &vtd_units[i];
	return unit;
}

struct vtd_unit *vtd_unit_of_ioapic(u8 ioapic_id, u16 *sid)
{
	const struct dmar_scope *scope;
	struct pci_addr addr;

	/*@ loop invariant 0 <= u <= vtd_unit_count;
	  @ loop assigns u, scope, addr;
	  @ loop variant vtd_unit_count - u;
	  @*/
	for (unsigned int u = 0; u < vtd_unit_count; u++)
		/*@ loop invariant 0 <= i <= vtd_units[u].dmar->scope_count;
		  @ loop assigns i, scope, addr;
		  @ loop variant vtd_units[u].dmar->scope_count - i;
		  @*/
		for (unsigned int i = 0; i < vtd_units[u].dmar->scope_count;
		     i++) {
			scope = &vtd_units[u].dmar->scope[i];
			if (scope->type != DMAR_SCOPE_IOAPIC ||
			    scope->enumeration_id != ioapic_id ||
			    !resolve(scope, vtd_units[u].dmar->segment, &addr))
				continue;
			*sid = PCI_RID(addr);
			return &vtd_units[u];
		}
	return NULL;
}

bool vtd_is_ioapic(const struct vtd_unit *unit, u16 sid)
{
	const struct dmar_scope *scope;
	struct pci_addr addr;

	/*@ loop invariant 0 <= i <= unit->dmar->scope_count;
	  @ loop assigns i, scope, addr;
	  @ loop variant unit->dmar->scope_count - i;
	  @*/
	for (unsigned int i = 0; i < unit->dmar->scope_count; i++) {
		scope = &unit->dmar->scope[i];
		if (scope->type == DMAR_SCOPE_IOAPIC &&
		    resolve(scope, unit->dmar->segment, &addr) &&
		    PCI_RID(addr) == sid)
			return true;
	}
	return false;
}

/*@ requires \valid_read(rmrr) && scopes(rmrr->scope, rmrr->scope_count);
  @ requires \valid_read(fn);
  @ assigns \nothing;
  @*/
static bool names(const struct dmar_rmrr *rmrr, const struct pci_function *fn)
{
	/*@ loop invariant 0 <= i <= rmrr->scope_count;
	  @ loop assigns i;
	  @ loop variant rmrr->scope_count - i;
	  @*/
	for (unsigned int i = 0; i < rmrr->scope_count; i++)
		if (covers(&rmrr->scope[i], rmrr->segment, DMAR_SCOPE_ENDPOINT,
			   fn) ||
		    covers(&rmrr->scope[i], rmrr->segment, DMAR_SCOPE_BRIDGE,
			   fn))
			return true;
	return false;
}

const struct dmar_rmrr *vtd_next_rmrr(const struct pci_function *fn,
				      const struct dmar_rmrr *before)
{
	unsigned int next = before ? before - vtd_dmar->rmrr + 1 : 0;

	/*@ loop invariant 0 <= next <= DMAR_MAX_RMRRS;
	  @ loop assigns next;
	  @ loop variant DMAR_MAX_RMRRS - next;
	  @*/
	for (; vtd_dmar && next < vtd_dmar->rmrr_count; next++)
		if (names(&vtd_dmar->rmrr[next], fn))
			return &vtd_dmar->rmrr[next];
	return NULL;
}

const struct dmar_rmrr *vtd_rmrr_of(const struct pci_function *fn)
{
	return vtd_next_rmrr(fn, NULL);
}

const struct dmar_rmrr *vtd_rmrr_against(const struct pci_function *fn)
{
	static const struct dmar_rmrr unknown = {.limit = UINT64_MAX};
	const struct dmar_rmrr *rmrr = vtd_rmrr_of(fn);

	if (fn->class >> 8 == PCI_CLASS_USB ||
	    fn->class >> 16 == PCI_CLASS_DISPLAY)
		return NULL;
	if (!rmrr && vtd_dmar && vtd_dmar->rmrr_unknown)
		return &unknown;
	return rmrr;
}

bool vtd_leaves_alone(const struct vtd_unit *unit)
{
	const struct pci_function *fn;
	struct pci_addr addr;

	if (unit->dmar->include_all || !unit->dmar->scope_count)
		return false;
	/*@ loop invariant 0 <= i <= unit->dmar->scope_count;
	  @ loop assigns i, fn, addr;
	  @ loop variant unit->dmar->scope_count - i;
	  @*/
	for (unsigned int i = 0; i < unit->dmar->scope_count; i++) {
		if (unit->dmar->scope[i].type != DMAR_SCOPE_ENDPOINT ||
		    !resolve(&unit->dmar->scope[i], unit->dmar->segment, &addr))
			return false;
		fn = pci_find(addr);
		if (!fn || fn->class >> 16 != PCI_CLASS_DISPLAY ||
		    vtd_rmrr_of(fn))
			return false;
	}
	return true;
}
