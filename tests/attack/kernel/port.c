/* Every I/O port, by every width. */
#include "tests/attack/kernel/attack.h"

/* Those that end the guest, and the one that prints. */
static bool is_end(u32 port, unsigned int size)
{
	return (port <= 0x64 && port + size > 0x64) ||
	       (port <= 0xcf9 && port + size > 0xcf9) ||
	       (port <= 0x601 && port + size > 0x600) ||
	       (port <= 0x3ff && port + size > 0x3f8);
}

/* The machine's, where OVMF has it on a q35 */
#define PM_TIMER 0x608
#define PM_TIMER_HZ 3579545
#define PM_TIMER_BITS 24

/* Where somebody answers: NMI status, CMOS clock, UART, PCI, the PM timer. */
static bool is_known(u32 port, unsigned int size)
{
	return is_end(port, size) || (port <= 0x61 && port + size > 0x61) ||
	       (port <= 0x71 && port + size > 0x70) ||
	       (port <= 0xcff && port + size > 0xcf8) ||
	       (port >= PM_TIMER && port + size <= PM_TIMER + 4);
}

static u32 in(u16 port, unsigned int size)
{
	u32 value = 0;

	if (size == 1)
		__asm__ volatile("inb %1, %b0" : "+a"(value) : "d"(port));
	else if (size == 2)
		__asm__ volatile("inw %1, %w0" : "+a"(value) : "d"(port));
	else
		__asm__ volatile("inl %1, %0" : "+a"(value) : "d"(port));
	return value;
}

static void out(u16 port, unsigned int size, u32 value)
{
	if (size == 1)
		__asm__ volatile("outb %b0, %1" : : "a"(value), "d"(port));
	else if (size == 2)
		__asm__ volatile("outw %w0, %1" : : "a"(value), "d"(port));
	else
		__asm__ volatile("outl %0, %1" : : "a"(value), "d"(port));
}

void attack_ports(void)
{
	u32 wrong = 0, done = 0;

	for (unsigned int size = 1; size <= 4; size *= 2)
		for (u32 port = 0; port < 0x10000; port++) {
			u32 ones = ~0u >> (32 - 8 * size);

			if (in((u16)port, size) != ones &&
			    !is_known(port, size))
				wrong++;
			if (!is_end(port, size))
				out((u16)port, size, port * 0x9e3779b1);
			done++;
		}
	report("I/O ports", !wrong, "%u accesses, %u read what is not there",
	       done, wrong);
}

static u32 pm_timer_elapsed(u32 since)
{
	return (in(PM_TIMER, 4) - since) & ((1u << PM_TIMER_BITS) - 1);
}

/* What is written to the PM timer by each width does not get there: it goes on
 * counting at its rate, by the TSC. */
void attack_pm_timer(void)
{
	u64 tsc_hz = (u64)cpuid(0x15, 0).ecx * cpuid(0x15, 0).ebx /
		     cpuid(0x15, 0).eax;
	u32 moved = 0, wrong = 0, ticks;

	for (unsigned int size = 1; size <= 4; size *= 2)
		for (u32 at = 0; at < 4; at += size) {
			u64 start = tsc(), most;
			u32 before = in(PM_TIMER, 4);

			out((u16)(PM_TIMER + at), size, ~(before >> 8 * at));
			ticks = pm_timer_elapsed(before);
			most = (tsc() - start) * PM_TIMER_HZ / tsc_hz;
			moved += ticks;
			wrong += ticks > most + most / 8 + 4;
		}
	report("PM timer", moved && !wrong,
	       "counts: %u ticks, %u of 7 writes took effect", moved, wrong);
}
