/* This file limits the rate of fault reports, and mutes functions that fault
 * on and on. */
#include "vtd/flood.h"
#include "drivers/pci/pci.h"
#include "hv/log.h"
#include "hv/time.h"
#include "vtd/context.h"
#include "vtd/regs.h"
#include "vtd/reserved.h"

/* The two lines of a fault take 43 ms at 115200 baud: all shares together leave
 * four fifths of such a line to the guest. */
static struct share {
	unsigned int most, tokens;
	u64 token_us, grown;
} shares[VTD_SHARES] = {
	[VTD_SHARE_ATTACHED] = {.most = 32, .tokens = 32, .token_us = 300000},
	[VTD_SHARE_OTHERS] = {.most = 16, .tokens = 16, .token_us = 1000000},
	[VTD_SHARE_UNITS] = {.most = 4, .tokens = 4, .token_us = 4000000},
};

enum vtd_share vtd_share_of(struct vtd_unit *unit, u16 sid)
{
	return vtd_domain_of(unit, sid) ? VTD_SHARE_ATTACHED : VTD_SHARE_OTHERS;
}

void vtd_shares_grow(void)
{
	u64 now = time_us();

	for (unsigned int i = 0; i < VTD_SHARES; i++) {
		struct share *s = &shares[i];
		u64 earned = (now - s->grown) / s->token_us;

		s->grown += earned * s->token_us;
		s->tokens = MIN(s->tokens + earned, (u64)s->most);
	}
}

bool vtd_share_take(enum vtd_share share)
{
	if (!shares[share].tokens)
		return false;
	shares[share].tokens--;
	return true;
}

/* Blocked for want of an entry, and for nothing else (VT-d 7.1.3) */
#define REASON_ROOT_NOT_PRESENT 1    /* LRT.2 */
#define REASON_CONTEXT_NOT_PRESENT 2 /* LCT.2 */

#define MUTED_AFTER 16
#define PAUSE_US 10000000 /* after which a source begins anew */

static struct source {
	const struct vtd_unit *unit;
	u16 sid;
	u16 faults; /* 0: free */
	u64 last;   /* time of */
} sources[16];
static unsigned int attempts, muted;

/* The one of @sid, or a new one in place of that with the fewest faults. */
static struct source *find_source(const struct vtd_unit *unit, u16 sid)
{
	struct source *fewest = &sources[0];
	u64 now = time_us();

	for (unsigned int i = 0; i < ARRAY_SIZE(sources); i++) {
		struct source *s = &sources[i];

		if (now - s->last >= PAUSE_US)
			s->faults = 0;
		if (s->faults && s->unit == unit && s->sid == sid) {
			s->last = now;
			return s;
		}
		if (s->faults < fewest->faults)
			fewest = s;
	}
	*fewest = (struct source){.unit = unit, .sid = sid, .last = now};
	return fewest;
}

static void mute(struct vtd_unit *unit, u16 sid)
{
	struct pci_addr addr = {unit->dmar->segment, sid >> 8, sid & 0xff};
	int err;

	if (attempts == VTD_MAX_MUTED)
		return;
	/* A failure counts: it would come again and again */
	attempts++;
	err = vtd_mute(unit, sid);
	if (err) {
		hv_log("vtd: %s: " PCI_FMT " cannot be silenced (%d)\n",
		       unit->name, PCI_ARG(addr), err);
		return;
	}
	muted++;
	hv_log("vtd: %s: " PCI_FMT " is not assigned and was blocked %u times: "
	       "its requests stay blocked, but are no longer reported or "
	       "counted\n",
	       unit->name, PCI_ARG(addr), MUTED_AFTER);
	hv_log("vtd-event: unit=%s event=silenced source=" PCI_FMT "\n",
	       unit->name, PCI_ARG(addr));
}

void vtd_flood_note(struct vtd_unit *unit, const struct vtd_record *record)
{
	u16 sid = VTD_FRCD_SID(record->high);
	u8 reason = VTD_FRCD_REASON(record->high);
	struct source *s;

	if ((reason != REASON_ROOT_NOT_PRESENT &&
	     reason != REASON_CONTEXT_NOT_PRESENT &&
	     !vtd_reserved_domain(unit, sid)) ||
	    vtd_domain_of(unit, sid))
		return;
	s = find_source(unit, sid);
	if (++s->faults < MUTED_AFTER)
		return;
	s->faults = 0;
	mute(unit, sid);
}

unsigned int vtd_muted(void)
{
	return muted;
}
