/* sources: guest/vpower.c guest/vcmos.c hv/vmx/trap.c */
/* longest input: 256 */
/* The small port devices: power, reset, keyboard controller, CMOS clock. */
#include "guest/vpower.h"
#include "guest/vcmos.h"
#include "hv/guest_layout.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/trap.h"
#include "tests/fuzz/fuzz.h"

#define KEYBOARD_PORT 0x64

static struct vpower power;
static unsigned int ends;

void guest_end(enum guest_end how, const char *fmt, ...)
{
	(void)fmt;
	CHECK(how == GUEST_POWEROFF || how == GUEST_REBOOT);
	ends++;
	CHECK(ends == 1 && power.ended);
}

/* Only what a clock holds is read of the real one. */
static u8 read_clock(u8 index)
{
	CHECK(index <= 0x0d || index == 0x32);
	return 0x80 | index;
}

static void add(u64 start, u64 size, trap_fn *handler, void *ctx)
{
	CHECK(!trap_ports(&(struct trap_range){start, size, handler, ctx, 0}));
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	static const u16 first[] = {GUEST_SLEEP_CONTROL_PORT, GUEST_RESET_PORT,
				    KEYBOARD_PORT, GUEST_CMOS_PORT};
	static struct vcmos cmos;
	struct input in = {bytes, size};

	fuzz_begin();
	ends = 0;
	power = (struct vpower){0};
	cmos = (struct vcmos){.read = read_clock};
	trap_reset();
	add(first[0], 2, vpower_sleep_access, &power);
	add(first[1], 1, vpower_reset_access, &power);
	add(first[2], 1, vpower_keyboard_access, &power);
	add(first[3], 2, vcmos_access, &cmos);
	while (in.left) {
		u8 how = take(&in, 1);
		unsigned int width = 1u << (how >> 1 & 3) & 7;
		u64 value = how & 1 ? take(&in, width) : 0;

		trap_port_access(first[how >> 3 & 3] + (how >> 5), width,
				 how & 1, &value, NULL);
		CHECK(ends == power.ended);
		CHECK(cmos.index < 0x80);
		if (!(how & 1))
			CHECK(value <= UINT32_MAX);
	}
	return 0;
}
