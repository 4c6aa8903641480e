#include "tests/unit/vtd_model.h"
#include "vtd/context.h"
#include "vtd/regs.h" /* for the prototypes that the model stands in for */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct model models[4];
static unsigned int model_count;
/* More than can be attached (VTD_MAX_ATTACHED), and those of setup() */
#define FUNCTIONS 64

static struct pci_function functions[FUNCTIONS];
static unsigned int function_count;

/* Tables of units live as long as the hypervisor: nothing frees them. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

/* --- memory as a unit that does not snoop sees it */

static struct line {
	u64 address;
	u8 bytes[64];
} lines[4096];

static struct line *line_at(u64 address, bool make)
{
	u64 key = address & ~63ULL;
	unsigned int i = key / 64 * 2654435761u % 4096;

	for (unsigned int n = 0; n < 4096; n++, i = (i + 1) % 4096) {
		if (lines[i].address == key)
			return &lines[i];
		if (lines[i].address)
			continue;
		if (!make)
			return NULL;
		lines[i].address = key;
		return &lines[i];
	}
	fail_msg("model: too many lines");
	return NULL;
}

void vtd_write_back(const volatile void *start, size_t size)
{
	u64 from = (uintptr_t)start & ~63ULL;

	for (u64 a = from; a < (uintptr_t)start + size; a += 64)
		memcpy(line_at(a, true)->bytes, (void *)(uintptr_t)a, 64);
}

static u64 table_read(struct model *m, u64 address)
{
	struct line *line;
	u64 value;

	if (m->ecap & 1) {
		memcpy(&value, (void *)(uintptr_t)address, 8);
		return value;
	}
	line = line_at(address, false);
	if (!line) {
		fail_msg("unit reads 0x%lx, which was never written back",
			 (unsigned long)address);
		return 0;
	}
	memcpy(&value, line->bytes + address % 64, 8);
	return value;
}

/* --- units */

void model_reset(void)
{
	memset(models, 0, sizeof(models));
	memset(lines, 0, sizeof(lines));
	memset(functions, 0, sizeof(functions));
	model_count = function_count = 0;
	memset(vtd_attached, 0, sizeof(vtd_attached));
}

struct model *model_add(u64 base, u64 cap, u64 ecap)
{
	struct model *m = &models[model_count++];

	assert_true(model_count <= 4);
	m->base = base;
	m->cap = cap;
	m->ecap = ecap;
	m->fectl = 0x80000000 | MODEL_FECTL_RSVDP;
	m->pmen = MODEL_PMEN_RSVDP;
	return m;
}

static struct model *model_at(u64 base)
{
	for (unsigned int i = 0; i < model_count; i++)
		if (models[i].base == base)
			return &models[i];
	fail_msg("no unit at 0x%lx", (unsigned long)base);
	return NULL;
}

static void __attribute__((format(printf, 2, 3))) trace(struct model *m,
							const char *fmt, ...)
{
	size_t used = strlen(m->trace);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->trace + used, sizeof(m->trace) - used, fmt, ap);
	va_end(ap);
}

static unsigned int records(struct model *m)
{
	return (m->cap >> 40 & 0xff) + 1;
}

static u32 fault_status(struct model *m)
{
	u32 status = m->fsts;

	for (unsigned int i = 0; i < records(m); i++)
		if (m->record[i][1] >> 63)
			status |= 2;
	return status;
}

/* 7.3: an event only when nothing was pending before */
static void event(struct model *m, u32 before)
{
	if (before & 0xff)
		return;
	if (m->fectl & 0x80000000)
		m->fectl |= 0x40000000;
	else
		m->nmis++;
}

/* 7.2.1 */
void model_fault(struct model *m, u16 sid, u8 reason, bool read, u64 info)
{
	u32 before = fault_status(m);
	u64 *record = m->record[m->next_record];

	if (m->gsts >> 28 & 1) { /* 7.2.2 */
		m->fsts |= m->log_full ? 0xc : 8;
		event(m, before);
		return;
	}
	if (m->fsts & 1)
		return;
	for (unsigned int i = 0; i < records(m); i++)
		if (m->record[i][1] >> 63 && (u16)m->record[i][1] == sid)
			return;
	if (record[1] >> 63) {
		m->fsts |= 1;
	} else {
		record[0] = info;
		record[1] = 1ULL << 63 | (u64)read << 62 | 0xffffULL << 40 |
			    (u64)reason << 32 | sid;
		m->next_record = (m->next_record + 1) % records(m);
	}
	event(m, before);
}

/* --- translation */

/* 9.3, AW, for translation type 10b */
static bool is_widest(struct model *m, u64 width)
{
	return (m->cap >> 8 & 0x1f) >> width == 1;
}

static u8 root_and_context(struct model *m, u16 sid, u64 *low, u64 *high)
{
	u64 root = (m->root & ~0xfffULL) + (sid >> 8) * 16;
	u64 root_low = table_read(m, root), table, context;

	if (!(root_low & 1))
		return 0x1;
	if (root_low & 0xffe || table_read(m, root + 8))
		return 0xa;
	table = root_low & ~0xfffULL;
	context = table + (sid & 0xff) * 16;
	*low = table_read(m, context);
	*high = table_read(m, context + 8);
	if (!(*low & 1))
		return 0x2;
	if (*low & 0xff0 || *high & 0xffffffffff000080ULL)
		return 0xb;
	if ((*low >> 2 & 3) == 2)
		return m->ecap & 0x40 && is_widest(m, *high & 7) ? 0 : 0x3;
	if ((*low >> 2 & 3) != 0 || (*high & 7) < 1 || (*high & 7) > 2 ||
	    !(m->cap >> 8 & 1 << (*high & 7)))
		return 0x3;
	return 0;
}

/* With a cache: what is not present is cached in caching mode, as domain 0. */
static u8 find_context(struct model *m, u16 sid, struct model_context *out)
{
	static unsigned int victim;
	struct model_context *slot = NULL;
	u8 reason;

	for (unsigned int i = 0; i < 16; i++)
		if (m->context[i].valid && m->context[i].sid == sid)
			slot = &m->context[i];
	if (slot) {
		*out = *slot;
		return slot->low & 1 ? 0 : 0x2;
	}
	*out = (struct model_context){.valid = true, .sid = sid};
	reason = root_and_context(m, sid, &out->low, &out->high);
	/* 9.3: FPD counts whatever P is, once there is an entry */
	if (reason)
		out->low = reason == 0x2 ? out->low & 2 : 0;
	if (!reason)
		out->domain = out->high >> 8;
	else if (!(m->cap & MODEL_CAP_CM))
		return reason;
	if (!reason && m->cap & MODEL_CAP_CM)
		assert_true(out->domain != 0);
	m->context[victim++ % 16] = *out;
	return reason;
}

static bool reserved_in(struct model *m, u64 entry, unsigned int level)
{
	bool large = level > 1 && entry >> 7 & 1;

	if (entry & (1ULL << 11 | 1ULL << 62 | 0xfULL << 48))
		return true;
	if (!large)
		return false;
	return level == 4 || !(m->cap >> (34 + level - 2) & 1) ||
	       entry & ((1ULL << (12 + 9 * (level - 1))) - 1) & ~0xfffULL;
}

static u8 second_level(struct model *m, const struct model_context *context,
		       u64 address, bool write, struct model_translation *t)
{
	unsigned int level = (context->high & 7) + 2;
	u64 table = context->low & ~0xfffULL, entry, size;

	if (address >> (12 + 9 * level) ||
	    address >> ((m->cap >> 16 & 0x3f) + 1))
		return 0x4;
	t->read = t->write = true;
	for (;; level--) {
		u64 index = address >> (12 + 9 * (level - 1)) & 511;

		entry = ((u64 *)(uintptr_t)table)[index];
		t->read &= entry & 1;
		t->write &= entry >> 1 & 1;
		if (!(write ? t->write : t->read))
			return write ? 0x5 : 0x6;
		if (reserved_in(m, entry, level))
			return 0xc;
		if (level == 1 || entry >> 7 & 1)
			break;
		table = entry & 0x0000fffffffff000ULL;
	}
	size = 1ULL << (12 + 9 * (level - 1));
	t->output = (entry & 0x0000fffffffff000ULL) | (address & (size - 1));
	t->output &= ~0xfffULL;
	if (t->output >= 0xfee00000 && t->output < 0xfef00000)
		return 0xe;
	return 0;
}

static u8 translate(struct model *m, u16 sid, u64 address, bool write, u64 *hpa,
		    bool *silent)
{
	static unsigned int victim;
	struct model_translation t;
	struct model_context context;
	u8 reason;

	for (unsigned int i = 0; i < 64; i++)
		if (m->iotlb[i].valid && m->iotlb[i].sid == sid &&
		    m->iotlb[i].page == address >> 12 &&
		    (write ? m->iotlb[i].write : m->iotlb[i].read)) {
			*hpa = m->iotlb[i].output | (address & 0xfff);
			return 0;
		}
	reason = find_context(m, sid, &context);
	*silent = context.low & 2;
	if (!reason && (context.low >> 2 & 3) == 2)
		return 0; /* as it came */
	if (!reason)
		reason = second_level(m, &context, address, write, &t);
	if (reason)
		return reason;
	t.valid = true;
	t.sid = sid;
	t.domain = context.domain;
	t.page = address >> 12;
	m->iotlb[victim++ % 64] = t;
	*hpa = t.output | (address & 0xfff);
	return 0;
}

u8 model_dma(struct model *m, u16 sid, u64 address, bool write, u64 *hpa)
{
	bool silent = false;
	u8 reason;

	*hpa = address;
	if (!(m->gsts >> 31)) {
		m->passed = true;
		return 0;
	}
	reason = translate(m, sid, address, write, hpa, &silent);
	if (reason && !silent)
		model_fault(m, sid, reason, !write, address & ~0xfffULL);
	return reason;
}

/* --- interrupts */

static u8 check_irte(struct model *m, u64 low, u64 high, u16 sid)
{
	bool eime = m->irt >> 11 & 1;

	if (!(low & 1))
		return 0x22;
	if (low & 0xff00f000 || high & 0xfffffffffff00000ULL ||
	    (!eime && low & 0xffff00ff00000000ULL))
		return 0x24;
	/* the driver must use: SVT 01, SQ 00 */
	assert_int_equal(high >> 16 & 0xf, 4);
	return (u16)high == sid ? 0 : 0x26;
}

static u8 remap(struct model *m, u16 sid, u64 address, u32 data, u8 *vector,
		u32 *destination, u64 *info)
{
	bool eime = m->irt >> 11 & 1, shv = address >> 3 & 1;
	u64 entry, low, high;
	u32 index;
	u8 reason;

	if (!(address & 0x10))
		return 0x25;
	index = (address >> 5 & 0x7fff) | (address >> 2 & 1) << 15;
	if (shv && data >> 16)
		return 0x20;
	index += shv ? data & 0xffff : 0;
	*info = (u64)index << 48;
	if (index >= 2u << (m->irt & 0xf))
		return 0x21;
	if (m->iec[index].valid) {
		low = m->iec[index].low;
		high = m->iec[index].high;
	} else {
		entry = (m->irt & ~0xfffULL) + index * 16;
		low = table_read(m, entry);
		high = table_read(m, entry + 8);
		if (low & 1 || m->cap & MODEL_CAP_CM)
			m->iec[index] = (struct model_irte){true, low, high};
	}
	reason = check_irte(m, low, high, sid);
	*vector = low >> 16;
	*destination = eime ? low >> 32 : (u8)(low >> 40);
	return reason;
}

u8 model_interrupt(struct model *m, u16 sid, u64 address, u32 data, u8 *vector,
		   u32 *destination)
{
	bool eime = m->irt >> 11 & 1, compatible = !(address & 0x10);
	u64 info = 0;
	u8 reason;

	assert_int_equal(address >> 20, 0xfee);
	if (!(m->gsts >> 25 & 1) ||
	    (compatible && !eime && m->gsts >> 23 & 1)) {
		*vector = data;
		*destination = address >> 12 & 0xff;
		return 0;
	}
	reason = remap(m, sid, address, data, vector, destination, &info);
	if (reason)
		model_fault(m, sid, reason, false, info);
	return reason;
}

/* --- invalidation */

static void drop_contexts(struct model *m, u64 low)
{
	u16 domain = low >> 16, sid = low >> 32;
	unsigned int kind = low >> 4 & 3;

	for (unsigned int i = 0; i < 16; i++) {
		struct model_context *c = &m->context[i];

		if (kind == 1 || (kind == 2 && c->domain == domain) ||
		    (kind == 3 && c->domain == domain && c->sid == sid))
			c->valid = false;
	}
	if (kind == 1) {
		m->contexts_flushed = true;
		trace(m, "context-global ");
	} else {
		trace(m, "context-%u-%04x ", domain, kind == 3 ? sid : 0);
	}
}

static const char *drains(u64 low)
{
	static const char *const names[] = {"", "-writes", "-reads", "-drain"};

	return names[low >> 6 & 3];
}

static void drop_translations(struct model *m, u64 low)
{
	u16 domain = low >> 16;
	unsigned int kind = low >> 4 & 3;

	for (unsigned int i = 0; i < 64; i++)
		if (kind == 1 || m->iotlb[i].domain == domain)
			m->iotlb[i].valid = false;
	if (kind == 1) {
		m->iotlb_flushed = m->contexts_flushed;
		trace(m, "iotlb-global%s ", drains(low));
	} else {
		trace(m, "iotlb-%u%s ", domain, drains(low));
	}
}

static void drop_irtes(struct model *m, u64 low)
{
	u32 index = low >> 32 & 0xffff, mask = low >> 27 & 0x1f;

	for (u32 i = 0; i < 1024; i++)
		if (!(low >> 4 & 1) || i >> mask == index >> mask)
			m->iec[i].valid = false;
	if (low >> 4 & 1) {
		trace(m, "iec-%u ", index);
	} else {
		m->irtes_flushed = true;
		trace(m, "iec-global ");
	}
}

/* One descriptor; false if it is not as 6.5.2 says. */
static bool execute(struct model *m, u64 low, u64 high)
{
	switch (low & 0xfff & ~0x1f0u) {
	case 1:
		if (!(low >> 4 & 3) || low & 0xfffc00000000ffc0ULL || high)
			return false;
		drop_contexts(m, low);
		return true;
	case 2:
		if (!(low >> 4 & 3) || low & 0xffffffff0000ff00ULL)
			return false;
		assert_int_not_equal(low >> 4 & 3, 3); /* not implemented */
		if (high || (low >> 6 & 1 && !(m->cap >> 54 & 1)) ||
		    (low >> 7 & 1 && !(m->cap >> 55 & 1)))
			return false;
		drop_translations(m, low);
		return true;
	case 4:
		if (low & 0xffff000007ffffe0ULL || high)
			return false;
		drop_irtes(m, low);
		return true;
	case 5:
		if (low & 0xffffff80 || high & 3 || !(low & 0x20))
			return false;
		*(u32 *)(uintptr_t)high = low >> 32;
		return true;
	}
	return false;
}

/* What was refused once is refused until it is replaced. */
static bool refused(struct model *m, const u64 *descriptor)
{
	bool again =
		m->refused == descriptor && m->refused_low == descriptor[0];

	m->refused = again || m->iqe ? descriptor : NULL;
	m->refused_low = descriptor[0];
	if (!again && m->iqe)
		m->iqe--;
	return m->refused;
}

static void queue_error(struct model *m, u32 bit)
{
	u32 before = fault_status(m);

	m->fsts |= bit;
	event(m, before);
}

/* 6.5.2.10: nothing is fetched while IQE or ITE is set; ICE stops nothing */
static void run_queue(struct model *m)
{
	u64 size = 4096ULL << (m->iqa & 7);
	u64 *descriptor;

	while (m->gsts >> 26 & 1 && m->iqh != m->iqt && !m->queue_dead &&
	       !(m->fsts & 0x50)) {
		descriptor = (u64 *)(uintptr_t)((m->iqa & ~0xfffULL) + m->iqh);
		if (m->completions)
			queue_error(m, 0x20);
		if (refused(m, descriptor) ||
		    !execute(m, descriptor[0], descriptor[1])) {
			queue_error(m, 0x10);
			return;
		}
		m->iqh = (m->iqh + 16) % size;
	}
}

/* --- registers */

static void level(struct model *m, u32 bit, bool on, const char *name)
{
	m->gsts = on ? m->gsts | bit : m->gsts & ~bit;
	trace(m, "%s%s ", name, on ? "+" : "-");
}

static void set_root(struct model *m)
{
	assert_int_equal(m->rtaddr & 0x3ff, 0);
	if (m->gsts >> 31)
		assert_int_equal(m->root & 0xc00, m->rtaddr & 0xc00);
	m->root = m->rtaddr;
	m->contexts_flushed = m->iotlb_flushed = false;
	m->gsts |= 1u << 30;
	trace(m, "SRTP ");
}

static void set_irt(struct model *m)
{
	if (m->gsts >> 25 & 1)
		assert_int_equal(m->irt & 0x800, m->irta & 0x800);
	assert_int_equal(m->irta & 0x7f0, 0);
	if (m->irta & 0x800)
		assert_true(m->ecap & MODEL_ECAP_EIM);
	m->irt = m->irta;
	m->irtes_flushed = false;
	m->gsts |= 1u << 24;
	trace(m, "SIRTP ");
}

static void queue_switch(struct model *m, bool on)
{
	assert_true(m->ecap & 2);
	if (on) {
		/* 6.5.2: nothing under way by register */
		assert_false(m->ccmd >> 63 || m->iotlb_reg >> 63);
		assert_int_equal(m->iqt, 0);
		assert_int_equal(m->iqa & 0xff8, 0);
	} else {
		assert_int_equal(m->iqh, m->iqt); /* 6.5.2: quiesced */
	}
	m->iqh = 0;
	level(m, 1u << 26, on, "QIE");
}

/* 10.4.4: one command in a write */
static void global_command(struct model *m, u32 value)
{
	u32 one_shot = value & 0x69000000;
	u32 changed = (value ^ m->gsts) & 0x96800000;

	assert_int_equal(value & 0x007fffff, 0);
	assert_true(__builtin_popcount(one_shot | changed) <= 1);
	one_shot &= ~m->ignored;
	changed &= ~m->ignored;
	if (one_shot & 1u << 30)
		set_root(m);
	if (one_shot & 1u << 24)
		set_irt(m);
	if (one_shot & 1u << 27)
		trace(m, "WBF ");
	else if (value & 1u << 27)
		m->gsts |= 1u << 27; /* stuck: WBFS stays */
	assert_int_equal(one_shot & 1u << 29, 0);
	if (changed & 1u << 31) {
		if (value >> 31) {
			assert_true(m->gsts >> 30 & 1);
			assert_true(m->contexts_flushed && m->iotlb_flushed);
		}
		level(m, 1u << 31, value >> 31, "TE");
	}
	if (changed & 1u << 25) {
		if (value >> 25 & 1)
			assert_true(m->gsts >> 24 & 1 && m->irtes_flushed);
		level(m, 1u << 25, value >> 25 & 1, "IRE");
	}
	if (changed & 1u << 26)
		queue_switch(m, value >> 26 & 1);
	if (changed & 1u << 28)
		level(m, 1u << 28, value >> 28 & 1, "EAFL");
	if (changed & 1u << 23)
		level(m, 1u << 23, value >> 23 & 1, "CFI");
}

u32 vtd_read32(hpa_t base, u32 reg)
{
	struct model *m = model_at(base);

	switch (reg) {
	case 0x00:
		return 0x10;
	case 0x1c:
		return m->gsts;
	case 0x34:
		return fault_status(m);
	case 0x38:
		return m->fectl;
	case 0x3c:
		return m->fedata;
	case 0x40:
		return m->feaddr;
	case 0x44:
		return m->feuaddr;
	case 0x64:
		assert_true(m->cap & MODEL_CAP_PMR);
		return m->pmen;
	}
	fail_msg("32-bit read of register %xh", reg);
	return 0;
}

static u64 *record_word(struct model *m, u32 reg)
{
	u32 first = (m->cap >> 24 & 0x3ff) * 16;

	if (reg < first || reg >= first + records(m) * 16)
		return NULL;
	return &m->record[(reg - first) / 16][(reg - first) / 8 % 2];
}

u64 vtd_read64(hpa_t base, u32 reg)
{
	struct model *m = model_at(base);

	switch (reg) {
	case 0x08:
		return m->cap;
	case 0x10:
		return m->ecap;
	case 0x20:
		return m->rtaddr;
	case 0x28:
		return m->ccmd;
	case 0x80:
		run_queue(m); /* in its own time */
		return m->iqh;
	case 0x88:
		return m->iqt;
	case 0x90:
		return m->iqa;
	case 0xb8:
		return m->irta;
	}
	if (reg == (m->ecap >> 8 & 0x3ff) * 16 + 8)
		return m->iotlb_reg;
	if (record_word(m, reg) && reg % 8 == 0) {
		test_time += m->record_us;
		return *record_word(m, reg);
	}
	fail_msg("64-bit read of register %xh", reg);
	return 0;
}

/* 10.4.10, IP: all that was pending is served */
static void forget_event(struct model *m)
{
	if (!(fault_status(m) & 0xff))
		m->fectl &= ~0x40000000u;
}

static void write_fsts(struct model *m, u32 value)
{
	assert_int_equal(value & ~0xfdu, 0);
	/* A bit that is 0 may be one that the unit lacks: RsvdZ */
	assert_int_equal(value & ~m->fsts, 0);
	m->fsts &= ~value;
	if (m->log_full && m->gsts >> 28 & 1)
		m->fsts |= 0xc;
	if (m->ice_flood && value & 0x20)
		m->fsts |= 0x20;
	forget_event(m);
	run_queue(m);
}

/* 10.4.10: IP is read-only */
static void write_fectl(struct model *m, u32 value)
{
	assert_int_equal(value & 0x3fffffff, MODEL_FECTL_RSVDP);
	m->fectl = (m->fectl & 0x40000000) | (value & 0xbfffffff);
	if (m->fectl >> 30 == 1) {
		m->fectl &= ~0x40000000u;
		m->nmis++;
	}
}

static void write_pmen(struct model *m, u32 value)
{
	assert_true(m->cap & MODEL_CAP_PMR);
	assert_int_equal(value & 0x7ffffffe, MODEL_PMEN_RSVDP);
	assert_true(m->gsts >> 31); /* ours: never open in between */
	m->pmen = (value & ~1u) | (m->pmr_stuck ? 1 : value >> 31);
	trace(m, "PMEN%s ", value >> 31 ? "+" : "-");
}

void vtd_write32(hpa_t base, u32 reg, u32 value)
{
	struct model *m = model_at(base);
	u64 *record;

	switch (reg) {
	case 0x18:
		global_command(m, value);
		return;
	case 0x34:
		write_fsts(m, value);
		return;
	case 0x38:
		write_fectl(m, value);
		return;
	case 0x3c:
		m->fedata = m->vector_only ? value & 0xff : value & 0xffff;
		return;
	case 0x40:
		assert_int_equal(value & 3, 0);
		m->feaddr = value;
		return;
	case 0x44:
		m->feuaddr = value;
		return;
	case 0x64:
		write_pmen(m, value);
		return;
	}
	record = record_word(m, reg & ~7u);
	if (!record || reg % 16 != 12)
		fail_msg("32-bit write of register %xh", reg);
	assert_int_equal(value & 0x7fffffff, 0);
	if (value && *record >> 63) {
		if (m->completions)
			queue_error(m, 0x20);
		*record &= ~(1ULL << 63);
		if (m->flood)
			model_fault(m, (u16)*record, 5, false, 0x1000);
	}
	forget_event(m);
}

void vtd_write64(hpa_t base, u32 reg, u64 value)
{
	struct model *m = model_at(base);

	switch (reg) {
	case 0x20:
		assert_int_equal(value >> 48, 0);
		m->rtaddr = value;
		return;
	case 0x88:
		assert_int_equal(value & ~0x7fff0ULL, 0);
		m->iqt = value;
		run_queue(m);
		return;
	case 0x90:
		assert_false(m->gsts >> 26 & 1);
		m->iqa = value;
		return;
	case 0xb8:
		m->irta = value;
		return;
	}
	fail_msg("64-bit write of register %xh", reg);
}

/* --- PCI */

struct pci_function *model_pci_add(u16 segment, u8 bus, u8 device, u8 function)
{
	struct pci_function *fn = &functions[function_count++];

	assert_true(function_count <= FUNCTIONS);
	fn->addr =
		(struct pci_addr){segment, bus, (u8)(device << 3 | function)};
	return fn;
}

struct pci_function *pci_find(struct pci_addr addr)
{
	for (unsigned int i = 0; i < function_count; i++)
		if (functions[i].addr.segment == addr.segment &&
		    functions[i].addr.bus == addr.bus &&
		    functions[i].addr.devfn == addr.devfn)
			return &functions[i];
	return NULL;
}

bool pci_is_below(const struct pci_function *fn,
		  const struct pci_function *bridge)
{
	for (unsigned int i = 0; fn && i < 16; i++, fn = fn->parent)
		if (fn == bridge)
			return true;
	return false;
}

struct pci_function *pci_functions(unsigned int *count)
{
	*count = function_count;
	return functions;
}
