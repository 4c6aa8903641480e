/* sources: guest/vioapic.c */
/*
 * guest/vioapic.c: every register index, every bit of every register, every
 * width and offset of an access, and an edge at a pin with every redirection
 * entry that the guest can write.
 *
 * Claims: a register keeps the bits that the datasheet lets software write, and
 * a write changes no other one; what is sent is what the entry says, and only
 * fixed and lowest-priority interrupts from vector 16 on are (82093AA 3.2).
 */
#include "guest/vioapic.h"
#include <stdio.h>
#include <stdlib.h>

#define PINS 24U
#define SELECT 0x00
#define WINDOW 0x10
#define ENTRY_MASK (1U << 16)

static struct vioapic ioapic;
static u32 kept[256]; /* what each register should read */
static unsigned long accesses, edges, sent;
static u32 sent_to, sent_low;

static _Noreturn void fail(const char *why, u64 what)
{
	printf("%lx: %s\n", what, why);
	exit(1);
}

void hv_log(const char *format, ...)
{
	(void)format;
}

static void send(u32 destination, u32 icr_low)
{
	sent++;
	sent_to = destination;
	sent_low = icr_low;
}

static u32 get(u64 offset)
{
	u64 value = ~0ULL;

	accesses++;
	vioapic_access(&ioapic, offset, 4, false, &value);
	return (u32)value;
}

static void put(u64 offset, u32 value)
{
	u64 wide = value;

	accesses++;
	vioapic_access(&ioapic, offset, 4, true, &wide);
}

/* --- Registers */

/* The bits that software may write (3.2.1 to 3.2.4) */
static u32 writable(unsigned int index)
{
	if (index == 0)
		return 0x0f000000;
	if (index < 0x10 || index >= 0x10 + 2 * PINS)
		return 0;
	return index % 2 ? 0xff000000 : 0x0001afff;
}

static u32 initial(unsigned int index)
{
	if (index == 1)
		return 0x00170011; /* 24 pins, version 11h (3.2.2) */
	return index >= 0x10 && index < 0x10 + 2 * PINS && index % 2 == 0
		       ? ENTRY_MASK
		       : 0;
}

/* The arbitration register follows the identification register. */
static void check_registers(unsigned int written)
{
	for (unsigned int index = 0; index < 256; index++) {
		put(SELECT, index);
		if (get(SELECT) != index)
			fail("another register is selected", index);
		if (get(WINDOW) != (index == 2 ? kept[0] : kept[index]))
			fail("reads otherwise after a write", written);
	}
}

static void write_register(unsigned int index, u32 value)
{
	put(SELECT, index);
	put(WINDOW, value);
	kept[index] =
		(kept[index] & ~writable(index)) | (value & writable(index));
}

static void registers(void)
{
	vioapic_reset(&ioapic, 0, send);
	for (unsigned int index = 0; index < 256; index++)
		kept[index] = initial(index);
	check_registers(~0U);
	for (unsigned int index = 0; index < 256; index++) {
		for (unsigned int bit = 0; bit < 32; bit++) {
			write_register(index, 1U << bit);
			check_registers(index);
			write_register(index, ~(1U << bit));
			check_registers(index);
		}
	}
}

/* Accesses that are not of 32 bits, or not at a register, reach nothing. */
static void widths(void)
{
	for (u64 offset = 0; offset < 0x1000; offset++) {
		for (unsigned int size = 1; size <= 8; size *= 2) {
			u64 value = ~0ULL;

			if (size == 4 && (offset == SELECT || offset == WINDOW))
				continue;
			put(SELECT, 0x10);
			vioapic_access(&ioapic, offset, size, true, &value);
			vioapic_access(&ioapic, offset, size, false, &value);
			if (value)
				fail("reads something", offset);
			if (get(SELECT) != 0x10 || get(WINDOW) != kept[0x10])
				fail("written by another width", offset);
		}
	}
}

/* --- Edges */

static bool is_sent(u32 low)
{
	u32 mode = low >> 8 & 7;

	return !(low & ENTRY_MASK) && (low & 0xff) >= 16 && mode <= 1;
}

/* Fixed, assert, edge (SDM 3A 11.6.1); of a logical set, where any one will
 * do, the lowest */
static void check_sent(u32 low, u32 destination)
{
	bool logical = low >> 11 & 1;
	u32 to = destination;

	if (logical && (low >> 8 & 7) == 1)
		for (unsigned int bit = 8; bit-- > 0;)
			if (destination >> bit & 1)
				to = 1U << bit;
	if (sent_to != to)
		fail("sent to another processor", low);
	if (sent_low != ((low & 0xff) | 1U << 14 | (u32)logical << 11))
		fail("another interrupt", low);
}

static void edge(u32 low, u32 destination)
{
	unsigned long before = sent;

	ioapic.pin[3] = low | (u64)destination << 56;
	vioapic_raise(&ioapic, 3);
	edges++;
	if (sent - before != is_sent(low))
		fail("sent, or not", low);
	if (sent != before)
		check_sent(low, destination);
}

static void all_edges(void)
{
	for (u32 low = 0; low < 2 * ENTRY_MASK; low++) {
		if (low & ~writable(0x10))
			continue;
		for (u32 destination = 0; destination < 256; destination++)
			edge(low, destination);
	}
	for (unsigned int pin = PINS; pin < 1000; pin++)
		vioapic_raise(&ioapic, pin);
}

int main(void)
{
	registers();
	widths();
	all_edges();
	printf("%lu accesses, %lu edges\n", accesses, edges);
	printf("[  PASSED  ] 1 test.\n");
	return 0;
}
