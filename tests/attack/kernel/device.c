/* The assigned function's registers, BARs, configuration space and mailbox,
 * with values that no driver writes. */
#include "tests/attack/kernel/vf.h"

#define CAP_PM 0x01
#define CAP_PCIE 0x10
#define CAP_MSIX 0x11
#define MSIX_ENABLE (1u << 15)
#define TABLE_ENTRIES 3
#define MBMEM 0x0800
#define MAILBOX 0x0c40

static void poke(u64 address, unsigned int size, u64 value)
{
	switch (size) {
	case 1:
		*(volatile u8 *)address = (u8)value;
		break;
	case 2:
		*(volatile u16 *)address = (u16)value;
		break;
	case 4:
		*(volatile u32 *)address = (u32)value;
		break;
	default:
		*(volatile u64 *)address = value;
	}
}

/* --- MSI-X */

static volatile u32 *entry(unsigned int index)
{
	return (volatile u32 *)(VF_BAR3 + 16 * index);
}

static void write_entry(unsigned int index, u64 address, u32 data)
{
	volatile u32 *e = entry(index);

	e[3] = 1;
	e[0] = (u32)address;
	e[1] = (u32)(address >> 32);
	e[2] = data;
	e[3] = 0;
}

static const u64 hostile_address[] = {
	0,	    0x1000,	0xc0000000,  0xfee00000, 0xfee02000, 0xfee55000,
	0xfeeff000, 0xfee00004, 0xfee0100c,  0xfee00008, 0xfee00010, 0xfee00070,
	0xfee1fff0, 0xfef00000, 0x1fee00000, ~3ULL,	 0xfed90000,
};

static const u32 hostile_data[] = {0,	   2,	   8,	   15,	      16,
				   31,	   0x20,   0x200,  0x241,     0x341,
				   0x400,  0x500,  0x600,  0x700,     0x4041,
				   0x8041, 0xc041, 0xffff, 0xffffffff};

static void hostile_messages(unsigned int *kept, unsigned int *tried)
{
	for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
		for (unsigned int a = 0; a < ARRAY_SIZE(hostile_address); a++)
			for (unsigned int d = 0; d < ARRAY_SIZE(hostile_data);
			     d++, (*tried)++) {
				u64 address = hostile_address[a] & ~3ULL;

				write_entry(i, address, hostile_data[d]);
				*kept += entry(i)[0] == (u32)address &&
					 entry(i)[1] == address >> 32 &&
					 entry(i)[2] == hostile_data[d];
			}
}

/* Every width at every byte of the table's page, and the BAR's other pages. */
static void random_writes(void)
{
	for (unsigned int size = 1; size <= 8; size *= 2)
		for (u64 at = 0; at < 0x100; at++)
			poke(VF_BAR3 + at, size,
			     (u64)random() << 32 | random());
	for (u64 at = 0; at < 0x4000; at += 0x10c)
		poke(VF_BAR3 + (at & ~7ULL), 4, random());
}

void attack_msix(void)
{
	unsigned int cap = vf_capability(CAP_MSIX), kept = 0, tried = 0;

	*config16(cap + 2) = MSIX_ENABLE;
	random_writes();
	hostile_messages(&kept, &tried);
	/* Masked and unmasked at full speed, while the device works */
	write_entry(0, 0xfee00000, 0x41);
	for (unsigned int i = 0; i < 2000; i++) {
		entry(0)[3] = i & 1;
		if (i % 50 == 0)
			vf_read(0x100000);
	}
	report("MSI-X table", kept == tried,
	       "%u hostile messages of %u read back as written", kept, tried);
}

/* --- BARs */

void move_bar(unsigned int bar, u64 address)
{
	*config32(bar) = (u32)address;
	*config32(bar + 4) = (u32)(address >> 32);
}

#define RAM_THERE 0x200000ULL
#define MAGIC 0x5a5a12345678a5a5ULL

static const u64 places[] = {
	RAM_THERE,
	RAM_THERE + 0x4000,
	0,
	0x1000,
	0xbfffc000,
	0xbffff000,
	VF_BAR0,
	VF_BAR3,
	0xdfffc000,
	0xe0000000,
	GUEST_ECAM + 0x8000,
	GUEST_IOAPIC,
	0xfed90000,
	0xfee00000,
	0xffffc000,
	0x100000000,
	0x800000000,
	0x800020000,
	1ULL << 47,
	~0x3fffULL,
	0xc0000000 - 0x4000,
	0xc0006000,
};

void attack_bars(void)
{
	volatile u64 *ram = (volatile u64 *)RAM_THERE;
	unsigned int moved = 0;
	bool intact = true, sized;

	for (unsigned int i = 0; i < 0x8000 / 8; i++)
		ram[i] = MAGIC;
	*config32(CONFIG_BAR0) = ~0u;
	*config32(CONFIG_BAR0 + 4) = ~0u;
	sized = *config32(CONFIG_BAR0) == 0xffffc004 ||
		*config32(CONFIG_BAR0) == 0xffffc00c;
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
		for (unsigned int j = 0; j < ARRAY_SIZE(places); j++) {
			move_bar(CONFIG_BAR0, places[i]);
			move_bar(CONFIG_BAR3, places[j]);
			if (random() & 1)
				*config16(CONFIG_COMMAND) = 0;
			*config16(CONFIG_COMMAND) = COMMAND_ON;
			intact &= ram[0] == MAGIC && ram[0x7ff8 / 8] == MAGIC;
			/* Whatever is there now */
			poke(VF_BAR3 + 0x2008, 4, random());
			poke(0xdfffc000, 4, 0);
			moved++;
		}
	report("BARs moved",
	       intact && sized && vf_start() && vf_read(RAM_THERE),
	       "%u pairs of places, RAM below them intact, device there again",
	       moved);
}

/* The MSI-X table moved by its BAR while MSI-X and memory decoding are on, and
 * written wherever it is then. */
void attack_table_moved(void)
{
	static const u64 there[] = {VF_BAR3, 0xc0100000, 0xdfffc000,
				    VF_BAR3 + 0x4000};
	static const u64 elsewhere[] = {RAM_THERE, VF_BAR0, GUEST_ECAM,
					GUEST_IOAPIC & ~0x3fffULL, 0xfee00000};
	volatile u64 *ram = (volatile u64 *)RAM_THERE;
	unsigned int kept = 0, tried = 0, ones = 0;

	vf_start();
	*ram = MAGIC;
	*config16(vf_capability(CAP_MSIX) + 2) = MSIX_ENABLE;
	for (unsigned int i = 0; i < 200; i++) {
		u64 to = there[i % ARRAY_SIZE(there)];
		u64 from = there[(i + 3) % ARRAY_SIZE(there)];
		volatile u32 *e = (volatile u32 *)(to + 16 * (i % 3));
		u64 address =
			hostile_address[i % ARRAY_SIZE(hostile_address)] & ~3U;
		u32 message = hostile_data[i % ARRAY_SIZE(hostile_data)];

		move_bar(CONFIG_BAR3,
			 elsewhere[random() % ARRAY_SIZE(elsewhere)]);
		move_bar(CONFIG_BAR3, to);
		e[0] = (u32)address;
		e[2] = message;
		e[3] = 0;
		tried++;
		kept += e[0] == (u32)address && e[2] == message;
		ones += *(volatile u32 *)from == ~0u;
	}
	move_bar(CONFIG_BAR3, VF_BAR3);
	report("MSI-X table moved",
	       kept == tried && ones == tried && *ram == MAGIC,
	       "%u times; %u messages read back at the new place, the old one "
	       "read all ones %u times",
	       tried, kept, ones);
}

/* With bus mastering off, what the function is told to write does not arrive;
 * switched on again, it does. */
void attack_bus_mastering(void)
{
	volatile u32 *there = (volatile u32 *)RAM_THERE;
	unsigned int silent = 0, back = 0;

	for (unsigned int i = 0; i < 5 && vf_start(); i++) {
		*there = 0;
		*config16(CONFIG_COMMAND) = COMMAND_ON & ~COMMAND_MASTER;
		vf_write(RAM_THERE, 0x5a);
		silent += *there == 0;
		*config16(CONFIG_COMMAND) = COMMAND_ON;
		vf_write(RAM_THERE, 0x77);
		back += *there == 0x77;
	}
	report("bus mastering toggled", silent == 5 && back == 5,
	       "%u of 5 times silent without, %u of 5 times back with it",
	       silent, back);
}

/* --- configuration space */

/* What a write cannot change: IDs, class, header type, the list of
 * capabilities.  As one sum. */
static u64 fixed_parts(void)
{
	u64 sum = *config32(0) * 31ULL + *config32(8);
	unsigned int at = *config8(CONFIG_CAPABILITIES);

	sum = sum * 31 + *config8(0xe);
	for (unsigned int i = 0; at && i < 48; i++) {
		sum = sum * 31 + at;
		sum = sum * 31 + *config16(at);
		at = *config8(at + 1);
	}
	return sum;
}

/* All of 256 bytes x 256 values, in the order of a generator that visits each
 * number below 65536 once; but a reset takes a tenth of a second, so its bit
 * is written seldom. */
void attack_config(void)
{
	unsigned int flr = vf_capability(CAP_PCIE) + 9;
	u64 before = fixed_parts();

	for (u32 i = 0, n = 1; i < 0x10000; i++, n = (n * 25173 + 13849)) {
		unsigned int reg = n >> 8 & 0xff;
		u8 value = (u8)n;

		if (reg == flr && value & 0x80 && value != 0x80)
			value &= 0x7f;
		*config8(reg) = value;
	}
	for (u32 i = 0; i < 20000; i++) {
		unsigned int reg = random() & 0xffc;

		if (reg != (flr & ~3u))
			*config32(reg) = random();
	}
	report("configuration space",
	       fixed_parts() == before && vf_start() && vf_read(RAM_THERE),
	       "every byte with every value, and 20000 doublewords; IDs and "
	       "capabilities stay, the device is there again; power management "
	       "capability: %s",
	       vf_capability(CAP_PM) ? "yes" : "none");
}

/* --- the PF's mailbox */

static void random_message(void)
{
	unsigned int dwords = random() % 17;

	if (random() % 8)
		*vf_register(MAILBOX) = 4; /* take the buffer, or do not */
	for (unsigned int i = 0; i < dwords; i++)
		*vf_register(MBMEM + 4 * i) =
			i ? random() | random() << 16
			  : random() % 10 | (random() & 0xff) << 16 |
					(random() % 4 ? 0 : random() << 24);
	/* Mostly a request, sometimes any bits */
	*vf_register(MAILBOX) = random() % 4 ? 1 : random();
	if (random() % 4 == 0)
		poke(VF_BAR0 + MBMEM + random() % 64, 1 << random() % 4,
		     random());
}

void attack_mailbox(void)
{
	for (unsigned int i = 0; i < 2000; i++)
		random_message();
	report("mailbox", vf_start() && vf_read(RAM_THERE),
	       "2000 messages of any kind; the device is there again");
}

/* --- reset with requests under way */

void attack_flr(void)
{
	unsigned int pcie = vf_capability(CAP_PCIE), back = 0;

	for (unsigned int i = 0; i < 5; i++) {
		if (!vf_start())
			break;
		vf_read(RAM_THERE);
		*vf_register(0x3818) = 0; /* the whole ring once more */
		*config16(pcie + 8) = 1 << 15;
		back += *config16(CONFIG_COMMAND) == 0;
	}
	report("reset with DMA under way", back == 5 && vf_start(),
	       "%u of 5 resets done", back);
}
