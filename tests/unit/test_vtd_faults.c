/* sources: vtd/vtd.c vtd/unit.c vtd/invalidate.c vtd/fault_event.c vtd/faults.c vtd/flood.c vtd/explain.c vtd/reasons.c vtd/context.c vtd/reserved.c vtd/scope.c vtd/second_level.c vtd/irte.c hv/paging.c hv/memory_map.c tests/unit/vtd_model.c drivers/pci/pci_facts.c */
/* Faults: words, counts, limits, overflow. */
#include "tests/unit/vtd_model.h"
#include "vtd/context.h"
#include "vtd/faults.h"
#include "vtd/flood.h"
#include "vtd/irte.h"
#include "vtd/reasons.h"
#include "vtd/second_level.h"
#include <stdio.h>
#include <string.h>

#define BASE 0xfed90000ULL
#define VF_SID 0x0180

static struct dmar dmar;
static struct memory_map map;
static struct vtd_domain domain;
static struct pci_function *vf;
static u64 counted;

/* A VF attached to 1 GiB of RAM; the log empty, tokens full. */
static struct model *setup(u64 cap)
{
	struct model *m;

	test_pages_left = SIZE_MAX;
	test_time += 20000000;
	model_reset();
	m = model_add(BASE, cap, MODEL_ECAP);
	vf = model_pci_add(0, 1, 0x10, 0);
	vf->pf = model_pci_add(0, 1, 0, 0);
	memset(&dmar, 0, sizeof(dmar));
	dmar.intr_remap = true;
	dmar.unit_count = 1;
	dmar.unit[0].base = BASE;
	dmar.unit[0].include_all = true;
	memset(&map, 0, sizeof(map));
	assert_int_equal(memory_map_add(&map, 0, 5 * GIB, GIB, REGION_RAM), 0);
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_int_equal(vtd_domain_init(&domain, 1, &map), 0);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	counted = vtd_fault_count(0, NULL);
	test_log_clear();
	return m;
}

static unsigned int occurrences(const char *text)
{
	unsigned int n = 0;

	for (const char *p = test_log; (p = strstr(p, text)); p++)
		n++;
	return n;
}

static void test_nothing(void **state)
{
	(void)state;
	setup(MODEL_CAP);
	assert_false(vtd_service_faults());
	assert_string_equal(test_log, "");
}

static void test_dma_in_words(void **state)
{
	struct model *m = setup(MODEL_CAP);
	struct vtd_fault last;
	char expected[256];
	u64 hpa;

	(void)state;
	assert_int_equal(model_dma(m, VF_SID, 0x40000123, true, &hpa), 5);
	assert_int_equal(m->nmis, 1);
	assert_true(vtd_service_faults());
	assert_non_null(strstr(test_log,
			       "vtd: dmar0: blocked: 0000:01:10.0 (VF 0 of "
			       "0000:01:00.0) write 0x40000000, "));
	snprintf(expected, sizeof(expected),
		 ": not writable (reason 5h, VT-d LGN.2); root[01]=0x%lx, ",
		 (unsigned long)vtd_units[0].root[1].low);
	assert_true(vtd_units[0].root[1].low & VTD_PRESENT);
	assert_non_null(strstr(test_log, expected));
	snprintf(expected, sizeof(expected),
		 ", context[80]=0x102:%lx, L4[0]=0x%lx, L3[1]=0x0\n",
		 (unsigned long)(uintptr_t)domain.table.root | 1,
		 (unsigned long)domain.table.root[0]);
	assert_non_null(strstr(test_log, expected));
	assert_non_null(strstr(test_log,
			       "\nvtd-fault: unit=dmar0 source=0000:01:10.0 "
			       "vf=0 pf=0000:01:00.0 access=write "
			       "address=0x40000000 reason=0x05 root=0x"));
	assert_non_null(strstr(test_log, " l3=0x0\n"));
	assert_int_equal(vtd_fault_count(0, &last), counted + 1);
	assert_int_equal(last.source_id, VF_SID);
	assert_int_equal(last.reason, 5);
	assert_false(last.read);
	assert_int_equal(last.address, 0x40000000);
	/* cleared: the next one makes an NMI, and is a read */
	test_log_clear();
	assert_int_equal(model_dma(m, VF_SID, 0x40000123, false, &hpa), 6);
	assert_int_equal(m->nmis, 2);
	assert_true(vtd_service_faults());
	assert_non_null(strstr(test_log, " read 0x40000000"));
	assert_non_null(strstr(test_log, "reason 6h, VT-d LGN.3"));
	assert_false(vtd_service_faults());
}

static void test_unknown_sources(void **state)
{
	struct model *m = setup(MODEL_CAP);
	u64 hpa;

	(void)state;
	assert_int_equal(model_dma(m, 0x0100, 0x1000, true, &hpa), 2);
	assert_true(vtd_service_faults());
	assert_non_null(strstr(test_log,
			       "0000:01:00.0 write 0x1000: context entry not "
			       "present: not assigned (reason 2h, VT-d "
			       "LCT.2); root[01]=0x"));
	assert_non_null(strstr(test_log, ", context[00]=0x0:0\n"));
	assert_int_equal(model_dma(m, 0xffff, 0x1000, true, &hpa), 1);
	assert_true(vtd_service_faults());
	assert_non_null(strstr(test_log,
			       "0000:ff:1f.7 (no known function) write 0x1000"
			       ": root entry not present (reason 1h, VT-d "
			       "LRT.2); root[ff]=0x0\n"));
}

static void test_address_too_wide(void **state)
{
	struct model *m = setup(MODEL_CAP);
	u64 hpa;

	(void)state;
	assert_int_equal(model_dma(m, VF_SID, 1ULL << 52, true, &hpa), 4);
	assert_true(vtd_service_faults());
	assert_non_null(strstr(test_log, "address wider than the table\n"));
}

static void test_interrupts_in_words(void **state)
{
	struct model *m = setup(MODEL_CAP);
	struct vtd_interrupt to = {.destination = 1, .vector = 0x41};
	u32 destination;
	u8 vector;

	(void)state;
	assert_int_equal(vtd_irte_set(vtd_irte_alloc(vf), &to), 0);
	/* the PF uses its VF's entry 0 */
	assert_int_equal(model_interrupt(m, 0x0100, 0xfee00010, 0, &vector,
					 &destination),
			 0x26);
	assert_true(vtd_service_faults());
	assert_non_null(strstr(test_log,
			       "blocked: 0000:01:00.0 interrupt 0 (holds "
			       "0x40180:10000410001, of 0000:01:10.0, VF 0 "
			       "of 0000:01:00.0): "
			       "interrupt entry belongs to another source "
			       "(reason 26h, VT-d IR 26h)\n"));
	assert_non_null(strstr(test_log,
			       "access=interrupt index=0 "
			       "irte=0x40180:10000410001 owner=0000:01:10.0 "
			       "reason=0x26\n"));
	assert_int_equal(model_interrupt(m, VF_SID, 0xfee00030, 0, &vector,
					 &destination),
			 0x22);
	assert_true(vtd_service_faults());
	assert_non_null(strstr(test_log, "interrupt 1 (holds 0x0:0, free): "));
	assert_int_equal(model_interrupt(m, VF_SID, 0xfee00014, 0, &vector,
					 &destination),
			 0x21);
	assert_true(vtd_service_faults());
	assert_non_null(strstr(test_log, "interrupt 32768: interrupt index "
					 "beyond the table"));
	assert_int_equal(model_interrupt(m, VF_SID, 0xfee00000, 0x41, &vector,
					 &destination),
			 0x25);
	assert_true(vtd_service_faults());
	assert_non_null(strstr(test_log,
			       " interrupt: compatibility-format interrupt "
			       "is blocked (reason 25h"));
}

/* Every reason of the legacy mode has words of its own. */
static void test_reasons(void **state)
{
	(void)state;
	for (unsigned int code = 0; code < 256; code++) {
		const struct vtd_reason *reason = vtd_reason(code);
		bool legacy = (code >= 1 && code <= 0xe) ||
			      (code >= 0x20 && code <= 0x28);

		assert_int_equal(reason->code, legacy ? code : 0);
		assert_true(strlen(reason->words) > 10);
	}
	assert_string_equal(vtd_reason(0x25)->words,
			    "compatibility-format interrupt is blocked");
}

static void test_overflow(void **state)
{
	struct model *m = setup(MODEL_CAP);
	u64 hpa;

	(void)state;
	model_dma(m, VF_SID, 0x40000000, true, &hpa);
	model_dma(m, 0x0020, 0x1000, true, &hpa); /* no record free: PFO */
	model_dma(m, 0x0028, 0x1000, true, &hpa); /* lost */
	assert_int_equal(m->fsts & 1, 1);
	assert_int_equal(m->nmis, 1);
	assert_true(vtd_service_faults());
	assert_non_null(strstr(test_log, "dmar0: fault records overflowed "
					 "(PFO)"));
	assert_non_null(
		strstr(test_log, "vtd-event: unit=dmar0 event=overflow\n"));
	assert_int_equal(m->fsts, 0);
	model_dma(m, 0x0020, 0x1000, true, &hpa);
	assert_int_equal(m->nmis, 2);
	assert_true(vtd_service_faults());
	assert_int_equal(vtd_fault_count(0, NULL), counted + 2);
}

/* Eight records, in the order of FRI. */
static void test_several_records(void **state)
{
	struct model *m = setup(MODEL_CAP | 7ULL << 40);
	struct vtd_fault f;

	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		model_fault(m, 0x0200 + i, 2, false, i << 12);
	m->fsts |= 3 << 8; /* the oldest is record 3 */
	assert_true(vtd_service_faults());
	assert_int_equal(vtd_fault_count(0, NULL), counted + 8);
	assert_int_equal(occurrences("vtd-fault:"), 8);
	/* The newest one first, and no more than are kept */
	assert_int_equal(vtd_fault_count(0, &f), counted + 8);
	assert_int_equal(f.source_id, 0x0202);
	vtd_fault_count(STAT_FAULTS - 1, &f);
	assert_int_equal(f.source_id, 0x0203);
	assert_int_not_equal(f.time_us, 0);
	vtd_fault_count(STAT_FAULTS, &f);
	assert_int_equal(f.time_us | f.source_id, 0);
	assert_true(strstr(test_log, "02:00.3 ") <
		    strstr(test_log, "02:00.7 "));
	assert_true(strstr(test_log, "02:00.7 ") <
		    strstr(test_log, "02:00.2 "));
}

static void test_rate_limit(void **state)
{
	struct model *m = setup(MODEL_CAP);

	(void)state;
	for (unsigned int i = 0; i < 500; i++) {
		model_fault(m, VF_SID, 5, false, i << 12);
		assert_true(vtd_service_faults());
	}
	assert_int_equal(vtd_fault_count(0, NULL), counted + 500);
	assert_int_equal(occurrences("vtd: dmar0: blocked"), 32);
	assert_int_equal(occurrences("vtd-fault:"), 32);
	/* the next one that is explained tells what was not */
	test_log_clear();
	test_time += 1000000;
	model_fault(m, VF_SID, 5, false, 0);
	assert_true(vtd_service_faults());
	assert_non_null(strstr(test_log, "vtd: 468 faults came too fast to be "
					 "explained"));
	assert_int_equal(occurrences("vtd-fault:"), 1);
	test_log_clear();
	vtd_fault_summary();
	assert_non_null(strstr(test_log, "vtd: requests blocked: "));
	assert_int_equal(occurrences("too fast"), 0); /* told already */
}

#define SERIAL_CHARACTER_US 87 /* 115200 baud */

/* Eight faults, and a line slower than they are: one at each call. */
static void test_slow_line(void **state)
{
	struct model *m = setup(MODEL_CAP | 7ULL << 40);
	u64 start;

	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		model_fault(m, 0x0200 + i, 2, false, i << 12);
	test_character_us = SERIAL_CHARACTER_US;
	for (unsigned int i = 1; i <= 8; i++) {
		start = test_time;
		assert_true(vtd_service_faults());
		assert_int_equal(occurrences("vtd-fault:"), i);
		assert_int_equal(vtd_faults_pending(), i < 8);
		/* 20 ms, and what was begun by then */
		assert_true(test_time - start < 20000 + 480 * 2 * 87);
	}
	test_character_us = 0;
	assert_int_equal(vtd_fault_count(0, NULL), counted + 8);
	assert_int_equal(occurrences("faults come faster"), 1);
}

/* Ten seconds of faults without end: most of the line is left to others. */
static void test_share_of_line(void **state)
{
	struct model *m = setup(MODEL_CAP);
	u64 start = test_time;

	(void)state;
	m->flood = true;
	test_character_us = SERIAL_CHARACTER_US;
	model_fault(m, VF_SID, 5, false, 0x1000);
	while (test_time < start + 10000000) {
		vtd_service_faults();
		assert_true(vtd_faults_pending());
	}
	test_character_us = 0;
	m->flood = false;
	vtd_service_faults();
	assert_true(occurrences("vtd-fault:") <= 32 + 10 * 10 / 3 + 1);
	/* A fifth of it, and the 32 that come at once */
	assert_true(strlen(test_log) < 10 * 11520 / 5 + 32 * 2 * 240);
}

/* DMA by @sid, which is blocked; true if that is told to the service. */
static bool blocked(struct model *m, u16 sid)
{
	u64 hpa;

	assert_in_range(model_dma(m, sid, 0x1000, true, &hpa), 1, 2);
	return vtd_service_faults();
}

/* The first 16 faults are told, and no more after them. */
static void expect_silenced(struct model *m, u16 sid)
{
	for (unsigned int i = 0; i < 16; i++)
		assert_true(blocked(m, sid));
	assert_int_equal(occurrences("its requests stay blocked"), 1);
	assert_int_equal(occurrences("event=silenced"), 1);
	assert_int_equal(occurrences("vtd-fault:"), 16);
	for (unsigned int i = 0; i < 100; i++)
		assert_false(blocked(m, sid));
	assert_int_equal(vtd_fault_count(0, NULL), counted + 16);
}

/* The PF, whose bus has a context table; a function of another bus. */
static void test_silence(void **state)
{
	struct model *m = setup(MODEL_CAP);
	u64 hpa;

	(void)state;
	expect_silenced(m, 0x0100);
	assert_non_null(strstr(test_log, "vtd: dmar0: 0000:01:00.0 is not "
					 "assigned and was blocked 16 times"));
	assert_non_null(strstr(test_log, "vtd-event: unit=dmar0 event=silenced "
					 "source=0000:01:00.0\n"));
	/* the guest's own is told */
	model_dma(m, VF_SID, 0x40000000, true, &hpa);
	assert_true(vtd_service_faults());
	vtd_fault_summary();
	assert_non_null(strstr(test_log, "and those of 1 functions that were "
					 "silenced\n"));
	m = setup(MODEL_CAP);
	expect_silenced(m, 0x0210);
	/* in caching mode that it is missing was cached */
	m = setup(MODEL_CAP | MODEL_CAP_CM);
	expect_silenced(m, 0x0210);
	m = setup(MODEL_CAP | MODEL_CAP_RWBF);
	m->trace[0] = '\0';
	expect_silenced(m, 0x0210);
	assert_string_equal(m->trace, "WBF ");
}

/* An assigned function is not silenced, and one that was is told again once it
 * is assigned. */
static void test_silence_ends(void **state)
{
	struct model *m = setup(MODEL_CAP);
	struct pci_function *pf = vf->pf;
	u64 hpa;

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		model_dma(m, VF_SID, 0x40000000, true, &hpa);
		assert_true(vtd_service_faults());
	}
	/* recorded before it was assigned */
	for (unsigned int i = 0; i < 20; i++) {
		model_fault(m, VF_SID, 2, false, 0x1000);
		assert_true(vtd_service_faults());
	}
	assert_int_equal(vtd_mute(&vtd_units[0], VF_SID), -EBUSY);
	assert_null(strstr(test_log, "silenced"));
	test_log_clear();
	counted = vtd_fault_count(0, NULL);
	expect_silenced(m, 0x0100);
	assert_int_equal(vtd_attach(&domain, pf), 0);
	assert_int_equal(model_dma(m, 0x0100, 0x1000, true, &hpa), 0);
	model_dma(m, 0x0100, 0x40000000, true, &hpa);
	assert_true(vtd_service_faults());
	assert_int_equal(vtd_detach(&domain, pf), 0);
	assert_true(blocked(m, 0x0100));
}

/* A fault now and then is told each time. */
static void test_pauses(void **state)
{
	struct model *m = setup(MODEL_CAP);

	(void)state;
	for (unsigned int i = 0; i < 40; i++) {
		assert_true(blocked(m, 0x0118));
		test_time += 20000000;
	}
	assert_int_equal(occurrences("vtd-fault:"), 40);
}

/* Without a page for its bus's context table: it is told on. */
static void test_no_page_for_silence(void **state)
{
	struct model *m = setup(MODEL_CAP);
	unsigned int before = vtd_muted();

	(void)state;
	test_pages_left = 0;
	for (unsigned int i = 0; i < 20; i++)
		assert_true(blocked(m, 0x0310));
	assert_non_null(strstr(test_log, "vtd: dmar0: 0000:03:02.0 cannot be "
					 "silenced (-12)\n"));
	assert_null(strstr(test_log, "event=silenced"));
	assert_int_equal(vtd_muted(), before);
}

/* One that changes its ID gets so many context tables and no more, nor more
 * attempts at one. */
static void test_silence_is_limited(void **state)
{
	struct model *m = setup(MODEL_CAP);
	unsigned int before;
	size_t pages;

	(void)state;
	/* Two that fail; a line of log for each */
	test_pages_left = 0;
	for (unsigned int i = 0; i < 32; i++)
		blocked(m, 0x4000);
	assert_int_equal(occurrences("cannot be silenced"), 2);
	test_pages_left = SIZE_MAX;
	before = vtd_muted();
	pages = page_count(PAGES_VTD);
	for (unsigned int bus = 2; bus < 40; bus++)
		for (unsigned int i = 0; i < 20; i++)
			blocked(m, bus << 8);
	assert_true(occurrences("event=silenced") > 0);
	assert_true(vtd_muted() <= VTD_MAX_MUTED - 2);
	assert_int_equal(occurrences("event=silenced"), vtd_muted() - before);
	assert_in_range(page_count(PAGES_VTD) - pages, 1, VTD_MAX_MUTED);
	assert_true(blocked(m, 39 << 8));
	test_log_clear();
	test_pages_left = 0;
	for (unsigned int i = 0; i < 32; i++)
		assert_true(blocked(m, 0x5000));
	assert_null(strstr(test_log, "cannot be silenced"));
}

/* Who is not assigned takes nothing of what the guest's device is told by. */
static void test_shares(void **state)
{
	struct model *m = setup(MODEL_CAP);

	(void)state;
	for (unsigned int i = 0; i < 500; i++) {
		model_fault(m, 0x0100, 0x25, false, 0);
		assert_true(vtd_service_faults());
	}
	assert_int_equal(occurrences("vtd-fault:"), 16);
	model_fault(m, VF_SID, 5, false, 0x1000);
	assert_true(vtd_service_faults());
	assert_int_equal(occurrences("vtd-fault:"), 17);
	assert_non_null(strstr(test_log, "vtd-fault: unit=dmar0 "
					 "source=0000:01:10.0"));
}

/* A device that never stops: the service does. */
static void test_flood(void **state)
{
	struct model *m = setup(MODEL_CAP);

	(void)state;
	m->flood = true;
	model_fault(m, VF_SID, 5, false, 0x1000);
	assert_true(vtd_service_faults());
	assert_true(vtd_faults_pending());
	assert_non_null(strstr(test_log, "faults come faster than"));
	m->flood = false;
	assert_true(vtd_service_faults());
	assert_false(vtd_faults_pending());
	assert_false(vtd_service_faults());
}

static void test_queue_errors(void **state)
{
	struct model *m = setup(MODEL_CAP);

	(void)state;
	m->fsts |= 0x60; /* ICE, ITE */
	assert_true(vtd_service_faults());
	assert_non_null(strstr(test_log, "nobody asked for (ICE)"));
	assert_non_null(strstr(test_log, "device time-out (ITE)"));
	assert_int_equal(m->fsts, 0);
	assert_false(vtd_service_faults());
}

/* One that comes while faults are read makes no event of its own: left set, it
 * would hold back all that come after it. */
static void test_queue_error_meanwhile(void **state)
{
	struct model *m = setup(MODEL_CAP);

	(void)state;
	m->completions = true;
	for (unsigned int i = 1; i <= 3; i++) {
		model_fault(m, VF_SID, 5, false, 0x1000);
		assert_int_equal(m->nmis, i);
		assert_true(vtd_service_faults());
		assert_int_equal(m->fsts, 0);
	}
}

/* Completions without end, and all records to look at after each: the time is
 * over before the rounds are. */
static void test_queue_error_flood(void **state)
{
	struct model *m = setup(MODEL_CAP | 7ULL << 40);
	u64 start = test_time;

	(void)state;
	m->ice_flood = true;
	m->record_us = 500;
	m->fsts |= 0x20; /* ICE */
	assert_true(vtd_service_faults());
	/* 20 ms, and the round that was begun by then */
	assert_in_range(test_time - start, 20000, 20000 + 8 * 500 + 100);
	assert_true(vtd_faults_pending());
	m->ice_flood = false;
	assert_true(vtd_service_faults());
	assert_false(vtd_faults_pending());
	assert_int_equal(m->fsts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_dma_in_words),
		cmocka_unit_test(test_unknown_sources),
		cmocka_unit_test(test_address_too_wide),
		cmocka_unit_test(test_interrupts_in_words),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_several_records),
		cmocka_unit_test(test_rate_limit),
		cmocka_unit_test(test_slow_line),
		cmocka_unit_test(test_share_of_line),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_silence_ends),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_no_page_for_silence),
		cmocka_unit_test(test_silence_is_limited),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_queue_errors),
		cmocka_unit_test(test_queue_error_meanwhile),
		cmocka_unit_test(test_queue_error_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
