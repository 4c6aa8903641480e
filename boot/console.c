/* This file prints messages before take-over and leads back to the firmware. */
#include "boot/console.h"
#include "boot/loader.h"
#include "boot/pages.h"
#include "hv/format.h"
#include "hv/log.h"

#define KEY_WAIT_SECONDS 60
#define TIMER_SECOND 10000000ULL /* in units of 100 ns */

/* The console takes UCS-2 and wants \r\n. */
static void put(const char *text)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = loader.system->ConOut;
	CHAR16 line[128];
	unsigned int length = 0;

	if (!out)
		return;
	for (; *text; text++) {
		if (*text == '\n')
			line[length++] = '\r';
		line[length++] = *text & 0x80 ? '?' : *text;
		if (length >= ARRAY_SIZE(line) - 2 || !text[1]) {
			line[length] = 0;
			out->OutputString(out, line);
			length = 0;
		}
	}
}

static void print_va(const char *fmt, va_list ap)
{
	static char text[1536];

	format_va(text, sizeof(text), fmt, ap);
	put(text);
}

void boot_print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_va(fmt, ap);
	va_end(ap);
}

const char *boot_status(EFI_STATUS status)
{
	static char other[24];

	switch (status) {
	case EFI_NOT_FOUND:
		return "not found";
	case EFI_OUT_OF_RESOURCES:
		return "not enough memory";
	case EFI_DEVICE_ERROR:
		return "device error";
	case EFI_VOLUME_CORRUPTED:
		return "the file system is damaged";
	case EFI_NO_MEDIA:
	case EFI_MEDIA_CHANGED:
		return "the medium was removed";
	case EFI_UNSUPPORTED:
		return "not supported by this firmware";
	}
	format(other, sizeof(other), "UEFI status %lx", status);
	return other;
}

void boot_drop_keys(void)
{
	SIMPLE_INPUT_INTERFACE *in = loader.system->ConIn;

	if (in)
		in->Reset(in, FALSE);
}

char boot_key(unsigned int seconds)
{
	SIMPLE_INPUT_INTERFACE *in = loader.system->ConIn;
	EFI_BOOT_SERVICES *bs = loader.bs;
	EFI_INPUT_KEY key = {0};
	EFI_EVENT event[2];
	UINTN index, count = 0;

	if (EFI_ERROR(bs->CreateEvent(EVT_TIMER, TPL_APPLICATION, NULL, NULL,
				      &event[count])))
		return '\0';
	bs->SetTimer(event[count++], TimerRelative, seconds * TIMER_SECOND);
	if (in)
		event[count++] = in->WaitForKey;
	bs->WaitForEvent(count, event, &index);
	bs->CloseEvent(event[0]);
	if (in && in->ReadKeyStroke(in, &key) == EFI_SUCCESS)
		boot_drop_keys();
	return key.UnicodeChar < 0x7f ? key.UnicodeChar : '\0';
}

/* EFI_LIGHTRED or the like, where the firmware has colours */
static void set_colour(UINTN colour)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = loader.system->ConOut;

	if (out)
		out->SetAttribute(out, colour);
}

void boot_stop(EFI_STATUS status, const char *fmt, ...)
{
	va_list ap;

	boot_drop_keys();
	set_colour(EFI_LIGHTRED);
	boot_print("gangway: stopped: ");
	va_start(ap, fmt);
	print_va(fmt, ap);
	va_end(ap);
	set_colour(EFI_LIGHTGRAY);
	boot_print("\nPress a key to return to the firmware (waits %d s).\n",
		   KEY_WAIT_SECONDS);
	boot_key(KEY_WAIT_SECONDS);
	pages_give_all();
	/* Not by returning: crt0 does not keep the registers that UEFI's
	 * calling convention demands (UEFI 2.9 2.3.4.2). */
	loader.bs->Exit(loader.handle, status, 0, NULL);
	__builtin_unreachable();
}
