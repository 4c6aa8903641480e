/* Claims about redirection entries of a real IOAPIC. */
#include "drivers/ioapic.h"
#include "hv/mmio.h"

#define BASE 0xfec00000UL
#define PIN 9

static u32 selected, low, high;
static unsigned int stores;
static bool open_between; /* not masked while half of it is old */

/* In place of the registers (82093AA 3.1): what the pin's entry becomes */
static void write_mmio(void *at, u32 value)
{
	if (at == (void *)BASE) {
		selected = value;
	} else if (selected == 0x10 + 2 * PIN) {
		low = value;
		stores++;
	} else if (selected == 0x11 + 2 * PIN) {
		open_between |= !(low & BIT(16));
		high = value;
		stores++;
	}
}

#define mmio_write32 write_mmio
#include "drivers/ioapic.c"
#include "tests/prove/fields.h"

static void begin(void)
{
	selected = low = high = stores = 0;
	open_between = false;
}

/* VT-d 5.1.5.1, remappable format.  Vector 7:0, 10:8 as 0, index bit 15 at 11,
 * 15:12 as 0: edge, active high, mask 16 as 0, reserved 47:17, format 48 as 1,
 * index 14:0 at 63:49.  Masked until both halves are there. */
bool claim_ioapic_remapped(u16 index, u8 vector)
{
	begin();
	ioapic_route_remapped(BASE, PIN, index, vector);
	return stores == 3 && !open_between && FIELD(low, 7, 0) == vector &&
	       FIELD(low, 10, 8) == 0 &&
	       FIELD(low, 11, 11) == FIELD(index, 15, 15) &&
	       FIELD(low, 31, 12) == 0 && FIELD(high, 15, 0) == 0 &&
	       FIELD(high, 16, 16) == 1 &&
	       FIELD(high, 31, 17) == FIELD(index, 14, 0);
}

/* 82093AA 3.2.4.  Vector 7:0, 16:8 as 0: fixed, physical, edge, active high,
 * not masked, reserved 55:17, destination 63:56 */
bool claim_ioapic_direct(u8 apic_id, u8 vector)
{
	begin();
	ioapic_route(BASE, PIN, apic_id, vector);
	return stores == 3 && !open_between && low == vector &&
	       FIELD(high, 23, 0) == 0 && FIELD(high, 31, 24) == apic_id;
}
