/*
 * Attacks by root in a real Linux guest, in ring 3: what its devices and its
 * kernel's own files let a program do while the assigned function works.  Each
 * prints one line as the attack kernel does, "PASS attack NAME: ...".
 */
#ifndef ATTACK_LINUX_H
#define ATTACK_LINUX_H

#include <stdbool.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Print the line; true if @good. */
bool report(const char *name, bool good, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* End the program: this @what cannot be tried, by errno. */
void die(const char *what) __attribute__((noreturn));

/* The signal that @act ended in; 0: none. */
int signal_of(void (*act)(void *), void *argument);

uint32_t random_bits(void);

/* Map @length bytes of file @path at @offset; @protection as mmap()'s. */
volatile uint8_t *map_file(const char *path, uint64_t offset, uint64_t length,
			   int protection);

/* Write the low @size bytes of @value; 1, 2, 4 or 8. */
void poke(volatile void *at, unsigned int size, uint64_t value);

/* --- the attacks; true: each ended as it should */

bool attack_instructions(void);
bool attack_ports(void);
bool attack_msrs(void);
bool attack_memory(void);

/* Until SIGTERM: every vector of the VF masked and unmasked as fast as that
 * goes. */
bool attack_mask(void);

/* The same, with hostile entries written by every width; then what was there
 * is put back. */
bool attack_table(void);

/* Configuration space by the kernel's file: every byte with random values; then
 * what was there is put back. */
bool attack_config(void);

/* An NVMe VF: take a namespace that is the PF's alone and use it. */
bool attack_namespaces(void);

/* Virtualization Management by the VF's admin queue; may take the VF offline.
 */
bool attack_management(void);

/* Every admin command that does not concern the VF alone. */
bool attack_commands(void);

/* NVM Subsystem Reset by the VF's registers. */
bool attack_registers(void);

#endif
