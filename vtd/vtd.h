/* The remapping units: what the rest of Gangway may ask of them. */
#ifndef VTD_VTD_H
#define VTD_VTD_H

#include "drivers/pci/pci.h"
#include "hv/memory_map.h"
#include "hv/paging.h"
#include "vtd/dmar.h"

/* True if every unit of @dmar translates by 2 MiB pages, so that tables are
 * small.  Reads the units' registers, which are mapped. */
bool vtd_has_large_pages(const struct dmar *dmar);

/* Where an interrupt goes (VT-d 9.10) */
struct vtd_interrupt {
	u32 destination; /* APIC ID */
	u8 vector;
	u8 delivery_mode; /* 0 fixed, 1 lowest priority, 4 NMI */
	bool logical;	  /* destination mode */
	bool level;	  /* trigger mode */
	bool redirection_hint;
};

/* The DMA view of one guest. */
struct vtd_domain {
	u16 id; /* domain ID, not 0 */
	const struct memory_map *map;
	struct page_table table;
};

/*
 * Look at every unit of @dmar, changing nothing, and log its capabilities.
 * @x2apic: interrupts will need 32-bit APIC IDs where the unit can, and must
 * reach @highest_apic_id.  @dmar is kept, not copied.  VTD_REGISTERS_SIZE bytes
 * (vtd/regs.h) at each unit's base are mapped, uncached, before.  -ENODEV: no
 * unit; -EOPNOTSUPP: a unit lacks what isolation needs (said in the log); -EIO:
 * a unit does not answer.
 */
int vtd_probe(const struct dmar *dmar, bool x2apic, u32 highest_apic_id);

/*
 * Take over all units, after vtd_probe() returned 0: bring each to a known
 * state whatever firmware left on (translation, queued invalidation, interrupt
 * remapping, protected memory regions); block-all root table, invalidation
 * queue, translation on; interrupt remapping on, compatibility format blocked;
 * fault event as an NMI to @nmi_apic_id.  -ENOMEM, -ETIMEDOUT, -EIO, logged:
 * then it is as after vtd_only_block().
 */
int vtd_start(u32 nmi_apic_id);

/*
 * Where the units will not do for a device, as vtd_probe() said: each that can
 * blocks all DMA nevertheless, whatever becomes of the others (logged).  Their
 * interrupts pass, by all, and faults make no event.  Does nothing before
 * vtd_probe(), or without a unit.
 */
void vtd_only_block(void);

/*
 * Build @domain's second-level table from @map, RAM only.  The table suits
 * every unit (the width and leaf sizes that all have).  @map is kept, for
 * fault messages.  -ENOMEM; -EINVAL: @id is 0, or RAM lies where the units
 * cannot translate it to (logged).
 */
int vtd_domain_init(struct vtd_domain *domain, u16 id,
		    const struct memory_map *map);

/* True, with a line of log, if firmware reserves memory for @fn (RMRR, VT-d
 * 8.4).  After vtd_probe(). */
bool vtd_reserved(const struct pci_function *fn);

/*
 * Open the context entry of @fn to @domain; flushed in the order that VT-d
 * 6.2.2.1 demands.  -ENODEV: no unit covers the function; -EBUSY: it is open,
 * or firmware reserves memory for the function (RMRR); -ENOSPC: more than 16
 * functions; -ENOMEM; -EIO or -ETIMEDOUT from the unit, and then it is closed
 * again, if vtd_in_use() does not say otherwise.  All logged.  The caller sees
 * to it that no two CPUs attach or detach at once.
 */
int vtd_attach(struct vtd_domain *domain, const struct pci_function *fn);

/* Close it, flush context cache and IOTLB, and drain, where the unit can: else
 * what was under way may still arrive.  Only when it returns 0 is the domain's
 * memory out of reach of the function's further requests.  -ENODEV: not
 * attached to @domain; -EIO, -ETIMEDOUT. */
int vtd_detach(struct vtd_domain *domain, const struct pci_function *fn);

/* True while a function may reach the memory of @domain: it was attached, and
 * no vtd_detach() of it returned 0.  Neither that memory nor the domain's table
 * or ID may then be used for anything else. */
bool vtd_in_use(const struct vtd_domain *domain);

/*
 * An interrupt remapping table entry for @fn, source-validated to its
 * requester ID, not present yet.  Returns its index, opaque outside of vtd/
 * (unit number << 16 | entry there); -ENOSPC or -ENODEV.
 */
int vtd_irte_alloc(const struct pci_function *fn);

/* Same for the interrupts of the IOAPIC with @ioapic_id. */
int vtd_irte_alloc_ioapic(u8 ioapic_id);

/* Point entry @index to @interrupt, or make it not present (NULL); invalidates
 * the interrupt entry cache.  -EINVAL: no such entry, or a destination above
 * 255 where the unit has no x2APIC mode; -EIO, -ETIMEDOUT. */
int vtd_irte_set(int index, const struct vtd_interrupt *interrupt);
/* Make it not present, and give it back. */
void vtd_irte_free(int index);

/* The remappable-format message for @index (VT-d 5.1.2.2). */
void vtd_message(int index, u64 *address, u32 *data);

/* True once interrupt remapping is on. */
bool vtd_remapping(void);

/* Functions whose faults are no longer told.  Each may need a page, for the
 * context table of its bus. */
#define VTD_MAX_SILENCED 16

/*
 * Log and clear what the units report; called on an NMI and before the end.
 * Returns true if any had something to report (the NMI was theirs).  A function
 * that is not assigned and faults on and on is silenced: the caller sees to it
 * that nobody attaches or detaches at once.
 */
bool vtd_service_faults(void);

/* True if the last vtd_service_faults() gave up on a flood and no NMI will tell
 * of the rest: call it again at the next exit. */
bool vtd_faults_pending(void);

/* How many DMA and interrupt requests were blocked, and the last one. */
struct vtd_fault {
	u16 source_id;
	u8 reason;
	bool read;
	u64 address;
};
u64 vtd_fault_count(struct vtd_fault *last);

/* Log how many requests were blocked, and how many of them unexplained. */
void vtd_fault_summary(void);

/* Stop all DMA at once: every root entry closed, caches flushed; bounded, also
 * if a stopped CPU holds a lock.  True if that was done by every unit of the
 * machine, and there is one.  For panic. */
bool vtd_block_all(void);

#endif
