/* This file brings up one remapping unit. */
#include "vtd/unit.h"
#include "hv/alloc.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/time.h"
#include "hv/weaken.h"
#include "vtd/fault_event.h"
#include "vtd/invalidate.h"
#include "vtd/regs.h"

/*
 * Write the global command register: the states that are on stay on, except
 * @clear; @set is added.  The status of one-shot commands is left out, for
 * writing it back would command them again, and so are reserved bits, which
 * must be written as 0 (VT-d 10.4.4).  Then wait until the bits @mask of the
 * status are @value.
 */
static int command(struct vtd_unit *unit, u32 set, u32 clear, u32 mask,
		   u32 value, const char *what)
{
	u32 on = vtd_read32(unit->base, VTD_GSTS) & (u32)VTD_STATES;
	int err;

	vtd_write32(unit->base, VTD_GCMD, (on & ~clear) | set);
	err = wait_until((vtd_read32(unit->base, VTD_GSTS) & mask) == value,
			 VTD_TIMEOUT_US, what);
	if (err)
		hv_log("vtd: %s: no answer to a command: %s (GSTS %08x)\n",
		       unit->name, what, vtd_read32(unit->base, VTD_GSTS));
	return err;
}

/* A state that is on is not commanded again: a status that says so already
 * would not tell when the unit is done with it, and the next command must wait
 * for that (VT-d 10.4.4). */
static int turn_on(struct vtd_unit *unit, u32 bit, const char *what)
{
	if (bit & (u32)VTD_STATES & vtd_read32(unit->base, VTD_GSTS))
		return 0;
	return command(unit, bit, 0, bit, bit, what);
}

/* Does nothing if it is off. */
static int turn_off(struct vtd_unit *unit, u32 bit, const char *what)
{
	if (!(vtd_read32(unit->base, VTD_GSTS) & bit))
		return 0;
	return command(unit, 0, bit, bit, 0, what);
}

int vtd_unit_flush_buffers(struct vtd_unit *unit)
{
	if (!(unit->cap & VTD_CAP_RWBF))
		return 0;
	return command(unit, VTD_WBF, 0, VTD_WBF, 0, "write buffer flush");
}

void vtd_unit_store(const struct vtd_unit *unit, volatile u64 *half, u64 value)
{
	__atomic_store_n(half, value, __ATOMIC_RELEASE);
	if (!(unit->ecap & VTD_ECAP_C))
		vtd_write_back(half, sizeof(*half));
}

volatile struct vtd_entry *vtd_unit_table(const struct vtd_unit *unit,
					  unsigned int pages, const char *what)
{
	void *page = page_alloc(pages, PAGES_VTD);

	if (!page)
		hv_log("vtd: %s: no memory for the %s\n", unit->name, what);
	else if (!(unit->ecap & VTD_ECAP_C))
		vtd_write_back(page, pages * PAGE_SIZE);
	return page;
}

/* Whether the registers that block all DMA can be used. */
static bool can_block(const struct vtd_unit *unit)
{
	return unit->ecap & VTD_ECAP_QI &&
	       VTD_CAP_FRO(unit->cap) >= VTD_FIXED_END;
}

static bool supported(const struct vtd_unit *unit)
{
	const char *lacks = NULL;

	if (!(VTD_CAP_SAGAW(unit->cap) & (VTD_SAGAW_39 | VTD_SAGAW_48)))
		lacks = "39-bit and 48-bit second-level tables";
	else if (!(unit->ecap & VTD_ECAP_QI))
		lacks = "queued invalidation";
	else if (!(unit->ecap & VTD_ECAP_IR))
		lacks = "interrupt remapping (a device could raise any "
			"vector)";
	else if (VTD_CAP_FRO(unit->cap) < VTD_FIXED_END)
		lacks = "fault records apart from its other registers";
	if (lacks)
		hv_log("vtd: %s: lacks %s\n", unit->name, lacks);
	return !lacks;
}

/* An entry of xAPIC format has 8 bits for the destination (VT-d 9.10). */
static bool reaches(const struct vtd_unit *unit, u32 highest_apic_id)
{
	if (unit->eim || highest_apic_id <= 0xff)
		return true;
	hv_log("vtd: %s: has no 32-bit APIC IDs (EIM), so interrupts do not "
	       "reach the guest's processor with APIC ID 0x%x: give the guest "
	       "fewer processors (cpus= in gangway.cfg), or turn some off in "
	       "firmware setup\n",
	       unit->name, highest_apic_id);
	return false;
}

static const char *leaf_sizes(const struct vtd_unit *unit)
{
	switch (VTD_CAP_SLLPS(unit->cap) & (VTD_SLLPS_1G | VTD_SLLPS_2M)) {
	case VTD_SLLPS_1G | VTD_SLLPS_2M:
		return "1G+2M";
	case VTD_SLLPS_1G:
		return "1G";
	case VTD_SLLPS_2M:
		return "2M";
	default:
		return "4K";
	}
}

static const char *remapping_mode(const struct vtd_unit *unit)
{
	if (!(unit->ecap & VTD_ECAP_IR))
		return "no interrupt remapping";
	return unit->eim ? "remapping with x2APIC" : "remapping with xAPIC";
}

static void log_capabilities(const struct vtd_unit *unit)
{
	bool wide = VTD_CAP_SAGAW(unit->cap) & VTD_SAGAW_48;
	bool drains = unit->cap & VTD_CAP_DWD && unit->cap & VTD_CAP_DRD;

	hv_log("vtd: %s: 0x%lx, %s, %s pages, %squeued invalidation, "
	       "%s%s%s%s\n",
	       unit->name, unit->base,
	       wide ? "48-bit, 4 levels" : "39-bit, 3 levels", leaf_sizes(unit),
	       unit->ecap & VTD_ECAP_QI ? "" : "no ", remapping_mode(unit),
	       unit->cap & VTD_CAP_CM ? ", caching mode" : "",
	       unit->ecap & VTD_ECAP_C ? ", coherent" : "",
	       drains ? "" : ", no draining");
}

int vtd_unit_probe(struct vtd_unit *unit, const struct dmar_unit *dmar,
		   unsigned int number, bool x2apic, u32 highest_apic_id)
{
	bool good;

	*unit = (struct vtd_unit){.dmar = dmar, .base = dmar->base};
	format(unit->name, sizeof(unit->name), "dmar%u", number);
	unit->cap = vtd_read64(unit->base, VTD_CAP);
	unit->ecap = vtd_read64(unit->base, VTD_ECAP);
	if (unit->cap == 0 || unit->cap == ~0ULL) {
		hv_log("vtd: %s: nothing answers at 0x%lx\n", unit->name,
		       unit->base);
		return -EIO;
	}
	/* Extended mode never lets compatibility format pass (VT-d 5.1.4) */
	unit->eim = x2apic && (unit->ecap & VTD_ECAP_EIM) &&
		    !(weaken & WEAKEN_COMPAT_BLOCK);
	log_capabilities(unit);
	unit->can_block = can_block(unit);
	good = supported(unit);
	/* Both are said */
	return reaches(unit, highest_apic_id) && good ? 0 : -EOPNOTSUPP;
}

/* Returns true if translation is on. */
static bool log_leftovers(const struct vtd_unit *unit)
{
	u32 on = vtd_read32(unit->base, VTD_GSTS);
	bool faults = vtd_read32(unit->base, VTD_FSTS) & VTD_FSTS_ANY;
	bool protected = (unit->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR)) &&
			 (vtd_read32(unit->base, VTD_PMEN) & VTD_PMEN_EPM);

	if (!protected && !faults && !(on & VTD_STATES))
		return false;
	hv_log("vtd: %s: firmware left on:%s%s%s%s%s%s%s\n", unit->name,
	       on & VTD_TE ? " translation" : "",
	       on & VTD_IRE ? " interrupt-remapping" : "",
	       on & VTD_QIE ? " queued-invalidation" : "",
	       on & VTD_EAFL ? " advanced-fault-log" : "",
	       on & VTD_CFI ? " compatibility-format" : "",
	       protected ? " protected-memory" : "", faults ? " faults" : "");
	return on & VTD_TE;
}

/*
 * A queue that stands before a descriptor it refused, or that a device did not
 * answer, does not run empty: what is in it is given up, the tail first, so
 * that the unit fetches nothing more when the error is cleared (VT-d 6.5.2.10).
 */
static void drop_refused(struct vtd_unit *unit)
{
	u32 errors = vtd_read32(unit->base, VTD_FSTS) &
		     (VTD_FSTS_IQE | VTD_FSTS_ITE);

	if (!errors)
		return;
	hv_log("vtd: %s: firmware's invalidation queue is in error: dropped\n",
	       unit->name);
	vtd_write64(unit->base, VTD_IQT,
		    vtd_read64(unit->base, VTD_IQH) & VTD_IQ_OFFSET);
	vtd_write32(unit->base, VTD_FSTS, errors);
}

/* Let the queue run empty, then turn it off (VT-d 6.5.2). */
static int stop_queue(struct vtd_unit *unit)
{
	int err;

	if (!(vtd_read32(unit->base, VTD_GSTS) & VTD_QIE))
		return 0;
	drop_refused(unit);
	err = wait_until(
		(vtd_read64(unit->base, VTD_IQH) & VTD_IQ_OFFSET) ==
			(vtd_read64(unit->base, VTD_IQT) & VTD_IQ_OFFSET),
		VTD_TIMEOUT_US, "vtd: firmware's invalidation queue to drain");
	if (err)
		return err;
	return turn_off(unit, VTD_QIE, "queued invalidation off");
}

/* An invalidation that was commanded by register must be over before the queue
 * is used (VT-d 6.5.2). */
static int finish_register_invalidation(struct vtd_unit *unit)
{
	u32 iotlb = VTD_ECAP_IRO(unit->ecap) + VTD_IOTLB;

	return wait_until(
		!(vtd_read64(unit->base, VTD_CCMD) & VTD_CCMD_ICC) &&
			!(vtd_read64(unit->base, iotlb) & VTD_IOTLB_IVT),
		VTD_TIMEOUT_US, "vtd: firmware's invalidation by register");
}

/*
 * Firmware may have left anything on.  Translation in legacy mode stays on:
 * the root table is replaced under it (VT-d 6.6), so that there is no moment
 * in which DMA passes.  In another mode it must go off, for the mode may not
 * change while it is on (VT-d 10.4.6); then nothing but bus mastering, which is
 * off, holds the devices until it is on again.  Protected memory stays
 * protected until translation is ours.
 */
static int quiesce(struct vtd_unit *unit)
{
	bool translating = log_leftovers(unit);
	bool legacy = !(vtd_read64(unit->base, VTD_RTADDR) & VTD_RTADDR_TTM);
	int err;

	err = stop_queue(unit);
	if (!err)
		err = finish_register_invalidation(unit);
	if (!err && translating)
		hv_log("vtd: %s: %s\n", unit->name,
		       legacy ? "translation stays on while its tables are "
				"replaced"
			      : "translation goes off, for the mode of its "
				"tables changes; bus mastering is off");
	if (!err && !legacy)
		err = turn_off(unit, VTD_TE, "translation off");
	if (!err)
		vtd_faults_mask(unit);
	return err;
}

static int start_queue(struct vtd_unit *unit)
{
	unit->queue.entry = vtd_unit_table(unit, 1, "invalidation queue");
	if (!unit->queue.entry)
		return -ENOMEM;
	/* IQT = 0 before the queue is enabled; size 0 is one page */
	vtd_write64(unit->base, VTD_IQT, 0);
	vtd_write64(unit->base, VTD_IQA, (uintptr_t)unit->queue.entry);
	return turn_on(unit, VTD_QIE, "queued invalidation on");
}

/* What no present entry leads to is blocked (VT-d 9.1); what the unit cached of
 * another table must go (VT-d 6.6). */
static int install_root(struct vtd_unit *unit,
			void (*fill)(struct vtd_unit *unit))
{
	int err;

	unit->root = vtd_unit_table(unit, 1, "root table");
	if (!unit->root)
		return -ENOMEM;
	fill(unit);
	err = vtd_unit_flush_buffers(unit);
	if (err)
		return err;
	vtd_write64(unit->base, VTD_RTADDR, (uintptr_t)unit->root);
	err = turn_on(unit, VTD_SRTP, "root table pointer");
	return err ? err : vtd_invalidate_all(unit);
}

/* Translation guards all memory now (VT-d 10.4.16). */
static int unprotect_memory(struct vtd_unit *unit)
{
	u32 control;
	int err;

	if (!(unit->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR)))
		return 0;
	control = vtd_read32(unit->base, VTD_PMEN);
	if (!(control & (VTD_PMEN_EPM | VTD_PMEN_PRS)))
		return 0;
	vtd_write32(unit->base, VTD_PMEN, control & ~(u32)VTD_PMEN_EPM);
	err = wait_until(!(vtd_read32(unit->base, VTD_PMEN) & VTD_PMEN_PRS),
			 VTD_TIMEOUT_US, "vtd: protected memory regions off");
	if (err)
		hv_log("vtd: %s: protected memory regions stay on\n",
		       unit->name);
	return err;
}

/* The order of VT-d 6.7: table, pointer, caches, then on.  Compatibility
 * format is blocked: CFI clear, or extended mode, which never lets it pass
 * (VT-d 5.1.4). */
static int remap_interrupts(struct vtd_unit *unit)
{
	int err;

	unit->irt = vtd_unit_table(unit, VTD_IRT_PAGES,
				   "interrupt remapping table");
	if (!unit->irt)
		return -ENOMEM;
	err = vtd_unit_flush_buffers(unit);
	if (err)
		return err;
	vtd_write64(unit->base, VTD_IRTA,
		    (uintptr_t)unit->irt | (unit->eim ? VTD_IRTA_EIME : 0) |
			    VTD_IRTA_SIZE(VTD_IRT_ENTRIES_LOG2));
	err = turn_on(unit, VTD_SIRTP, "interrupt remapping table pointer");
	if (!err)
		err = vtd_invalidate_all_irtes(unit);
	if (!err)
		err = weaken & WEAKEN_COMPAT_BLOCK
			      ? turn_on(unit, VTD_CFI,
					"compatibility format on")
			      : turn_off(unit, VTD_CFI,
					 "compatibility format off");
	if (!err)
		err = turn_on(unit, VTD_IRE, "interrupt remapping on");
	unit->remapping = !err;
	return err;
}

int vtd_unit_translate(struct vtd_unit *unit)
{
	int err = turn_on(unit, VTD_TE, "translation on");

	unit->blocking = !err;
	unit->left = false;
	return err ? err : unprotect_memory(unit);
}

int vtd_unit_block(struct vtd_unit *unit, bool leave,
		   void (*fill)(struct vtd_unit *unit))
{
	int err;

	if (!unit->can_block)
		return -EOPNOTSUPP;
	err = quiesce(unit);
	if (!err)
		err = start_queue(unit);
	unit->left = !err && leave;
	if (unit->left)
		err = turn_off(unit, VTD_TE, "translation off");
	if (!err)
		err = install_root(unit, fill);
	if (err || unit->left)
		return err;
	return vtd_unit_translate(unit);
}

/*
 * Firmware's log lies in memory that may be the guest's.  While it is on the
 * unit makes no record, and what it says of the log (APF, AFO) comes again as
 * often as it is cleared; so it is cleared after.
 */
static int stop_fault_log(struct vtd_unit *unit)
{
	int err;

	if (!(vtd_read32(unit->base, VTD_GSTS) & VTD_EAFL))
		return 0;
	err = turn_off(unit, VTD_EAFL, "advanced fault log off");
	if (!err)
		vtd_faults_mask(unit);
	return err;
}

int vtd_unit_remap(struct vtd_unit *unit, u32 nmi_apic_id)
{
	int err;

	/* The format of the entries may not change while it is on */
	err = turn_off(unit, VTD_IRE, "interrupt remapping off");
	if (!err)
		err = stop_fault_log(unit);
	if (!err)
		err = remap_interrupts(unit);
	if (!err)
		vtd_faults_enable(unit, nmi_apic_id);
	return err;
}

void vtd_unit_pass_interrupts(struct vtd_unit *unit)
{
	unit->remapping = false;
	stop_fault_log(unit);
	vtd_faults_mask(unit);
	turn_off(unit, VTD_IRE, "interrupt remapping off");
}

struct vtd_unit vtd_units[DMAR_MAX_UNITS];

unsigned int vtd_unit_count;

const struct dmar *vtd_dmar;
