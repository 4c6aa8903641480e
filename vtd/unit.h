/*
 * One remapping unit, as the files of vtd/ share it.  Order to read them in:
 * dmar.c (which units there are), scope.c (which functions they cover), unit.c
 * (how one is brought up), invalidate.c, context.c and second_level.c (DMA),
 * irte.c (interrupts), faults.c and flood.c (what was refused), vtd.c (all
 * units).
 */
#ifndef VTD_UNIT_H
#define VTD_UNIT_H

#include "hv/lock.h"
#include "hv/types.h"
#include "vtd/dmar.h"
#include "vtd/second_level.h"

#define VTD_BUSES 256
#define VTD_QUEUE_ENTRIES 256 /* 16 bytes each: one page */
/* 16 bytes each; more than 8 functions with 65 messages, and the IOAPIC, take
 * below one unit */
#define VTD_IRT_ENTRIES_LOG2 10
#define VTD_IRT_ENTRIES (1 << VTD_IRT_ENTRIES_LOG2)
#define VTD_IRT_PAGES (VTD_IRT_ENTRIES * 16 / PAGE_SIZE)
/* Root table, queue, interrupt remapping table, which is aligned to its size */
#define VTD_UNIT_PAGES (2 + 2 * VTD_IRT_PAGES)

/* Longest wait for a unit to obey a command. */
#define VTD_TIMEOUT_US 1000000

/* A table entry or descriptor of 128 bits; low word first in memory. */
struct vtd_entry {
	u64 low, high;
};
_Static_assert(sizeof(struct vtd_entry) == 16, "VT-d 9.1, 9.3, 9.10, 6.5.2");

struct vtd_queue {
	struct try_lock lock;
	volatile struct vtd_entry *entry;
	volatile u32 status; /* written by wait descriptors */
	u32 sequence;	     /* of the last wait descriptor */
};

struct vtd_unit {
	char name[8]; /* "dmar0" */
	const struct dmar_unit *dmar;
	hpa_t base;
	u64 cap, ecap;
	struct vtd_queue queue;
	volatile struct vtd_entry *root; /* by bus */
	volatile struct vtd_entry *irt;	 /* by interrupt index */
	bool eim;			 /* IRTEs hold 32-bit APIC IDs */
	bool can_block;			 /* can block all DMA */
	bool blocking;			 /* translates, by our root table */
	bool left;			 /* off: vtd_leaves_alone() */
	bool remapping;
};

/* All units of the machine, in the order of the DMAR table. */
extern struct vtd_unit vtd_units[DMAR_MAX_UNITS];
extern unsigned int vtd_unit_count;
/* The table that vtd_probe() was given. */
extern const struct dmar *vtd_dmar;

/*
 * Read the capabilities of the unit that @dmar describes and log them in a
 * line.  @highest_apic_id: of the processors that take its interrupts.
 * -EOPNOTSUPP: it lacks what isolation needs; -EIO: it does not answer.
 */
int vtd_unit_probe(struct vtd_unit *unit, const struct dmar_unit *dmar,
		   unsigned int number, bool x2apic, u32 highest_apic_id);

/*
 * From whatever state firmware left to: no DMA passes, but for what @fill puts
 * into the root table before it is in force; or with @leave, translation is off
 * and the table only prepared.  Interrupts pass, or are
 * remapped, as before; firmware's pending faults are forgotten, and a new one
 * makes no event yet.  -EOPNOTSUPP: it cannot (said by vtd_unit_probe());
 * -ENOMEM, -ETIMEDOUT, -EIO; logged.
 */
int vtd_unit_block(struct vtd_unit *unit, bool leave,
		   void (*fill)(struct vtd_unit *unit));

/* A unit that was left alone translates from now on.  Errors as above. */
int vtd_unit_translate(struct vtd_unit *unit);

/*
 * After vtd_unit_block(), from whatever state firmware left to: interrupts pass
 * only by present IRTEs (there are none yet), events as NMIs to @nmi_apic_id.
 * -ENOMEM, -ETIMEDOUT, -EIO; logged.
 */
int vtd_unit_remap(struct vtd_unit *unit, u32 nmi_apic_id);

/* Interrupts pass as without the unit; no fault makes an event, or is written
 * to firmware's log.  What does not go off is logged. */
void vtd_unit_pass_interrupts(struct vtd_unit *unit);

/* Flush the chipset's write buffers if the unit needs it (VT-d 6.8). */
int vtd_unit_flush_buffers(struct vtd_unit *unit);

/*
 * Write one half of a table entry so that the unit sees it: after everything
 * written before, in one piece, and in memory if its walks do not snoop.
 */
void vtd_unit_store(const struct vtd_unit *unit, volatile u64 *half, u64 value);

/* Zeroed pages as a table that @unit will read; @what names it in the log.
 * NULL, logged, if there is no memory. */
volatile struct vtd_entry *vtd_unit_table(const struct vtd_unit *unit,
					  unsigned int pages, const char *what);

#endif
