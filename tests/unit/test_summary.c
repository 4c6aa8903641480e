/* sources: hv/machine/summary.c drivers/pci/pci_facts.c */
#include "drivers/pci/groups.h"
#include "drivers/pci/pci_room.h"
#include "drivers/pci/sriov.h"
#include "guest/assign/verdict.h"
#include "hv/machine/summary.h"
#include "tests/unit/support.h"
#include "vtd/scope.h"
#include <stdio.h>
#include <string.h>

/* What the machine has, and what the product's judges say of it */
static struct pci_function fn[20];
static unsigned int count;
static enum verdict verdict[20];
static bool no_room, shares, reserved;
static u16 vfs;

struct pci_function *pci_functions(unsigned int *n)
{
	*n = count;
	return fn;
}

enum verdict assign_verdict(const struct pci_function *f, bool have_vtd,
			    char *buf, size_t size)
{
	snprintf(buf, size, "assign=it");
	return have_vtd ? verdict[f - fn] : VERDICT_NO;
}

bool pci_bars_refused(const struct pci_function *f, char *buf, size_t size)
{
	(void)f, (void)buf, (void)size;
	return no_room;
}

unsigned int groups_others(const struct pci_function *f, char *buf, size_t size)
{
	(void)f, (void)buf, (void)size;
	return shares;
}

const struct dmar_rmrr *vtd_rmrr_against(const struct pci_function *f)
{
	static const struct dmar_rmrr rmrr;

	(void)f;
	return reserved ? &rmrr : NULL;
}

u16 sriov_total_vfs(const struct pci_function *f)
{
	(void)f;
	return vfs;
}

static int build(void **state)
{
	(void)state;
	count = 1;
	memset(fn, 0, sizeof(fn));
	fn[0] = (struct pci_function){.addr = {.bus = 1}, .class = 0x020000};
	verdict[0] = VERDICT_NO;
	no_room = shares = reserved = false;
	vfs = 8;
	test_log_clear();
	return 0;
}

static void expect(const char *words)
{
	if (!strstr(test_log, words))
		fail_msg("'%s' lacks '%s'", test_log, words);
}

static void expect_not(const char *words)
{
	if (strstr(test_log, words))
		fail_msg("'%s' has '%s'", test_log, words);
}

static void what_can_be_given_is_listed(void **state)
{
	(void)state;
	verdict[0] = VERDICT_YES;
	shares = no_room = true; /* and does not matter */
	summary_log(NULL, true);
	expect("This machine can give:\n");
	expect("network card\x1b[0m 0000:01:00.0: assign=it\n");
	expect_not("set-up");
	fn[0].class = 0x010802;
	summary_log(NULL, true);
	expect("NVMe drive");
	fn[0].class = 0x0c0330;
	summary_log(NULL, true);
	expect("USB controller");
	fn[0].class = 0x110000;
	summary_log(NULL, true);
	expect("device\x1b[0m 0000:01:00.0");
}

static void many_are_counted(void **state)
{
	(void)state;
	count = 20;
	for (unsigned int i = 0; i < count; i++)
		verdict[i] = VERDICT_YES;
	summary_log(NULL, true);
	expect("and 8 more, in the table");
}

static void without_vtd_it_is_named_alone(void **state)
{
	(void)state;
	shares = no_room = reserved = true;
	vfs = 0;
	summary_log(NULL, false);
	expect("no device");
	expect("\"VT-d\" or");
	expect_not("ACS");
	expect_not("SR-IOV");
}

static void each_reason_has_its_advice(void **state)
{
	static const struct dmar opted_out = {.x2apic_opt_out = true};

	(void)state;
	summary_log(NULL, true);
	expect_not("set-up");
	shares = true;
	summary_log(NULL, true);
	expect("ACS Control");
	expect_not("Above 4G");
	no_room = true;
	summary_log(NULL, true);
	expect("Above 4G");
	reserved = true;
	summary_log(NULL, true);
	expect_not("Legacy USB");
	fn[0].class = 0x0c0320;
	summary_log(NULL, true);
	expect("Legacy USB");
	expect_not("SR-IOV");
	vfs = 0;
	summary_log(NULL, true);
	expect("SR-IOV");
	expect_not("Opt Out");
	summary_log(&opted_out, true);
	expect("Opt Out");
	expect_not("VROC");
	fn[0].vendor = 0x8086;
	fn[0].device = 0x9a0b;
	summary_log(NULL, true);
	expect("VROC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_can_be_given_is_listed, build),
		cmocka_unit_test_setup(many_are_counted, build),
		cmocka_unit_test_setup(without_vtd_it_is_named_alone, build),
		cmocka_unit_test_setup(each_reason_has_its_advice, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
