/* Which unit stands above a function (VT-d 8.3.1). */
#ifndef VTD_SCOPE_H
#define VTD_SCOPE_H

#include "drivers/pci/pci.h"
#include "vtd/unit.h"

/*@ predicate scopes(struct dmar_scope *s, integer count) =
  @   \valid_read(s + (0 .. count - 1)) && (\forall integer i;
  @     0 <= i < count ==> s[i].path_length <= DMAR_MAX_PATH);
  @ predicate unit(struct vtd_unit *u) =
  @   \valid_read(u) && \valid_read(u->dmar) &&
  @   scopes(u->dmar->scope, u->dmar->scope_count);
  @ predicate units{L} = vtd_unit_count <= DMAR_MAX_UNITS && (\forall integer i;
  @     0 <= i < vtd_unit_count ==> unit(&vtd_units[i]));
  @ predicate regions{L} = vtd_dmar == \null || (\valid_read(vtd_dmar) &&
  @   vtd_dmar->rmrr_count <= DMAR_MAX_RMRRS && (\forall integer i;
  @     0 <= i < vtd_dmar->rmrr_count ==>
  @       scopes(vtd_dmar->rmrr[i].scope, vtd_dmar->rmrr[i].scope_count)));
  @ predicate one_of_units{L}(struct vtd_unit *u) = \exists integer i;
  @   0 <= i < vtd_unit_count && u == &vtd_units[i];
  @ predicate one_of_regions{L}(struct dmar_rmrr *r) = vtd_dmar != \null &&
  @   (\exists integer i; 0 <= i < vtd_dmar->rmrr_count &&
  @     r == &vtd_dmar->rmrr[i]);
  @*/

/* The unit that @fn's requests pass, or NULL.  A VF's is its PF's. */
/*@ requires units && \valid_read(fn);
  @ requires fn->pf == \null || \valid_read(fn->pf);
  @ assigns \nothing;
  @ ensures \result == \null || one_of_units(\result);
  @*/
struct vtd_unit *vtd_unit_of(const struct pci_function *fn);

/* The unit of the IOAPIC with @ioapic_id, whose source ID goes to *sid;
 * NULL if no unit lists it. */
/*@ requires units && \valid(sid);
  @ assigns *sid;
  @ ensures \result == \null || one_of_units(\result);
  @*/
struct vtd_unit *vtd_unit_of_ioapic(u8 ioapic_id, u16 *sid);

/* True if @sid is the source ID of an IOAPIC that @unit lists. */
/*@ requires unit(unit);
  @ assigns \nothing;
  @*/
bool vtd_is_ioapic(const struct vtd_unit *unit, u16 sid);

/* The reserved memory region that firmware demands for @fn, or NULL; and the
 * next one after @before. */
/*@ requires regions && \valid_read(fn);
  @ assigns \nothing;
  @ ensures \result == \null || one_of_regions(\result);
  @*/
const struct dmar_rmrr *vtd_rmrr_of(const struct pci_function *fn);
/*@ requires regions && \valid_read(fn);
  @ requires before == \null || one_of_regions(before);
  @ assigns \nothing;
  @ ensures \result == \null || one_of_regions(\result);
  @*/
const struct dmar_rmrr *vtd_next_rmrr(const struct pci_function *fn,
				      const struct dmar_rmrr *before);

/* The first region that keeps @fn from a guest, or NULL.  What firmware
 * reserves for USB controllers and displays does not: it is for the time before
 * a system's driver.  If it is not known for whom some is, it is for all
 * others. */
/*@ requires regions && \valid_read(fn);
  @ assigns \nothing;
  @ ensures \result == \null || \valid_read(\result);
  @*/
const struct dmar_rmrr *vtd_rmrr_against(const struct pci_function *fn);

/* True if nothing but displays is below @unit, and firmware reserves no memory
 * for them: such a unit stays off until one is assigned, or the picture would
 * be gone. */
/*@ requires unit(unit) && regions;
  @ assigns \nothing;
  @*/
bool vtd_leaves_alone(const struct vtd_unit *unit);

#endif
