/* This file drives the 16550 UARTs at COM1 and COM2 (PC16550D datasheet 8). */
#include "hv/console.h"
#include "hv/asm.h"

#define COM1 0x3f8
#define COM2 0x2f8

#define UART_DATA 0 /* RBR, THR; with DLAB: divisor, low byte */
#define UART_IER 1  /* with DLAB: divisor, high byte */
#define IER_RECEIVED BIT(0)
#define UART_FCR 2
#define FCR_ENABLE_CLEAR 0x07
#define UART_LCR 3
#define LCR_8N1 0x03
#define UART_MCR 4
#define MCR_DTR_RTS_OUT2 0x0b /* OUT2 lets the interrupt line through */
#define UART_LSR 5
#define LSR_DATA_READY BIT(0)
#define LSR_THR_EMPTY BIT(5)
#define UART_SCRATCH 7

/* A character at 115200 baud takes 87 us; a UART that needs more polls than
 * this for one is taken for gone. */
#define TRANSMIT_POLLS 100000

static u16 log_port, guest_port; /* 0: not there */
/* The guest wrote last, and ended no line; asked by any CPU */
static volatile bool guest_in_line;

static bool uart_present(u16 port)
{
	outb(port + UART_SCRATCH, 0x5a);
	if (inb(port + UART_SCRATCH) != 0x5a)
		return false;
	outb(port + UART_SCRATCH, 0xa5);
	return inb(port + UART_SCRATCH) == 0xa5;
}

static u16 uart_open(u16 port)
{
	if (!uart_present(port))
		return 0;
	outb(port + UART_IER, 0);
	outb(port + UART_LCR, UART_LCR_DLAB);
	outb(port + UART_DATA, 1); /* 115200 baud */
	outb(port + UART_IER, 0);
	outb(port + UART_LCR, LCR_8N1);
	outb(port + UART_FCR, FCR_ENABLE_CLEAR);
	outb(port + UART_MCR, MCR_DTR_RTS_OUT2);
	return port;
}

static void uart_putc(u16 *port, char c)
{
	unsigned int polls = TRANSMIT_POLLS;

	if (!*port)
		return;
	while (!(inb(*port + UART_LSR) & LSR_THR_EMPTY)) {
		if (!polls--) {
			*port = 0;
			return;
		}
	}
	outb(*port + UART_DATA, c);
}

void console_init(u8 log)
{
	guest_port = uart_open(COM1);
	log_port = log == 2 ? uart_open(COM2) : guest_port;
}

static void log_puts(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n')
			uart_putc(&log_port, '\r');
		uart_putc(&log_port, text[i]);
	}
}

void console_log_write(const char *text, size_t length)
{
	if (log_port == guest_port && guest_in_line) {
		log_puts("\n", 1);
		guest_in_line = false;
	}
	log_puts(text, length);
}

bool console_guest_has_port(void)
{
	return guest_port;
}

void console_guest_putc(char c)
{
	uart_putc(&guest_port, c);
	guest_in_line = c != '\n';
}

bool console_guest_in_line(void)
{
	return guest_in_line;
}

static int uart_getc(u16 port)
{
	if (!port || !(inb(port + UART_LSR) & LSR_DATA_READY))
		return -1;
	return inb(port + UART_DATA);
}

int console_getc(void)
{
	int byte = uart_getc(log_port);

	return byte < 0 ? uart_getc(guest_port) : byte;
}

int console_guest_getc(void)
{
	return uart_getc(guest_port);
}

bool console_guest_listen(void)
{
	if (guest_port)
		outb(guest_port + UART_IER, IER_RECEIVED);
	return guest_port;
}
