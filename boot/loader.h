/*
 * What the files of boot/ share.  All of it runs on the firmware's first CPU
 * before ExitBootServices; what is the program's state is here, and the pages
 * taken (boot/pages.c).
 */
#ifndef BOOT_LOADER_H
#define BOOT_LOADER_H

#include "hv/machine/handover.h"
#include "hv/types.h"
#include <efi.h>

struct loader {
	EFI_HANDLE handle; /* of the application */
	EFI_SYSTEM_TABLE *system;
	EFI_BOOT_SERVICES *bs;
	EFI_LOADED_IMAGE *image;
};

extern struct loader loader;

#endif
