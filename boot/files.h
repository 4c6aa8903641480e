/* Files of the volume that the application was loaded from. */
#ifndef BOOT_FILES_H
#define BOOT_FILES_H

#include "hv/machine/handover.h"
#include <efi.h>

/* files.c: find the volume and the directory that we were loaded from. */
void files_init(void);

/*
 * Read the @count files at @path (from our directory, or from the volume's root
 * if it begins with \ or /; / is taken for \) one behind the other into pages,
 * at most @max bytes.  Each begins at a multiple of 4 bytes, as the parts of an
 * initramfs must, with zeros between them.  @what names one in messages.  Stops
 * if one cannot be read.
 */
struct hpa_range files_read(const char *const *path, unsigned int count,
			    const char *what, u64 max);

/* The same, of one file */
struct hpa_range file_read(const char *path, const char *what, u64 max);

/* Write @size @bytes over those at @at of the file at @path. */
EFI_STATUS file_change(const char *path, u64 at, const void *bytes, u64 size);

#endif
