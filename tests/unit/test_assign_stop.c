/* sources: guest/assign/stop.c drivers/pci/pci_caps.c tests/unit/pci_model.c */
/* A function of the guest's that ends, or is lost: what is done, in which
 * order, and that it is done once. */
#include "drivers/pci/pci_reset.h"
#include "guest/assign/assigned.h"
#include "guest/assign/irq.h"
#include "guest/assign/pf_domain.h"
#include "guest/assign/stop.h"
#include "guest/assign/table.h"
#include "guest/assign/whole.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include "vtd/context.h"
#include <string.h>

/* What happened, a letter each: m bus mastering off, d detached from VT-d (its
 * context entry closed and the IOTLB flushed), q queues stopped by the PF
 * driver, r reset, i interrupts freed, g gone from the guest's bus, p the PF's
 * DMA closed */
static char order[32];
static int detach_error, reset_error;
static bool pf_registers_gone;
static struct vtd_domain domain = {.id = 1};
static struct pci_function pf, vf, whole;
/* The table, which is not used here */
struct assigned assigned[ASSIGN_MAX];
unsigned int assigned_count;

static struct assigned a;

static void note(char what)
{
	size_t used = strlen(order);

	assert_true(used + 1 < sizeof(order));
	order[used] = what;
	order[used + 1] = '\0';
}

static void on_write(u8 bus, u8 devfn, u16 reg, u32 value)
{
	assert_int_equal(bus, 1);
	assert_int_equal(devfn, a.fn->addr.devfn);
	assert_int_equal(reg, PCI_COMMAND);
	assert_false(value & PCI_COMMAND_MASTER);
	note('m');
}

int vtd_detach(struct vtd_domain *d, const struct pci_function *fn)
{
	assert_ptr_equal(d, &domain);
	assert_ptr_equal(fn, a.fn);
	note('d');
	return detach_error;
}

int pci_flr(struct pci_function *fn)
{
	assert_ptr_equal(fn, &vf);
	note('r');
	return reset_error;
}

int assigned_reset_whole(struct assigned *which)
{
	assert_ptr_equal(which, &a);
	assert_null(a.pf);
	note('r');
	return reset_error;
}

void assigned_free_interrupts(struct assigned *which)
{
	assert_ptr_equal(which, &a);
	note('i');
}

void vpci_lose(struct vpci_function *v)
{
	assert_ptr_equal(v, &a.vpci);
	note('g');
}

void pf_lose(struct pci_function *fn)
{
	assert_ptr_equal(fn, &pf);
	note('p');
}

int assigned_service(const struct assigned *which)
{
	assert_ptr_equal(which, &a);
	return pf_registers_gone ? -ENODEV : 0;
}

static void stop_vf(struct pci_function *fn)
{
	assert_ptr_equal(fn, &vf);
	note('q');
}

static const struct pf_driver driver = {.name = "test", .stop_vf = stop_vf};

static void begin(struct pci_function *of, struct pci_function *fn)
{
	a = (struct assigned){
		.pf = of,
		.fn = fn,
		.pf_driver = of ? &driver : NULL,
		.domain = &domain,
	};
	order[0] = '\0';
	test_log_clear();
}

static int set_up(void **state)
{
	(void)state;
	model_reset(2);
	model_add(1, 0x00, 0x8086, 0x10c9, 0x020000);
	model_add(1, 0x80, 0xffff, 0xffff, 0x020000);
	model_add(1, 0x08, 0x8086, 0x10d3, 0x020000);
	model_set16(1, 0x80, PCI_COMMAND, 6, 0xffff);
	model_set16(1, 0x08, PCI_COMMAND, 6, 0xffff);
	pf = model_function(1, 0x00);
	vf = model_function(1, 0x80);
	vf.pf = &pf;
	whole = model_function(1, 0x08);
	detach_error = reset_error = 0;
	pf_registers_gone = false;
	begin(&pf, &vf);
	model_written = on_write;
	return 0;
}

/* The function reads all ones, as nothing there does. */
static void pull(u8 devfn)
{
	for (u16 reg = 0; reg < 256; reg += 4)
		model_set32(1, devfn, reg, ~0U, 0);
}

/* Requests off, then its way to memory closed, and only then what depends on
 * the function: an answer of it is not needed before. */
static void stops_in_order(void **state)
{
	(void)state;
	assigned_stop(&a);
	assert_string_equal(order, "mdqri");
	assert_int_equal(model_get16(1, 0x80, PCI_COMMAND), 2);
	assert_string_equal(test_log,
			    "assign: 0000:01:10.0 stopped and reset\n");
	begin(NULL, &whole);
	assigned_stop(&a);
	assert_string_equal(order, "mdri");
}

static void stops_once(void **state)
{
	(void)state;
	assigned_lose(&a, "test");
	assert_string_equal(order, "gmdqri");
	assigned_stop(&a);
	assigned_lose(&a, "test");
	assigned_look(&a);
	pull(0x80);
	assigned_look(&a);
	assert_string_equal(order, "gmdqri");
}

static void goes_on_whatever_fails(void **state)
{
	(void)state;
	detach_error = -ETIMEDOUT;
	reset_error = -ETIMEDOUT;
	assigned_stop(&a);
	assert_string_equal(order, "mdqri");
	assert_string_equal(test_log, "assign: 0000:01:10.0 stopped and NOT "
				      "detached: its DMA may still pass\n");
	set_up(state);
	reset_error = -ETIMEDOUT;
	assigned_stop(&a);
	assert_string_equal(order, "mdqri");
	assert_string_equal(test_log, "assign: 0000:01:10.0 stopped and NOT "
				      "reset: its DMA stays blocked\n");
}

static void leaves_alone_what_is_there(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 5; i++)
		assigned_look(&a);
	begin(NULL, &whole);
	for (unsigned int i = 0; i < 5; i++)
		assigned_look(&a);
	assert_string_equal(order, "");
	assert_string_equal(test_log, "");
}

static void vf_that_vanishes(void **state)
{
	(void)state;
	pull(0x80);
	assigned_look(&a);
	assert_string_equal(order, "gmdqri");
	assert_non_null(strstr(test_log, "assign: 0000:01:10.0 is lost: its "
					 "configuration space reads all ones; "
					 "the guest reads all ones"));
}

/* Its VF first: that one reaches the guest's memory. */
static void pf_that_vanishes(void **state)
{
	(void)state;
	pull(0x00);
	assigned_look(&a);
	assert_string_equal(order, "gmdqrip");
	assert_non_null(strstr(test_log, "is lost: its PF does not answer"));
}

static void pf_whose_registers_vanish(void **state)
{
	(void)state;
	pf_registers_gone = true;
	assigned_look(&a);
	assert_string_equal(order, "gmdqrip");
}

/* What the guest finds by a reset of its VF, before anybody looks. */
static void pf_that_is_gone_at_a_reset(void **state)
{
	(void)state;
	pull(0x00);
	assigned_lose(&a, "test");
	assert_string_equal(order, "gmdqrip");
	assigned_look(&a);
	assert_string_equal(order, "gmdqrip");
}

static void pf_that_vanishes_after_its_vf(void **state)
{
	(void)state;
	pull(0x80);
	assigned_look(&a);
	assigned_look(&a);
	assert_string_equal(order, "gmdqri");
	pf_registers_gone = true;
	assigned_look(&a);
	assigned_look(&a);
	assert_string_equal(order, "gmdqrip");
}

/* Its driver may reset it by its own registers: it may be away for a moment. */
static void whole_function_gets_two_more_looks(void **state)
{
	(void)state;
	begin(NULL, &whole);
	pull(0x08);
	assigned_look(&a);
	assert_string_equal(order, "");
	assigned_look(&a);
	model_add(1, 0x08, 0x8086, 0x10d3, 0x020000);
	assigned_look(&a);
	pull(0x08);
	assigned_look(&a);
	assigned_look(&a);
	assert_string_equal(order, "");
	assigned_look(&a);
	assert_string_equal(order, "gmdri");
}

#define TEST(t) cmocka_unit_test_setup(t, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stops_in_order),
		TEST(stops_once),
		TEST(goes_on_whatever_fails),
		TEST(leaves_alone_what_is_there),
		TEST(vf_that_vanishes),
		TEST(pf_that_vanishes),
		TEST(pf_whose_registers_vanish),
		TEST(pf_that_is_gone_at_a_reset),
		TEST(pf_that_vanishes_after_its_vf),
		TEST(whole_function_gets_two_more_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
