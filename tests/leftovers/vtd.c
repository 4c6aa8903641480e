/* The remapping unit, left on (VT-d 10.4 for the registers). */
#include "hv/cache.h"
#include "tests/leftovers/leftovers.h"

#define ECAP 0x10
#define ECAP_SMTS BIT(43) /* scalable mode */
#define GCMD 0x18
#define GSTS 0x1c
#define TE BIT(31)
#define SRTP BIT(30)
#define QIE BIT(26)
#define IRE BIT(25)
#define SIRTP BIT(24)
#define CFI BIT(23)
#define STATES (TE | QIE | IRE | CFI)
#define RTADDR 0x20
#define RTADDR_SCALABLE BIT(10)
#define CCMD 0x28
#define FSTS 0x34
#define FSTS_PPF BIT(1)
#define IQH 0x80
#define IQT 0x88
#define IQA 0x90
#define IRTA 0xb8
#define IRTA_256_ENTRIES 7
#define IOTLB_OFFSET(ecap) (((ecap) >> 8 & 0x3ff) * 16 + 8)

#define PRESENT 1
#define PASS_THROUGH (2 << 2)	    /* context entry: TT */
#define WIDTH_48 2		    /* context entry, high word: AW */
#define PASID_PASS_THROUGH (4 << 6) /* PASID table entry: PGTT */
#define PASID_WIDTH_48 (2 << 2)

#define TRIES 1000000

#define IOAPIC 0xfec00000UL
#define COM1 0x3f8
#define COM1_PIN 4

static u64 unit;

static u32 read32(u32 reg)
{
	return *(volatile u32 *)(unit + reg);
}

static u64 read64(u32 reg)
{
	return *(volatile u64 *)(unit + reg);
}

static void write64(u32 reg, u64 value)
{
	*(volatile u64 *)(unit + reg) = value;
}

/* Until the bits @mask of @reg are @value. */
static void wait(u32 reg, u64 mask, u64 value, const char *what)
{
	for (unsigned int i = 0; i < TRIES; i++)
		if ((read64(reg & ~7u) >> (reg % 8 * 8) & mask) == value)
			return;
	give_up(what);
}

static void command(u32 bit, const char *what)
{
	*(volatile u32 *)(unit + GCMD) = (read32(GSTS) & (u32)STATES) | bit;
	wait(GSTS, bit, bit, what);
}

/* The unit's walks do not snoop (ECAP.C). */
static u64 written_back(const u64 *page)
{
	cache_flush(page, PAGE_SIZE);
	return (u64)page;
}

/* --- translation */

/* 256 contexts for each bus, all the same: one table will do. */
static u64 legacy_tables(void)
{
	u64 *root = firmware_pages(1), *context = firmware_pages(1);

	for (unsigned int i = 0; i < 256; i++) {
		context[2 * i] = PRESENT | PASS_THROUGH;
		context[2 * i + 1] = 1 << 8 | WIDTH_48;
		root[2 * i] = (u64)context | PRESENT;
	}
	written_back(context);
	return written_back(root);
}

/* Root -> context -> PASID directory -> PASID 0 (VT-d 3.4.3, 9.3 to 9.6) */
static u64 scalable_tables(void)
{
	u64 *root = firmware_pages(1), *context = firmware_pages(1);
	u64 *directory = firmware_pages(1), *pasid = firmware_pages(1);

	pasid[0] = PRESENT | PASID_WIDTH_48 | PASID_PASS_THROUGH;
	pasid[1] = 1; /* domain */
	directory[0] = (u64)pasid | PRESENT;
	for (unsigned int i = 0; i < 128; i++)
		context[4 * i] = (u64)directory | PRESENT;
	for (unsigned int i = 0; i < 512; i++)
		root[i] = (u64)context | PRESENT;
	written_back(pasid);
	written_back(directory);
	written_back(context);
	return written_back(root) | RTADDR_SCALABLE;
}

static void translate(u64 root)
{
	u32 iotlb = IOTLB_OFFSET(read64(ECAP));

	write64(RTADDR, root);
	command(SRTP, "root table pointer");
	write64(CCMD, BIT(63) | 1UL << 61);
	wait(CCMD + 4, BIT(31), 0, "context cache invalidation");
	write64(iotlb, BIT(63) | 1UL << 60);
	wait(iotlb + 4, BIT(31), 0, "IOTLB invalidation");
	command(TE, "translation on");
}

/* --- queued invalidation */

static void use_queue(void)
{
	u64 *queue = firmware_pages(1);
	volatile u32 *status = firmware_pages(1);

	write64(IQT, 0);
	write64(IQA, (u64)queue);
	command(QIE, "queued invalidation on");
	queue[0] = 4; /* the interrupt entry cache, all of it */
	queue[2] = 5 | 1 << 5 | 7UL << 32; /* wait: write 7 */
	queue[3] = (u64)status;
	write64(IQT, 32);
	wait(IQH, 0x7fff0, 32, "queue to run empty");
	if (*status != 7)
		give_up("wait descriptor");
}

/* --- interrupts */

static u64 interrupt_table(void)
{
	u64 *table = firmware_pages(1);

	/* Entry n: vector n to APIC ID 0, whoever asks */
	for (u64 i = 0; i < 256; i++)
		table[2 * i] = i << 16 | PRESENT;
	return written_back(table);
}

static void remap(void)
{
	write64(IRTA, interrupt_table() | IRTA_256_ENTRIES);
	command(SIRTP, "interrupt remapping table pointer");
	command(CFI, "compatibility format on");
	command(IRE, "interrupt remapping on");
}

/* --- a fault that nobody looks at */

static void out8(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static u8 in8(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void ioapic_write(u32 index, u32 value)
{
	*(volatile u32 *)IOAPIC = index;
	*(volatile u32 *)(IOAPIC + 0x10) = value;
}

/* COM1 says by an interrupt that it can send.  Its IOAPIC pin has a message in
 * compatibility format, which is blocked: reason 25h. */
static void make_fault(void)
{
	u32 states = read32(GSTS) & (u32)STATES;
	u8 modem = in8(COM1 + 4), enable = in8(COM1 + 1);

	*(volatile u32 *)(unit + GCMD) = states & ~(u32)CFI;
	wait(GSTS, CFI, 0, "compatibility format off");
	if (!(states & IRE)) {
		write64(IRTA, (u64)firmware_pages(1) | IRTA_256_ENTRIES);
		command(SIRTP, "interrupt remapping table pointer");
		command(IRE, "interrupt remapping on");
	}
	ioapic_write(0x11 + 2 * COM1_PIN, 0);
	ioapic_write(0x10 + 2 * COM1_PIN, 0x44);
	out8(COM1 + 4, modem | 8);
	out8(COM1 + 1, 2);
	wait(FSTS, FSTS_PPF, FSTS_PPF, "a fault");
	ioapic_write(0x10 + 2 * COM1_PIN, 1 << 16);
	out8(COM1 + 1, enable);
	out8(COM1 + 4, modem);
	*(volatile u32 *)(unit + GCMD) = states;
	wait(GSTS, IRE | CFI, states & (IRE | CFI), "what was before");
}

void leave_unit(u64 base)
{
	unit = base;
	if (wanted("translation"))
		translate(legacy_tables());
	if (wanted("scalable") && !(read64(ECAP) & ECAP_SMTS))
		give_up("scalable mode");
	if (wanted("scalable"))
		translate(scalable_tables());
	if (wanted("queue"))
		use_queue();
	if (wanted("interrupts"))
		remap();
	if (wanted("faults"))
		make_fault();
	say("leftovers: unit at 0x%lx: GSTS %08x, FSTS %02x, RTADDR 0x%lx\n",
	    unit, read32(GSTS), read32(FSTS), read64(RTADDR));
}
