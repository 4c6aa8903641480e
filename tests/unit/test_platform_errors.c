/* sources: vtd/platform_errors.c drivers/pci/pci.c drivers/pci/pci_bars.c drivers/pci/pci_caps.c drivers/pci/pci_facts.c tests/unit/pci_model.c */
/* Register numbers are written out: those of Xen's advisory XSA-59. */
#define _GNU_SOURCE
#include "hv/host_paging.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include "vtd/platform_errors.h"
#include <string.h>
#include <sys/mman.h>

static u32 *dmi; /* below 2 GiB, where a firmware has it */
static int map_result;

int host_map_device(hpa_t base, u64 size)
{
	assert_true(base == (hpa_t)dmi);
	assert_true(size == PAGE_SIZE);
	return map_result;
}

static int set_up(void **state)
{
	(void)state;
	if (!dmi)
		dmi = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	assert_true(dmi != MAP_FAILED);
	memset(dmi, 0, PAGE_SIZE);
	map_result = 0;
	model_written = NULL;
	model_reset(2);
	return 0;
}

static void run(void)
{
	struct pci_ecam ecam = model_ecam();

	assert_int_equal(pci_enumerate(&ecam, 1), 0);
	test_log_clear();
	vtd_mask_platform_errors();
}

static void core_of_xeons(void **state)
{
	static const u16 devices[] = {0x342e, 0x3728, 0x3c28, 0x0e28};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(devices); i++) {
		model_add(0, 0x28, 0x8086, devices[i], 0x088000);
		model_set32(0, 0x28, 0x1ac, 0x00000001, 0xffffffff);
		run();
		assert_int_equal(model_get32(0, 0x28, 0x1ac), 0x80000001);
		assert_non_null(strstr(test_log, "vtd: 0000:00:05.0 (8086:"));
	}
}

static void ports_of_xeons(void **state)
{
	(void)state;
	model_add(0, 0x08, 0x8086, 0x3c02, 0x060400);
	model_bridge(0, 0x08, 1, 1);
	model_cap(0, 0x08, 0x90, 0x10, 0);
	model_ext_cap(0, 0x08, 0x100, 0x0b, 0x150);
	model_ext_cap(0, 0x08, 0x150, 0x01, 0);
	model_set32(0, 0x08, 0x158, 0x00000010, 0xffffffff);
	model_set32(0, 0x08, 0x164, 0x00000000, 0xffffffff);
	model_set32(0, 0x08, 0x20c, 0x00000000, 0xffffffff);
	run();
	assert_int_equal(model_get32(0, 0x08, 0x158), 0x00100010);
	assert_int_equal(model_get32(0, 0x08, 0x164), 0x00002000);
	assert_int_equal(model_get32(0, 0x08, 0x20c), 0x00000010);
}

static void dmi_of_clients(void **state)
{
	(void)state;
	model_add(0, 0, 0x8086, 0x0104, 0x060000);
	model_set32(0, 0, 0x68, (u32)(uintptr_t)dmi | 1, 0);
	model_set32(0, 0, 0x6c, 0, 0);
	dmi[0x1c8 / 4] = 2;
	run();
	assert_int_equal(dmi[0x1c8 / 4], 0x00100002);
	assert_non_null(strstr(test_log, "(8086:0104) makes no system errors"));
	/* Off; or where memory is */
	dmi[0x1c8 / 4] = 0;
	model_set32(0, 0, 0x68, (u32)(uintptr_t)dmi, 0);
	run();
	model_set32(0, 0, 0x68, (u32)(uintptr_t)dmi | 1, 0);
	map_result = -EBUSY;
	run();
	assert_int_equal(dmi[0x1c8 / 4], 0);
	assert_string_equal(test_log, "");
}

static unsigned int writes;

static void note(u8 bus, u8 devfn, u16 reg, u32 value)
{
	(void)bus, (void)devfn, (void)value;
	writes += reg >= 0x40;
}

static void all_else_is_left_alone(void **state)
{
	(void)state;
	model_add(0, 0x00, 0x8086, 0x3e30, 0x060000); /* Coffee Lake */
	model_add(0, 0x08, 0x1022, 0x3c28, 0x088000); /* not Intel's */
	model_add(0, 0x10, 0x1b36, 0x000c, 0x060400);
	model_bridge(0, 0x10, 1, 1);
	model_add(1, 0x00, 0x8086, 0x3c28, 0x020000); /* in a slot */
	writes = 0;
	model_written = note;
	run();
	assert_int_equal(writes, 0);
	assert_string_equal(test_log, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(core_of_xeons, set_up),
		cmocka_unit_test_setup(ports_of_xeons, set_up),
		cmocka_unit_test_setup(dmi_of_clients, set_up),
		cmocka_unit_test_setup(all_else_is_left_alone, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
