/* Base address registers where they must not be (PCI 3.0 6.2.5.1; PCIe 9.3.3.14
 * for those of VFs).  The card is function 01:00.0, below port 00:01.0. */
#include "tests/leftovers/leftovers.h"

#define CONFIG(ecam, bus, devfn, reg)                                          \
	((volatile u32 *)((ecam) + ((u64)(bus) << 20) + ((devfn) << 12) +      \
			  (reg)))

#define PORT 0x08
#define PREFETCH_WINDOW 0x24
#define PREFETCH_BASE_HIGH 0x28
#define PREFETCH_LIMIT_HIGH 0x2c
#define WINDOW 0xfed0fed0 /* FED00000 to FEDFFFFF */
#define CLOSED 0x0001fff1 /* of 64 bits; the limit is below the base */
#define BUSES 0x18	  /* primary, secondary, subordinate, latency timer */

#define BAR0 0x10
#define EXT_CAPS 0x100
#define EXT_CAP_SRIOV 0x0010
#define MAX_EXT_CAPS 48
#define VF_BAR0 0x24
#define VF_BAR3 0x30

/* Where the emulated machine has them */
#define HPET 0xfed00000
#define BETWEEN 0xfedc0000

static u32 sriov_cap(u64 ecam)
{
	u32 at = EXT_CAPS, header;

	for (unsigned int i = 0; at && i < MAX_EXT_CAPS; i++) {
		header = *CONFIG(ecam, 1, 0, at);
		if ((header & 0xffff) == EXT_CAP_SRIOV)
			return at;
		at = header >> 20;
	}
	give_up("the card has no SR-IOV");
}

/* The port forwards to what is there, as it would if firmware meant it. */
static void put_vf_bars(u64 ecam, u32 bar0)
{
	u32 cap = sriov_cap(ecam);

	*CONFIG(ecam, 0, PORT, PREFETCH_WINDOW) = WINDOW;
	*CONFIG(ecam, 0, PORT, PREFETCH_BASE_HIGH) = 0;
	*CONFIG(ecam, 0, PORT, PREFETCH_LIMIT_HIGH) = 0;
	*CONFIG(ecam, 1, 0, cap + VF_BAR0) = bar0;
	*CONFIG(ecam, 1, 0, cap + VF_BAR0 + 4) = 0;
	*CONFIG(ecam, 1, 0, cap + VF_BAR3) = BETWEEN;
	*CONFIG(ecam, 1, 0, cap + VF_BAR3 + 4) = 0;
	say("leftovers: VF BAR0 at %08x\n", *CONFIG(ecam, 1, 0, cap + VF_BAR0));
}

/* Firmware that does not know SR-IOV: no window above 4 GiB, no addresses for
 * VFs, no numbers behind the card's own bus. */
static void forget_vfs(u64 ecam)
{
	u32 cap = sriov_cap(ecam), buses = *CONFIG(ecam, 0, PORT, BUSES);

	*CONFIG(ecam, 0, PORT, PREFETCH_WINDOW) = CLOSED;
	*CONFIG(ecam, 0, PORT, PREFETCH_BASE_HIGH) = 0;
	*CONFIG(ecam, 0, PORT, PREFETCH_LIMIT_HIGH) = 0;
	*CONFIG(ecam, 0, PORT, BUSES) = (buses & 0xff00ffff) | (buses & 0xff00)
								       << 8;
	for (u32 bar = VF_BAR0; bar <= VF_BAR3; bar += VF_BAR3 - VF_BAR0) {
		*CONFIG(ecam, 1, 0, cap + bar) = 0;
		*CONFIG(ecam, 1, 0, cap + bar + 4) = 0;
	}
	say("leftovers: buses %08x\n", *CONFIG(ecam, 0, PORT, BUSES));
}

void leave_bars(u64 ecam, u64 unit)
{
	if (wanted("no-sriov"))
		forget_vfs(ecam);
	if (wanted("bar-over-unit"))
		put_vf_bars(ecam, (u32)unit);
	if (wanted("bar-over-hpet"))
		put_vf_bars(ecam, HPET);
	if (wanted("bar-sized")) {
		*CONFIG(ecam, 1, 0, BAR0) = 0xffffffff;
		say("leftovers: BAR0 at %08x\n", *CONFIG(ecam, 1, 0, BAR0));
	}
}
