/* The linker's build id: an ELF note, kept among the constants (linker.ld). */
#ifndef HV_BUILD_ID_H
#define HV_BUILD_ID_H

void build_id_text(char *buf);

#endif
