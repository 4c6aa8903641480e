/* Messages before take-over, and the way back to the firmware. */
#ifndef BOOT_CONSOLE_H
#define BOOT_CONSOLE_H

#include "boot/loader.h"

/* Text on the firmware's console; formats as hv_log(). */
void boot_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Say why we stop and what to do about it, wait for a key (60 s at most), give
 * all memory back and return to the firmware with @status.
 */
_Noreturn void boot_stop(EFI_STATUS status, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Forget the keys that were pressed so far: before a question is printed. */
void boot_drop_keys(void);

/* The key that is pressed within @seconds; 0: none, or no ASCII one. */
char boot_key(unsigned int seconds);

/* @status in words, for messages. */
const char *boot_status(EFI_STATUS status);

#endif
