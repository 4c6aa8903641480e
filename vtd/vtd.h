/* The remapping units: what the rest of Gangway may ask of them. */
#ifndef VTD_VTD_H
#define VTD_VTD_H

#include "vtd/dmar.h"

/* True if every unit of @dmar translates by 2 MiB pages, so that tables are
 * small.  Reads the units' registers, which are mapped. */
bool vtd_has_large_pages(const struct dmar *dmar);

/*
 * Look at every unit of @dmar, changing nothing, and log its capabilities.
 * @x2apic: interrupts will need 32-bit APIC IDs where the unit can, and must
 * reach @highest_apic_id.  @dmar is kept, not copied.  VTD_REGISTERS_SIZE bytes
 * (vtd/regs.h) at each unit's base are mapped, uncached, before.  -ENODEV: no
 * unit; -EOPNOTSUPP: a unit lacks what isolation needs (said in the log); -EIO:
 * a unit does not answer.
 */
int vtd_probe(const struct dmar *dmar, bool x2apic, u32 highest_apic_id);

/*
 * Take over all units, after vtd_probe() returned 0: bring each to a known
 * state whatever firmware left on (translation, queued invalidation, interrupt
 * remapping, protected memory regions); block-all root table, invalidation
 * queue, translation on; interrupt remapping on, compatibility format blocked;
 * fault event as an NMI to @nmi_apic_id.  -ENOMEM, -ETIMEDOUT, -EIO, logged:
 * then it is as after vtd_only_block().
 */
int vtd_start(u32 nmi_apic_id);

/*
 * Where the units will not do for a device, as vtd_probe() said: each that can
 * blocks all DMA nevertheless, whatever becomes of the others (logged).  Their
 * interrupts pass, by all, and faults make no event.  Does nothing before
 * vtd_probe(), or without a unit.
 */
void vtd_only_block(void);

/* Send the fault events to @apic_id from now on, after vtd_start().  One caller
 * at a time. */
void vtd_send_faults_to(u32 apic_id);

/* True once interrupt remapping is on. */
bool vtd_remapping(void);

#endif
