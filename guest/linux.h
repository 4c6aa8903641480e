/* Linux by its 64-bit boot protocol (Documentation/x86/boot.rst). */
#ifndef GUEST_LINUX_H
#define GUEST_LINUX_H

#include "hv/memory_map.h"
#include "hv/types.h"
#include "hv/vmx/vmcs.h"

struct linux_image {
	const void *kernel;
	u64 kernel_size;
	const void *initrd; /* NULL: none */
	u64 initrd_size;
	const char *cmdline;
	gpa_t rsdp;
};

/*
 * True if @kernel is a bzImage that can be started in 64-bit mode (protocol
 * 2.12 or later with XLF_KERNEL_64); else false and the reason in words.  All
 * offsets are checked against @size.  Also called before take-over, on the
 * file that was read.
 */
bool linux_check(const void *kernel, u64 size, char *reason,
		 size_t reason_size);

/*
 * The least RAM, in bytes from 0, that holds @kernel, which passed
 * linux_check(), and an initrd of @initrd_size bytes; 0 if it did not pass.
 */
u64 linux_memory_needed(const void *kernel, u64 size, u64 initrd_size);

/* Copy kernel, initrd, command line, boot_params with E820 map, GDT and
 * identity page tables into the guest's RAM.  Clears RAM below
 * GUEST_ACPI_START first, since it still holds what the machine left there; the
 * ACPI area is left alone.  -EINVAL (bad image), -ENOSPC (the RAM is too
 * small), logged. */
int linux_load(const struct memory_map *map, const struct linux_image *image,
	       struct vcpu_entry *entry);

#endif
