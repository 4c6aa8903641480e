/* Files of the volume that the application was loaded from. */
#ifndef BOOT_FILES_H
#define BOOT_FILES_H

#include "hv/machine/handover.h"

/* files.c: find the volume and the directory that we were loaded from. */
void files_init(void);

/*
 * Read the file at @path (from our directory, or from the volume's root if it
 * begins with \ or /) into pages, at most @max bytes.  @what names it in
 * messages.  Stops if it cannot be read.
 */
struct hpa_range file_read(const char *path, const char *what, u64 max);

#endif
