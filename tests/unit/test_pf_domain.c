/* sources: guest/assign/pf_domain.c hv/memory_map.c */
/* The memory of a PF that does DMA: its pages, in a domain of its own. */
#include "drivers/pci/pci_access.h"
#include "drivers/pci/sriov.h"
#include "guest/assign/pf_domain.h"
#include "hv/alloc.h"
#include "tests/unit/support.h"
#include "vtd/context.h"
#include "vtd/reserved.h"
#include "vtd/second_level.h"
#include <string.h>

#define PFS 5

static struct pci_function pf[PFS];
static u8 config[256]; /* of the PF that is lost */
static struct pci_function vf = {.pf = &pf[0]};

/* What happened, a letter each: N bus numbers, M map, A attach, P path, S
 * start, X stop, D detach, T tables freed, m bus mastering off; of a VF that is
 * asked: B bus mastering on, b off, C asked */
static char order[64];
static int number_error, domain_error, attach_error, start_error, detach_error;
static bool in_use;
static u16 ids[PFS];
static unsigned int id_count;
static struct pf_dma given;
static const struct vtd_domain *last_domain, *first_domain;

static void note(char what)
{
	size_t used = strlen(order);

	assert_true(used + 1 < sizeof(order));
	order[used] = what;
	order[used + 1] = '\0';
}

/* In place of vtd/ and drivers/pci/pci.c */
int vtd_domain_init(struct vtd_domain *domain, u16 id,
		    const struct memory_map *map)
{
	note('M');
	if (domain_error)
		return domain_error;
	*domain = (struct vtd_domain){.id = id, .map = map};
	assert_true(id_count < PFS);
	ids[id_count++] = id;
	return 0;
}

int vtd_attach(struct vtd_domain *domain, const struct pci_function *fn)
{
	note('A');
	assert_true(fn == &vf || (fn >= pf && fn < pf + PFS));
	last_domain = domain;
	return attach_error;
}

void pt_destroy(struct page_table *pt)
{
	assert_ptr_equal(pt, &last_domain->table);
	note('T');
}

int vtd_detach(struct vtd_domain *domain, const struct pci_function *fn)
{
	note('D');
	assert_non_null(domain->map);
	assert_true(fn == &vf || (fn >= pf && fn < pf + PFS));
	return detach_error;
}

bool vtd_in_use(const struct vtd_domain *domain)
{
	(void)domain;
	return in_use;
}

bool vtd_kept(const struct pci_function *fn)
{
	(void)fn;
	return false;
}

int sriov_number_buses(struct pci_function *fn, u16 count,
		       bool (*keep)(const struct pci_function *fn))
{
	assert_ptr_equal(keep, vtd_kept);
	assert_true(fn >= pf && fn < pf + PFS);
	assert_int_equal(count, 7);
	note('N');
	return number_error;
}

void pci_enable_path(struct pci_function *fn)
{
	(void)fn;
	note('P');
}

u16 pci_read16(const struct pci_function *fn, u16 reg)
{
	return fn->config[reg] | fn->config[reg + 1] << 8;
}

void pci_write16(const struct pci_function *fn, u16 reg, u16 value)
{
	assert_int_equal(reg, PCI_COMMAND);
	if (fn == &vf) {
		assert_int_equal(value & ~4, 2);
		note(value & 4 ? 'B' : 'b');
		return;
	}
	assert_int_equal(value, 0xfffb);
	note('m');
}

static int start(struct pci_function *fn, u16 count, const struct pf_dma *dma)
{
	(void)fn;
	note('S');
	assert_int_equal(count, 7);
	given = *dma;
	return start_error;
}

static void stop(struct pci_function *fn)
{
	(void)fn;
	note('X');
}

static int check_error;
static bool restrained;

static int check(struct pci_function *fn, bool restrain)
{
	assert_ptr_equal(fn, &vf);
	note('C');
	restrained = restrain;
	return check_error;
}

static const struct pf_driver plain = {.name = "plain", .start = start};
static const struct pf_driver dma = {.name = "dma",
				     .start = start,
				     .stop = stop,
				     .check_vf = check,
				     .dma_pages = 3};

static void begin(void)
{
	test_log_clear();
	order[0] = '\0';
	for (unsigned int i = 0; i < PFS; i++)
		pf[i].config = config;
	number_error = domain_error = attach_error = start_error = 0;
	detach_error = 0;
	in_use = false;
}

static void needs_no_domain(void **state)
{
	(void)state;
	begin();
	assert_int_equal(pf_start(&pf[0], &plain, 7), 0);
	assert_string_equal(order, "NPS");
	assert_null(given.pages);
	pf_stop_all();
	assert_string_equal(order, "NPS");
}

/* Its driver turns bus mastering on, and it has its ID in VT-d by then. */
static void gets_its_number_first(void **state)
{
	(void)state;
	begin();
	number_error = -ERANGE;
	assert_int_equal(pf_start(&pf[0], &dma, 7), -ERANGE);
	assert_int_equal(pf_start(&pf[0], &plain, 7), -ERANGE);
	assert_string_equal(order, "NN");
}

static void fails_without_a_trace(void **state)
{
	(void)state;
	begin();
	test_pages_left = 0;
	assert_int_equal(pf_start(&pf[0], &dma, 7), -ENOMEM);
	test_pages_left = 1;
	assert_int_equal(pf_start(&pf[0], &dma, 7), -ENOMEM);
	test_pages_left = SIZE_MAX;
	assert_string_equal(order, "NN");
	domain_error = -EINVAL;
	assert_int_equal(pf_start(&pf[0], &dma, 7), -EINVAL);
	domain_error = 0;
	attach_error = -EBUSY; /* an RMRR */
	assert_int_equal(pf_start(&pf[0], &dma, 7), -EBUSY);
	assert_string_equal(order, "NNNMNMAT");
	assert_int_equal(page_count(PAGES_DEVICE), 0);
	assert_non_null(strstr(test_log, "no DMA domain for it (-16)"));
	pf_stop_all();
	assert_string_equal(order, "NNNMNMAT");
}

/* Attached before it is started; its map holds its pages and nothing else. */
static void gets_its_pages_alone(void **state)
{
	const struct region *r;

	(void)state;
	begin();
	id_count = 0;
	assert_int_equal(pf_start(&pf[0], &dma, 7), 0);
	assert_string_equal(order, "NMAPS");
	assert_int_equal(last_domain->map->count, 1);
	first_domain = last_domain;
	r = &last_domain->map->region[0];
	assert_int_equal(r->kind, REGION_RAM);
	assert_int_equal(r->size, 3 * 4096);
	assert_int_equal(r->hpa, (uintptr_t)given.pages);
	assert_int_equal(r->gpa, given.address);
	assert_int_not_equal(r->gpa, r->hpa);
}

/* The domain of a start that failed serves the next one. */
static void starts_again(void **state)
{
	const void *pages = given.pages;

	(void)state;
	begin();
	start_error = -ETIMEDOUT;
	assert_int_equal(pf_start(&pf[0], &dma, 7), -ETIMEDOUT);
	start_error = 0;
	assert_int_equal(pf_start(&pf[0], &dma, 7), 0);
	assert_string_equal(order, "NPSNPS");
	assert_ptr_equal(given.pages, pages);
}

static void shares_no_domain(void **state)
{
	(void)state;
	begin();
	for (unsigned int i = 1; i < 4; i++)
		assert_int_equal(pf_start(&pf[i], &dma, 7), 0);
	assert_int_equal(id_count, 4);
	for (unsigned int i = 0; i < 4; i++)
		for (unsigned int j = 0; j < i; j++)
			assert_int_not_equal(ids[i], ids[j]);
	assert_int_equal(pf_start(&pf[4], &dma, 7), -ENOSPC);
}

/* In the PF's domain while it is asked, and at no other time. */
static void asks_a_vf(void **state)
{
	(void)state;
	begin();
	check_error = 0;
	assert_int_equal(pf_check_vf(&vf, &plain, true), 0);
	assert_string_equal(order, "");
	assert_int_equal(pf_check_vf(&vf, &dma, true), 0);
	assert_string_equal(order, "ABCbD");
	assert_ptr_equal(last_domain, first_domain); /* its PF's */
	assert_true(restrained);
	check_error = -EPERM;
	assert_int_equal(pf_check_vf(&vf, &dma, false), -EPERM);
	assert_string_equal(order, "ABCbDABCbD");
	assert_false(restrained);
	detach_error = -EIO; /* worse: it may reach the PF's queues */
	assert_int_equal(pf_check_vf(&vf, &dma, true), -EIO);
	begin();
	attach_error = -EBUSY;
	assert_int_equal(pf_check_vf(&vf, &dma, true), -EBUSY);
	assert_string_equal(order, "A");
}

/* What is gone is not asked to stop; a PF without a domain has none to close.
 */
static void closes_a_lost_one(void **state)
{
	(void)state;
	begin();
	memset(config, 0xff, sizeof(config));
	pf_lose(&pf[4]);
	assert_string_equal(order, "m");
	pf_lose(&pf[1]);
	pf_lose(&pf[1]);
	assert_string_equal(order, "mmDm");
	assert_non_null(strstr(test_log, "lost, its DMA is blocked"));
}

/* Its DMA ends before its domain is closed; one is lost. */
static void stops_all(void **state)
{
	(void)state;
	begin();
	pf_stop_all();
	assert_string_equal(order, "XDXDXD");
	assert_null(strstr(test_log, "NOT"));
	detach_error = -EIO;
	pf_stop_all();
	assert_non_null(strstr(test_log, "stopped; NOT detached: its DMA may "
					 "still pass\n"));
}

/* What it may still reach is given to nobody else: neither table, nor pages,
 * nor the ID that the unit's caches hold. */
static void keeps_what_is_in_use(void **state)
{
	static const struct vtd_domain *kept;
	size_t pages = page_count(PAGES_DEVICE);

	(void)state;
	begin();
	id_count = 0;
	attach_error = -ETIMEDOUT;
	in_use = true;
	assert_int_equal(pf_start(&pf[0], &dma, 7), -ETIMEDOUT);
	assert_string_equal(order, "NMA");
	assert_int_equal(page_count(PAGES_DEVICE), pages + 4);
	assert_non_null(strstr(test_log, "its memory is given to nobody else"));
	kept = last_domain; /* or it is a leak */
	attach_error = -EBUSY;
	in_use = false;
	assert_int_equal(pf_start(&pf[0], &dma, 7), -EBUSY);
	assert_string_equal(order, "NMANMAT");
	assert_int_equal(id_count, 2);
	assert_int_not_equal(kept->id, ids[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_no_domain),
		cmocka_unit_test(gets_its_number_first),
		cmocka_unit_test(fails_without_a_trace),
		cmocka_unit_test(keeps_what_is_in_use),
		cmocka_unit_test(gets_its_pages_alone),
		cmocka_unit_test(starts_again),
		cmocka_unit_test(shares_no_domain),
		cmocka_unit_test(asks_a_vf),
		cmocka_unit_test(closes_a_lost_one),
		cmocka_unit_test(stops_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
