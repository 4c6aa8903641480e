/*
 * Linux by its 64-bit boot protocol (Documentation/x86/boot.rst, "64-bit Boot
 * Protocol"; zero-page.rst).  The kernel file is not trusted: a copy of its
 * setup header is checked first, and only that copy is used.
 */
#include "guest/linux.h"
#include "guest/kernel_kind.h"
#include "hv/format.h"
#include "hv/guest_layout.h"
#include "hv/log.h"
#include "hv/string.h"

/* The setup header, at 1F1H of the file and of boot_params */
struct setup_header {
	u8 setup_sects;
	u16 root_flags;
	u32 syssize;
	u16 ram_size, vid_mode, root_dev;
	u16 boot_flag;
	u8 jump_opcode, jump_offset;
	u32 header;
	u16 version;
	u32 realmode_swtch;
	u16 start_sys_seg, kernel_version;
	u8 type_of_loader, loadflags;
	u16 setup_move_size;
	u32 code32_start, ramdisk_image, ramdisk_size, bootsect_kludge;
	u16 heap_end_ptr;
	u8 ext_loader_ver, ext_loader_type;
	u32 cmd_line_ptr, initrd_addr_max, kernel_alignment;
	u8 relocatable_kernel, min_alignment;
	u16 xloadflags;
	u32 cmdline_size, hardware_subarch;
	u64 hardware_subarch_data;
	u32 payload_offset, payload_length;
	u64 setup_data, pref_address;
	u32 init_size, handover_offset;
} __attribute__((packed));

#define HEADER_OFFSET 0x1f1
_Static_assert(HEADER_OFFSET + offsetof(struct setup_header, header) == 0x202,
	       "HdrS");
_Static_assert(HEADER_OFFSET + sizeof(struct setup_header) == 0x268,
	       "setup header of protocol 2.12");

#define BOOT_FLAG 0xaa55
#define HEADER_MAGIC 0x53726448 /* "HdrS" */
#define VERSION_MIN 0x020c
#define LOADFLAGS_HIGH BIT(0)
#define XLF_KERNEL_64 BIT(0)
#define LOADER_UNDEFINED 0xff
#define VIDEO_NORMAL 0xffff
#define SECTOR 512
#define ENTRY_64 0x200

struct e820_entry {
	u64 start, size;
	u32 type;
} __attribute__((packed));

#define E820_RAM 1
#define E820_RESERVED 2
#define E820_MAX 128

/* boot_params, the "zero page": what we fill in (zero-page.rst) */
struct boot_params {
	u8 screen_info[0x70];
	u64 acpi_rsdp_addr;
	u8 unused1[0x1e8 - 0x78];
	u8 e820_entries;
	u8 unused2[HEADER_OFFSET - 0x1e9];
	struct setup_header header;
	u8 unused3[0x2d0 - 0x268];
	struct e820_entry e820_table[E820_MAX];
	u8 unused4[0x1000 - 0xcd0];
} __attribute__((packed));

_Static_assert(offsetof(struct boot_params, e820_entries) == 0x1e8, "e820");
_Static_assert(offsetof(struct boot_params, header) == HEADER_OFFSET, "header");
_Static_assert(sizeof(struct boot_params) == PAGE_SIZE, "one page");

/* What comes from the kernel file, checked. */
struct kernel_file {
	struct setup_header header;
	const u8 *code; /* the protected-mode part */
	u64 code_size;
};

/* The header ends where its jump leads (boot.rst, "Zero page"). */
static size_t header_size(const struct setup_header *h)
{
	return offsetof(struct setup_header, header) + h->jump_offset;
}

/* NULL if @h fits the protocol, else what is wrong. */
static const char *header_error(const struct setup_header *h)
{
	if (h->boot_flag != BOOT_FLAG || h->header != HEADER_MAGIC)
		return "not a bzImage (no boot flag and HdrS signature)";
	if (h->version < VERSION_MIN)
		return "boot protocol older than 2.12 (Linux 3.8 has it)";
	if (header_size(h) < sizeof(*h))
		return "its setup header ends before the fields of its version";
	if (!(h->loadflags & LOADFLAGS_HIGH))
		return "a zImage, not a bzImage";
	if (!(h->xloadflags & XLF_KERNEL_64))
		return "no 64-bit entry point: take a kernel for x86-64 "
		       "(amd64)";
	if (!IS_ALIGNED(h->pref_address, PAGE_SIZE) || h->pref_address < MIB ||
	    h->pref_address >= 4 * GIB || !h->init_size)
		return "its load address or memory size makes no sense";
	return NULL;
}

/* Fill @file; NULL, or what is wrong. */
static const char *parse_kernel(const void *kernel, u64 size,
				struct kernel_file *file)
{
	struct setup_header *h = &file->header;
	const char *error = kernel_kind(kernel, size);
	u64 setup_size, declared;

	if (size < HEADER_OFFSET + sizeof(*h))
		return error ? error
			     : "not a bzImage (too short for a setup header)";
	memcpy(h, (const u8 *)kernel + HEADER_OFFSET, sizeof(*h));
	if (error && (h->boot_flag != BOOT_FLAG || h->header != HEADER_MAGIC))
		return error;
	error = header_error(h);
	if (error)
		return error;
	/* 0 means 4, for old loaders' sake */
	setup_size = ((h->setup_sects ? h->setup_sects : 4) + 1) * SECTOR;
	if (size <= setup_size + ENTRY_64)
		return "cut off: the file ends before the kernel begins";
	file->code = (const u8 *)kernel + setup_size;
	file->code_size = size - setup_size;
	/* syssize is in units of 16 bytes; a signature may follow */
	declared = (u64)h->syssize * 16;
	if (declared > ALIGN_UP(file->code_size, 16))
		return "cut off: shorter than its header says";
	if (file->code_size > h->init_size)
		return "larger than the memory that its header asks for";
	return NULL;
}

bool linux_check(const void *kernel, u64 size, char *reason, size_t reason_size)
{
	struct kernel_file file;
	const char *error = parse_kernel(kernel, size, &file);

	if (error)
		format(reason, reason_size, "%s", error);
	return !error;
}

u64 linux_memory_needed(const void *kernel, u64 size, u64 initrd_size)
{
	struct kernel_file file;

	if (parse_kernel(kernel, size, &file))
		return 0;
	return ALIGN_UP(file.header.pref_address + file.header.init_size,
			PAGE_SIZE) +
	       ALIGN_UP(initrd_size, PAGE_SIZE);
}

/* End of the RAM that begins at 0, as far as the first page tables reach. */
static gpa_t low_ram_end(const struct memory_map *map)
{
	gpa_t end = 0;

	for (unsigned int i = 0; i < map->count; i++) {
		const struct region *r = &map->region[i];

		if (r->kind != REGION_RAM || r->gpa != end)
			break;
		end += r->size;
	}
	return MIN(end, 4 * GIB);
}

/* Each region of RAM gives up to three entries, but only the one at 0; the
 * ECAM window is one more. */
_Static_assert(MEMORY_MAP_MAX + 3 <= E820_MAX, "E820 table holds every region");

/* Add [start, end), or lengthen the last entry by it; nothing if empty. */
static void e820_add(struct boot_params *bp, u64 start, u64 end, u32 type)
{
	unsigned int n = bp->e820_entries;
	struct e820_entry *last = n ? &bp->e820_table[n - 1] : NULL;

	if (start >= end)
		return;
	if (last && last->type == type && last->start + last->size == start) {
		last->size += end - start;
		return;
	}
	bp->e820_table[n] = (struct e820_entry){start, end - start, type};
	bp->e820_entries++;
}

/* RAM at [start, end), except the legacy area, which is reserved. */
static void e820_add_ram(struct boot_params *bp, u64 start, u64 end)
{
	e820_add(bp, start, MIN(end, GUEST_LEGACY_START), E820_RAM);
	e820_add(bp, MAX(start, GUEST_LEGACY_START), MIN(end, MIB),
		 E820_RESERVED);
	e820_add(bp, MAX(start, MIB), end, E820_RAM);
}

/* In the order of addresses: the ECAM window lies between low and high RAM. */
static void fill_e820(struct boot_params *bp, const struct memory_map *map)
{
	bool ecam_told = false;

	for (unsigned int i = 0; i < map->count; i++) {
		const struct region *r = &map->region[i];

		if (r->kind != REGION_RAM)
			continue;
		if (r->gpa >= GUEST_HIGH_RAM && !ecam_told) {
			e820_add(bp, GUEST_ECAM, GUEST_ECAM + GUEST_ECAM_SIZE,
				 E820_RESERVED);
			ecam_told = true;
		}
		e820_add_ram(bp, r->gpa, r->gpa + r->size);
	}
	if (!ecam_told)
		e820_add(bp, GUEST_ECAM, GUEST_ECAM + GUEST_ECAM_SIZE,
			 E820_RESERVED);
}

/* Old contents of the machine's memory are no BIOS data area. */
static int clear_low_memory(const struct memory_map *map)
{
	static const u8 zeros[PAGE_SIZE];
	int err = 0;

	for (gpa_t gpa = 0; gpa < GUEST_ACPI_START && !err; gpa += PAGE_SIZE)
		err = guest_ram_write(map, gpa, zeros, PAGE_SIZE);
	return err;
}

static int write_cmdline(const struct memory_map *map,
			 const struct setup_header *h, const char *cmdline)
{
	size_t length = strlen(cmdline);

	if (length > h->cmdline_size ||
	    length >= GUEST_LEGACY_START - GUEST_CMDLINE) {
		hv_log("linux: the command line has %zu characters, this "
		       "kernel takes %u\n",
		       length, h->cmdline_size);
		return -EINVAL;
	}
	return guest_ram_write(map, GUEST_CMDLINE, cmdline, length + 1);
}

/* 4 GiB, identity-mapped with 2 MiB pages: a PML4, a PDPT, 4 page directories
 * (Intel SDM 3A 4.5.4). */
static int write_page_tables(const struct memory_map *map)
{
	const u64 table = BIT(0) | BIT(1), large = table | BIT(7);
	const gpa_t pdpt = GUEST_BOOT_PAGES + PAGE_SIZE;
	u64 entry;
	int err = 0;

	entry = pdpt | table;
	err = guest_ram_write(map, GUEST_BOOT_PAGES, &entry, sizeof(entry));
	for (unsigned int i = 0; i < 4 && !err; i++) {
		entry = (pdpt + (i + 1) * PAGE_SIZE) | table;
		err = guest_ram_write(map, pdpt + i * sizeof(entry), &entry,
				      sizeof(entry));
	}
	for (u64 i = 0; i < 4 * GIB / (2 * MIB) && !err; i++) {
		entry = (i * 2 * MIB) | large;
		err = guest_ram_write(map, pdpt + PAGE_SIZE + i * sizeof(entry),
				      &entry, sizeof(entry));
	}
	return err;
}

/* The descriptors at 10H (__BOOT_CS) and 18H (__BOOT_DS), flat (SDM 3A 3.4.5)
 */
static const u64 boot_gdt[] = {
	0, 0, 0x00af9b000000ffff, /* 64-bit code, execute and read, accessed */
	0x00cf93000000ffff,	  /* data, read and write, accessed */
};

/* As high as it may lie; sets *@gpa.  @from: end of the kernel's memory. */
static int place_initrd(const struct setup_header *h, u64 size, gpa_t from,
			gpa_t ram_end, gpa_t *gpa)
{
	gpa_t end = MIN(ram_end, (u64)h->initrd_addr_max + 1);

	if (end < from || size > end - from)
		return -ENOSPC;
	*gpa = ALIGN_DOWN(end - size, PAGE_SIZE);
	return *gpa >= from ? 0 : -ENOSPC;
}

static int load_initrd(const struct memory_map *map,
		       const struct linux_image *image, struct setup_header *h,
		       gpa_t from)
{
	gpa_t gpa;
	int err;

	h->ramdisk_image = 0;
	h->ramdisk_size = 0;
	if (!image->initrd || !image->initrd_size)
		return 0;
	err = place_initrd(h, image->initrd_size, from, low_ram_end(map), &gpa);
	if (err) {
		hv_log("linux: no room for an initrd of %lu KiB: give the "
		       "guest more memory\n",
		       (image->initrd_size / KIB));
		return err;
	}
	h->ramdisk_image = gpa;
	h->ramdisk_size = image->initrd_size;
	return guest_ram_write(map, gpa, image->initrd, image->initrd_size);
}

static int write_boot_params(const struct memory_map *map,
			     const struct linux_image *image,
			     const struct kernel_file *file)
{
	static struct boot_params bp;

	memset(&bp, 0, sizeof(bp));
	bp.header = file->header;
	bp.header.vid_mode = VIDEO_NORMAL;
	bp.header.type_of_loader = LOADER_UNDEFINED;
	bp.header.code32_start = file->header.pref_address;
	bp.header.cmd_line_ptr = GUEST_CMDLINE;
	bp.header.setup_data = 0;
	bp.acpi_rsdp_addr = image->rsdp;
	fill_e820(&bp, map);
	return guest_ram_write(map, GUEST_BOOT_PARAMS, &bp, sizeof(bp));
}

/* Everything but the checks; every write is checked against the map. */
static int write_all(const struct memory_map *map,
		     const struct linux_image *image, struct kernel_file *file,
		     gpa_t kernel_end)
{
	int err = clear_low_memory(map);

	if (!err)
		err = guest_ram_write(map, file->header.pref_address,
				      file->code, file->code_size);
	if (!err)
		err = load_initrd(map, image, &file->header, kernel_end);
	if (!err)
		err = write_cmdline(map, &file->header, image->cmdline);
	if (!err)
		err = write_page_tables(map);
	if (!err)
		err = guest_ram_write(map, GUEST_BOOT_GDT, boot_gdt,
				      sizeof(boot_gdt));
	if (!err)
		err = write_boot_params(map, image, file);
	return err;
}

int linux_load(const struct memory_map *map, const struct linux_image *image,
	       struct vcpu_entry *entry)
{
	struct kernel_file file;
	const char *error =
		parse_kernel(image->kernel, image->kernel_size, &file);
	gpa_t load, end;

	if (error) {
		hv_log("linux: kernel: %s\n", error);
		return -EINVAL;
	}
	load = file.header.pref_address;
	end = load + file.header.init_size;
	if (end > low_ram_end(map)) {
		hv_log("linux: the kernel needs memory up to %lu MiB, the "
		       "guest has %lu MiB\n",
		       (ALIGN_UP(end, MIB) / MIB), (low_ram_end(map) / MIB));
		return -ENOSPC;
	}
	*entry = (struct vcpu_entry){
		.rip = load + ENTRY_64,
		.rsi = GUEST_BOOT_PARAMS,
		.cr3 = GUEST_BOOT_PAGES,
		.gdt = GUEST_BOOT_GDT,
		.gdt_limit = sizeof(boot_gdt) - 1,
		.cs = 0x10,
		.ds = 0x18,
	};
	return write_all(map, image, &file, end);
}
