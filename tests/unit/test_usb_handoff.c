/* sources: drivers/usb_handoff.c */
#include "drivers/pci/pci.h"
#include "drivers/usb_handoff.h"
#include "hv/host_paging.h"
#include "hv/time.h"
#include "tests/unit/support.h"
#include <string.h>

#define FIRMWARE BIT(16)
#define OS BIT(24)

/* One controller: its configuration space and its registers. */
static u32 config[PCI_CONFIG_SIZE / 4];
static u32 regs[4096];
static struct pci_function fn;

/* What firmware looks at, and when it lets go of it; NULL: never. */
static u32 *owned;
static u64 lets_go_at;
static bool asked;

struct pci_function *pci_functions(unsigned int *count)
{
	*count = 1;
	return &fn;
}

int host_map_device(hpa_t base, u64 size)
{
	assert_true(base == (hpa_t)regs);
	assert_true(size == sizeof(regs));
	return 0;
}

/* Firmware: it goes when it was asked, and its time has come. */
u64 time_us(void)
{
	if (owned && *owned & OS) {
		asked = true;
		if (test_time >= lets_go_at)
			*owned &= ~FIRMWARE;
	}
	return test_time++;
}

static int setup(void **state)
{
	(void)state;
	memset(config, 0, sizeof(config));
	memset(regs, 0, sizeof(regs));
	fn = (struct pci_function){.config = (volatile u8 *)config};
	fn.bar[0] = (struct pci_bar){(hpa_t)regs, sizeof(regs), 0, 0, 0};
	config[1] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	owned = NULL;
	asked = false;
	test_time = 0;
	lets_go_at = 500000;
	test_log_clear();
	return 0;
}

/* Capabilities 2, 0x0a and the legacy one. */
static void make_xhci(void)
{
	fn.class = 0x0c0330;
	regs[4] = 0x100U << 16; /* at 400h */
	regs[0x100] = 0x0402;	/* the next 10h on */
	regs[0x104] = 0xff0a;	/* ... 3FCh on */
	regs[0x203] = 0x0001 | FIRMWARE;
	regs[0x204] = 0xe011;
	owned = &regs[0x203];
}

static void xhci_lets_go(void **state)
{
	(void)state;
	make_xhci();
	usb_handoff();
	assert_true(asked);
	assert_int_equal(regs[0x203], 0x0001 | OS);
	/* No SMI, and events are cleared */
	assert_int_equal(regs[0x204], 0xe0000000);
	assert_non_null(strstr(test_log,
			       "usb: 0000:00:00.0: firmware drove it, "
			       "and has let go\n"));
}

static void who_does_not_let_go_is_named(void **state)
{
	(void)state;
	make_xhci();
	lets_go_at = UINT64_MAX;
	usb_handoff();
	assert_in_range(test_time, 1000000, 1100000);
	assert_non_null(strstr(test_log, "does not let go: if the machine "));
	assert_int_equal(regs[0x203], 0x0001 | OS);
	assert_int_equal(regs[0x204], 0xe0000000);
}

/* Nothing is asked, nothing waited for, nothing said. */
static void xhci_of_nobody(void **state)
{
	(void)state;
	make_xhci();
	regs[0x203] = 0x0001;
	usb_handoff();
	assert_string_equal(test_log, "");
	assert_int_equal(regs[0x203], 0x0001);
	assert_int_equal(regs[0x204], 0xe0000000);
}

/* Lists that lead nowhere, out of the registers, or round and round. */
static void lists_end(void **state)
{
	(void)state;
	make_xhci();
	regs[4] = 0xffffU << 16;
	usb_handoff();
	regs[4] = 0xfffU << 16; /* half of it is beyond the end */
	regs[0xfff] = 1;
	usb_handoff();
	fn.class = 0x0c0320;
	regs[2] = 0x40U << 8;
	config[0x10] = 0x4002; /* itself */
	usb_handoff();
	config[0x10] = 0x4202; /* at 42h */
	usb_handoff();
	assert_int_equal(regs[0x203], 0x0001 | FIRMWARE);
	assert_string_equal(test_log, "");
}

static void ehci_by_configuration_space(void **state)
{
	(void)state;
	fn.class = 0x0c0320;
	regs[2] = 0x68 << 8;
	config[0x1a] = 0x0001 | FIRMWARE;
	config[0x1b] = 0x0000e03f;
	owned = &config[0x1a];
	usb_handoff();
	assert_true(asked);
	assert_int_equal(config[0x1a], 0x0001 | OS);
	assert_int_equal(config[0x1b], 0xe0000000);
}

static void uhci_and_ohci(void **state)
{
	(void)state;
	fn.class = 0x0c0300;
	config[0x30] = 0x1234003f;
	usb_handoff();
	assert_int_equal(config[0x30], 0x12348f00);
	fn.class = 0x0c0310;
	regs[1] = BIT(8); /* SMIs, for ever */
	usb_handoff();
	assert_int_equal(regs[2], BIT(3));
	assert_int_equal(regs[4], BIT(30));
	assert_int_equal(regs[5], 0xffffffff);
	assert_non_null(strstr(test_log, "does not let go"));
}

/* One that is switched off, or is no USB controller, is left alone. */
static void others_are_left_alone(void **state)
{
	(void)state;
	make_xhci();
	config[1] = 0;
	usb_handoff();
	config[1] = 0xffffffff;
	usb_handoff();
	config[1] = PCI_COMMAND_MEMORY;
	fn.class = 0x0c0340;
	usb_handoff();
	fn.class = 0x020000;
	usb_handoff();
	assert_int_equal(regs[0x203], 0x0001 | FIRMWARE);
	assert_int_equal(regs[0x204], 0xe011);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(xhci_lets_go, setup),
		cmocka_unit_test_setup(who_does_not_let_go_is_named, setup),
		cmocka_unit_test_setup(xhci_of_nobody, setup),
		cmocka_unit_test_setup(lists_end, setup),
		cmocka_unit_test_setup(ehci_by_configuration_space, setup),
		cmocka_unit_test_setup(uhci_and_ohci, setup),
		cmocka_unit_test_setup(others_are_left_alone, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
