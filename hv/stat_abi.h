/*
 * Gangway's CPUID leaves, as gangway-stat and other guest programs read them.
 *
 * 40000100H  EAX: highest leaf; EBX, ECX, EDX: "GangwayStat\0"
 * 40000101H  EAX: version (major << 16 | minor << 8 | patch); EBX: CPUs;
 *            ECX: number of counters (STAT_COUNTERS); EDX: TSC frequency in kHz
 * 40000102H  EAX, EBX: microseconds since take-over, low and high
 *            ECX: blocked DMA and interrupt requests so far
 * 40000103H  sub-leaf ECX = CPU << 16 | counter: EAX, EBX: count, low and high
 * 40000104H  sub-leaf ECX = 2 * N: the last blocked request but N: EAX, EBX:
 *            address, low and high; ECX: source ID; EDX: reason | read << 31
 *            sub-leaf 2 * N + 1: EAX, EBX: microseconds since take-over
 * 40000105H  one of the last exits of a CPU but those for these leaves, in no
 *            order: sub-leaf ECX = CPU << 16 | 2 * N: EAX, EBX: TSC, 0 if there
 *            is none; ECX: reason
 *            sub-leaf CPU << 16 | 2 * N + 1: EAX, EBX: RIP; ECX, EDX:
 *            qualification; the same exit's if the TSC is the same before and
 *            after
 */
#ifndef HV_STAT_ABI_H
#define HV_STAT_ABI_H

#define STAT_LEAF_BASE 0x40000100
#define STAT_LEAF_VERSION 0x40000101
#define STAT_LEAF_TIME 0x40000102
#define STAT_LEAF_COUNTER 0x40000103
#define STAT_LEAF_FAULT 0x40000104
#define STAT_LEAF_EXIT 0x40000105
#define STAT_LEAF_LAST STAT_LEAF_EXIT
#define STAT_SIGNATURE "GangwayStat"

#define STAT_FAULTS 8 /* kept */
#define STAT_EXITS 16 /* kept of each CPU */

/* Counters 0-79 are the basic exit reasons (Intel SDM 3D appendix C); the
 * others tell what an EPT violation or I/O exit was for. */
#define STAT_REASONS 80

enum stat_cause {
	STAT_CAUSE_NONE = STAT_REASONS, /* no device there */
	STAT_CAUSE_UART,
	STAT_CAUSE_CMOS,
	STAT_CAUSE_POWER,
	STAT_CAUSE_PCI_CONFIG,
	STAT_CAUSE_IOAPIC,
	STAT_CAUSE_MSIX_TABLE,
	STAT_CAUSE_PF_MAILBOX,
	STAT_CAUSE_BAR, /* I/O ports, less than a page, guarded registers */
	STAT_CAUSE_PF_MAILBOX_READ, /* only under some hypervisors */
	STAT_COUNTERS
};

#endif
