/* This file tells by its first bytes what is often taken for a kernel. */
#include "guest/kernel_kind.h"
#include "guest/pe.h"
#include "hv/string.h"

#define COMPRESSED(by, tool)                                                   \
	"compressed by " by ": if it is a kernel, unpack it with " tool        \
	"; if an initramfs, it belongs behind initrd="

static const struct {
	u8 offset, length;
	char magic[8];
	const char *what;
} kinds[] = {
	{0, 2, "\x1f\x8b", COMPRESSED("gzip", "gunzip")},
	{0, 6, "\xfd\x37zXZ", COMPRESSED("xz", "unxz")},
	{0, 4, "\x28\xb5\x2f\xfd", COMPRESSED("zstd", "unzstd")},
	{0, 4, "\x02\x21\x4c\x18", COMPRESSED("lz4", "unlz4")},
	{0, 3, "BZh", COMPRESSED("bzip2", "bunzip2")},
	{0, 6, "070701", "an initramfs: it belongs behind initrd="},
	{0, 4, "\x7f\x45LF",
	 "an ELF file, as vmlinux is: take arch/x86/boot/bzImage, which "
	 "distributions install as /boot/vmlinuz-..."},
	{56, 4, "ARM\x64", "a kernel for 64-bit ARM: take one for x86-64"},
};

const char *kernel_kind(const void *file, u64 size)
{
	struct pe_section section;

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].offset + kinds[i].length <= size &&
		    !memcmp((const u8 *)file + kinds[i].offset, kinds[i].magic,
			    kinds[i].length))
			return kinds[i].what;
	if (pe_find(file, size, ".linux", &section))
		return "a unified kernel image (UKI): take its parts out with "
		       "objcopy -O binary -j .linux FILE vmlinuz, and -j "
		       ".initrd";
	switch (pe_machine(file, size)) {
	case 0:
		return NULL;
	case PE_MACHINE_X64:
		return "an EFI application, and no Linux kernel";
	}
	return "an EFI application for another processor";
}
