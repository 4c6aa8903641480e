/*
 * A recorded fault as two log lines: one for people, one of key=value.  Both
 * tell the walk down to the entry that refused.
 */
#include "vtd/explain.h"
#include "drivers/pci/pci.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/memory_map.h"
#include "vtd/context.h"
#include "vtd/reasons.h"
#include "vtd/regs.h"
#include "vtd/reserved.h"
#include "vtd/scope.h"

/* 20h to 28h are reasons of interrupt requests (VT-d 5.1.4.1). */
#define FIRST_INTERRUPT_REASON 0x20
#define LAST_INTERRUPT_REASON 0x2f
#define REASON_COMPATIBILITY 0x25 /* has no index */

struct line {
	char text[480];
	size_t used;
};

static void __attribute__((format(printf, 2, 3))) append(struct line *line,
							 const char *fmt, ...)
{
	size_t room = sizeof(line->text) - line->used;
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = format_va(line->text + line->used, room, fmt, ap);
	va_end(ap);
	if (length > 0)
		line->used += MIN((size_t)length, room - 1);
}

static struct pci_addr source_of(const struct vtd_unit *unit, u16 sid)
{
	return (struct pci_addr){unit->dmar->segment, sid >> 8, sid & 0xff};
}

/* ", VF 0 of 0000:01:00.0" */
static void append_vf(const struct pci_function *fn, struct line *text)
{
	if (fn && fn->pf)
		append(text, ", VF %u of " PCI_FMT, fn->vf_index,
		       PCI_ARG(fn->pf->addr));
}

/* "0000:01:10.0 (VF 0 of 0000:01:00.0)" and "source=... vf=0 pf=..." */
static void append_source(const struct vtd_unit *unit, u16 sid,
			  struct line *text, struct line *keys)
{
	struct pci_addr addr = source_of(unit, sid);
	const struct pci_function *fn = pci_find(addr);

	append(text, PCI_FMT, PCI_ARG(addr));
	append(keys, " source=" PCI_FMT, PCI_ARG(addr));
	if (!fn) {
		append(text, " (no known function)");
	} else if (fn->pf) {
		append(text, " (VF %u of " PCI_FMT ")", fn->vf_index,
		       PCI_ARG(fn->pf->addr));
		append(keys, " vf=%u pf=" PCI_FMT, fn->vf_index,
		       PCI_ARG(fn->pf->addr));
	}
}

static void append_reason(const struct vtd_record *record, struct line *text,
			  struct line *keys)
{
	u8 code = VTD_FRCD_REASON(record->high);
	const struct vtd_reason *reason = vtd_reason(code);

	append(text, ": %s (reason %xh, VT-d %s)", reason->words, code,
	       reason->name);
	append(keys, " reason=0x%02x", code);
}

/* T1 and T2 of the record (VT-d 10.4.14) */
static void append_access(const struct vtd_record *record, struct line *text,
			  struct line *keys)
{
	static const char *const access[4] = {"write", "page-request", "read",
					      "atomic"};
	const char *type = access[VTD_FRCD_T1(record->high) << 1 |
				  VTD_FRCD_T2(record->high)];

	append(text, " %s", type);
	append(keys, " access=%s", type);
}

static void append_address(const struct vtd_domain *domain, u64 address,
			   struct line *text, struct line *keys)
{
	char place[80];

	append(text, " 0x%lx", address);
	append(keys, " address=0x%lx", address);
	if (domain) {
		memory_map_describe(domain->map, address, place, sizeof(place));
		append(text, ", %s", place);
	}
}

static void append_second_level(const struct vtd_domain *domain, u64 address,
				struct line *text, struct line *keys)
{
	struct pt_step step[4];
	unsigned int steps;

	if (address >> PT_LEVEL_SHIFT(domain->table.levels + 1)) {
		append(text, ", address wider than the table");
		return;
	}
	steps = pt_walk(&domain->table, address, step);
	for (unsigned int i = 0; i < steps && i < ARRAY_SIZE(step); i++) {
		append(text, ", L%u[%u]=0x%lx", step[i].level, step[i].index,
		       step[i].entry);
		append(keys, " l%u=0x%lx", step[i].level, step[i].entry);
	}
}

static void append_walk(const struct vtd_unit *unit, u16 sid,
			const struct vtd_domain *domain, u64 address,
			struct line *text, struct line *keys)
{
	u64 root = unit->root[sid >> 8].low;
	volatile struct vtd_entry *context = vtd_context_entry(unit, sid);
	u64 low, high;

	append(text, "; root[%02x]=0x%lx", sid >> 8, root);
	append(keys, " root=0x%lx", root);
	if (!context)
		return;
	low = context->low;
	high = context->high;
	append(text, ", context[%02x]=0x%lx:%lx", sid & 0xff, high, low);
	append(keys, " context=0x%lx:%lx", high, low);
	if ((low & VTD_PRESENT) && domain)
		append_second_level(domain, address, text, keys);
}

static void explain_dma(struct vtd_unit *unit, const struct vtd_record *record,
			struct line *text, struct line *keys)
{
	u16 sid = VTD_FRCD_SID(record->high);
	u64 address = VTD_FRCD_ADDRESS(record->low);
	const struct vtd_domain *domain = vtd_domain_of(unit, sid);

	if (!domain)
		domain = vtd_reserved_domain(unit, sid);
	append_access(record, text, keys);
	append_address(domain, address, text, keys);
	append_reason(record, text, keys);
	append_walk(unit, sid, domain, address, text, keys);
}

/* Whose the entry is, by the source that it demands. */
static void append_owner(const struct vtd_unit *unit, u64 high,
			 struct line *text, struct line *keys)
{
	struct pci_addr owner = source_of(unit, (u16)high);

	if (!high) {
		append(text, "free)");
		append(keys, " owner=none");
	} else if (vtd_is_ioapic(unit, (u16)high)) {
		append(text, "of the IOAPIC, " PCI_FMT ")", PCI_ARG(owner));
		append(keys, " owner=ioapic");
	} else {
		append(text, "of " PCI_FMT, PCI_ARG(owner));
		append_vf(pci_find(owner), text);
		append(text, ")");
		append(keys, " owner=" PCI_FMT, PCI_ARG(owner));
	}
}

static void append_irte(const struct vtd_unit *unit, u16 index,
			struct line *text, struct line *keys)
{
	u64 low, high;

	append(text, " %u", index);
	append(keys, " index=%u", index);
	if (index >= VTD_IRT_ENTRIES)
		return;
	low = unit->irt[index].low;
	high = unit->irt[index].high;
	append(text, " (holds 0x%lx:%lx, ", high, low);
	append(keys, " irte=0x%lx:%lx", high, low);
	append_owner(unit, high, text, keys);
}

static void explain_interrupt(const struct vtd_unit *unit,
			      const struct vtd_record *record,
			      struct line *text, struct line *keys)
{
	append(text, " interrupt");
	append(keys, " access=interrupt");
	if (VTD_FRCD_REASON(record->high) != REASON_COMPATIBILITY)
		append_irte(unit, VTD_FRCD_INDEX(record->low), text, keys);
	append_reason(record, text, keys);
}

void vtd_explain(struct vtd_unit *unit, const struct vtd_record *record)
{
	struct line text = {.used = 0}, keys = {.used = 0};
	u8 reason = VTD_FRCD_REASON(record->high);

	append(&text, "vtd: %s: blocked: ", unit->name);
	append(&keys, "vtd-fault: unit=%s", unit->name);
	append_source(unit, VTD_FRCD_SID(record->high), &text, &keys);
	if (reason >= FIRST_INTERRUPT_REASON && reason <= LAST_INTERRUPT_REASON)
		explain_interrupt(unit, record, &text, &keys);
	else
		explain_dma(unit, record, &text, &keys);
	hv_log("%s\n", text.text);
	hv_log("%s\n", keys.text);
}
