/* This file services the fault event: it collects, counts and clears the
 * records. */
#include "vtd/faults.h"
#include "hv/log.h"
#include "hv/time.h"
#include "vtd/explain.h"
#include "vtd/fault_event.h"
#include "vtd/flood.h"
#include "vtd/invalidate.h"
#include "vtd/regs.h"

/* A call ends after this and leaves the rest to the next one, though each unit
 * gets a round first, as far as its first fault. */
#define SERVICE_US 20000

#define FLOOD_SAID_US 1000000

/* A round reads every record once.  A device that faults on and on fills the
 * records, which stops recording (PFO): few rounds are ever needed.  One that
 * makes queue errors on and on (ICE) is stopped by SERVICE_US. */
#define MAX_ROUNDS 64

static struct try_lock service_lock;
static u32 service_calls;

static struct {
	u64 count, unexplained, announced;
	struct vtd_fault kept[STAT_FAULTS];
	bool pending;
} faults;

static void announce_unexplained(void)
{
	if (faults.unexplained == faults.announced)
		return;
	hv_log("vtd: %lu faults came too fast to be explained, %lu since "
	       "start\n",
	       (faults.unexplained - faults.announced), faults.unexplained);
	hv_log("vtd-event: event=dropped count=%lu total=%lu\n",
	       (faults.unexplained - faults.announced), faults.unexplained);
	faults.announced = faults.unexplained;
}

static void explain(struct vtd_unit *unit, const struct vtd_record *record)
{
	u16 sid = VTD_FRCD_SID(record->high);

	/* A device can fault faster than a line is printed: the rest is counted
	 */
	if (!vtd_share_take(vtd_share_of(unit, sid))) {
		faults.unexplained++;
		return;
	}
	announce_unexplained();
	vtd_explain(unit, record);
}

static void count(struct vtd_unit *unit, const struct vtd_record *record)
{
	faults.kept[faults.count++ % STAT_FAULTS] = (struct vtd_fault){
		.time_us = time_us(),
		.source_id = VTD_FRCD_SID(record->high),
		.reason = VTD_FRCD_REASON(record->high),
		.read = VTD_FRCD_T1(record->high),
		.address = record->low,
	};
	explain(unit, record);
	vtd_flood_note(unit, record);
}

/* Every record with F, the oldest first; each is cleared once read.  False if
 * the time is over before the last one; one is read in any case if none has
 * been since @before were counted. */
static bool collect(struct vtd_unit *unit, unsigned int oldest, u64 before,
		    u64 deadline)
{
	unsigned int records = VTD_CAP_NFR(unit->cap);
	struct vtd_record record;
	u32 at;

	for (unsigned int i = 0; i < records; i++) {
		at = vtd_record_at(unit, (oldest + i) % records);
		record.high = vtd_read64(unit->base, at + VTD_FRCD_HIGH);
		if (!(record.high & ((u64)VTD_FRCD_F << 32)))
			continue;
		if (faults.count != before && time_us() >= deadline)
			return false;
		record.low = vtd_read64(unit->base, at);
		vtd_write32(unit->base, at + VTD_FRCD_F_WORD, VTD_FRCD_F);
		count(unit, &record);
	}
	return true;
}

/* Once a second: the flood must not become one of words. */
static void announce_flood(const struct vtd_unit *unit)
{
	static u64 announced;

	if (!time_due(&announced, FLOOD_SAID_US))
		return;
	hv_log("vtd: %s: faults come faster than they are served; the rest "
	       "waits for the next exit\n",
	       unit->name);
	hv_log("vtd-event: unit=%s event=flood\n", unit->name);
}

static void clear_overflow(struct vtd_unit *unit)
{
	if (vtd_share_take(VTD_SHARE_UNITS)) {
		hv_log("vtd: %s: fault records overflowed (PFO): more was "
		       "blocked than is reported\n",
		       unit->name);
		hv_log("vtd-event: unit=%s event=overflow\n", unit->name);
	}
	vtd_write32(unit->base, VTD_FSTS, VTD_FSTS_PFO);
}

/*
 * Until the status is clear, for only then does the next fault make an event
 * (VT-d 10.4.10, IP); a queue error can come while the faults are read.  PFO is
 * cleared after the records: while it is set the unit records nothing (VT-d
 * 7.2.1), so it cannot come in between.
 */
static bool service_unit(struct vtd_unit *unit, u64 deadline)
{
	u64 before = faults.count;
	u32 status;

	for (unsigned int round = 0; round < MAX_ROUNDS; round++) {
		status = vtd_read32(unit->base, VTD_FSTS);
		if (!(status & (VTD_FSTS_PPF | VTD_FSTS_PFO | VTD_FSTS_QUEUE)))
			return round > 0;
		if (round && time_us() >= deadline)
			break;
		if (status & VTD_FSTS_QUEUE)
			vtd_queue_errors(unit);
		if (!collect(unit, VTD_FSTS_FRI(status), before, deadline))
			break;
		if (status & VTD_FSTS_PFO)
			clear_overflow(unit);
	}
	faults.pending = true;
	announce_flood(unit);
	return true;
}

/*
 * Who finds the lock taken leaves the work to its holder, who looks again if
 * he was called meanwhile: nothing stays unseen, and a call from the NMI
 * handler cannot wait for what it interrupted.
 */
bool vtd_service_faults(void)
{
	bool found = false;
	u64 deadline;
	u32 calls;

	__atomic_add_fetch(&service_calls, 1, __ATOMIC_SEQ_CST);
	do {
		if (!try_lock_acquire(&service_lock))
			return true;
		calls = __atomic_load_n(&service_calls, __ATOMIC_SEQ_CST);
		faults.pending = false;
		deadline = time_us() + SERVICE_US;
		vtd_shares_grow();
		for (unsigned int i = 0; i < vtd_unit_count; i++)
			found |= service_unit(&vtd_units[i], deadline);
		try_lock_release(&service_lock);
	} while (calls != __atomic_load_n(&service_calls, __ATOMIC_SEQ_CST));
	return found;
}

bool vtd_faults_pending(void)
{
	return faults.pending;
}

u64 vtd_fault_count(u32 back, struct vtd_fault *fault)
{
	u64 count = faults.count;

	if (fault)
		*fault = back < MIN(count, STAT_FAULTS)
				 ? faults.kept[(count - 1 - back) % STAT_FAULTS]
				 : (struct vtd_fault){0};
	return count;
}

void vtd_fault_summary(void)
{
	announce_unexplained();
	hv_log("vtd: requests blocked: %lu\n", faults.count);
	if (vtd_muted())
		hv_log("vtd: and those of %u functions that were silenced\n",
		       vtd_muted());
}
