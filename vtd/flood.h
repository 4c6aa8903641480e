/*
 * What keeps the faults of one source from taking the log of all: a share of
 * its lines for each kind of source, and muting of a function that is not
 * assigned and does not stop.  For the fault service, under its lock.
 */
#ifndef VTD_FLOOD_H
#define VTD_FLOOD_H

#include "vtd/fault_event.h"
#include "vtd/unit.h"

/* Functions whose faults are muted.  Each may need a page, for the
 * context table of its bus. */
#define VTD_MAX_MUTED 16

enum vtd_share {
	VTD_SHARE_ATTACHED, /* faults of functions that are assigned */
	VTD_SHARE_OTHERS,   /* of all others */
	VTD_SHARE_UNITS,    /* what a unit says of itself */
	VTD_SHARES
};

/* The share from which a fault of @sid below @unit is reported. */
enum vtd_share vtd_share_of(struct vtd_unit *unit, u16 sid);

/* Let the shares grow by the time since the last call.  Once a service, before
 * its lines: those take so long that a share would grow as fast as it is used.
 */
void vtd_shares_grow(void);

/* True if @share has something left for a fault: then that is used. */
bool vtd_share_take(enum vtd_share share);

/*
 * Note that @record of @unit was read.  A function that is not assigned, and
 * was blocked for that 16 times without a pause of 10 s, is muted
 * (vtd_mute()), which is logged: VTD_MAX_MUTED times in all, those that
 * fail included.
 */
void vtd_flood_note(struct vtd_unit *unit, const struct vtd_record *record);

/* How many functions were muted. */
unsigned int vtd_muted(void);

#endif
