/* This file is the guest's IOAPIC, for edge-triggered pins.  Section numbers
 * are the 82093AA datasheet's. */
#include "guest/vioapic.h"
#include "drivers/ioapic.h"
#include "hv/apic.h"
#include "hv/log.h"

/* Indirect registers (3.2) */
#define IOAPICID 0x00
#define IOAPICID_SHIFT 24
#define IOAPICVER_VERSION 0x11
#define IOAPICVER_LAST_PIN_SHIFT 16
#define IOAPICARB 0x02

/* Redirection entry (3.2.4); the other bits are read-only or reserved */
#define RTE_VECTOR 0xffULL
#define RTE_DELIVERY_MODE (7ULL << 8)
#define RTE_FIXED (0ULL << 8)
#define RTE_LOWEST (1ULL << 8)
#define RTE_LOGICAL BIT(11)
#define RTE_POLARITY BIT(13)
#define RTE_LEVEL BIT(15)
#define RTE_DESTINATION_SHIFT 56
#define RTE_WRITABLE                                                           \
	(RTE_VECTOR | RTE_DELIVERY_MODE | RTE_LOGICAL | RTE_POLARITY |         \
	 RTE_LEVEL | RTE_MASKED | 0xffULL << RTE_DESTINATION_SHIFT)

static void refuse(struct vioapic *v, unsigned int pin)
{
	if (v->refused)
		return;
	v->refused = true;
	hv_log("vioapic: pin %u: vector %u with delivery mode %u not sent\n",
	       pin, (unsigned int)(v->pin[pin] & RTE_VECTOR),
	       (unsigned int)((v->pin[pin] & RTE_DELIVERY_MODE) >> 8));
}

bool vioapic_route(u64 rte, struct vioapic_route *route)
{
	u64 mode = rte & RTE_DELIVERY_MODE;

	route->vector = rte & RTE_VECTOR;
	route->destination = rte >> RTE_DESTINATION_SHIFT;
	route->logical = rte & RTE_LOGICAL;
	route->lowest_priority = mode == RTE_LOWEST;
	return !(rte & RTE_MASKED) && route->vector >= APIC_FIRST_VECTOR &&
	       (mode == RTE_FIXED || mode == RTE_LOWEST);
}

void vioapic_raise(struct vioapic *v, unsigned int pin)
{
	struct vioapic_route r;

	if (pin >= GUEST_IOAPIC_PINS || v->pin[pin] & RTE_MASKED)
		return;
	if (!vioapic_route(v->pin[pin], &r)) {
		refuse(v, pin);
		return;
	}
	/* Lowest priority is one of the set; an IPI has no such mode
	 * (Intel SDM 3A 11.6.1), so we choose it. */
	if (r.logical && r.lowest_priority)
		r.destination &= -r.destination;
	v->send(r.destination, r.vector | ICR_FIXED | ICR_ASSERT |
				       (r.logical ? ICR_LOGICAL : 0));
}

static u32 read_indirect(const struct vioapic *v)
{
	unsigned int index = v->select - IOREDTBL(0);

	switch (v->select) {
	case IOAPICID:
	case IOAPICARB: /* nobody arbitrates: it stays as loaded, 3.2.3 */
		return (u32)v->id << IOAPICID_SHIFT;
	case IOAPICVER:
		return IOAPICVER_VERSION | (GUEST_IOAPIC_PINS - 1)
						   << IOAPICVER_LAST_PIN_SHIFT;
	}
	if (v->select < IOREDTBL(0) || index >= 2 * GUEST_IOAPIC_PINS)
		return 0;
	return v->pin[index / 2] >> (index % 2 ? 32 : 0);
}

static void write_indirect(struct vioapic *v, u32 value)
{
	unsigned int index = v->select - IOREDTBL(0);
	unsigned int shift = index % 2 ? 32 : 0;
	u64 *rte, old;

	if (v->select == IOAPICID)
		v->id = value >> IOAPICID_SHIFT & 0xf;
	if (v->select < IOREDTBL(0) || index >= 2 * GUEST_IOAPIC_PINS)
		return;
	rte = &v->pin[index / 2];
	old = *rte;
	*rte = (*rte & ~(0xffffffffULL << shift)) | (u64)value << shift;
	*rte &= RTE_WRITABLE;
	if (*rte != old && v->changed)
		v->changed(index / 2, *rte);
}

/* Registers are accessed by 32 bits (3.0); other accesses reach nothing. */
void vioapic_access(void *ctx, u64 offset, unsigned int size, bool write,
		    u64 *value)
{
	struct vioapic *v = ctx;
	u32 result = 0;

	if (size == 4 && offset == IOREGSEL) {
		if (write)
			v->select = *value;
		result = v->select;
	} else if (size == 4 && offset == IOWIN) {
		if (write)
			write_indirect(v, *value);
		else
			result = read_indirect(v);
	}
	if (!write)
		*value = result;
}

void vioapic_reset(struct vioapic *v, u8 id, vioapic_send_fn *send)
{
	*v = (struct vioapic){.id = id & 0xf, .send = send};
	for (unsigned int i = 0; i < GUEST_IOAPIC_PINS; i++)
		v->pin[i] = RTE_MASKED;
}
