/* sources: hv/machine/pass_clock.c hv/vmx/trap.c */
#include "drivers/pci/pci_room.h"
#include "hv/acpi_tables.h"
#include "hv/machine/pass_clock.h"
#include "hv/time.h"
#include "hv/vmx/trap.h"
#include "hv/vmx/vmcs.h"
#include "tests/unit/support.h"
#include <string.h>

/* Of the machine: where the timer is, what else is at 4 ports from there on,
 * and what was opened */
static u16 timer, opened_first;
static unsigned int opened;
static bool have_fadt;
static u16 of_the_fadt, of_a_function;

u16 time_pm_timer(void)
{
	return timer;
}

const struct acpi_header *acpi_table(const char *signature)
{
	static const struct acpi_header fadt;

	assert_string_equal(signature, "FACP");
	return have_fadt ? &fadt : NULL;
}

bool acpi_fadt_has_ports(const struct acpi_header *fadt, u16 base, u64 size)
{
	assert_non_null(fadt);
	return ranges_overlap(base, size, of_the_fadt, 1);
}

bool pci_ports_taken(const struct pci_function *fn, u64 base, u64 size)
{
	assert_null(fn);
	return ranges_overlap(base, size, of_a_function, 1);
}

void vcpu_pass_ports(u16 first, unsigned int count)
{
	opened_first = first;
	opened += count;
}

static int set_up(void **state)
{
	(void)state;
	trap_reset();
	test_log_clear();
	timer = 0x608;
	opened = 0;
	have_fadt = true;
	of_the_fadt = 0x607;
	of_a_function = 0x60c;
	return 0;
}

static void given(u16 port)
{
	timer = port;
	opened = 0;
	assert_int_equal(machine_pass_pm_timer(), port);
	assert_int_equal(opened_first, port);
	assert_int_equal(opened, 4);
}

static void not_given(const char *words)
{
	test_log_clear();
	opened = 0;
	assert_int_equal(machine_pass_pm_timer(), 0);
	assert_int_equal(opened, 0);
	if (!strstr(test_log, words))
		fail_msg("'%s' lacks '%s'", test_log, words);
}

static void its_four_ports_and_no_more(void **state)
{
	(void)state;
	given(0x608);
	assert_string_equal(test_log,
			    "guest: the ACPI PM timer, ports 0x608 to "
			    "0x60b, without exits\n");
	given(0x400);
	given(0xfffc);
}

static void none_that_runs(void **state)
{
	(void)state;
	timer = 0;
	not_given("this machine has no ACPI PM timer that runs");
}

/* 40h is the 8254's, which counts, too, and can be written. */
static void ports_of_others(void **state)
{
	(void)state;
	timer = 0x40;
	not_given("0x40 to 0x43 are those of ISA devices");
	timer = 0x3fc;
	not_given("are those of ISA devices");
	for (timer = 0x609; timer < 0x60c; timer++)
		not_given("are no multiple of 4");
	timer = 0x608;
	of_the_fadt = 0x60b;
	not_given("are another register's, too, by the FADT; look for a newer "
		  "firmware");
	of_the_fadt = 0;
	of_a_function = 0x608;
	not_given("are a PCI function's, too");
	of_a_function = 0;
	have_fadt = false;
	not_given("by the FADT");
}

static void access(void *ctx, u64 offset, unsigned int size, bool write,
		   u64 *value)
{
	(void)ctx;
	(void)offset;
	(void)size;
	(void)write;
	(void)value;
}

static void ports_of_the_guests(void **state)
{
	const struct trap_range range = {
		.start = 0x600, .size = 9, .handler = access};

	(void)state;
	assert_int_equal(trap_ports(&range), 0);
	not_given("0x608 to 0x60b are the guest's for something else");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(its_four_ports_and_no_more, set_up),
		cmocka_unit_test_setup(none_that_runs, set_up),
		cmocka_unit_test_setup(ports_of_others, set_up),
		cmocka_unit_test_setup(ports_of_the_guests, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
