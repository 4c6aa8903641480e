/* sources: guest/com1.c hv/acpi_tables.c */
/* COM1's line: which pin of which IOAPIC, and that all others are masked. */
#include "drivers/ioapic.h"
#include "guest/com1.h"
#include "guest/log_lines.h"
#include "guest/vuart.h"
#include "hv/console.h"
#include "hv/guest_layout.h"
#include "hv/host_paging.h"
#include "hv/vmx/guest.h"
#include "tests/unit/support.h"
#include "vtd/irte.h"
#include "vtd/vtd.h"
#include <string.h>

#define IOAPICS 3
#define IRTE 7

/* The machine's IOAPICs, by the last digits of their addresses; the routed pin
 * is -1 as long as there is none. */
static struct {
	unsigned int last_pin;
	bool masked, dead;
	int routed;
} ioapic[IOAPICS];
static bool remapping;
static int allocated; /* for the IOAPIC with this ID */

static unsigned int number(hpa_t base)
{
	unsigned int n = (base - 0xfec00000) / 0x400;

	assert_true(n < IOAPICS && !(base & 0x3ff));
	return n;
}

/* In place of drivers/, hv/ and vtd/ */
int host_map_device(hpa_t base, u64 size)
{
	assert_int_equal(size, IOAPIC_SIZE);
	return ioapic[number(base)].dead ? -EBUSY : 0;
}

void ioapic_mask_all(hpa_t base)
{
	ioapic[number(base)].masked = true;
}

unsigned int ioapic_last_pin(hpa_t base)
{
	return ioapic[number(base)].last_pin;
}

void ioapic_mask(hpa_t base, unsigned int pin)
{
	(void)pin;
	ioapic[number(base)].routed = -1;
}

void ioapic_route(hpa_t base, unsigned int pin, u8 apic_id, u8 vector)
{
	assert_false(remapping);
	assert_int_equal(apic_id, 0);
	assert_int_equal(vector, 0x41);
	ioapic[number(base)].routed = (int)pin;
}

void ioapic_route_remapped(hpa_t base, unsigned int pin, u16 index, u8 vector)
{
	assert_true(remapping);
	assert_int_equal(index, IRTE);
	assert_int_equal(vector, 0x41);
	ioapic[number(base)].routed = (int)pin;
}

bool vtd_remapping(void)
{
	return remapping;
}

int vtd_irte_alloc_ioapic(u8 ioapic_id)
{
	allocated = ioapic_id;
	return IRTE;
}

int vtd_irte_set(int index, const struct vtd_interrupt *interrupt)
{
	assert_int_equal(index, IRTE);
	assert_int_equal(interrupt->vector, 0x41);
	return 0;
}

bool guest_has_apic_id(u32 apic_id)
{
	return apic_id == 0;
}

bool vioapic_route(u64 rte, struct vioapic_route *route)
{
	*route = (struct vioapic_route){.vector = (u8)rte};
	return rte;
}

void vioapic_raise(struct vioapic *io, unsigned int pin)
{
	(void)io;
	(void)pin;
}

bool console_guest_has_port(void)
{
	return true;
}

bool console_guest_listen(void)
{
	return true;
}

void console_guest_putc(char c)
{
	(void)c;
}

int console_guest_getc(void)
{
	return -1;
}

void log_lines_putc(char c)
{
	(void)c;
}

void vuart_reset(struct vuart *u, struct vuart_backend backend)
{
	(void)u;
	(void)backend;
}

bool vuart_can_receive(const struct vuart *u)
{
	(void)u;
	return true;
}

bool vuart_receive(struct vuart *u, u8 byte)
{
	(void)u;
	(void)byte;
	return true;
}

void vuart_access(void *ctx, u64 offset, unsigned int size, bool write,
		  u64 *value)
{
	(void)ctx;
	(void)offset;
	(void)size;
	(void)write;
	(void)value;
}

/* A server's: the first has the interrupts from 48 on */
#define IOAPIC_ENTRY(id, at, gsi) 1, 12, id, 0, 0, at, 0xc0, 0xfe, gsi, 0, 0, 0
#define OVERRIDE(irq, gsi) 2, 10, 0, irq, gsi, 0, 0, 0, 0, 0

static u8 table[44 + 3 * 12 + 10] = {'A',
				     'P',
				     'I',
				     'C',
				     sizeof(table),
				     0,
				     0,
				     0,
				     [44] = IOAPIC_ENTRY(8, 0, 48),
				     IOAPIC_ENTRY(9, 4, 0),
				     IOAPIC_ENTRY(10, 8, 24),
				     OVERRIDE(4, 4)};

static const struct acpi_header *madt(u8 gsi_of_com1)
{
	table[44 + 3 * 12 + 4] = gsi_of_com1;
	return (const void *)table;
}

static int setup(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < IOAPICS; i++) {
		memset(&ioapic[i], 0, sizeof(ioapic[i]));
		ioapic[i].last_pin = 23;
		ioapic[i].routed = -1;
	}
	remapping = true;
	allocated = -1;
	test_log_clear();
	return 0;
}

static void expect_line(unsigned int n, int pin)
{
	com1_line_route(GUEST_UART_IRQ, 0x41);
	for (unsigned int i = 0; i < IOAPICS; i++) {
		assert_int_equal(ioapic[i].routed, i == n ? pin : -1);
		assert_int_equal(ioapic[i].masked, !ioapic[i].dead);
	}
}

static void by_its_interrupt_number(void **state)
{
	(void)state;
	com1_line_init(madt(4));
	assert_int_equal(allocated, 9);
	expect_line(1, 4);
	setup(state);
	com1_line_init(madt(24));
	assert_int_equal(allocated, 10);
	expect_line(2, 0);
	setup(state);
	remapping = false;
	com1_line_init(madt(71));
	expect_line(0, 23);
}

/* The others are masked all the same. */
static void one_is_not_there(void **state)
{
	(void)state;
	ioapic[0].dead = true;
	com1_line_init(madt(4));
	expect_line(1, 4);
}

static void nobody_has_it(void **state)
{
	(void)state;
	com1_line_init(madt(72));
	assert_non_null(strstr(test_log, "no IOAPIC has COM1's line"));
	test_log_clear();
	com1_line_init(NULL);
	assert_non_null(strstr(test_log, "no IOAPIC has COM1's line"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: no line yet */
		cmocka_unit_test_setup(nobody_has_it, setup),
		cmocka_unit_test_setup(by_its_interrupt_number, setup),
		cmocka_unit_test_setup(one_is_not_there, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
