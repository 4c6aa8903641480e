/* sources: vtd/vtd.c vtd/unit.c vtd/invalidate.c vtd/fault_event.c vtd/faults.c vtd/flood.c vtd/explain.c vtd/reasons.c vtd/context.c vtd/reserved.c vtd/scope.c vtd/second_level.c vtd/irte.c hv/paging.c hv/memory_map.c tests/unit/vtd_model.c drivers/pci/pci_facts.c */
/* Memory that firmware reserves stays in the reach of its functions alone. */
#include "tests/unit/vtd_model.h"
#include "vtd/context.h"
#include "vtd/faults.h"
#include "vtd/regs.h"
#include "vtd/reserved.h"
#include "vtd/unit.h"
#include <string.h>

#define DISPLAY_UNIT 0xfed90000ULL
#define OTHER_UNIT 0xfed91000ULL
#define STOLEN 0x7c000000ULL
#define STOLEN_SIZE (32 * MIB)
#define USB_MEMORY 0x7bf00000ULL

#define DISPLAY 0x0010 /* 00:02.0 */
#define USB 0x00a0     /* 00:14.0 */

static struct dmar dmar;
static struct pci_function *display, *usb;
static struct model *display_unit, *other_unit;

static struct dmar_scope scope(u8 type, u8 device)
{
	return (struct dmar_scope){
		.type = type, .path_length = 1, .path = {{device, 0}}};
}

static void reserve(u64 base, u64 size, u8 device)
{
	struct dmar_rmrr *rmrr = &dmar.rmrr[dmar.rmrr_count++];

	*rmrr = (struct dmar_rmrr){
		.base = base, .limit = base + size - 1, .scope_count = 1};
	rmrr->scope = &dmar.scope[2 + dmar.rmrr_count];
	rmrr->scope[0] = scope(DMAR_SCOPE_ENDPOINT, device);
}

/* A client machine: a unit for 00:02.0 alone, and one for the rest */
static void setup_with(u64 cap, u64 ecap)
{
	test_log_clear();
	test_pages_left = SIZE_MAX;
	model_reset();
	vtd_reserved_avoid(NULL, 0);
	display = model_pci_add(0, 0, 2, 0);
	display->class = 0x030000;
	usb = model_pci_add(0, 0, 0x14, 0);
	usb->class = 0x0c0330;
	memset(&dmar, 0, sizeof(dmar));
	dmar.address_width = 39;
	dmar.intr_remap = true;
	dmar.unit_count = 2;
	dmar.unit[0].base = DISPLAY_UNIT;
	dmar.unit[0].scope_count = 1;
	dmar.unit[0].scope = dmar.scope;
	dmar.unit[0].scope[0] = scope(DMAR_SCOPE_ENDPOINT, 2);
	dmar.unit[1].base = OTHER_UNIT;
	dmar.unit[1].include_all = true;
	display_unit = model_add(DISPLAY_UNIT, cap, ecap);
	other_unit = model_add(OTHER_UNIT, cap, ecap);
}

static int setup(void **state)
{
	(void)state;
	setup_with(MODEL_CAP, MODEL_ECAP);
	reserve(STOLEN, STOLEN_SIZE, 2);
	reserve(USB_MEMORY, 0x20000, 0x14);
	return 0;
}

static void reaches(struct model *m, u16 sid, u64 address)
{
	u64 hpa = 0;

	assert_int_equal(model_dma(m, sid, address, false, &hpa), 0);
	assert_int_equal(hpa, address);
	assert_int_equal(model_dma(m, sid, address, true, &hpa), 0);
}

static void is_blocked(struct model *m, u16 sid, u64 address)
{
	u64 hpa;

	assert_int_not_equal(model_dma(m, sid, address, false, &hpa), 0);
	assert_int_not_equal(model_dma(m, sid, address, true, &hpa), 0);
}

static void says(const char *words)
{
	if (!strstr(test_log, words))
		fail_msg("'%s' is not in:\n%s", words, test_log);
}

static void each_reaches_its_own(void **state)
{
	(void)state;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	reaches(display_unit, DISPLAY, STOLEN);
	reaches(display_unit, DISPLAY, STOLEN + STOLEN_SIZE - 1);
	is_blocked(display_unit, DISPLAY, STOLEN - 1);
	is_blocked(display_unit, DISPLAY, STOLEN + STOLEN_SIZE);
	is_blocked(display_unit, DISPLAY, USB_MEMORY);
	is_blocked(display_unit, USB, USB_MEMORY); /* not below it */
	reaches(other_unit, USB, USB_MEMORY + 0x1ffff);
	is_blocked(other_unit, USB, USB_MEMORY + 0x20000);
	is_blocked(other_unit, USB, STOLEN);
	is_blocked(other_unit, 0x00b0, USB_MEMORY);
	says("vtd: 0000:00:02.0: 0x7c000000-0x7dffffff, which firmware "
	     "reserves for it (RMRR), stays in its reach\n");
	says("vtd: all other DMA is blocked\n");
	assert_true(vtd_keeps(display) && vtd_kept(display));
}

/* Not for a moment without its entry: TE comes last. */
static void open_before_translation(void **state)
{
	(void)state;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_string_equal(display_unit->trace,
			    "QIE+ SRTP context-global iotlb-global-drain TE+ "
			    "SIRTP iec-global IRE+ ");
}

static void stays_open_in_a_panic(void **state)
{
	(void)state;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_true(vtd_block_all());
	reaches(display_unit, DISPLAY, STOLEN);
	is_blocked(display_unit, DISPLAY, USB_MEMORY);
	is_blocked(other_unit, 0x00a1, USB_MEMORY);
}

/* A function on the same bus that was given is closed in a panic. */
static void the_neighbour_is_closed_in_a_panic(void **state)
{
	struct pci_function *nic = model_pci_add(0, 0, 0x1f, 6);
	static struct memory_map map;
	static struct vtd_domain domain;

	(void)state;
	nic->class = 0x020000;
	map.count = 0;
	memory_map_add(&map, 0, GIB, MIB, REGION_RAM);
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_int_equal(vtd_domain_init(&domain, 1, &map), 0);
	assert_int_equal(vtd_attach(&domain, nic), 0);
	assert_int_equal(model_dma(other_unit, 0xfe, 0, true, &(u64){0}), 0);
	assert_true(vtd_block_all());
	is_blocked(other_unit, 0xfe, 0);
	reaches(other_unit, USB, USB_MEMORY);
}

static void several_regions_that_overlap(void **state)
{
	(void)state;
	reserve(STOLEN + STOLEN_SIZE - MIB, 2 * MIB, 2);
	reserve(0x1000, 0x1000, 2);
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	reaches(display_unit, DISPLAY, STOLEN);
	reaches(display_unit, DISPLAY, STOLEN + STOLEN_SIZE);
	reaches(display_unit, DISPLAY, 0x1000);
	is_blocked(display_unit, DISPLAY, STOLEN + STOLEN_SIZE + MIB);
}

/* Firmware may say anything. */
static void refuses_in_words(void **state)
{
	static const struct host_range guest = {4 * GIB, GIB,
						"it has memory of the guest's"};
	static const struct {
		u64 base, limit;
		const char *why;
	} wrong[] = {
		{STOLEN + 1, STOLEN + 0x1000, "it is no whole pages"},
		{STOLEN, STOLEN + 0x1000, "it is no whole pages"},
		{STOLEN, STOLEN - 1, "its extent is impossible"},
		{0, ~0ULL, "its extent is impossible"},
		{1ULL << 39, (1ULL << 39) + 0xfff, "its extent is impossible"},
		{0, GIB + 0xfff, "it is larger than 1 GiB"},
		{5 * GIB - 0x1000, 5 * GIB + 0xfff,
		 "it has memory of the guest's"},
		{DISPLAY_UNIT - 0x1000, DISPLAY_UNIT + 0xfff,
		 "a remapping unit is there"},
		/* Where the registers of the first one do not reach */
		{DISPLAY_UNIT + VTD_REGISTERS_SIZE,
		 DISPLAY_UNIT + VTD_REGISTERS_SIZE + 0xfff,
		 "a remapping unit is there"},
		{INTERRUPT_RANGE, INTERRUPT_RANGE + 0xfff,
		 "the remapping units do not reach it"},
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
		setup_with(MODEL_CAP, MODEL_ECAP);
		vtd_reserved_avoid(&guest, 1);
		reserve(wrong[i].base, wrong[i].limit - wrong[i].base + 1, 2);
		assert_int_equal(vtd_init(&dmar, 0, false), 0);
		says("stays blocked: ");
		says(wrong[i].why);
		is_blocked(display_unit, DISPLAY, wrong[i].base & ~0xfffULL);
		assert_false(vtd_kept(display));
	}
}

/* A region that is wrong does not take the others along. */
static void one_wrong_region_is_dropped(void **state)
{
	(void)state;
	reserve(STOLEN + 1, 0x1000, 2);
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	reaches(display_unit, DISPLAY, STOLEN);
}

static void all_behind_a_bridge(void **state)
{
	struct pci_function *bridge = model_pci_add(0, 0, 0x1c, 0);
	struct pci_function *bmc = model_pci_add(0, 1, 0, 2);

	(void)state;
	bridge->bridge = true;
	bridge->secondary = bridge->subordinate = 1;
	bmc->parent = bridge;
	reserve(0x70000000, 0x10000, 0x1c);
	dmar.rmrr[2].scope[0].type = DMAR_SCOPE_BRIDGE;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	reaches(other_unit, 0x0102, 0x7000ffff);
	assert_true(vtd_keeps(bmc));
}

static void without_memory_it_stays_blocked(void **state)
{
	(void)state;
	assert_int_equal(vtd_probe(&dmar, false, 0), 0);
	test_pages_left = 3; /* queue, root table, its structure */
	assert_int_equal(vtd_start(0), -ENOMEM);
	says("0000:00:02.0: stays blocked");
	is_blocked(display_unit, DISPLAY, STOLEN);
	assert_false(vtd_kept(display));
}

/* As VT-d units without caching mode, and with it and without coherence: the
 * model reads what was written back alone. */
static void its_faults_can_be_silenced(void **state)
{
	(void)state;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	for (unsigned int i = 0; i < 20; i++) {
		is_blocked(display_unit, DISPLAY, 0x1000);
		vtd_service_faults();
	}
	says("0000:00:02.0 is not assigned and was blocked 16 times");
	assert_int_equal(display_unit->fsts, 0);
	reaches(display_unit, DISPLAY, STOLEN);
	assert_true(vtd_block_all());
	reaches(display_unit, DISPLAY, STOLEN);
}

/* As Linux's igfx_off, but until somebody is given the display. */
static void a_display_unit_without_rmrr_stays_off(void **state)
{
	static struct memory_map map;
	static struct vtd_domain domain;

	(void)state;
	setup_with(MODEL_CAP, MODEL_ECAP);
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	says("vtd: dmar0: stays off, for nothing but displays is below it");
	assert_int_equal(display_unit->gsts >> 31, 0);
	assert_int_equal(other_unit->gsts >> 31, 1);
	assert_true(vtd_keeps(display) && vtd_kept(display));
	assert_false(vtd_keeps(usb) || vtd_kept(usb));
	assert_true(vtd_block_all());
	map.count = 0;
	memory_map_add(&map, 0, GIB, MIB, REGION_RAM);
	assert_int_equal(vtd_domain_init(&domain, 1, &map), 0);
	assert_int_equal(vtd_attach(&domain, display), 0);
	assert_int_equal(display_unit->gsts >> 31, 1);
	is_blocked(display_unit, DISPLAY, MIB);
	assert_false(vtd_kept(display));
}

/* A unit with something else below it, or with the rest, translates. */
static void any_other_unit_blocks(void **state)
{
	(void)state;
	setup_with(MODEL_CAP, MODEL_ECAP);
	dmar.unit[0].scope[dmar.unit[0].scope_count++] =
		scope(DMAR_SCOPE_ENDPOINT, 0x14);
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	is_blocked(display_unit, DISPLAY, STOLEN);
	setup_with(MODEL_CAP, MODEL_ECAP);
	display->class = 0x040300;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	is_blocked(display_unit, DISPLAY, STOLEN);
	assert_false(vtd_keeps(display));
}

/* Where the table has no use, units that block keep the picture too. */
static void only_blocking_keeps_it_too(void **state)
{
	(void)state;
	dmar.intr_remap = false;
	assert_int_not_equal(vtd_init(&dmar, 0, false), 0);
	reaches(display_unit, DISPLAY, STOLEN);
	is_blocked(display_unit, DISPLAY, 0x1000);
}

static void takes_as_many_pages_as_it_says(void **state)
{
	static const u64 caps[] = {MODEL_CAP, MODEL_CAP & ~(3ULL << 34)};

	for (unsigned int i = 0; i < ARRAY_SIZE(caps); i++) {
		setup(state);
		setup_with(caps[i], MODEL_ECAP);
		reserve(STOLEN + 0x1000, STOLEN_SIZE, 2);
		reserve(USB_MEMORY, 0x20000, 0x14);
		assert_int_equal(vtd_probe(&dmar, false, 0), 0);
		test_pages_left =
			2 * VTD_UNIT_PAGES + vtd_reserved_pages(&dmar, i == 0);
		assert_int_equal(vtd_start(0), 0);
		reaches(display_unit, DISPLAY, STOLEN + 0x1000);
		reaches(other_unit, USB, USB_MEMORY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_reaches_its_own, setup),
		cmocka_unit_test_setup(open_before_translation, setup),
		cmocka_unit_test_setup(stays_open_in_a_panic, setup),
		cmocka_unit_test_setup(the_neighbour_is_closed_in_a_panic,
				       setup),
		cmocka_unit_test_setup(several_regions_that_overlap, setup),
		cmocka_unit_test_setup(refuses_in_words, setup),
		cmocka_unit_test_setup(one_wrong_region_is_dropped, setup),
		cmocka_unit_test_setup(all_behind_a_bridge, setup),
		cmocka_unit_test_setup(without_memory_it_stays_blocked, setup),
		cmocka_unit_test_setup(its_faults_can_be_silenced, setup),
		cmocka_unit_test_setup(a_display_unit_without_rmrr_stays_off,
				       setup),
		cmocka_unit_test_setup(any_other_unit_blocks, setup),
		cmocka_unit_test_setup(only_blocking_keeps_it_too, setup),
		cmocka_unit_test_setup(takes_as_many_pages_as_it_says, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
