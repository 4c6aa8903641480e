/*
 * A 16550A whose transmitter is infinitely fast: THR is always empty.
 * Section numbers are those of the PC16550D datasheet (SNLS378).
 *
 * The interrupt line is level, the IOAPIC pin it drives is edge-triggered.  No
 * interrupt is lost by that: a driver ends its handler only when IIR says that
 * nothing is pending, and then the line is low, so that the next cause makes it
 * rise again.
 */
#include "guest/vuart.h"
#include "guest/bytewise.h"
#include "hv/console.h"

/* Registers; 0 and 1 are the divisor latch while LCR.DLAB is set */
#define RBR 0 /* read */
#define THR 0 /* write */
#define IER 1
#define IER_RX BIT(0)
#define IER_THRE BIT(1)
#define IER_LINE BIT(2)
#define IER_MODEM BIT(3)
#define IER_MASK 0x0f
#define IIR 2 /* read */
#define IIR_NONE 0x01
#define IIR_MODEM 0x00
#define IIR_THRE 0x02
#define IIR_RX 0x04
#define IIR_LINE 0x06
#define IIR_TIMEOUT 0x0c
#define IIR_FIFOS 0xc0
#define FCR 2 /* write */
#define FCR_ENABLE BIT(0)
#define FCR_CLEAR_RX BIT(1)
#define FCR_TRIGGER_SHIFT 6
#define FCR_TRIGGER_MASK 0xc0
#define LCR 3
#define MCR 4
#define MCR_DTR BIT(0)
#define MCR_RTS BIT(1)
#define MCR_OUT1 BIT(2)
#define MCR_OUT2 BIT(3)
#define MCR_LOOP BIT(4)
#define MCR_MASK 0x1f
#define LSR 5
#define LSR_DR BIT(0)
#define LSR_OE BIT(1)
#define LSR_THRE BIT(5)
#define LSR_TEMT BIT(6)
#define MSR 6
#define MSR_CTS BIT(4) /* bits 3:0: changes of bits 7:4 */
#define MSR_DSR BIT(5)
#define MSR_RI BIT(6)
#define MSR_DCD BIT(7)
#define SCR 7

/* The chip's own FIFO; drivers measure it in loopback mode. */
#define CHIP_FIFO 16

static bool loopback(const struct vuart *u)
{
	return u->mcr & MCR_LOOP;
}

static unsigned int fifo_depth(const struct vuart *u)
{
	if (!(u->fcr & FCR_ENABLE))
		return 1;
	return loopback(u) ? CHIP_FIFO : VUART_FIFO;
}

/* The most urgent pending interrupt that is enabled (8.6.5). */
static u8 pending(const struct vuart *u)
{
	static const u8 trigger[] = {1, 4, 8, 14};

	if (u->ier & IER_LINE && u->overrun)
		return IIR_LINE;
	if (u->ier & IER_RX && u->count > 0) {
		/* Below the trigger level the timeout has always passed. */
		if (u->fcr & FCR_ENABLE &&
		    u->count < trigger[u->fcr >> FCR_TRIGGER_SHIFT])
			return IIR_TIMEOUT;
		return IIR_RX;
	}
	if (u->ier & IER_THRE && u->thr_pending)
		return IIR_THRE;
	if (u->ier & IER_MODEM && u->msr_delta)
		return IIR_MODEM;
	return IIR_NONE;
}

/*
 * OUT2 gates the line in a PC; in loopback mode its pin is inactive (8.6.7).
 */
static void update_line(struct vuart *u)
{
	bool line = u->mcr & MCR_OUT2 && !loopback(u) && pending(u) != IIR_NONE;
	bool rises = line && !u->line;

	u->line = line;
	if (rises)
		u->backend.raise(u->backend.ctx);
}

static bool fifo_push(struct vuart *u, u8 byte)
{
	if (u->count >= fifo_depth(u)) {
		u->overrun = true;
		return false;
	}
	u->fifo[(u->head + u->count) % VUART_FIFO] = byte;
	u->count++;
	return true;
}

static u8 fifo_pop(struct vuart *u)
{
	u8 byte;

	if (u->count == 0)
		return 0;
	byte = u->fifo[u->head];
	u->head = (u->head + 1) % VUART_FIFO;
	u->count--;
	return byte;
}

/* MSR 7:4: a peer that is always there, or our own outputs (8.6.7). */
static u8 modem_lines(const struct vuart *u)
{
	if (!loopback(u))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (u->mcr & MCR_RTS ? MSR_CTS : 0) |
	       (u->mcr & MCR_DTR ? MSR_DSR : 0) |
	       (u->mcr & MCR_OUT1 ? MSR_RI : 0) |
	       (u->mcr & MCR_OUT2 ? MSR_DCD : 0);
}

static void write_mcr(struct vuart *u, u8 value)
{
	u8 before = modem_lines(u), changed;

	u->mcr = value & MCR_MASK;
	changed = before ^ modem_lines(u);
	/* The ring indicator is reported at its end only (8.6.8). */
	if (!(before & MSR_RI))
		changed &= ~MSR_RI;
	u->msr_delta |= changed >> 4;
}

static void write_thr(struct vuart *u, u8 value)
{
	u->thr_pending = false;
	update_line(u);
	if (loopback(u))
		fifo_push(u, value);
	else
		u->backend.put(value);
	u->thr_pending = true;
}

static void write_ier(struct vuart *u, u8 value)
{
	/* Enabling it while THR is empty tells so at once (8.6.6). */
	if (value & ~u->ier & IER_THRE)
		u->thr_pending = true;
	u->ier = value & IER_MASK;
}

/* Bits other than the enable bit count only where that is 1 (8.6.4). */
static void write_fcr(struct vuart *u, u8 value)
{
	u8 fcr = value & FCR_ENABLE ? value & (FCR_TRIGGER_MASK | FCR_ENABLE)
				    : 0;
	bool clear = (fcr ^ u->fcr) & FCR_ENABLE ||
		     (fcr & FCR_ENABLE && value & FCR_CLEAR_RX);

	u->fcr = fcr;
	if (clear)
		u->count = 0;
}

static u8 read_iir(struct vuart *u)
{
	u8 iir = pending(u);

	if (iir == IIR_THRE)
		u->thr_pending = false;
	return iir | (u->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static u8 read_lsr(struct vuart *u)
{
	u8 lsr = LSR_THRE | LSR_TEMT | (u->count ? LSR_DR : 0) |
		 (u->overrun ? LSR_OE : 0);

	u->overrun = false;
	return lsr;
}

static u8 read_msr(struct vuart *u)
{
	u8 msr = modem_lines(u) | u->msr_delta;

	u->msr_delta = 0;
	return msr;
}

static u8 read_register(struct vuart *u, u64 reg)
{
	switch (reg) {
	case RBR:
		return u->lcr & UART_LCR_DLAB ? u->divisor & 0xff : fifo_pop(u);
	case IER:
		return u->lcr & UART_LCR_DLAB ? u->divisor >> 8 : u->ier;
	case IIR:
		return read_iir(u);
	case LCR:
		return u->lcr;
	case MCR:
		return u->mcr;
	case LSR:
		return read_lsr(u);
	case MSR:
		return read_msr(u);
	case SCR:
		return u->scr;
	default:
		return 0xff;
	}
}

static void write_latch(struct vuart *u, u64 reg, u8 value)
{
	unsigned int shift = 8 * reg;

	u->divisor = (u->divisor & ~(0xff << shift)) | value << shift;
}

static void write_register(struct vuart *u, u64 reg, u8 value)
{
	if (reg <= IER && u->lcr & UART_LCR_DLAB) {
		write_latch(u, reg, value);
		return;
	}
	switch (reg) {
	case THR:
		write_thr(u, value);
		break;
	case IER:
		write_ier(u, value);
		break;
	case FCR:
		write_fcr(u, value);
		break;
	case LCR:
		u->lcr = value;
		break;
	case MCR:
		write_mcr(u, value);
		break;
	case SCR:
		u->scr = value;
		break;
	}
}

static u8 vuart_cycle(void *ctx, u64 offset, bool write, u8 value)
{
	struct vuart *u = ctx;
	u8 result = 0;

	if (write)
		write_register(u, offset, value);
	else
		result = read_register(u, offset);
	update_line(u);
	return result;
}

void vuart_access(void *ctx, u64 offset, unsigned int size, bool write,
		  u64 *value)
{
	bytewise_access(vuart_cycle, ctx, offset, size, write, value);
}

void vuart_reset(struct vuart *u, struct vuart_backend backend)
{
	*u = (struct vuart){.backend = backend};
}

/* In loopback mode the receiver is disconnected from its pin (8.6.7). */
bool vuart_can_receive(const struct vuart *u)
{
	return !loopback(u) && u->count < fifo_depth(u);
}

bool vuart_receive(struct vuart *u, u8 byte)
{
	bool received = !loopback(u) && fifo_push(u, byte);

	update_line(u);
	return received;
}
