/* This file prints the linker's build id, an ELF note among the constants
 * (linker.ld). */
#include "hv/build_id.h"
#include "hv/format.h"
#include "hv/image.h"
#include "hv/log.h"
#include "hv/types.h"
#include "hv/version.h"

/* ELF note (gABI, "Note Section"); the name is "GNU\0", then the id */
struct elf_note {
	u32 name_size, id_size, type;
	u8 name[4];
	u8 id[];
};

void build_id_text(char *buf)
{
	const struct elf_note *note = (const void *)build_id_start;
	size_t size = build_id_end - build_id_start;
	size_t length = 0;

	buf[0] = '\0';
	if (size <= sizeof(*note) || note->name_size != sizeof(note->name))
		return;
	length = MIN((size_t)note->id_size, size - sizeof(*note));
	length = MIN(length, (size_t)(BUILD_ID_TEXT - 1) / 2);
	for (size_t i = 0; i < length; i++)
		format(buf + 2 * i, 3, "%02x", note->id[i]);
}
