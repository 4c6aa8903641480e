/* sources: vtd/vtd.c vtd/unit.c vtd/invalidate.c vtd/fault_event.c vtd/faults.c vtd/flood.c vtd/explain.c vtd/reasons.c vtd/context.c vtd/reserved.c vtd/scope.c vtd/second_level.c vtd/irte.c hv/paging.c hv/memory_map.c tests/unit/vtd_model.c drivers/pci/pci_facts.c */
/* Bringing units up, from whatever firmware left. */
#include "tests/unit/vtd_model.h"
#include "vtd/reserved.h"
#include "vtd/unit.h"
#include "vtd/vtd.h"
#include <stdio.h>
#include <string.h>

#define BASE 0xfed90000ULL

#define TE (1u << 31)
#define SRTP (1u << 30)
#define EAFL (1u << 28)
#define WBF (1u << 27)
#define QIE (1u << 26)
#define IRE (1u << 25)
#define SIRTP (1u << 24)
#define CFI (1u << 23)

static struct dmar dmar;

static struct model *setup(u64 cap, u64 ecap)
{
	test_log_clear();
	test_pages_left = SIZE_MAX;
	model_reset();
	vtd_reserved_avoid(NULL, 0);
	memset(&dmar, 0, sizeof(dmar));
	dmar.address_width = 48;
	dmar.intr_remap = true;
	dmar.unit_count = 1;
	dmar.unit[0].base = BASE;
	dmar.unit[0].include_all = true;
	return model_add(BASE, cap, ecap);
}

static void expect_blocked(struct model *m)
{
	u64 hpa;

	assert_int_equal(model_dma(m, 0x0100, 0x1000, true, &hpa), 1);
	assert_int_equal(model_dma(m, 0xffff, 0x1000, false, &hpa), 1);
	assert_false(m->passed);
}

static void expect_interrupts_blocked(struct model *m)
{
	u32 destination;
	u8 vector;

	/* compatibility format; remappable, entry 0; beyond 1024 entries */
	assert_int_equal(model_interrupt(m, 0x100, 0xfee00000, 0x41, &vector,
					 &destination),
			 0x25);
	assert_int_equal(
		model_interrupt(m, 0x100, 0xfee00010, 0, &vector, &destination),
		0x22);
	assert_int_equal(
		model_interrupt(m, 0x100, 0xfee08010, 0, &vector, &destination),
		0x21);
}

static void expect_up(struct model *m)
{
	assert_int_equal(m->gsts, TE | SRTP | QIE | IRE | SIRTP);
	assert_int_equal(m->pmen, MODEL_PMEN_RSVDP);
	assert_int_equal(m->fectl, MODEL_FECTL_RSVDP);
	assert_true(vtd_remapping());
	expect_blocked(m);
	expect_interrupts_blocked(m);
}

static void test_from_reset(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	assert_int_equal(vtd_init(&dmar, 3, true), 0);
	assert_string_equal(m->trace,
			    "QIE+ SRTP context-global iotlb-global-drain TE+ "
			    "SIRTP iec-global IRE+ ");
	assert_non_null(strstr(test_log,
			       "vtd: dmar0: 0xfed90000, 48-bit, 4 levels, "
			       "1G+2M pages, queued invalidation, "
			       "remapping with xAPIC\n"));
	/* NMI to APIC ID 3, physical */
	assert_int_equal(m->fedata, 0x400);
	assert_int_equal(m->feaddr, 0xfee03000);
	assert_int_equal(m->feuaddr, 0);
	/* 2^(9+1) entries, xAPIC */
	assert_int_equal(m->irt & 0xfff, 9);
	expect_up(m);
}

static void test_x2apic(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP | MODEL_ECAP_EIM);

	(void)state;
	assert_int_equal(vtd_init(&dmar, 0x12345, true), 0);
	assert_int_equal(m->irt & 0xfff, 0x809);
	assert_int_equal(m->feaddr, 0xfee45000);
	assert_int_equal(m->feuaddr, 0x12300);
	assert_non_null(strstr(test_log, "remapping with x2APIC"));
	expect_up(m);
}

/* What firmware could have done, bit by bit of @what. */
static void leave_on(struct model *m, unsigned int what, u64 *page)
{
	if (what & 1) {
		m->gsts |= TE | SRTP;
		m->root = m->rtaddr = (uintptr_t)page;
		m->contexts_flushed = m->iotlb_flushed = true;
	}
	if (what & 2) {
		m->gsts |= QIE;
		m->iqa = (uintptr_t)page;
		m->iqt = m->iqh = 0x40;
	}
	if (what & 4) {
		m->gsts |= IRE | SIRTP;
		m->irta = m->irt = (uintptr_t)page | 0x800;
	}
	if (what & 8)
		m->pmen |= 0x80000001;
	if (what & 16)
		m->gsts |= EAFL;
	if (what & 32)
		m->gsts |= CFI;
	if (what & 64) {
		m->fsts = 0xed; /* PFO, AFO, APF, ICE, ITE, PRO */
		m->record[0][1] = 1ULL << 63 | 5ULL << 32 | 0x100;
		m->fectl = MODEL_FECTL_RSVDP;
	}
}

/* The log names each of @what and nothing else. */
static void expect_named(unsigned int what)
{
	static const char *const names[] = {
		" translation",
		" queued-invalidation",
		" interrupt-remapping",
		" protected-memory",
		" advanced-fault-log",
		" compatibility-format",
		" faults",
	};
	char *line = strstr(test_log, "firmware left on:");
	char left[256] = "";

	if (line)
		memcpy(left, line, strchr(line, '\n') - line);
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(!!strstr(left, names[i]), what >> i & 1);
	assert_int_equal(!!strstr(test_log, "translation stays on while its "
					    "tables are replaced"),
			 what & 1);
}

static void test_every_leftover(void **state)
{
	static u64 page[512] __attribute__((aligned(4096)));
	struct model *m;
	bool eim;

	(void)state;
	for (unsigned int what = 0; what < 128; what++) {
		eim = what & 4 || what & 1;
		m = setup(MODEL_CAP | MODEL_CAP_PMR,
			  MODEL_ECAP | (eim ? MODEL_ECAP_EIM : 0));
		leave_on(m, what, page);
		assert_int_equal(vtd_init(&dmar, 0, true), 0);
		expect_up(m);
		assert_int_equal(m->nmis, 1); /* expect_blocked()'s own */
		/* translation that is on is never off */
		assert_null(strstr(m->trace, "TE-"));
		assert_int_equal(!!strstr(m->trace, "PMEN-"), what >> 3 & 1);
		assert_int_equal(!!strstr(test_log, "firmware left on"),
				 !!what);
		expect_named(what);
	}
}

/* Scalable mode must go off before the mode may change. */
static void test_scalable_leftover(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	m->gsts = TE | SRTP;
	m->root = m->rtaddr = 0x1000400;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_string_equal(m->trace, "TE- QIE+ SRTP context-global "
				      "iotlb-global-drain TE+ SIRTP "
				      "iec-global IRE+ ");
	assert_non_null(strstr(test_log, "dmar0: translation goes off, for the "
					 "mode of its tables changes"));
	expect_up(m);
}

static void test_write_buffers(void **state)
{
	struct model *m = setup(MODEL_CAP | MODEL_CAP_RWBF, MODEL_ECAP);

	(void)state;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_string_equal(m->trace, "QIE+ WBF SRTP context-global "
				      "iotlb-global-drain TE+ WBF SIRTP "
				      "iec-global IRE+ ");
	expect_up(m);
}

static void test_no_drains(void **state)
{
	struct model *m = setup(MODEL_CAP & ~(3ULL << 54), MODEL_ECAP | 1);

	(void)state;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_non_null(strstr(m->trace, "iotlb-global TE+"));
	assert_non_null(strstr(test_log, ", coherent, no draining\n"));
	expect_up(m);
	m = setup(MODEL_CAP & ~(1ULL << 55), MODEL_ECAP);
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_non_null(strstr(m->trace, "iotlb-global-writes TE+"));
	assert_non_null(strstr(test_log, ", no draining\n"));
	expect_up(m);
}

/* Each command unanswered: a time-out, said, and no DMA is let through. */
static void test_stuck_commands(void **state)
{
	static const u32 bits[] = {TE, SRTP, QIE, IRE, SIRTP, WBF};
	struct model *m;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++) {
		m = setup(MODEL_CAP | MODEL_CAP_RWBF, MODEL_ECAP);
		m->ignored = bits[i];
		assert_int_equal(vtd_init(&dmar, 0, false), -ETIMEDOUT);
		assert_non_null(
			strstr(test_log, "vtd: dmar0: no answer to a command"));
		assert_false(vtd_remapping());
	}
}

static void test_stuck_leftovers(void **state)
{
	static const u32 bits[] = {QIE, IRE, EAFL, CFI};
	struct model *m;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++) {
		m = setup(MODEL_CAP, MODEL_ECAP);
		m->gsts = bits[i];
		m->ignored = bits[i];
		assert_int_equal(vtd_init(&dmar, 0, false), -ETIMEDOUT);
		if (bits[i] != QIE)
			expect_blocked(m);
	}
	m = setup(MODEL_CAP, MODEL_ECAP); /* firmware's queue never ends */
	m->gsts = QIE;
	m->iqt = 0x20;
	m->queue_dead = true;
	assert_int_equal(vtd_init(&dmar, 0, false), -ETIMEDOUT);
	assert_non_null(strstr(test_log, "firmware's invalidation queue"));
	m = setup(MODEL_CAP | MODEL_CAP_PMR, MODEL_ECAP);
	m->pmen |= 0x80000001;
	m->pmr_stuck = true;
	assert_int_equal(vtd_init(&dmar, 0, false), -ETIMEDOUT);
	assert_non_null(strstr(test_log, "protected memory regions stay on"));
}

static void test_dead_queue(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	m->queue_dead = true;
	assert_int_equal(vtd_init(&dmar, 0, false), -ETIMEDOUT);
	assert_non_null(strstr(test_log, "dmar0: invalidation "
					 "0000000000000000:0000000000000011 "
					 "not done"));
	assert_non_null(strstr(test_log, "vtd-event: unit=dmar0 event=time-out "
					 "descriptor=0x0:11\n"));
	assert_null(strstr(m->trace, "TE+"));
}

static void test_queue_error(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	m->iqe = 1;
	assert_int_equal(vtd_init(&dmar, 0, false), -EIO);
	assert_non_null(strstr(test_log, "refused descriptor (IQE)"));
	assert_non_null(strstr(test_log, "at 0: "
					 "0000000000000000:0000000000000011"));
	assert_non_null(strstr(test_log,
			       "vtd-event: unit=dmar0 event=queue-error iqe=1 "
			       "at=0 descriptor=0x0:11\n"));
	/* repaired: the queue went on behind it */
	assert_int_equal(m->fsts, 0);
	assert_int_equal(m->iqh, m->iqt);
}

static void test_what_is_lacking(void **state)
{
	(void)state;
	setup(MODEL_CAP, MODEL_ECAP & ~8ULL);
	assert_int_equal(vtd_init(&dmar, 0, false), -EOPNOTSUPP);
	assert_non_null(strstr(test_log, "lacks interrupt remapping"));
	setup(MODEL_CAP, MODEL_ECAP & ~2ULL);
	assert_int_equal(vtd_init(&dmar, 0, false), -EOPNOTSUPP);
	assert_non_null(strstr(test_log, "lacks queued invalidation"));
	setup(MODEL_CAP & ~0x1f00ULL, MODEL_ECAP);
	assert_int_equal(vtd_init(&dmar, 0, false), -EOPNOTSUPP);
	assert_non_null(strstr(test_log, "second-level"));
	setup(~0ULL, ~0ULL);
	assert_int_equal(vtd_init(&dmar, 0, false), -EIO);
	assert_non_null(strstr(test_log, "nothing answers at 0xfed90000"));
	setup(MODEL_CAP, MODEL_ECAP);
	dmar.intr_remap = false;
	assert_int_equal(vtd_init(&dmar, 0, false), -EOPNOTSUPP);
	setup(MODEL_CAP, MODEL_ECAP);
	dmar.unit_count = 0;
	assert_int_equal(vtd_init(&dmar, 0, false), -ENODEV);
	assert_false(vtd_remapping());
}

static void test_no_memory(void **state)
{
	(void)state;
	/* Root table, queue, four of interrupt entries */
	for (size_t pages = 0; pages < 6; pages++) {
		setup(MODEL_CAP, MODEL_ECAP);
		test_pages_left = pages;
		assert_int_equal(vtd_init(&dmar, 0, false), -ENOMEM);
		assert_non_null(strstr(test_log, "no memory for the"));
	}
	setup(MODEL_CAP, MODEL_ECAP);
	test_pages_left = 6;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
}

/* A unit that covers nothing of interest blocks as well. */
static void test_several_units(void **state)
{
	struct model *first = setup(MODEL_CAP, MODEL_ECAP), *second;

	(void)state;
	second = model_add(BASE + 0x1000, MODEL_CAP & ~0x400ULL, MODEL_ECAP);
	dmar.unit_count = 2;
	dmar.unit[1].base = BASE + 0x1000;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	expect_up(first);
	expect_up(second);
	assert_non_null(strstr(test_log, "dmar1: 0xfed91000, 39-bit, 3 "
					 "levels"));
}

/* Nobody serves the faults of units that are not used: they make no NMI. */
static void test_no_events_after_failure(void **state)
{
	struct model *first = setup(MODEL_CAP, MODEL_ECAP), *second;

	(void)state;
	second = model_add(BASE + 0x1000, MODEL_CAP, MODEL_ECAP);
	second->ignored = IRE;
	dmar.unit_count = 2;
	dmar.unit[1].base = BASE + 0x1000;
	assert_int_equal(vtd_init(&dmar, 0, false), -ETIMEDOUT);
	expect_blocked(first);
	expect_blocked(second);
	assert_int_equal(first->nmis, 0);
	assert_int_equal(second->nmis, 0);
}

static void three_units(struct model *m[3])
{
	m[0] = setup(MODEL_CAP | MODEL_CAP_RWBF, MODEL_ECAP);
	dmar.unit_count = 3;
	for (unsigned int i = 1; i < 3; i++) {
		m[i] = model_add(BASE + i * 0x1000, MODEL_CAP | MODEL_CAP_RWBF,
				 MODEL_ECAP);
		dmar.unit[i].base = BASE + i * 0x1000;
	}
}

/* No unit but @broken lets DMA through, and interrupts are as without any. */
static void expect_others_block(struct model *m[3], unsigned int broken)
{
	for (unsigned int i = 0; i < 3; i++) {
		if (i == broken)
			continue;
		expect_blocked(m[i]);
		assert_int_equal(m[i]->gsts & (IRE | CFI), 0);
		assert_int_equal(m[i]->nmis, 0);
	}
	assert_false(vtd_remapping());
}

/* A unit that fails on the way keeps no other from blocking all DMA. */
static void test_others_block_when_one_fails(void **state)
{
	static const u32 bits[] = {TE, SRTP, QIE, IRE, SIRTP, WBF};
	struct model *m[3];
	char said[80];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++)
		for (unsigned int broken = 0; broken < 3; broken++) {
			three_units(m);
			m[broken]->ignored = bits[i];
			assert_int_equal(vtd_init(&dmar, 0, false), -ETIMEDOUT);
			expect_others_block(m, broken);
			snprintf(said, sizeof(said),
				 "vtd: dmar%u: does not block DMA (-110)",
				 broken);
			assert_int_equal(!!strstr(test_log, said),
					 !(bits[i] & (IRE | SIRTP)));
			assert_int_equal(
				!!strstr(test_log, "all DMA is blocked"),
				!!(bits[i] & (IRE | SIRTP)));
		}
}

/* The same where a unit is not there, or lacks what a device needs: then that
 * one blocks too, if it can. */
static void test_others_block_when_one_lacks(void **state)
{
	static const struct {
		u64 cap, ecap;
		bool blocks;
	} lacking[] = {
		{~0ULL, ~0ULL, false},
		{MODEL_CAP, MODEL_ECAP & ~2ULL, false}, /* QI */
		{MODEL_CAP, MODEL_ECAP & ~8ULL, true},	/* IR */
		{MODEL_CAP & ~0x1f00ULL, MODEL_ECAP, true},
	};
	struct model *m[3];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(lacking); i++)
		for (unsigned int broken = 0; broken < 3; broken++) {
			three_units(m);
			for (unsigned int j = 0; j < 3; j++)
				m[j]->gsts = IRE | SIRTP; /* left on */
			m[broken]->cap = lacking[i].cap;
			m[broken]->ecap = lacking[i].ecap;
			assert_int_not_equal(vtd_init(&dmar, 0, false), 0);
			expect_others_block(m, broken);
			assert_int_equal(m[broken]->gsts >> 31,
					 lacking[i].blocks);
		}
}

/* Firmware's interrupt remapping does not stay on in some units where another
 * one fails: compatibility format would pass in one and not in the other. */
static void test_leftover_remapping_ends_with_failure(void **state)
{
	static u64 page[512] __attribute__((aligned(4096)));
	struct model *m[3];

	(void)state;
	three_units(m);
	for (unsigned int i = 0; i < 3; i++)
		leave_on(m[i], 1 | 2 | 4, page);
	m[1]->ignored = SRTP;
	m[1]->gsts &= ~SRTP;
	assert_int_equal(vtd_init(&dmar, 0, false), -ETIMEDOUT);
	expect_others_block(m, 1);
	assert_int_equal(m[1]->gsts & IRE, 0);
}

static void expect_no_fault_log(struct model *m)
{
	assert_int_equal(m->gsts & EAFL, 0);
	assert_int_equal(m->fsts, 0);
}

/* Firmware's fault log may lie in the guest's memory: it is not written to any
 * more, whether the units are used or not.  Nor do its status bits, which come
 * again while it is on, hold back the events that follow. */
static void test_fault_log_ends(void **state)
{
	struct model *m[3];

	(void)state;
	for (unsigned int way = 0; way < 3; way++) {
		three_units(m);
		for (unsigned int i = 0; i < 3; i++) {
			m[i]->gsts = EAFL;
			m[i]->fsts = 0xc; /* AFO, APF */
			m[i]->log_full = true;
		}
		if (way == 1)
			dmar.intr_remap = false; /* vtd_only_block() */
		if (way == 2)
			m[1]->ignored = SRTP;
		assert_int_equal(vtd_init(&dmar, 0, false),
				 way == 0   ? 0
				 : way == 1 ? -EOPNOTSUPP
					    : -ETIMEDOUT);
		for (unsigned int i = 0; i < 3; i++)
			expect_no_fault_log(m[i]);
		expect_blocked(m[0]);
		assert_int_equal(m[0]->nmis, way == 0);
	}
}

/* A table that could not be read has no units. */
static void test_block_without_table(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	vtd_dmar = NULL;
	vtd_only_block();
	assert_string_equal(m->trace, "");
}

/* It is said that DMA is blocked by as many units as do it. */
static void test_blocked_by_how_many(void **state)
{
	struct model *m[3];

	(void)state;
	setup(MODEL_CAP, MODEL_ECAP);
	dmar.unit_count = 0;
	assert_int_equal(vtd_init(&dmar, 0, false), -ENODEV);
	assert_non_null(strstr(test_log, "lists no remapping unit"));
	assert_null(strstr(test_log, "blocked"));
	test_log_clear();
	dmar.dropped_count = 1;
	assert_int_equal(vtd_init(&dmar, 0, false), -ENODEV);
	assert_non_null(strstr(test_log, "vtd: no remapping unit can be "
					 "used\n"));
	assert_null(strstr(test_log, "blocked"));
	three_units(m);
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_non_null(strstr(test_log, "vtd: all DMA is blocked\n"));
	three_units(m);
	dmar.dropped_count = 2;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_null(strstr(test_log, "all DMA is blocked"));
	assert_non_null(strstr(test_log, "vtd: DMA is blocked by 3 of 5 "
					 "remapping units\n"));
}

/* Interrupts of a unit without EIM reach processors up to APIC ID 255. */
static void test_apic_ids(void **state)
{
	(void)state;
	for (unsigned int eim = 0; eim < 2; eim++) {
		setup(MODEL_CAP, MODEL_ECAP | (eim ? MODEL_ECAP_EIM : 0));
		assert_int_equal(vtd_probe(&dmar, true, 0xff), 0);
		assert_int_equal(vtd_probe(&dmar, true, 0x100),
				 eim ? 0 : -EOPNOTSUPP);
		assert_int_equal(
			!!strstr(test_log,
				 "dmar0: has no 32-bit APIC IDs (EIM), so "
				 "interrupts do not reach the guest's "
				 "processor with APIC ID 0x100: give the guest "
				 "fewer processors (cpus= in gangway.cfg)"),
			!eim);
	}
	/* One that has it does not make up for one that has not */
	setup(MODEL_CAP, MODEL_ECAP | MODEL_ECAP_EIM);
	model_add(BASE + 0x1000, MODEL_CAP, MODEL_ECAP);
	dmar.unit_count = 2;
	dmar.unit[1].base = BASE + 0x1000;
	assert_int_equal(vtd_probe(&dmar, true, 0x101), -EOPNOTSUPP);
	assert_non_null(strstr(test_log, "dmar1: has no 32-bit APIC IDs"));
	assert_null(strstr(test_log, "dmar0: has no 32-bit APIC IDs"));
}

static void test_event_not_nmi(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	m->vector_only = true;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_non_null(strstr(test_log, "cannot send its fault event"));
}

/* Firmware's queue stands: before a descriptor that the unit refused (IQE), or
 * for a device that did not answer (ITE). */
static void test_leftover_queue_in_error(void **state)
{
	static u64 page[512] __attribute__((aligned(4096)));
	static const u32 errors[] = {0x10, 0x40, 0x70};
	struct model *m;

	(void)state;
	page[8] = 0xf; /* no such descriptor */
	for (unsigned int i = 0; i < ARRAY_SIZE(errors); i++) {
		m = setup(MODEL_CAP, MODEL_ECAP | BIT(2));
		m->gsts = QIE;
		m->iqa = (uintptr_t)page;
		m->iqh = 0x40;
		m->iqt = 0x60;
		m->fsts = errors[i];
		assert_int_equal(vtd_init(&dmar, 0, false), 0);
		assert_non_null(strstr(test_log, "queue is in error: dropped"));
		expect_up(m);
	}
}

/* 6.5.2: the queue must wait for what was commanded by register. */
static void test_leftover_register_invalidation(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	m->ccmd = 1ULL << 63;
	assert_int_equal(vtd_init(&dmar, 0, false), -ETIMEDOUT);
	assert_non_null(strstr(test_log, "invalidation by register"));
	m = setup(MODEL_CAP, MODEL_ECAP);
	m->iotlb_reg = 1ULL << 63;
	assert_int_equal(vtd_init(&dmar, 0, false), -ETIMEDOUT);
	assert_string_equal(m->trace, "");
}

/* 10.4.4: what the status register shows in bits 22:0 is not written back (the
 * model fails the test). */
static void test_reserved_status(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	m->gsts = 0x00400001;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_int_equal(m->gsts, TE | SRTP | QIE | IRE | SIRTP | 0x00400001);
}

/* Fault records at 30H would be over the fault event's registers. */
static void test_records_over_registers(void **state)
{
	(void)state;
	setup((MODEL_CAP & ~(0x3ffULL << 24)) | 3ULL << 24, MODEL_ECAP);
	assert_int_equal(vtd_init(&dmar, 0, false), -EOPNOTSUPP);
	assert_non_null(strstr(test_log, "lacks fault records apart"));
}

/* What the pool's size depends on, read before the units are taken. */
static void test_large_pages(void **state)
{
	(void)state;
	setup(MODEL_CAP, MODEL_ECAP);
	assert_true(vtd_has_large_pages(&dmar));
	model_add(BASE + 0x1000, MODEL_CAP & ~(1ULL << 34), MODEL_ECAP);
	dmar.unit_count = 2;
	dmar.unit[1].base = BASE + 0x1000;
	assert_false(vtd_has_large_pages(&dmar));
	dmar.unit[0].base = BASE + 0x1000;
	dmar.unit[1].base = BASE;
	assert_false(vtd_has_large_pages(&dmar));
}

static void test_x2apic_opt_out(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP | MODEL_ECAP_EIM);

	(void)state;
	dmar.x2apic_opt_out = true;
	assert_int_equal(vtd_init(&dmar, 0, true), 0);
	assert_non_null(strstr(test_log, "X2APIC_OPT_OUT"));
	expect_up(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_reset),
		cmocka_unit_test(test_x2apic),
		cmocka_unit_test(test_every_leftover),
		cmocka_unit_test(test_scalable_leftover),
		cmocka_unit_test(test_write_buffers),
		cmocka_unit_test(test_no_drains),
		cmocka_unit_test(test_stuck_commands),
		cmocka_unit_test(test_stuck_leftovers),
		cmocka_unit_test(test_dead_queue),
		cmocka_unit_test(test_queue_error),
		cmocka_unit_test(test_what_is_lacking),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_several_units),
		cmocka_unit_test(test_no_events_after_failure),
		cmocka_unit_test(test_others_block_when_one_fails),
		cmocka_unit_test(test_others_block_when_one_lacks),
		cmocka_unit_test(test_leftover_remapping_ends_with_failure),
		cmocka_unit_test(test_fault_log_ends),
		cmocka_unit_test(test_block_without_table),
		cmocka_unit_test(test_blocked_by_how_many),
		cmocka_unit_test(test_apic_ids),
		cmocka_unit_test(test_event_not_nmi),
		cmocka_unit_test(test_leftover_queue_in_error),
		cmocka_unit_test(test_leftover_register_invalidation),
		cmocka_unit_test(test_reserved_status),
		cmocka_unit_test(test_records_over_registers),
		cmocka_unit_test(test_large_pages),
		cmocka_unit_test(test_x2apic_opt_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
