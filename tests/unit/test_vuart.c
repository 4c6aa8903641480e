/* sources: guest/vuart.c */
#include "guest/vuart.h"
#include "tests/unit/support.h"
#include <string.h>

/* Registers and bits as the datasheet numbers them */
enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR };
#define OUT2 0x08
#define LOOP 0x10

static struct vuart uart;
static char output[64];
static unsigned int output_length, raised;

static void put_byte(char c)
{
	output[output_length++ % sizeof(output)] = c;
}

static void raise_line(void *ctx)
{
	assert_ptr_equal(ctx, &uart);
	raised++;
}

static int setup(void **state)
{
	(void)state;
	memset(&uart, 0xff, sizeof(uart));
	vuart_reset(&uart, (struct vuart_backend){put_byte, raise_line, &uart});
	output_length = 0;
	raised = 0;
	return 0;
}

static void out(u64 reg, u8 byte)
{
	u64 value = byte;

	vuart_access(&uart, reg, 1, true, &value);
}

static u8 in(u64 reg)
{
	u64 value = 0xaaaaaaaaaaaaaaaa;

	vuart_access(&uart, reg, 1, false, &value);
	assert_in_range(value, 0, 0xff);
	return value;
}

/* The steps by which Linux' 8250 driver tells a 16550A from its relatives. */
static void is_detected_as_16550a(void **state)
{
	(void)state;
	out(IER, 0);
	assert_int_equal(in(IER) & 0x0f, 0);
	out(IER, 0x0f);
	assert_int_equal(in(IER), 0x0f);
	out(IER, 0x4f); /* an XScale's unit enable would stick */
	assert_int_equal(in(IER), 0x0f);
	out(IER, 0);

	/* RTS and OUT2 looped back: CTS and DCD */
	out(MCR, LOOP | 0x0a);
	assert_int_equal(in(MSR) & 0xf0, 0x90);
	out(MCR, 0);

	out(LCR, 0xbf);
	out(IIR, 0);
	out(LCR, 0);
	out(IIR, 0x01);
	assert_int_equal(in(IIR) >> 6, 3);
	/* An extended feature register there would read 0. */
	out(LCR, 0x80);
	assert_int_not_equal(in(IIR), 0);
	out(LCR, 0xbf);
	assert_int_not_equal(in(IIR), 0);
	/* A 16750 has 64 bytes, shown in IIR bit 5. */
	out(LCR, 0);
	out(IIR, 0x21);
	assert_int_equal(in(IIR) >> 5, 6);
	out(LCR, 0x80);
	out(IIR, 0x21);
	assert_int_equal(in(IIR) >> 5, 6);
	out(LCR, 0);
}

static void loopback_fifo_holds_16(void **state)
{
	unsigned int count = 0;

	(void)state;
	out(IIR, 0x07);
	out(MCR, LOOP);
	for (unsigned int i = 0; i < 256; i++)
		out(RBR, i);
	while (in(LSR) & 1 && count < 256)
		assert_int_equal(in(RBR), count++);
	assert_int_equal(count, 16);
	assert_int_equal(output_length, 0);
}

static void sends_bytes(void **state)
{
	(void)state;
	assert_int_equal(in(LSR), 0x60);
	out(RBR, 'h');
	out(RBR, 'i');
	assert_int_equal(output_length, 2);
	assert_memory_equal(output, "hi", 2);
	assert_int_equal(in(LSR), 0x60);
}

static void receives_bytes_in_order(void **state)
{
	(void)state;
	out(IIR, 0x01);
	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < 40; i++)
			assert_true(vuart_receive(&uart, round + i));
		for (unsigned int i = 0; i < 40; i++) {
			assert_int_equal(in(LSR), 0x61);
			assert_int_equal(in(RBR), round + i);
		}
		assert_int_equal(in(LSR), 0x60);
	}
	assert_int_equal(in(RBR), 0);
}

static void overrun_is_told_once(void **state)
{
	(void)state;
	out(IIR, 0x01);
	out(MCR, OUT2);
	out(IER, 0x04);
	for (unsigned int i = 0; i < VUART_FIFO; i++) {
		assert_true(vuart_can_receive(&uart));
		assert_true(vuart_receive(&uart, i));
	}
	assert_false(vuart_can_receive(&uart));
	assert_int_equal(raised, 0);
	assert_false(vuart_receive(&uart, 'x'));
	assert_int_equal(raised, 1);
	assert_int_equal(in(IIR), 0xc6);
	assert_int_equal(in(LSR), 0x63);
	assert_int_equal(in(LSR), 0x61);
	assert_int_equal(in(IIR), 0xc1);
	assert_int_equal(in(RBR), 0); /* the old bytes stay */
}

static void without_fifo_one_byte(void **state)
{
	(void)state;
	assert_true(vuart_receive(&uart, 'a'));
	assert_false(vuart_receive(&uart, 'b'));
	assert_int_equal(in(RBR), 'a');
	assert_int_equal(in(IIR), 0x01); /* FIFO bits 0 */
}

static void fifo_control(void **state)
{
	(void)state;
	out(IIR, 0x01);
	vuart_receive(&uart, 'a');
	out(IIR, 0xc0); /* enable bit 0: turns the FIFOs off and empties */
	assert_int_equal(in(LSR), 0x60);
	out(IIR, 0x01);
	vuart_receive(&uart, 'a');
	out(IIR, 0x01); /* nothing changes */
	assert_int_equal(in(LSR), 0x61);
	out(IIR, 0x03);
	assert_int_equal(in(LSR), 0x60);
}

static void divisor_latch(void **state)
{
	(void)state;
	out(IER, 0x05);
	out(LCR, 0x83);
	out(RBR, 0x0c);
	out(IER, 0x34);
	assert_int_equal(in(RBR), 0x0c);
	assert_int_equal(in(IER), 0x34);
	assert_int_equal(uart.divisor, 0x340c);
	assert_int_equal(output_length, 0);
	out(LCR, 0x03);
	assert_int_equal(in(IER), 0x05);
	assert_int_equal(in(LCR), 0x03);
	out(SCR, 0xa5);
	assert_int_equal(in(SCR), 0xa5);
}

static void thre_interrupt(void **state)
{
	(void)state;
	out(MCR, OUT2);
	assert_int_equal(in(IIR), 0x01);
	out(IER, 0x02);
	assert_int_equal(raised, 1);
	assert_int_equal(in(IIR), 0x02);
	assert_int_equal(in(IIR), 0x01);
	/* Off and on again tells again: Linux' test for a broken THRE. */
	out(IER, 0);
	out(IER, 0x02);
	assert_int_equal(raised, 2);
	assert_int_equal(in(IIR), 0x02);
	/* A write while enabled is news only after the byte has gone. */
	out(IER, 0x02);
	assert_int_equal(in(IIR), 0x01);
	out(RBR, 'x');
	assert_int_equal(raised, 3);
	/* The write takes the pending one away; the byte gone is a new one. */
	out(RBR, 'x');
	assert_int_equal(raised, 4);
	assert_int_equal(in(IIR), 0x02);
	/* Disabled: nothing pending, also not for the line. */
	out(RBR, 'x');
	out(IER, 0);
	assert_int_equal(in(IIR), 0x01);
	assert_false(uart.line);
}

static void receive_interrupt(void **state)
{
	(void)state;
	out(IIR, 0x41); /* trigger level 4 */
	out(MCR, OUT2);
	out(IER, 0x01);
	vuart_receive(&uart, 'a');
	assert_int_equal(raised, 1);
	assert_int_equal(in(IIR), 0xcc); /* timeout: below the level */
	vuart_receive(&uart, 'b');
	vuart_receive(&uart, 'c');
	assert_int_equal(in(IIR), 0xcc);
	vuart_receive(&uart, 'd');
	assert_int_equal(in(IIR), 0xc4);
	assert_int_equal(raised, 1); /* the line was high all the time */
	in(RBR);
	in(RBR);
	in(RBR);
	assert_true(uart.line);
	in(RBR);
	assert_false(uart.line);
	vuart_receive(&uart, 'e');
	assert_int_equal(raised, 2);
}

static void priorities(void **state)
{
	(void)state;
	out(MCR, OUT2);
	out(MCR, OUT2 | LOOP); /* DSR and CTS go: deltas */
	out(MCR, OUT2);
	assert_int_equal(in(IIR), 0x01); /* told to nobody yet */
	out(IER, 0x0f);
	vuart_receive(&uart, 'a');
	vuart_receive(&uart, 'b'); /* overrun */
	assert_int_equal(in(IIR), 0x06);
	in(LSR);
	assert_int_equal(in(IIR), 0x04);
	in(RBR);
	assert_int_equal(in(IIR), 0x02);
	assert_int_equal(in(IIR), 0x00);
	assert_true(uart.line);
	assert_int_equal(in(MSR), 0xb3); /* CTS, DSR, DCD; DCTS, DDSR */
	assert_int_equal(in(IIR), 0x01);
	assert_false(uart.line);
	assert_int_equal(in(MSR), 0xb0);
	assert_int_equal(raised, 1);
}

/* Whatever is pending when the handler saw "none", the next cause is an edge.
 */
static void no_cause_without_edge(void **state)
{
	(void)state;
	out(IIR, 0x01);
	out(MCR, OUT2);
	out(IER, 0x03);
	assert_int_equal(raised, 1); /* THRE */
	vuart_receive(&uart, 'a');
	assert_int_equal(raised, 1);
	for (unsigned int i = 0; i < 8; i++) {
		u8 iir = in(IIR);

		if (iir & 1)
			break;
		if ((iir & 0x0e) != 2)
			in(RBR);
	}
	assert_int_equal(in(IIR), 0xc1);
	vuart_receive(&uart, 'b');
	assert_int_equal(raised, 2);
}

static void out2_gates_the_line(void **state)
{
	(void)state;
	out(IER, 0x02);
	assert_int_equal(raised, 0);
	out(MCR, OUT2);
	assert_int_equal(raised, 1);
	out(MCR, OUT2 | LOOP);
	assert_false(uart.line);
	out(MCR, OUT2);
	assert_int_equal(raised, 2);
}

static void ring_indicator_edge(void **state)
{
	(void)state;
	out(MCR, LOOP);
	in(MSR);
	out(MCR, LOOP | 0x04); /* OUT1 -> RI: no TERI on the rising edge */
	assert_int_equal(in(MSR), 0x40);
	out(MCR, LOOP);
	assert_int_equal(in(MSR), 0x04);
}

static void loopback_hears_nobody_else(void **state)
{
	(void)state;
	out(MCR, LOOP);
	assert_false(vuart_can_receive(&uart));
	assert_false(vuart_receive(&uart, 'a'));
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(in(MCR), LOOP);
	out(MCR, 0xff);
	assert_int_equal(in(MCR), 0x1f);
}

static void wide_access_is_bytes(void **state)
{
	u64 value = 0x03c15a0000000000 | 0x0000000f41;

	(void)state;
	/* THR 'A', IER 0Fh, FCR 00h, LCR 00h, MCR 00h, (LSR), (MSR), SCR */
	vuart_access(&uart, 0, 8, true, &value);
	assert_int_equal(output[0], 'A');
	assert_int_equal(in(SCR), 0x03);
	assert_int_equal(in(IER), 0x0f);
	value = 0;
	vuart_access(&uart, 6, 4, false, &value); /* MSR, SCR, nothing */
	assert_int_equal(value, 0xffff03b0);
}

static void any_access_is_safe(void **state)
{
	u64 random = 1;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		u64 value;

		random = random * 6364136223846793005 + 1442695040888963407;
		value = random >> 8;
		vuart_access(&uart, random >> 60 ? random >> 40 & 7 : random,
			     1 << (random >> 58 & 3), random >> 63, &value);
		if (random >> 50 & 1)
			vuart_receive(&uart, random >> 20);
		assert_in_range(uart.count, 0, VUART_FIFO);
		assert_in_range(uart.head, 0, VUART_FIFO - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(is_detected_as_16550a, setup),
		cmocka_unit_test_setup(loopback_fifo_holds_16, setup),
		cmocka_unit_test_setup(sends_bytes, setup),
		cmocka_unit_test_setup(receives_bytes_in_order, setup),
		cmocka_unit_test_setup(overrun_is_told_once, setup),
		cmocka_unit_test_setup(without_fifo_one_byte, setup),
		cmocka_unit_test_setup(fifo_control, setup),
		cmocka_unit_test_setup(divisor_latch, setup),
		cmocka_unit_test_setup(thre_interrupt, setup),
		cmocka_unit_test_setup(receive_interrupt, setup),
		cmocka_unit_test_setup(priorities, setup),
		cmocka_unit_test_setup(no_cause_without_edge, setup),
		cmocka_unit_test_setup(out2_gates_the_line, setup),
		cmocka_unit_test_setup(ring_indicator_edge, setup),
		cmocka_unit_test_setup(loopback_hears_nobody_else, setup),
		cmocka_unit_test_setup(wide_access_is_bytes, setup),
		cmocka_unit_test_setup(any_access_is_safe, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
