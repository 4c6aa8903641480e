/* The VF while its driver and its traffic go on: its MSI-X table, mapped
 * by the kernel's file of its BAR, and its configuration space. */
#define _GNU_SOURCE
#include "tests/attack/linux/attack.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define VF "/sys/bus/pci/devices/0000:00:01.0/"
#define ENTRIES 3
#define ENTRY_SIZE 16
#define BAR_SIZE 0x4000
#define CONFIG_SIZE 256
#define CAP_PCIE 0x10

struct entry {
	uint32_t address, upper, data, control;
};

static volatile sig_atomic_t over;

static void on_term(int number)
{
	(void)number;
	over = 1;
}

static volatile struct entry *msix_table(void)
{
	signal(SIGTERM, on_term);
	return (volatile struct entry *)map_file(VF "resource3", 0, BAR_SIZE,
						 PROT_READ | PROT_WRITE);
}

/* By moves of 4 bytes: a compiler may read volatile fields by SSE, which
 * Gangway does not carry out. */
static uint32_t peek(const volatile uint32_t *at)
{
	uint32_t value;

	__asm__ volatile("movl (%1), %0" : "=r"(value) : "r"(at) : "memory");
	return value;
}

static struct entry read_entry(const volatile struct entry *from)
{
	return (struct entry){peek(&from->address), peek(&from->upper),
			      peek(&from->data), peek(&from->control)};
}

static void unmask_all(volatile struct entry *table)
{
	for (unsigned int i = 0; i < ENTRIES; i++)
		table[i].control = 0;
}

bool attack_mask(void)
{
	volatile struct entry *table = msix_table();
	unsigned long writes = 0, wrong = 0;

	for (; !over; writes++) {
		uint32_t mask = writes / ENTRIES & 1;

		table[writes % ENTRIES].control = mask;
		if (writes % 64 == 0)
			wrong += (peek(&table[writes % ENTRIES].control) & 1) !=
				 mask;
	}
	unmask_all(table);
	return report("mask and unmask beside traffic", writes > 1000 && !wrong,
		      "%lu writes, %lu read back otherwise", writes, wrong);
}

/* Messages that must not reach anybody: no interrupt message at all, absent
 * processors, other modes than fixed, illegal vectors, remappable format with
 * others' indices.  (Vectors of this kernel are its own to protect.) */
static const uint64_t hostile_address[] = {
	0,	    0x1000,	0xc0000000, 0xfee55000,	 0xfeeff000, 0xfee00004,
	0xfee00010, 0xfee00030, 0xfee1fff0, 0x1fee00000, ~3ULL,	     0xfed90000,
};
static const uint32_t hostile_data[] = {
	0,     2,     8,      15,     0x200,  0x308,	  0x400,
	0x50f, 0x700, 0x4002, 0x8008, 0xc00f, 0xffffff00, 0xffff070f};

/* One entry, in pieces of any width. */
static void write_pieces(volatile struct entry *to, const struct entry *from)
{
	unsigned int size, at = 0;

	while (at < ENTRY_SIZE) {
		uint64_t value = 0;

		size = 1u << random_bits() % 4;
		while (at % size || at + size > ENTRY_SIZE)
			size /= 2;
		memcpy(&value, (const uint8_t *)from + at, size);
		poke((volatile uint8_t *)to + at, size, value);
		at += size;
	}
}

/* As a driver does: masked, by 4 bytes.  (Of 1 and of 2 bytes the table takes
 * none: PCIe 7.7.2.) */
static void put_back(volatile struct entry *to, const struct entry *from)
{
	to->control = 1;
	to->address = from->address;
	to->upper = from->upper;
	to->data = from->data;
	to->control = from->control;
}

static void write_hostile(volatile struct entry *table)
{
	uint64_t address =
		hostile_address[random_bits() % ARRAY_SIZE(hostile_address)];
	struct entry e = {
		.address = (uint32_t)address,
		.upper = (uint32_t)(address >> 32),
		.data = hostile_data[random_bits() % ARRAY_SIZE(hostile_data)],
		.control = random_bits() % 4 ? 0 : random_bits(),
	};

	write_pieces(&table[random_bits() % ENTRIES], &e);
	if (random_bits() % 16 == 0) /* what follows the table in its BAR */
		poke((volatile uint8_t *)table +
			     (0x1000 + random_bits() % 0x2ff0) / 8 * 8,
		     1u << random_bits() % 4, random_bits());
}

bool attack_table(void)
{
	volatile struct entry *table = msix_table();
	struct entry saved[ENTRIES], now;
	unsigned long writes = 0, lost = 0;

	for (unsigned int i = 0; i < ENTRIES; i++)
		saved[i] = read_entry(&table[i]);
	for (; !over; writes++)
		write_hostile(table);
	for (unsigned int i = 0; i < ENTRIES; i++) {
		put_back(&table[i], &saved[i]);
		now = read_entry(&table[i]);
		lost += now.address != saved[i].address ||
			now.data != saved[i].data || now.upper;
	}
	unmask_all(table);
	return report("hostile messages beside traffic", writes > 1000 && !lost,
		      "%lu entries written, %lu of the good ones did not come "
		      "back",
		      writes, lost);
}

/* --- configuration space */

static unsigned int capability(const uint8_t *config, uint8_t id)
{
	unsigned int at = config[0x34];

	for (unsigned int i = 0; at && at < CONFIG_SIZE - 1 && i < 48; i++) {
		if (config[at] == id)
			return at;
		at = config[at + 1];
	}
	return 0;
}

/* What a write cannot change: IDs, class, header type, where the capabilities
 * are. */
static bool same_function(const uint8_t *before, const uint8_t *after)
{
	unsigned int at = before[0x34];

	if (memcmp(before, after, 4) || memcmp(before + 8, after + 8, 4) ||
	    before[0x0e] != after[0x0e] || before[0x34] != after[0x34])
		return false;
	for (unsigned int i = 0; at && at < CONFIG_SIZE - 1 && i < 48; i++) {
		if (memcmp(before + at, after + at, 2))
			return false;
		at = before[at + 1];
	}
	return true;
}

bool attack_config(void)
{
	uint8_t saved[CONFIG_SIZE], now[CONFIG_SIZE];
	int fd = open(VF "config", O_RDWR | O_CLOEXEC);
	unsigned int flr, writes = 0;

	if (fd < 0 || pread(fd, saved, CONFIG_SIZE, 0) != CONFIG_SIZE)
		die(VF "config");
	flr = capability(saved, CAP_PCIE) + 9;
	for (unsigned int i = 0; i < 16 * CONFIG_SIZE; i++) {
		uint32_t value = random_bits();
		unsigned int size = 1u << random_bits() % 3;
		unsigned int at = random_bits() % CONFIG_SIZE / size * size;

		/* A reset takes a tenth of a second: one of 64 */
		if (at <= flr && at + size > flr && random_bits() % 64)
			continue;
		writes += pwrite(fd, &value, size, at) == (ssize_t)size;
	}
	if (pread(fd, now, CONFIG_SIZE, 0) != CONFIG_SIZE)
		die(VF "config");
	/* BARs, then the rest, with the command register last */
	(void)!pwrite(fd, saved + 0x10, 0x18, 0x10);
	(void)!pwrite(fd, saved + 0x40, CONFIG_SIZE - 0x40, 0x40);
	(void)!pwrite(fd, saved + 4, 2, 4);
	close(fd);
	return report(
		"configuration space beside traffic", same_function(saved, now),
		"%u writes; IDs and capabilities are what they were", writes);
}
