/* From the DMAR table to units that block. */
#ifndef HV_MACHINE_TAKE_VTD_H
#define HV_MACHINE_TAKE_VTD_H

#include "hv/acpi_tables.h"
#include "vtd/dmar.h"

/* Parse @table into the one copy that there is.  Errors as dmar_parse();
 * -ENODEV: @table is NULL, and the copy empty. */
int machine_parse_dmar(const struct acpi_header *table,
		       const struct dmar **parsed);

/*
 * Which units there are, and whether they will do; nothing is changed.  @found
 * is empty if the machine has no DMAR table.  -ENODEV, or errors as
 * dmar_parse(), host_map_device() and vtd_probe(); all are logged.
 */
int machine_find_vtd(const struct dmar **found);

/* Block all DMA; and remap interrupts, if the units will do (@usable).  0: both
 * are done, and functions can be assigned.  Errors, logged, as vtd_start(). */
int machine_take_vtd(bool usable);

#endif
