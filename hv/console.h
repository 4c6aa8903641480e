/* The serial console: the log, and the guest's own console, share it. */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include "hv/types.h"

/* 16550A, line control: the divisor is at offsets 0 and 1 */
#define UART_LCR_DLAB BIT(7)

/*
 * Look for a 16550 at COM1, for the guest's console, and for the log at
 * @log_port (1: COM1 too, 2: COM2).  A port that does not answer is left
 * alone, and what is written to it is dropped.
 */
void console_init(u8 log_port);

/* Write to the log's port, from the start of a line; \n becomes \r\n. */
void console_log_write(const char *text, size_t length);

/* Next byte that came in at the log's port or at COM1, or -1. */
int console_getc(void);

/* The guest's console at COM1; without a port all of it is dropped. */
bool console_guest_has_port(void);
void console_guest_putc(char c);
/* The guest has begun a line there and not ended it, or shows a prompt. */
bool console_guest_in_line(void);
/* Next byte that came in, or -1. */
int console_guest_getc(void);
/* Let COM1 raise its interrupt line when bytes come in; false: no COM1. */
bool console_guest_listen(void);

#endif
