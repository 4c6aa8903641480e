/* All units together. */
#include "vtd/vtd.h"
#include "hv/log.h"
#include "vtd/faults.h"
#include "vtd/unit.h"

struct vtd_unit vtd_units[DMAR_MAX_UNITS];
unsigned int vtd_unit_count;
const struct dmar *vtd_dmar;

/* Look at all before any is changed, so that all that lack is said. */
static int probe_all(const struct dmar *dmar, bool x2apic)
{
	int error, result = 0;

	for (unsigned int i = 0; i < dmar->unit_count; i++) {
		error = vtd_unit_probe(&vtd_units[i], &dmar->unit[i], i,
				       x2apic);
		if (error)
			result = error;
	}
	return result;
}

int vtd_probe(const struct dmar *dmar, bool x2apic)
{
	int error;

	vtd_unit_count = 0;
	vtd_dmar = dmar;
	if (!dmar->unit_count) {
		hv_log("vtd: the DMAR table lists no remapping unit\n");
		return -ENODEV;
	}
	if (!dmar->intr_remap) {
		hv_log("vtd: firmware says that interrupts cannot be remapped "
		       "(DMAR flag INTR_REMAP clear): turn interrupt remapping "
		       "on in firmware setup\n");
		return -EOPNOTSUPP;
	}
	if (dmar->x2apic_opt_out)
		hv_log("vtd: firmware asks not to turn x2APIC on (DMAR flag "
		       "X2APIC_OPT_OUT); Gangway needs it and does\n");
	error = probe_all(dmar, x2apic);
	if (!error)
		vtd_unit_count = dmar->unit_count;
	return error;
}

int vtd_start(u32 nmi_apic_id)
{
	int error = 0;

	/* What is not started yet does not count: a panic stops the others */
	vtd_unit_count = 0;
	for (unsigned int i = 0; !error && i < vtd_dmar->unit_count; i++) {
		error = vtd_unit_start(&vtd_units[i], nmi_apic_id);
		if (!error)
			vtd_unit_count++;
	}
	/* Nobody will serve them: an NMI would be taken for the guest's */
	for (unsigned int i = 0; error && i < vtd_unit_count; i++)
		vtd_faults_mask(&vtd_units[i]);
	if (!error)
		hv_log("vtd: all DMA is blocked\n");
	return error;
}

bool vtd_remapping(void)
{
	for (unsigned int i = 0; i < vtd_unit_count; i++)
		if (!vtd_units[i].remapping)
			return false;
	return vtd_unit_count > 0;
}

bool vtd_has_large_pages(const struct dmar *dmar)
{
	for (unsigned int i = 0; i < dmar->unit_count; i++)
		if (!(VTD_CAP_SLLPS(vtd_read64(dmar->unit[i].base, VTD_CAP)) &
		      VTD_SLLPS_2M))
			return false;
	return true;
}
