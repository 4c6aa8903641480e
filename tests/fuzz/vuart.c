/* sources: guest/vuart.c hv/vmx/trap.c */
/* longest input: 1024 */
/* The serial port: accesses of the guest, and bytes that arrive for it. */
#include "guest/vuart.h"
#include "hv/guest_layout.h"
#include "hv/vmx/trap.h"
#include "tests/fuzz/fuzz.h"

static struct vuart uart;
static unsigned int sent, written, rises, steps;

static void put(char c)
{
	(void)c;
	sent++;
}

static void rise(void *ctx)
{
	CHECK(ctx == &uart && uart.line);
	rises++;
}

static void check_state(void)
{
	CHECK(uart.count <= VUART_FIFO && uart.head < VUART_FIFO);
	CHECK(sent <= written);
	/* A line that is high has a cause that IIR names; each access can let
	 * it rise once. */
	CHECK(rises <= steps);
	CHECK(!uart.line || (uart.mcr & 8 && !(uart.mcr & 0x10)));
	CHECK(!uart.line || uart.ier & 0xf);
}

/* The line is high exactly while an interrupt is pending and let out. */
static void check_line(void)
{
	struct vuart copy = uart;
	u64 iir = 0;

	copy.backend.ctx = &uart;
	vuart_access(&copy, 2, 1, false, &iir);
	CHECK(uart.line == (!(iir & 1) && uart.mcr & 8 && !(uart.mcr & 0x10)));
}

static void one_step(struct input *in)
{
	u8 how = take(in, 1);
	unsigned int size = 1u << (how >> 1 & 3);
	u64 value = 0;
	bool could;

	if (how & 0x80) {
		could = vuart_can_receive(&uart);
		steps++;
		CHECK(vuart_receive(&uart, take(in, 1)) == could);
		return;
	}
	if (size == 8)
		size = 1;
	steps += size;
	if (how & 1) {
		value = take(in, size);
		written += size;
	}
	trap_port_access(GUEST_UART_PORT + (how >> 3 & 7), size, how & 1,
			 &value, NULL);
	if (!(how & 1))
		CHECK(!(value >> (8 * size)));
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	struct input in = {bytes, size};

	fuzz_begin();
	sent = written = rises = steps = 0;
	vuart_reset(&uart, (struct vuart_backend){put, rise, &uart});
	trap_reset();
	CHECK(!trap_ports(&(struct trap_range){GUEST_UART_PORT, 8, vuart_access,
					       &uart, 0}));
	while (in.left) {
		one_step(&in);
		check_state();
		check_line();
	}
	return 0;
}
