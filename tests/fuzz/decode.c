/* sources: hv/vmx/decode.c */
/* longest input: 24 */
/* The instruction decoder: mode, then what stands at the guest's RIP. */
#include "hv/vmx/decode.h"
#include "tests/fuzz/fuzz.h"
#include <string.h>

static void check_decoded(const struct decoded *d, unsigned int available)
{
	CHECK(d->length >= 2 && d->length <= MAX_INSTRUCTION);
	CHECK(d->length <= available);
	CHECK(d->size == 1 || d->size == 2 || d->size == 4 || d->size == 8);
	CHECK(d->reg < 16);
	CHECK(!d->high_byte || (d->size == 1 && d->reg < 4));
	if (!d->write)
		CHECK(d->reg_size >= d->size && d->reg_size <= 8);
	if (d->immediate)
		CHECK(d->write);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	static const unsigned int modes[] = {16, 32, 64};
	struct decoded d, again;
	unsigned int bits;

	if (!size)
		return 0;
	fuzz_begin();
	/* Between the members, where nobody writes */
	memset(&d, 0, sizeof(d));
	memset(&again, 0, sizeof(again));
	bits = modes[bytes[0] % 3];
	if (!decode_mov(bytes + 1, size - 1, bits, &d))
		return 0;
	check_decoded(&d, size - 1);
	/* Its own bytes are enough, and no fewer are. */
	CHECK(decode_mov(bytes + 1, d.length, bits, &again));
	CHECK(!memcmp(&d, &again, sizeof(d)));
	CHECK(!decode_mov(bytes + 1, d.length - 1, bits, &again));
	return 0;
}
