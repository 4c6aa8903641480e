/* This file finds a section of a PE file, which is not trusted. */
#include "guest/pe.h"
#include "hv/string.h"

#define PE_OFFSET 0x3c /* of the offset of the header, in the MS-DOS stub */
#define NAME_SIZE 8

/* Signature and COFF file header */
struct pe_header {
	u32 signature;
	u16 machine, sections;
	u32 time, symbols, symbol_count;
	u16 optional_size, characteristics;
} __attribute__((packed));

_Static_assert(sizeof(struct pe_header) == 24, "PE header");

struct section_header {
	char name[NAME_SIZE];
	u32 size, address, file_size, file_offset, relocations, lines;
	u16 relocation_count, line_count;
	u32 characteristics;
} __attribute__((packed));

_Static_assert(sizeof(struct section_header) == 40, "PE section header");

/* @size bytes at @offset of the file, which has @file_size */
static bool copy(void *to, size_t size, const void *file, u64 file_size,
		 u64 offset)
{
	if (file_size < size || offset > file_size - size)
		return false;
	memcpy(to, (const u8 *)file + offset, size);
	return true;
}

/* Its offset; 0: there is none. */
static u32 read_header(const void *file, u64 size, struct pe_header *header)
{
	u16 mark;
	u32 at;

	if (!copy(&mark, sizeof(mark), file, size, 0) || mark != 0x5a4d ||
	    !copy(&at, sizeof(at), file, size, PE_OFFSET) ||
	    !copy(header, sizeof(*header), file, size, at) ||
	    header->signature != 0x4550)
		return 0;
	return at;
}

u16 pe_machine(const void *file, u64 size)
{
	struct pe_header header;

	return read_header(file, size, &header) ? header.machine : 0;
}

bool pe_find(const void *file, u64 size, const char *name,
	     struct pe_section *section)
{
	char wanted[NAME_SIZE] = {0};
	struct section_header s;
	struct pe_header header;
	u64 at = read_header(file, size, &header);

	if (!at)
		return false;
	memcpy(wanted, name, MIN(strlen(name), (size_t)NAME_SIZE));
	at += sizeof(header) + header.optional_size;
	for (unsigned int i = 0; i < header.sections; i++) {
		if (!copy(&s, sizeof(s), file, size, at + i * sizeof(s)))
			return false;
		if (memcmp(s.name, wanted, NAME_SIZE))
			continue;
		*section = (struct pe_section){s.address, s.size, s.file_offset,
					       s.file_size};
		return true;
	}
	return false;
}
