/* sources: vtd/vtd.c vtd/unit.c vtd/invalidate.c vtd/fault_event.c vtd/faults.c vtd/flood.c vtd/explain.c vtd/reasons.c vtd/context.c vtd/reserved.c vtd/scope.c vtd/second_level.c vtd/irte.c hv/paging.c hv/memory_map.c tests/unit/vtd_model.c drivers/pci/pci_facts.c */
/* Who may do DMA where: scopes, domains, attach and detach. */
#include "hv/weaken.h"
#include "tests/unit/vtd_model.h"
#include "vtd/context.h"
#include "vtd/invalidate.h"
#include "vtd/reserved.h"
#include "vtd/second_level.h"
#include "vtd/unit.h"
#include <string.h>

#define BASE 0xfed90000ULL
#define VF_SID 0x0180 /* 01:10.0 */

static struct dmar dmar;
static struct memory_map map;
static struct vtd_domain domain;
static struct pci_function *root_port, *pf, *vf;

static void add_scope(unsigned int unit, u8 type, u8 bus, u8 device, u8 fn)
{
	struct dmar_unit *u = &dmar.unit[unit];

	u->scope = &dmar.scope[8 * unit];
	u->scope[u->scope_count++] = (struct dmar_scope){
		.type = type,
		.start_bus = bus,
		.path_length = 1,
		.path = {{device, fn}},
	};
}

/* QEMU's machine: a root port 00:01.0, PF 01:00.0, VF 0 01:10.0; one unit that
 * lists bus 0. */
static struct model *setup(u64 cap, u64 ecap)
{
	test_log_clear();
	test_pages_left = SIZE_MAX;
	model_reset();
	vtd_reserved_avoid(NULL, 0);
	root_port = model_pci_add(0, 0, 1, 0);
	root_port->bridge = true;
	root_port->secondary = root_port->subordinate = 1;
	pf = model_pci_add(0, 1, 0, 0);
	pf->parent = root_port;
	vf = model_pci_add(0, 1, 0x10, 0);
	vf->parent = root_port;
	vf->pf = pf;
	memset(&dmar, 0, sizeof(dmar));
	dmar.address_width = 48;
	dmar.intr_remap = true;
	dmar.unit_count = 1;
	dmar.unit[0].base = BASE;
	add_scope(0, DMAR_SCOPE_ENDPOINT, 0, 0x1f, 2);
	add_scope(0, DMAR_SCOPE_BRIDGE, 0, 1, 0);
	memset(&map, 0, sizeof(map));
	return model_add(BASE, cap, ecap);
}

/* 1 GiB of RAM at 0 and a BAR, as the guest has them; HPA != GPA. */
static void open_vf(struct model *m)
{
	assert_int_equal(memory_map_add(&map, 0, 5 * GIB, GIB, REGION_RAM), 0);
	assert_int_equal(memory_map_add(&map, 0xe0000000, 0xe8000000, 0x4000,
					REGION_BAR),
			 0);
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_int_equal(vtd_domain_init(&domain, 1, &map), 0);
	m->trace[0] = '\0';
}

static void expect_dma(struct model *m, u64 gpa, u64 hpa)
{
	u64 reached;

	assert_int_equal(model_dma(m, VF_SID, gpa, true, &reached), 0);
	assert_int_equal(reached, hpa);
	assert_int_equal(model_dma(m, VF_SID, gpa, false, &reached), 0);
	assert_int_equal(reached, hpa);
}

static void expect_fault(struct model *m, u16 sid, u64 gpa, bool write,
			 u8 reason)
{
	u64 hpa;

	assert_int_equal(model_dma(m, sid, gpa, write, &hpa), reason);
}

static void test_attach_reaches_ram_only(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	open_vf(m);
	expect_fault(m, VF_SID, 0, true, 1);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	expect_dma(m, 0, 5 * GIB);
	expect_dma(m, GIB - 1, 6 * GIB - 1);
	expect_fault(m, VF_SID, GIB, true, 5);
	expect_fault(m, VF_SID, GIB, false, 6);
	expect_fault(m, VF_SID, 0xe0000000, true, 5); /* BAR: EPT alone */
	expect_fault(m, VF_SID, 1ULL << 48, true, 4);
	/* its neighbour, its PF, another bus */
	expect_fault(m, VF_SID + 1, 0, true, 2);
	expect_fault(m, 0x0100, 0, true, 2);
	expect_fault(m, 0x0280, 0, true, 1);
	/* nothing was cached: nothing to invalidate */
	assert_string_equal(m->trace, "");
	assert_int_equal(vtd_attach(&domain, vf), -EBUSY);
}

/* The context entry's bits, by hand: P; table; AW 2 = 48 bits, domain 1. */
static void test_entry_bits(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);
	u64 *root, *context;

	(void)state;
	open_vf(m);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	root = (u64 *)(uintptr_t)m->root;
	assert_int_equal(root[2] & 0xfff, 1);
	assert_int_equal(root[3], 0);
	context = (u64 *)(uintptr_t)(root[2] & ~0xfffULL) + 2 * 0x80;
	assert_int_equal(context[0], (uintptr_t)domain.table.root | 1);
	assert_int_equal(context[1], 0x102);
}

/* weaken=dma-isolation: translation type 10b, with the largest width that the
 * unit has; refused where there is none. */
static void test_pass_through(void **state)
{
	/* SAGAW: 39 and 48; 39; 39, 48 and 57 bits */
	static const u64 sagaw[] = {6, 2, 0xe};
	volatile struct vtd_entry *entry;
	struct model *m;

	(void)state;
	weaken = WEAKEN_DMA_ISOLATION;
	for (unsigned int i = 0; i < ARRAY_SIZE(sagaw); i++) {
		m = setup((MODEL_CAP & ~0x1f00ULL) | sagaw[i] << 8,
			  MODEL_ECAP | BIT(6));
		open_vf(m);
		assert_int_equal(vtd_attach(&domain, vf), 0);
		entry = vtd_context_entry(&vtd_units[0], VF_SID);
		assert_int_equal(entry->low, 9);
		expect_dma(m, 0x1000, 0x1000);
	}
	m = setup(MODEL_CAP, MODEL_ECAP & ~BIT(6));
	open_vf(m);
	assert_int_equal(vtd_attach(&domain, vf), -EOPNOTSUPP);
	weaken = 0;
}

static void test_detach(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	open_vf(m);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	expect_dma(m, 0x1000, 5 * GIB + 0x1000); /* now cached */
	assert_int_equal(vtd_detach(&domain, vf), 0);
	assert_string_equal(m->trace, "context-1-0180 iotlb-1-drain ");
	expect_fault(m, VF_SID, 0x1000, true, 2);
	assert_int_equal(vtd_detach(&domain, vf), -ENODEV);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	expect_dma(m, 0x1000, 5 * GIB + 0x1000);
}

/* In caching mode "not present" is cached, as domain 0. */
static void test_caching_mode(void **state)
{
	struct model *m = setup(MODEL_CAP | MODEL_CAP_CM, MODEL_ECAP);

	(void)state;
	open_vf(m);
	expect_fault(m, VF_SID, 0, true, 1);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	assert_string_equal(m->trace, "context-0-0180 iotlb-1-drain ");
	expect_dma(m, 0, 5 * GIB);
	assert_int_equal(vtd_detach(&domain, vf), 0);
	expect_fault(m, VF_SID, 0, true, 2);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	expect_dma(m, 0, 5 * GIB);
}

static void test_write_buffers(void **state)
{
	struct model *m = setup(MODEL_CAP | MODEL_CAP_RWBF, MODEL_ECAP);

	(void)state;
	open_vf(m);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	assert_string_equal(m->trace, "WBF ");
	m->trace[0] = '\0';
	assert_int_equal(vtd_detach(&domain, vf), 0);
	assert_string_equal(m->trace, "WBF context-1-0180 iotlb-1-drain ");
}

static void test_widths_and_leaves(void **state)
{
	/* SAGAW, SLLPS -> levels, leaf levels */
	static const struct {
		u64 sagaw, sllps;
		unsigned int levels, leaves;
	} cases[] = {
		{6, 3, 4, 0xe},
		{2, 3, 3, 0xe},
		{4, 3, 4, 0xe},
		{6, 1, 4, 0x6},
		{6, 0, 4, 0x2},
		/* 1 GiB, which a split could not take apart */
		{2, 2, 3, 0x2},
	};
	struct model *m;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		m = setup((MODEL_CAP & ~(0x1fULL << 8 | 0xfULL << 34)) |
				  cases[i].sagaw << 8 | cases[i].sllps << 34,
			  MODEL_ECAP);
		open_vf(m);
		assert_int_equal(domain.table.levels, cases[i].levels);
		assert_int_equal(domain.table.leaf_levels, cases[i].leaves);
		assert_true(domain.table.flush);
		assert_int_equal(vtd_attach(&domain, vf), 0);
		expect_dma(m, 0x3fe01234, 5 * GIB + 0x3fe01234);
		expect_fault(m, VF_SID, GIB, true, 5);
	}
}

/* The table suits the weakest of all units. */
static void test_common_of_units(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP | 1), *other;

	(void)state;
	/* 39 bits, 4 KiB leaves alone, not coherent */
	other = model_add(BASE + 0x1000,
			  MODEL_CAP & ~(4ULL << 8 | 0xfULL << 34), MODEL_ECAP);
	dmar.unit_count = 2;
	dmar.unit[1].base = BASE + 0x1000;
	dmar.unit[1].include_all = true;
	open_vf(m);
	assert_int_equal(domain.table.levels, 3);
	assert_int_equal(domain.table.leaf_levels, 2);
	assert_true(domain.table.flush);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	expect_dma(m, 0x5000, 5 * GIB + 0x5000);
	expect_fault(other, VF_SID, 0x5000, true, 1);
}

static void test_ram_that_cannot_be(void **state)
{
	struct model *m = setup(MODEL_CAP & ~(4ULL << 8), MODEL_ECAP);

	(void)state;
	open_vf(m);
	assert_int_equal(
		memory_map_add(&map, 512 * GIB, 8 * GIB, 0x1000, REGION_RAM),
		0);
	assert_int_equal(vtd_domain_init(&domain, 1, &map), -EINVAL);
	assert_non_null(strstr(test_log, "beyond the 39 bits"));
	m = setup(MODEL_CAP, MODEL_ECAP);
	open_vf(m);
	assert_int_equal(
		memory_map_add(&map, 2 * GIB, 0xfed00000, 0x200000, REGION_RAM),
		0);
	assert_int_equal(vtd_domain_init(&domain, 1, &map), -EINVAL);
	assert_non_null(strstr(test_log, "interrupt range 0xfee00000"));
	assert_int_equal(vtd_domain_init(&domain, 0, &map), -EINVAL);
}

static void test_no_memory(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	open_vf(m);
	test_pages_left = 0; /* for the context table */
	assert_int_equal(vtd_attach(&domain, vf), -ENOMEM);
	expect_fault(m, VF_SID, 0, true, 1);
	for (test_pages_left = 0; test_pages_left < 2; test_pages_left++)
		assert_int_equal(vtd_domain_init(&domain, 1, &map), -ENOMEM);
}

/* --- scopes */

static void start_two_units(void)
{
	dmar.unit_count = 2;
	dmar.unit[1].base = BASE + 0x1000;
	model_add(BASE + 0x1000, MODEL_CAP, MODEL_ECAP);
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_int_equal(memory_map_add(&map, 0, GIB, 0x1000, REGION_RAM), 0);
	assert_int_equal(vtd_domain_init(&domain, 1, &map), 0);
}

/* True if @fn, once attached, passes unit @m and not @other. */
static void expect_unit(struct model *m, struct model *other,
			struct pci_function *fn)
{
	u64 hpa;

	assert_int_equal(vtd_attach(&domain, fn), 0);
	assert_int_equal(model_dma(m, PCI_RID(fn->addr), 0, true, &hpa), 0);
	assert_int_equal(hpa, GIB);
	assert_int_not_equal(model_dma(other, PCI_RID(fn->addr), 0, true, &hpa),
			     0);
	assert_int_equal(vtd_detach(&domain, fn), 0);
}

static void test_scope_order(void **state)
{
	struct model *first = setup(MODEL_CAP, MODEL_ECAP), *second = first + 1;
	struct pci_function *lone = model_pci_add(0, 0, 2, 0), *elsewhere;

	(void)state;
	elsewhere = model_pci_add(7, 0, 2, 0);
	/* An include-all unit that stands first comes last */
	dmar.unit[0].scope_count = 0;
	dmar.unit[0].include_all = true;
	add_scope(1, DMAR_SCOPE_BRIDGE, 0, 1, 0);
	start_two_units();
	expect_unit(second, first, vf);
	expect_unit(second, first, pf);
	expect_unit(first, second, lone);
	/* include-all covers its own segment alone */
	assert_int_equal(vtd_attach(&domain, elsewhere), -ENODEV);
	assert_non_null(strstr(test_log, "0007:00:02.0: no remapping unit "
					 "covers it"));
}

/* Endpoint before bridge; and a VF goes where its PF is listed. */
static void test_endpoint_and_vf(void **state)
{
	struct model *first = setup(MODEL_CAP, MODEL_ECAP), *second = first + 1;

	(void)state;
	add_scope(1, DMAR_SCOPE_ENDPOINT, 1, 0, 0);
	start_two_units();
	expect_unit(second, first, pf);
	expect_unit(second, first, vf);
}

/* A path of two hops: 00:01.0 leads to bus 1, there 00.0. */
static void test_path_of_hops(void **state)
{
	struct model *first = setup(MODEL_CAP, MODEL_ECAP), *second = first + 1;
	struct dmar_unit *unit = &dmar.unit[1];

	(void)state;
	dmar.unit[0].scope_count = 0;
	dmar.unit[0].include_all = true;
	unit->scope_count = 1;
	unit->scope = &dmar.scope[8];
	unit->scope[0] = (struct dmar_scope){
		.type = DMAR_SCOPE_ENDPOINT,
		.path_length = 2,
		.path = {{1, 0}, {0, 0}},
	};
	start_two_units();
	expect_unit(second, first, pf);
	unit->scope[0].path[0].device = 9; /* no such bridge */
	expect_unit(first, second, pf);
	unit->scope[0].path_length = 0;
	expect_unit(first, second, pf);
}

static void test_uncovered(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	dmar.unit[0].scope_count = 1;
	open_vf(m);
	assert_int_equal(vtd_attach(&domain, vf), -ENODEV);
	assert_int_equal(vtd_detach(&domain, vf), -ENODEV);
}

/* A SATA controller whose requests carry function 1, as real ones do */
static void test_alias(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	pf->vendor = 0x1b4b;
	pf->device = 0x9230;
	open_vf(m);
	assert_int_equal(vtd_attach(&domain, pf), 0);
	assert_int_equal(model_dma(m, 0x0100, 0, true, &(u64){0}), 0);
	assert_int_equal(model_dma(m, 0x0101, 0, true, &(u64){0}), 0);
	expect_fault(m, 0x0102, 0, true, 2);
	assert_int_equal(vtd_attach(&domain, pf), -EBUSY);
	assert_int_equal(vtd_detach(&domain, pf), 0);
	expect_fault(m, 0x0100, 0, true, 2);
	expect_fault(m, 0x0101, 0, true, 2);
	assert_int_equal(vtd_detach(&domain, pf), -ENODEV);
	/* One whose alias was not attached */
	pf->device = 0;
	assert_int_equal(vtd_attach(&domain, pf), 0);
	pf->device = 0x9230;
	assert_int_equal(vtd_detach(&domain, pf), 0);
}

static void test_reserved_memory(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	dmar.rmrr_count = 1;
	dmar.rmrr[0] = (struct dmar_rmrr){
		.base = 0x7c000000, .limit = 0x7c7fffff, .scope_count = 1};
	dmar.rmrr[0].scope = &dmar.scope[16];
	dmar.rmrr[0].scope[0] = (struct dmar_scope){
		.type = DMAR_SCOPE_ENDPOINT, .start_bus = 1, .path_length = 1};
	open_vf(m);
	assert_int_equal(vtd_attach(&domain, pf), -EBUSY);
	assert_non_null(strstr(test_log,
			       "0000:01:00.0: firmware demands memory "
			       "0x7c000000-0x7c7fffff for it (RMRR"));
	assert_int_equal(vtd_attach(&domain, vf), 0); /* not its PF's */
}

/* The DMAR table reserves memory, and does not say for whom. */
static void test_reserved_for_unknown(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	dmar.rmrr_unknown = true;
	open_vf(m);
	assert_int_equal(vtd_attach(&domain, pf), -EBUSY);
	assert_int_equal(vtd_attach(&domain, vf), -EBUSY);
	expect_fault(m, 0x0100, 0, true, 1);
	pf->class = 0x030000; /* its own is relaxed, as is that of USB */
	assert_int_equal(vtd_attach(&domain, pf), 0);
	assert_int_equal(vtd_detach(&domain, pf), 0);
}

/* That of a USB controller is gone once a guest has it. */
static void test_relaxed_memory(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	dmar.rmrr_count = 1;
	dmar.rmrr[0] = (struct dmar_rmrr){
		.base = 0x7c000000, .limit = 0x7c7fffff, .scope_count = 1};
	dmar.rmrr[0].scope = &dmar.scope[16];
	dmar.rmrr[0].scope[0] = (struct dmar_scope){
		.type = DMAR_SCOPE_ENDPOINT, .start_bus = 1, .path_length = 1};
	pf->class = 0x0c0330;
	open_vf(m);
	assert_int_equal(model_dma(m, 0x0100, 0x7c000000, true, &(u64){0}), 0);
	assert_int_equal(vtd_attach(&domain, pf), 0);
	expect_fault(m, 0x0100, 0x7c000000, true, 5);
	assert_int_equal(model_dma(m, 0x0100, 0, true, &(u64){0}), 0);
	assert_int_equal(vtd_detach(&domain, pf), 0);
	expect_fault(m, 0x0100, 0x7c000000, true, 2);
	assert_true(vtd_block_all());
	expect_fault(m, 0x0100, 0x7c000000, true, 1);
}

static void test_domain_id_too_large(void **state)
{
	struct model *m = setup(MODEL_CAP & ~7ULL, MODEL_ECAP);

	(void)state;
	open_vf(m);
	domain.id = 16; /* ND 0: 4 bits */
	assert_int_equal(vtd_attach(&domain, vf), -EINVAL);
	domain.id = 15;
	assert_int_equal(vtd_attach(&domain, vf), 0);
}

/* --- when the unit does not do as told */

static void test_refused_invalidation(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	open_vf(m);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	expect_dma(m, 0, 5 * GIB);
	m->iqe = 1;
	assert_int_equal(vtd_detach(&domain, vf), -EIO);
	/* and again, with success */
	assert_int_equal(vtd_detach(&domain, vf), 0);
	expect_fault(m, VF_SID, 0, true, 2);
}

static unsigned int occurrences(const char *text)
{
	unsigned int n = 0;

	for (const char *p = test_log; (p = strstr(p, text)); p++)
		n++;
	return n;
}

/* 10.4.9: a completion that nobody asked for is no answer to the queue. */
static void test_completions_unasked_for(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP | BIT(2));

	(void)state;
	open_vf(m);
	test_time += 10000000;
	m->completions = true;
	assert_int_equal(vtd_attach(&domain, vf), 0);
	expect_dma(m, 0, 5 * GIB);
	assert_int_equal(vtd_detach(&domain, vf), 0);
	assert_string_equal(m->trace, "context-1-0180 iotlb-1-drain ");
	expect_fault(m, VF_SID, 0, true, 2);
	assert_int_equal(m->fsts & 0x70, 0); /* the next one is an event */
	assert_int_equal(occurrences("(ICE)"), 1);
	assert_int_equal(occurrences("event=queue-error ice=1\n"), 1);
}

/* Each step is tried, whichever failed: buffers, contexts, IOTLB. */
static void test_every_step_of_closing(void **state)
{
	struct model *m = setup(MODEL_CAP | MODEL_CAP_RWBF, MODEL_ECAP);

	(void)state;
	open_vf(m);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	m->trace[0] = '\0';
	m->ignored = 1u << 27; /* WBF */
	assert_int_equal(vtd_detach(&domain, vf), -ETIMEDOUT);
	assert_string_equal(m->trace, "context-1-0180 iotlb-1-drain ");
	m = setup(MODEL_CAP, MODEL_ECAP);
	open_vf(m);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	m->iqe = 1;
	assert_int_equal(vtd_detach(&domain, vf), -EIO);
	assert_string_equal(m->trace, "iotlb-1-drain ");
	m->trace[0] = '\0';
	m->iqe = 1;
	assert_true(vtd_block_all()); /* once more after an error */
	assert_string_equal(m->trace, "iotlb-global-drain context-global "
				      "iotlb-global-drain ");
	m->iqe = 1;
	m->trace[0] = '\0';
	assert_int_equal(vtd_invalidate_all(&vtd_units[0]), -EIO);
	assert_string_equal(m->trace, "iotlb-global-drain ");
	m = setup(MODEL_CAP | MODEL_CAP_RWBF, MODEL_ECAP);
	open_vf(m);
	m->ignored = 1u << 27;
	assert_false(vtd_block_all());
	assert_string_equal(m->trace, "context-global iotlb-global-drain "
				      "context-global iotlb-global-drain ");
}

static void test_attach_undone(void **state)
{
	struct model *m = setup(MODEL_CAP | MODEL_CAP_CM, MODEL_ECAP);

	(void)state;
	open_vf(m);
	m->iqe = 1;
	assert_int_equal(vtd_attach(&domain, vf), -EIO);
	expect_fault(m, VF_SID, 0, true, 2);
	m->iqe = 0;
	assert_int_equal(vtd_attach(&domain, vf), 0);
}

/* Neither opened nor closed: the memory may be reached until it is. */
static void test_attach_not_undone(void **state)
{
	struct model *m = setup(MODEL_CAP | MODEL_CAP_CM, MODEL_ECAP);

	(void)state;
	open_vf(m);
	assert_false(vtd_in_use(&domain));
	m->queue_dead = true;
	assert_int_equal(vtd_attach(&domain, vf), -ETIMEDOUT);
	assert_true(vtd_in_use(&domain));
	assert_non_null(strstr(test_log, "vtd: 0000:01:10.0: could not be "
					 "closed again: its DMA may still "
					 "pass\n"));
	m->queue_dead = false;
	assert_int_equal(vtd_detach(&domain, vf), 0);
	assert_false(vtd_in_use(&domain));
}

/* Until a detach succeeds, the function stays taken. */
static void test_failed_detach_keeps_it(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	open_vf(m);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	m->iqe = 1;
	assert_int_equal(vtd_detach(&domain, vf), -EIO);
	assert_true(vtd_in_use(&domain));
	assert_int_equal(vtd_attach(&domain, vf), -EBUSY);
	expect_fault(m, VF_SID, 0, true, 2);
	assert_int_equal(vtd_detach(&domain, vf), 0);
	assert_false(vtd_in_use(&domain));
	assert_int_equal(vtd_attach(&domain, vf), 0);
}

static void test_block_all(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	open_vf(m);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	expect_dma(m, 0, 5 * GIB);
	assert_true(vtd_block_all());
	assert_string_equal(m->trace, "context-global iotlb-global-drain ");
	expect_fault(m, VF_SID, 0, true, 1);
}

/* The CPU that held the queue was stopped: still all is closed. */
static void test_block_all_with_lock_held(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	open_vf(m);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	expect_dma(m, 0, 5 * GIB);
	assert_true(try_lock_acquire(&vtd_units[0].queue.lock));
	assert_true(vtd_block_all());
	expect_fault(m, VF_SID, 0, true, 1);
}

/* It is not said of all DMA that it is stopped where a unit does not answer,
 * never blocked, or was left out. */
static void test_block_all_in_vain(void **state)
{
	static const u32 bits[] = {1u << 31, 1u << 30, 1u << 26}; /* TE, SRTP,
								     QIE */
	struct model *first, *second;

	(void)state;
	vtd_unit_count = 0;
	assert_false(vtd_block_all());
	first = setup(MODEL_CAP, MODEL_ECAP);
	second = model_add(BASE + 0x1000, MODEL_CAP, MODEL_ECAP);
	dmar.unit_count = 2;
	dmar.unit[1].base = BASE + 0x1000;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_true(vtd_block_all());
	first->queue_dead = true;
	assert_false(vtd_block_all());
	first->queue_dead = false;
	assert_true(vtd_block_all());
	second->queue_dead = true;
	assert_false(vtd_block_all());
	dmar.dropped_count = 1;
	second->queue_dead = false;
	assert_false(vtd_block_all());
	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++) {
		first = setup(MODEL_CAP, MODEL_ECAP);
		first->ignored = bits[i];
		assert_int_equal(vtd_init(&dmar, 0, false), -ETIMEDOUT);
		assert_false(vtd_block_all());
	}
	/* It blocks, though it cannot remap interrupts */
	setup(MODEL_CAP, MODEL_ECAP & ~8ULL);
	assert_int_equal(vtd_init(&dmar, 0, false), -EOPNOTSUPP);
	assert_true(vtd_block_all());
}

static void test_too_many_attached(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);
	struct pci_function *fn = NULL;

	(void)state;
	open_vf(m);
	for (unsigned int i = 0; i <= VTD_MAX_ATTACHED; i++) {
		fn = model_pci_add(0, 1, 0x11 + i / 8, i % 8);
		fn->pf = pf;
		assert_int_equal(vtd_attach(&domain, fn),
				 i < VTD_MAX_ATTACHED ? 0 : -ENOSPC);
	}
	assert_non_null(strstr(test_log, "too many assigned functions"));
	expect_fault(m, PCI_RID(fn->addr), 0, true, 2);
}

/* VT-d 6.8: what was cleared must be in memory before the flush. */
static void test_block_all_write_buffers(void **state)
{
	struct model *m = setup(MODEL_CAP | MODEL_CAP_RWBF, MODEL_ECAP);

	(void)state;
	open_vf(m);
	assert_true(vtd_block_all());
	assert_string_equal(m->trace, "WBF context-global iotlb-global-drain ");
}

/* A queue that was given up on and then refused what it held goes on. */
static void test_block_all_after_queue_error(void **state)
{
	struct model *m = setup(MODEL_CAP, MODEL_ECAP);

	(void)state;
	open_vf(m);
	assert_int_equal(vtd_attach(&domain, vf), 0);
	expect_dma(m, 0, 5 * GIB);
	m->queue_dead = true;
	assert_int_equal(vtd_detach(&domain, vf), -ETIMEDOUT);
	expect_dma(m, 0, 5 * GIB); /* cached, which is why that failed */
	m->queue_dead = false;
	m->iqe = 1;
	assert_true(vtd_block_all());
	expect_fault(m, VF_SID, 0, true, 1);
}

/* One unit has 3 levels alone, the other one 4. */
static void test_no_common_width(void **state)
{
	setup(MODEL_CAP & ~0x200ULL, MODEL_ECAP);
	(void)state;
	model_add(BASE + 0x1000, MODEL_CAP & ~0x400ULL, MODEL_ECAP);
	dmar.unit_count = 2;
	dmar.unit[1].base = BASE + 0x1000;
	assert_int_equal(vtd_init(&dmar, 0, false), 0);
	assert_int_equal(vtd_domain_init(&domain, 1, &map), -EINVAL);
	assert_non_null(strstr(test_log, "no table width in common"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attach_reaches_ram_only),
		cmocka_unit_test(test_entry_bits),
		cmocka_unit_test(test_pass_through),
		cmocka_unit_test(test_detach),
		cmocka_unit_test(test_caching_mode),
		cmocka_unit_test(test_write_buffers),
		cmocka_unit_test(test_widths_and_leaves),
		cmocka_unit_test(test_common_of_units),
		cmocka_unit_test(test_ram_that_cannot_be),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_scope_order),
		cmocka_unit_test(test_endpoint_and_vf),
		cmocka_unit_test(test_path_of_hops),
		cmocka_unit_test(test_uncovered),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_reserved_memory),
		cmocka_unit_test(test_reserved_for_unknown),
		cmocka_unit_test(test_relaxed_memory),
		cmocka_unit_test(test_domain_id_too_large),
		cmocka_unit_test(test_refused_invalidation),
		cmocka_unit_test(test_completions_unasked_for),
		cmocka_unit_test(test_every_step_of_closing),
		cmocka_unit_test(test_attach_undone),
		cmocka_unit_test(test_attach_not_undone),
		cmocka_unit_test(test_failed_detach_keeps_it),
		cmocka_unit_test(test_block_all),
		cmocka_unit_test(test_block_all_with_lock_held),
		cmocka_unit_test(test_block_all_in_vain),
		cmocka_unit_test(test_too_many_attached),
		cmocka_unit_test(test_block_all_write_buffers),
		cmocka_unit_test(test_block_all_after_queue_error),
		cmocka_unit_test(test_no_common_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
