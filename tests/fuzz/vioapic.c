/* sources: guest/vioapic.c hv/vmx/trap.c */
/* longest input: 1024 */
/* The IOAPIC: accesses of the guest, and edges at its pins. */
#include "guest/vioapic.h"
#include "hv/vmx/trap.h"
#include "tests/fuzz/fuzz.h"

static struct vioapic ioapic;
static unsigned int raised, sent;

/* Only what one of the guest's CPUs may get: ICR bits 10:8 are fixed, level is
 * assert, no shorthand (Intel SDM 3A 11.6.1) */
static void send(u32 destination, u32 icr_low)
{
	sent++;
	CHECK(sent <= raised);
	CHECK(destination <= 0xff);
	CHECK((icr_low & 0xff) >= 16);
	CHECK((icr_low & ~0x8ffu) == 0x4000);
}

static void changed(unsigned int pin, u64 rte)
{
	CHECK(pin < GUEST_IOAPIC_PINS && rte == ioapic.pin[pin]);
}

static void one_step(struct input *in)
{
	u8 how = take(in, 1);
	unsigned int size = 1u << (how >> 1 & 3);
	u64 offset, value = 0;

	if (how & 0x80) {
		raised++;
		vioapic_raise(&ioapic, take(in, 1));
		return;
	}
	offset = how & 0x40 ? take(in, 2) % PAGE_SIZE : how & 8 ? 0x10 : 0;
	if (how & 1)
		value = take(in, size);
	if (offset + size > PAGE_SIZE)
		return;
	trap_memory_access(GUEST_IOAPIC + offset, size, how & 1, &value, NULL);
	if (!(how & 1) && size < 8)
		CHECK(!(value >> (8 * size)));
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	struct input in = {bytes, size};

	fuzz_begin();
	raised = sent = 0;
	vioapic_reset(&ioapic, take(&in, 1), send);
	ioapic.changed = changed;
	trap_reset();
	CHECK(!trap_memory(&(struct trap_range){GUEST_IOAPIC, PAGE_SIZE,
						vioapic_access, &ioapic, 0}));
	while (in.left) {
		one_step(&in);
		CHECK(ioapic.id < 16);
		for (unsigned int i = 0; i < GUEST_IOAPIC_PINS; i++)
			CHECK(!(ioapic.pin[i] & 0x00fffffffffe5000ULL));
	}
	return 0;
}
