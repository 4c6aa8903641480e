/* This file does with all remapping units what unit.c does with one. */
#include "vtd/vtd.h"
#include "hv/log.h"
#include "vtd/context.h"
#include "vtd/fault_event.h"
#include "vtd/regs.h"
#include "vtd/reserved.h"
#include "vtd/scope.h"
#include "vtd/unit.h"

/* Look at all before any is changed, so that all that lack is said. */
static int probe_all(const struct dmar *dmar, bool x2apic, u32 highest_apic_id)
{
	int err, result = 0;

	for (unsigned int i = 0; i < dmar->unit_count; i++) {
		err = vtd_unit_probe(&vtd_units[i], &dmar->unit[i], i, x2apic,
				     highest_apic_id);
		if (err)
			result = err;
	}
	return result;
}

/* True if some DMA is not blocked: what is reserved was said already. */
static bool log_exceptions(void)
{
	bool some = vtd_reserved_any();

	for (unsigned int i = 0; i < vtd_dmar->unit_count; i++) {
		if (!vtd_units[i].left)
			continue;
		some = true;
		hv_log("vtd: %s: stays off, for nothing but displays is below "
		       "it, and firmware reserves no memory for their "
		       "picture\n",
		       vtd_units[i].name);
	}
	return some;
}

static void fill_root(struct vtd_unit *unit)
{
	vtd_reserved_fill(unit, vtd_context_fill);
}

/* One that fails keeps no other from blocking. */
static int block_every_unit(void)
{
	int err, result = 0;
	bool some;

	for (unsigned int i = 0; i < vtd_dmar->unit_count; i++) {
		err = vtd_unit_block(&vtd_units[i],
				     vtd_leaves_alone(&vtd_units[i]),
				     fill_root);
		if (!err)
			continue;
		hv_log("vtd: %s: does not block DMA (%d); the devices behind "
		       "it are held by bus mastering alone\n",
		       vtd_units[i].name, err);
		result = err;
	}
	if (result)
		return result;
	some = log_exceptions();
	if (vtd_dmar->dropped_count)
		hv_log("vtd: DMA is blocked by %u of %u remapping units\n",
		       vtd_dmar->unit_count,
		       vtd_dmar->unit_count + vtd_dmar->dropped_count);
	else
		hv_log("vtd: all %sDMA is blocked\n", some ? "other " : "");
	return 0;
}

/* By all units or by none: who programs an interrupt must know the format. */
static int remap_every_unit(u32 nmi_apic_id)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < vtd_dmar->unit_count; i++)
		err = vtd_unit_remap(&vtd_units[i], nmi_apic_id);
	return err;
}

/* Events too are off: nobody will serve them, and an NMI would be taken for the
 * guest's. */
static void pass_interrupts(void)
{
	for (unsigned int i = 0; i < vtd_unit_count; i++)
		if (vtd_units[i].can_block)
			vtd_unit_pass_interrupts(&vtd_units[i]);
}

int vtd_start(u32 nmi_apic_id)
{
	int err = block_every_unit();

	if (!err)
		err = remap_every_unit(nmi_apic_id);
	if (err)
		pass_interrupts();
	return err;
}

void vtd_only_block(void)
{
	if (!vtd_dmar || !vtd_dmar->unit_count)
		return;
	vtd_unit_count = vtd_dmar->unit_count;
	block_every_unit();
	pass_interrupts();
}

void vtd_send_faults_to(u32 apic_id)
{
	for (unsigned int i = 0; i < vtd_unit_count; i++)
		vtd_faults_enable(&vtd_units[i], apic_id);
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

int vtd_probe(const struct dmar *dmar, bool x2apic, u32 highest_apic_id)
{
	int err;

	vtd_unit_count = 0;
	vtd_dmar = dmar;
	if (!dmar->unit_count) {
		hv_log(dmar->dropped_count
			       ? "vtd: no remapping unit can be used\n"
			       : "vtd: the DMAR table lists no remapping "
				 "unit\n");
		return -ENODEV;
	}
	if (dmar->x2apic_opt_out)
		hv_log("vtd: firmware asks not to turn x2APIC on (DMAR flag "
		       "X2APIC_OPT_OUT); Gangway needs it and does\n");
	err = probe_all(dmar, x2apic, highest_apic_id);
	if (!dmar->intr_remap) {
		hv_log("vtd: firmware says that interrupts cannot be remapped "
		       "(DMAR flag INTR_REMAP clear): turn interrupt remapping "
		       "on in firmware setup\n");
		err = -EOPNOTSUPP;
	}
	vtd_unit_count = err ? 0 : dmar->unit_count;
	return err;
}
