/*
 * This file says where interrupts go.  The high word of an entry, which says
 * whose it is, is written when it is allocated and not changed until it is
 * free: a change of destination is a change of the low word alone, and that is
 * one store.  The entry (VT-d 9.10):
 *
 *    127               84 83 82 81 80 79             64
 *   | 0                  | SVT | SQ  | source ID       |
 *    63          32 31    24 23     16 15 14  12 11  8 7   5 4  3  2  1   0
 *   | destination  | 0      | vector  |IM| 0   | avl | DLM |TM|RH|DM|FPD|P |
 *
 *    destination: 32 bits with x2APIC (EIM), else bits 47:40 of the entry
 *    DLM, TM, RH, DM: delivery mode, trigger mode, redirection hint,
 *    destination mode; IM: 0, remapped (not posted)
 *    SVT 01b: the requester must be the source ID, in the bits that SQ says
 */
#include "vtd/irte.h"
#include "drivers/pci/pci_facts.h"
#include "hv/log.h"
#include "hv/weaken.h"
#include "vtd/context.h"
#include "vtd/invalidate.h"
#include "vtd/scope.h"

/* Low word (VT-d 9.10) */
#define IRTE_LOGICAL BIT(2)	     /* DM */
#define IRTE_REDIRECTION_HINT BIT(3) /* RH */
#define IRTE_LEVEL BIT(4)	     /* TM */
#define IRTE_DELIVERY_MODE(mode) ((u64)((mode) & 7) << 5)
#define IRTE_VECTOR(vector) ((u64)(vector) << 16)
#define IRTE_XAPIC_ID(id) ((u64)(id) << 40)
#define IRTE_X2APIC_ID(id) ((u64)(id) << 32)
/* High word */
#define IRTE_SVT_SID BIT(18)	       /* SVT 01b: compare SID as SQ says */
#define IRTE_SQ_ANY_FUNCTION (3 << 16) /* all but the function's number */

/* Message address in remappable format (VT-d 5.1.2.2) */
#define MESSAGE_ADDRESS 0xfee00000u
#define MESSAGE_REMAPPABLE BIT(4)
#define MESSAGE_HANDLE_14_0(index) (((index) & 0x7fff) << 5)
#define MESSAGE_HANDLE_15(index) ((index) >> 15 << 2)

/* An index as the public functions use it: the unit, and the entry there. */
#define INDEX(unit, entry) ((int)((unit) << 16 | (entry)))

static struct lock alloc_lock;

int vtd_irte_encode(const struct vtd_interrupt *interrupt, bool eim, u64 *low)
{
	if (!eim && interrupt->destination > 0xff)
		return -EINVAL;
	*low = VTD_PRESENT | (interrupt->logical ? IRTE_LOGICAL : 0) |
	       (interrupt->redirection_hint ? IRTE_REDIRECTION_HINT : 0) |
	       (interrupt->level ? IRTE_LEVEL : 0) |
	       IRTE_DELIVERY_MODE(interrupt->delivery_mode) |
	       IRTE_VECTOR(interrupt->vector) |
	       (eim ? IRTE_X2APIC_ID(interrupt->destination)
		    : IRTE_XAPIC_ID(interrupt->destination));
	return 0;
}

u64 vtd_irte_source(u16 sid)
{
	return (weaken & WEAKEN_IR_SOURCE_CHECK ? 0 : IRTE_SVT_SID) | sid;
}

/* A free entry of @unit becomes @source's.  Its high word is never 0 then. */
static int alloc(struct vtd_unit *unit, u64 source)
{
	int found = -ENOSPC;

	if (!unit || !unit->remapping)
		return -ENODEV;
	lock_acquire(&alloc_lock);
	for (unsigned int i = 0; i < VTD_IRT_ENTRIES && found < 0; i++)
		if (!unit->irt[i].high) {
			vtd_unit_store(unit, &unit->irt[i].high, source);
			found = INDEX(unit - vtd_units, i);
		}
	lock_release(&alloc_lock);
	if (found < 0)
		hv_log("vtd: %s: interrupt remapping table is full\n",
		       unit->name);
	return found;
}

int vtd_irte_alloc(const struct pci_function *fn)
{
	u64 source = vtd_irte_source(PCI_RID(fn->addr));
	struct pci_addr alias;

	/* No other function is at the alias, or it would not be assigned */
	if (source & IRTE_SVT_SID && pci_request_alias(fn, &alias))
		source |= IRTE_SQ_ANY_FUNCTION;
	return alloc(vtd_unit_of(fn), source);
}

int vtd_irte_alloc_ioapic(u8 ioapic_id)
{
	struct vtd_unit *unit;
	u16 sid = 0;

	unit = vtd_unit_of_ioapic(ioapic_id, &sid);
	if (!unit)
		hv_log("vtd: no remapping unit lists IOAPIC %u\n", ioapic_id);
	return alloc(unit, vtd_irte_source(sid));
}

/* The allocated entry @index, or NULL; *unit gets whose it is. */
static volatile struct vtd_entry *entry_at(int index, struct vtd_unit **unit)
{
	unsigned int u = (unsigned int)index >> 16, entry = index & 0xffff;

	if (index < 0 || u >= vtd_unit_count || entry >= VTD_IRT_ENTRIES)
		return NULL;
	*unit = &vtd_units[u];
	if (!(*unit)->irt || !(*unit)->irt[entry].high)
		return NULL;
	return &(*unit)->irt[entry];
}

int vtd_irte_set(int index, const struct vtd_interrupt *interrupt)
{
	volatile struct vtd_entry *entry;
	struct vtd_unit *unit;
	u64 low = 0;
	int err = 0;

	entry = entry_at(index, &unit);
	if (!entry)
		return -EINVAL;
	if (interrupt)
		err = vtd_irte_encode(interrupt, unit->eim, &low);
	if (err)
		return err;
	vtd_unit_store(unit, &entry->low, low);
	err = vtd_unit_flush_buffers(unit);
	return err ? err : vtd_invalidate_irte(unit, index & 0xffff);
}

void vtd_irte_free(int index)
{
	volatile struct vtd_entry *entry;
	struct vtd_unit *unit;

	entry = entry_at(index, &unit);
	if (!entry)
		return;
	if (vtd_irte_set(index, NULL)) {
		hv_log("vtd: %s: interrupt entry %u is not reused\n",
		       unit->name, index & 0xffff);
		return;
	}
	vtd_unit_store(unit, &entry->high, 0);
}

void vtd_message(int index, u64 *address, u32 *data)
{
	u32 handle = index & 0xffff;

	*address = MESSAGE_ADDRESS | MESSAGE_REMAPPABLE |
		   MESSAGE_HANDLE_14_0(handle) | MESSAGE_HANDLE_15(handle);
	*data = 0;
}
