/* sources: vtd/vtd.c vtd/unit.c vtd/invalidate.c vtd/fault_event.c vtd/faults.c vtd/flood.c vtd/explain.c vtd/reasons.c vtd/context.c vtd/reserved.c vtd/scope.c vtd/second_level.c vtd/irte.c hv/paging.c hv/memory_map.c tests/unit/vtd_model.c drivers/pci/pci_facts.c */
/* Interrupt remapping entries: bits, life, and what the unit makes of them. */
#include "hv/weaken.h"
#include "tests/unit/vtd_model.h"
#include "vtd/faults.h"
#include "vtd/irte.h"
#include "vtd/unit.h"
#include <string.h>

#define BASE 0xfed90000ULL

static struct dmar dmar;
static struct pci_function *nic, *other;

static struct model *setup(u64 cap, u64 ecap)
{
	struct model *m;

	test_log_clear();
	test_pages_left = SIZE_MAX;
	model_reset();
	m = model_add(BASE, cap, ecap);
	nic = model_pci_add(0, 1, 0x10, 0);
	other = model_pci_add(0, 0, 4, 0);
	memset(&dmar, 0, sizeof(dmar));
	dmar.intr_remap = true;
	dmar.unit_count = 1;
	dmar.unit[0].base = BASE;
	dmar.unit[0].include_all = true;
	dmar.unit[0].scope_count = 1;
	dmar.unit[0].scope = dmar.scope;
	dmar.unit[0].scope[0] = (struct dmar_scope){
		.type = DMAR_SCOPE_IOAPIC,
		.enumeration_id = 2,
		.start_bus = 0xff,
		.path_length = 1,
	};
	assert_int_equal(vtd_init(&dmar, 0, true), 0);
	m->trace[0] = '\0';
	return m;
}

static void test_encoding(void **state)
{
	struct vtd_interrupt i = {.destination = 0x12345, .vector = 0x41};
	u64 low;

	(void)state;
	assert_int_equal(vtd_irte_encode(&i, true, &low), 0);
	assert_int_equal(low, 0x0001234500410001);
	assert_int_equal(vtd_irte_encode(&i, false, &low), -EINVAL);
	i.destination = 0xfe;
	assert_int_equal(vtd_irte_encode(&i, false, &low), 0);
	assert_int_equal(low, 0x0000fe0000410001);
	i = (struct vtd_interrupt){.destination = 1,
				   .vector = 0xef,
				   .delivery_mode = 1,
				   .logical = true,
				   .level = true,
				   .redirection_hint = true};
	assert_int_equal(vtd_irte_encode(&i, true, &low), 0);
	/* P, DM, RH, TM, DLM 001 */
	assert_int_equal(low, 0x0000000100ef003d);
	i = (struct vtd_interrupt){.delivery_mode = 4};
	assert_int_equal(vtd_irte_encode(&i, true, &low), 0);
	assert_int_equal(low, 0x81);
	/* SVT 01, SQ 00, SID 01:10.0 */
	assert_int_equal(vtd_irte_source(0x0180), 0x40180);
}

static void test_message(void **state)
{
	u64 address;
	u32 data = 1;

	(void)state;
	vtd_message(0, &address, &data);
	assert_int_equal(address, 0xfee00010);
	assert_int_equal(data, 0);
	vtd_message(5, &address, &data);
	assert_int_equal(address, 0xfee000b0);
	vtd_message(0x8003, &address, &data);
	assert_int_equal(address, 0xfee00074);
	vtd_message(0x20007, &address, &data); /* unit 2 */
	assert_int_equal(address, 0xfee000f0);
}

static u8 send(struct model *m, u16 sid, int index, u8 *vector, u32 *to)
{
	u64 address;
	u32 data;

	vtd_message(index, &address, &data);
	return model_interrupt(m, sid, address, data, vector, to);
}

static void expect_delivery(struct model *m, u16 sid, int index, u8 vector,
			    u32 to)
{
	u32 destination;
	u8 got;

	assert_int_equal(send(m, sid, index, &got, &destination), 0);
	assert_int_equal(got, vector);
	assert_int_equal(destination, to);
}

static void test_life(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP | MODEL_ECAP_EIM);
	struct vtd_interrupt to = {.destination = 0x102, .vector = 0x31};
	u32 destination;
	int index;
	u8 vector;

	(void)state;
	index = vtd_irte_alloc(nic);
	assert_true(index >= 0);
	assert_int_equal(send(m, 0x180, index, &vector, &destination), 0x22);
	assert_int_equal(vtd_irte_set(index, &to), 0);
	expect_delivery(m, 0x180, index, 0x31, 0x102);
	/* another function may not use it */
	assert_int_equal(send(m, 0x20, index, &vector, &destination), 0x26);
	/* the new one counts at once */
	to = (struct vtd_interrupt){.destination = 1, .vector = 0x32};
	m->trace[0] = '\0';
	assert_int_equal(vtd_irte_set(index, &to), 0);
	assert_string_equal(m->trace, "iec-0 ");
	expect_delivery(m, 0x180, index, 0x32, 1);
	assert_int_equal(vtd_irte_set(index, NULL), 0);
	assert_int_equal(send(m, 0x180, index, &vector, &destination), 0x22);
	assert_int_equal(vtd_irte_set(index, &to), 0);
	vtd_irte_free(index);
	assert_int_equal(send(m, 0x180, index, &vector, &destination), 0x22);
	assert_int_equal(vtd_irte_set(index, &to), -EINVAL);
	/* and its next owner is another */
	assert_int_equal(vtd_irte_alloc(other), index);
	assert_int_equal(vtd_irte_set(index, &to), 0);
	expect_delivery(m, 0x20, index, 0x32, 1);
	assert_int_equal(send(m, 0x180, index, &vector, &destination), 0x26);
}

/* In caching mode what is not present is cached, too. */
static void test_caching_mode(void **state)
{
	struct model *m = setup(MODEL_CAP | MODEL_CAP_CM, MODEL_ECAP);
	struct vtd_interrupt to = {.destination = 3, .vector = 0x50};
	int index = vtd_irte_alloc(nic);
	u32 destination;
	u8 vector;

	(void)state;
	assert_int_equal(send(m, 0x180, index, &vector, &destination), 0x22);
	assert_int_equal(vtd_irte_set(index, &to), 0);
	expect_delivery(m, 0x180, index, 0x50, 3);
	to.destination = 0x100;
	assert_int_equal(vtd_irte_set(index, &to), -EINVAL); /* no EIM */
	expect_delivery(m, 0x180, index, 0x50, 3);
}

static void test_full_and_bad_indices(void **state)
{
	struct vtd_interrupt to = {.vector = 0x50};
	int index;

	(void)state;
	setup(MODEL_CAP, MODEL_ECAP);
	/* 8 functions with 65 messages, and more */
	for (unsigned int i = 0; i < 1024; i++) {
		index = vtd_irte_alloc(nic);
		assert_int_equal(index, i);
	}
	assert_int_equal(vtd_irte_alloc(nic), -ENOSPC);
	vtd_irte_free(77);
	assert_int_equal(vtd_irte_alloc(nic), 77);
	assert_int_equal(vtd_irte_set(-1, &to), -EINVAL);
	assert_int_equal(vtd_irte_set(1024, &to), -EINVAL);
	assert_int_equal(vtd_irte_set(0x10000, &to), -EINVAL);
	assert_int_equal(vtd_irte_set(0x7fff0000, &to), -EINVAL);
	vtd_irte_free(-1);
	vtd_irte_free(0x7fffffff);
}

static void test_ioapic(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);
	struct vtd_interrupt to = {.destination = 0, .vector = 0x24};
	int index = vtd_irte_alloc_ioapic(2);

	(void)state;
	assert_true(index >= 0);
	assert_int_equal(vtd_irte_set(index, &to), 0);
	expect_delivery(m, 0xff00, index, 0x24, 0);
	/* Another function uses it: the line says whose it is */
	assert_int_equal(model_interrupt(m, PCI_RID(nic->addr),
					 0xfee00010 | (u32)index << 5, 0,
					 &(u8){0}, &(u32){0}),
			 0x26);
	assert_true(vtd_service_faults());
	assert_non_null(strstr(test_log, ", of the IOAPIC, 0000:ff:00.0): "));
	assert_non_null(strstr(test_log, " owner=ioapic "));
	assert_int_equal(vtd_irte_alloc_ioapic(3), -ENODEV);
	assert_non_null(strstr(test_log, "no remapping unit lists IOAPIC 3"));
}

/* SVT 01b, SQ 00b; weaken=ir-source-check: SVT 00b, everyone's. */
static void test_source_check(void **state)
{
	(void)state;
	assert_int_equal(vtd_irte_source(0x180), 0x40180);
	weaken = WEAKEN_IR_SOURCE_CHECK;
	assert_int_equal(vtd_irte_source(0x180), 0x180);
	weaken = 0;
}

/* weaken=compat-block: no extended mode, and compatibility format passes. */
static void test_compatibility_format(void **state)
{
	struct model *m;

	(void)state;
	weaken = WEAKEN_COMPAT_BLOCK;
	m = setup(MODEL_CAP, MODEL_ECAP);
	weaken = 0;
	assert_int_equal(m->gsts >> 23 & 1, 1);
	assert_false(vtd_units[0].eim);
}

/* Each unit has a table of its own; indices do not collide. */
static void test_two_units(void **state)
{
	struct vtd_interrupt to = {.destination = 2, .vector = 0x60};
	struct model *first, *second;
	int a, b;

	(void)state;
	setup(MODEL_CAP, MODEL_ECAP);
	model_reset();
	first = model_add(BASE, MODEL_CAP, MODEL_ECAP);
	second = model_add(BASE + 0x1000, MODEL_CAP, MODEL_ECAP);
	nic = model_pci_add(0, 1, 0x10, 0);
	other = model_pci_add(1, 0, 4, 0);
	dmar.unit_count = 2;
	dmar.unit[1].base = BASE + 0x1000;
	dmar.unit[1].segment = 1;
	dmar.unit[1].include_all = true;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	a = vtd_irte_alloc(nic);
	b = vtd_irte_alloc(other);
	assert_int_not_equal(a, b);
	assert_int_equal(vtd_irte_set(b, &to), 0);
	to.vector = 0x61;
	assert_int_equal(vtd_irte_set(a, &to), 0);
	expect_delivery(first, 0x180, a, 0x61, 2);
	expect_delivery(second, 0x20, b, 0x60, 2);
}

static void test_not_freed_when_the_unit_fails(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);
	struct vtd_interrupt to = {.vector = 0x60};
	int index = vtd_irte_alloc(nic);

	(void)state;
	assert_int_equal(vtd_irte_set(index, &to), 0);
	m->queue_dead = true;
	assert_int_equal(vtd_irte_set(index, &to), -ETIMEDOUT);
	vtd_irte_free(index);
	assert_non_null(strstr(test_log, "interrupt entry 0 is not reused"));
	assert_int_equal(vtd_irte_alloc(other), index + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encoding),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_caching_mode),
		cmocka_unit_test(test_full_and_bad_indices),
		cmocka_unit_test(test_ioapic),
		cmocka_unit_test(test_source_check),
		cmocka_unit_test(test_compatibility_format),
		cmocka_unit_test(test_two_units),
		cmocka_unit_test(test_not_freed_when_the_unit_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
