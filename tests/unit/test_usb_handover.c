/* sources: drivers/usb_handover.c tests/unit/pci_model.c */
/* USB controllers that firmware drives until it is asked. */
#include "drivers/usb_handover.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include <string.h>

#define FIRMWARE 0x00010000u
#define SYSTEM 0x01000000u
#define EHCI_CAP 0x68

static u32 bar[1024]; /* 4 KiB of registers */
static struct pci_function fn;

static void set_up(u32 class)
{
	test_log_clear();
	model_reset(1);
	model_add(0, 0xa0, 0x8086, 0xa12f, class);
	fn = model_function(0, 0xa0);
	fn.class = class;
	memset(bar, 0, sizeof(bar));
	fn.bar[0] = (struct pci_bar){.base = (hpa_t)bar, .size = sizeof(bar)};
}

/* Capabilities at 800h: one that is passed over, and at 810h the one */
static void xhci(u32 legacy, u32 control)
{
	set_up(0x0c0330);
	bar[4] = 0x200 << 16;
	bar[0x200] = 0x0402; /* protocol; the next is 10h further */
	bar[0x204] = legacy | 1;
	bar[0x205] = control;
}

/* Firmware that obeys has nothing left; the model cannot answer later. */
static void takes_xhci(void **state)
{
	(void)state;
	xhci(0, 0x0001e011);
	usb_take(&fn);
	assert_int_equal(bar[0x204], SYSTEM | 1);
	assert_int_equal(bar[0x205], 0xe0000000);
	assert_string_equal(test_log, "");
}

static void takes_xhci_from_deaf_firmware(void **state)
{
	(void)state;
	xhci(FIRMWARE, 0x1);
	usb_take(&fn);
	assert_int_equal(bar[0x204], SYSTEM | 1);
	assert_int_equal(bar[0x205], 0xe0000000);
	assert_non_null(strstr(test_log, "0000:00:14.0: firmware keeps it"));
}

static void firmware_obeys(u8 bus, u8 devfn, u16 reg, u32 value)
{
	if (reg == EHCI_CAP && value & SYSTEM)
		model_set32(bus, devfn, reg, SYSTEM | 1, 0xffffffff);
}

static void takes_ehci(void **state)
{
	(void)state;
	set_up(0x0c0320);
	bar[2] = EHCI_CAP << 8;
	model_set32(0, 0xa0, EHCI_CAP, FIRMWARE | 1, 0xffffffff);
	model_set32(0, 0xa0, EHCI_CAP + 4, 0x2001, 0xffffffff);
	model_written = firmware_obeys;
	usb_take(&fn);
	assert_int_equal(model_get32(0, 0xa0, EHCI_CAP), SYSTEM | 1);
	assert_int_equal(model_get32(0, 0xa0, EHCI_CAP + 4), 0xe0000000);
	assert_string_equal(test_log, "");
}

static void leaves_all_else(void **state)
{
	static const u32 firsts[] = {0, 0x3ff, 0xffff, 0x200};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(firsts); i++) {
		xhci(FIRMWARE, 1);
		bar[4] = firsts[i] << 16;
		bar[0x200] = 0x0102; /* a list that goes on in the void */
		bar[0x204] = 0;
		usb_take(&fn);
		assert_int_equal(bar[0x205], 1);
	}
	xhci(FIRMWARE, 1);
	fn.bar[0].base = 0; /* without an address nothing is read */
	usb_take(&fn);
	xhci(FIRMWARE, 1);
	fn.class = 0x0c0300;
	usb_take(&fn);
	assert_int_equal(bar[0x204], FIRMWARE | 1);
	assert_string_equal(test_log, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_xhci),
		cmocka_unit_test(takes_xhci_from_deaf_firmware),
		cmocka_unit_test(takes_ehci),
		cmocka_unit_test(leaves_all_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
