/* This file sets up the event that faults make, and knows where the fault
 * records are (VT-d 7.2, 7.3). */
#include "vtd/fault_event.h"
#include "hv/log.h"
#include "vtd/regs.h"

/* The message of the fault event (VT-d 5.1.6); it is not remapped itself. */
#define EVENT_ADDRESS 0xfee00000u
#define EVENT_DESTINATION(apic_id) (((apic_id) & 0xff) << 12)
#define EVENT_UPPER(apic_id) ((apic_id) & ~0xffu)
#define EVENT_NMI (4u << 8) /* delivery mode 100b */

/* What stays set until it is written.  While any is, a new fault makes no event
 * (VT-d 10.4.10, IP). */
#define STATUS_BITS                                                            \
	(VTD_FSTS_PFO | VTD_FSTS_AFO | VTD_FSTS_APF | VTD_FSTS_QUEUE |         \
	 VTD_FSTS_PRO)

u32 vtd_record_at(const struct vtd_unit *unit, unsigned int index)
{
	return VTD_CAP_FRO(unit->cap) + index * VTD_FRCD_SIZE;
}

void vtd_faults_mask(struct vtd_unit *unit)
{
	vtd_write32(unit->base, VTD_FECTL,
		    vtd_read32(unit->base, VTD_FECTL) | (u32)VTD_FECTL_IM);
	for (unsigned int i = 0; i < VTD_CAP_NFR(unit->cap); i++)
		vtd_write32(unit->base,
			    vtd_record_at(unit, i) + VTD_FRCD_F_WORD,
			    VTD_FRCD_F);
	/* Those that are set: bits of what a unit lacks take 0 alone */
	vtd_write32(unit->base, VTD_FSTS,
		    vtd_read32(unit->base, VTD_FSTS) & (u32)STATUS_BITS);
}

void vtd_faults_enable(struct vtd_unit *unit, u32 apic_id)
{
	u32 upper = unit->eim ? EVENT_UPPER(apic_id) : 0;
	u32 control = vtd_read32(unit->base, VTD_FECTL) & ~(u32)VTD_FECTL_IM;

	/* An event that comes meanwhile is sent afterwards (VT-d 10.4.10) */
	vtd_write32(unit->base, VTD_FECTL, control | (u32)VTD_FECTL_IM);
	vtd_write32(unit->base, VTD_FEDATA, EVENT_NMI);
	vtd_write32(unit->base, VTD_FEADDR,
		    EVENT_ADDRESS | EVENT_DESTINATION(apic_id));
	vtd_write32(unit->base, VTD_FEUADDR, upper);
	if (vtd_read32(unit->base, VTD_FEDATA) != EVENT_NMI)
		hv_log("vtd: %s: cannot send its fault event as an NMI: "
		       "faults are found late\n",
		       unit->name);
	vtd_write32(unit->base, VTD_FECTL, control);
}
