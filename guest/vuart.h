/* The guest's serial port: a 16550A (PC16550D datasheet) with FIFOs. */
#ifndef GUEST_VUART_H
#define GUEST_VUART_H

#include "hv/types.h"

struct vuart_backend {
	void (*put)(char c);	  /* a byte that the guest sent */
	void (*raise)(void *ctx); /* the interrupt line rises */
	void *ctx;
};

#define VUART_FIFO 64 /* more than the chip's 16: the sender does not wait */

struct vuart {
	u8 ier, lcr, mcr, scr, fcr;
	u8 msr_delta; /* what of MSR changed since it was read */
	u16 divisor;
	u8 fifo[VUART_FIFO]; /* received bytes, oldest at head */
	unsigned int head, count;
	bool overrun;	  /* LSR.OE */
	bool thr_pending; /* "transmitter empty" not yet reported */
	bool line;	  /* state of the interrupt line */
	struct vuart_backend backend;
};

/*
 * The functions below change @u and so must not run beside each other: they are
 * for handlers, or hold trap_lock().
 */

/* State after a master reset; @backend is kept. */
void vuart_reset(struct vuart *u, struct vuart_backend backend);

/* True if a byte for the guest has a place now. */
bool vuart_can_receive(const struct vuart *u);

/* A byte for the guest; false if the FIFO is full (overrun is recorded). */
bool vuart_receive(struct vuart *u, u8 byte);

/* trap_fn over the 8 ports */
void vuart_access(void *ctx, u64 offset, unsigned int size, bool write,
		  u64 *value);

#endif
