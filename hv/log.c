/* This file writes the log, a line at a time, to the serial port and the
 * screen. */
#include "hv/log.h"
#include "hv/asm.h"
#include "hv/console.h"
#include "hv/format.h"
#include "hv/lock.h"
#include "hv/panic_state.h"

#define LINE_MAX 512

static struct try_lock lock;
void (*log_screen)(const char *text, size_t length);

/*
 * The NMI handler logs nothing itself, so a CPU that holds the lock gives it
 * back; only a panic may come while this same CPU holds it.  After that many
 * tries the line is written all the same: mixed lines beat silence.
 */
#define LOCK_TRIES 100000000
/* In a panic: whoever has it may have been parked with it, so not much longer
 * than a line takes.  Then the lock is taken from that CPU, or each line would
 * wait. */
#define LOCK_TRIES_PANIC 1000000

static bool log_lock(void)
{
	unsigned int tries = panic_here() ? LOCK_TRIES_PANIC : LOCK_TRIES;

	for (unsigned int i = 0; i < tries; i++) {
		if (try_lock_acquire(&lock))
			return true;
		cpu_pause();
	}
	return panic_here();
}

void hv_log(const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list ap;
	int length;
	bool locked;

	va_start(ap, fmt);
	length = format_va(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (length >= LINE_MAX) {
		line[LINE_MAX - 2] = '\n';
		length = LINE_MAX - 1;
	}
	locked = log_lock();
	console_log_write(line, length);
	if (log_screen)
		log_screen(line, length);
	if (locked)
		try_lock_release(&lock);
}
