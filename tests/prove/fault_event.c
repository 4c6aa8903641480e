/* Claims about the message of the fault event. */
#include "hv/log.h"
#include "vtd/regs.h"

static struct {
	u32 control, data, address, upper;
} sent;
static u32 answer;

/* In place of the unit's registers; a read gives anything. */
static u32 read_register(hpa_t base, u32 reg)
{
	(void)base;
	(void)reg;
	return answer;
}

static void write_register(hpa_t base, u32 reg, u32 value)
{
	(void)base;
	if (reg == VTD_FEDATA)
		sent.data = value;
	if (reg == VTD_FEADDR)
		sent.address = value;
	if (reg == VTD_FEUADDR)
		sent.upper = value;
	if (reg == VTD_FECTL)
		sent.control = value;
}

#define vtd_read32 read_register
#define vtd_write32 write_register
#define hv_log(...) ((void)0)
#include "tests/prove/fields.h"
#include "vtd/fault_event.c"

/* VT-d 10.4.10 to 10.4.13, 5.1.6.  Control: IM 31 as 0, all else as it was.
 * Data: vector 7:0 as 0, delivery mode 10:8 as 4: NMI, 31:11 as 0.  Address:
 * FEEh 31:20, destination 19:12, RH 3 and DM 2 as 0: physical, all else 0;
 * upper address: destination 31:8 with x2APIC, 7:0 as 0. */
bool claim_fault_event(u32 apic_id, u32 control, bool eim)
{
	struct vtd_unit unit;

	unit.eim = eim;
	answer = control;
	vtd_faults_enable(&unit, apic_id);
	return FIELD(sent.control, 31, 31) == 0 &&
	       FIELD(sent.control, 30, 0) == FIELD(control, 30, 0) &&
	       sent.data == 0x400 && FIELD(sent.address, 11, 0) == 0 &&
	       FIELD(sent.address, 19, 12) == FIELD(apic_id, 7, 0) &&
	       FIELD(sent.address, 31, 20) == 0xfee &&
	       FIELD(sent.upper, 7, 0) == 0 &&
	       FIELD(sent.upper, 31, 8) == (eim ? FIELD(apic_id, 31, 8) : 0);
}
