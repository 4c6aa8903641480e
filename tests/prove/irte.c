/* Claims about interrupt remapping table entries and the messages that name
 * them. */
#include "hv/weaken.h"

static u32 weakened;
#define weaken weakened
#include "tests/prove/fields.h"
#include "vtd/irte.c"

/* VT-d 9.10, bits 63:0.  P 0, FPD 1, DM 2, RH 3, TM 4, DLM 7:5, reserved
 * 11:8 and IM 15 as 0, vector 23:16, destination from 32 or 40 on. */
bool claim_irte_low(u32 destination, u8 vector, u8 mode, bool logical,
		    bool level, bool hint, bool eim)
{
	struct vtd_interrupt interrupt = {destination, vector, mode,
					  logical,     level,  hint};
	u64 low = 0;
	int err = vtd_irte_encode(&interrupt, eim, &low);

	if (!eim && destination > 0xff)
		return err == -EINVAL && low == 0;
	return !err && FIELD(low, 1, 0) == 1 && FIELD(low, 2, 2) == logical &&
	       FIELD(low, 3, 3) == hint && FIELD(low, 4, 4) == level &&
	       FIELD(low, 7, 5) == (mode & 7) && FIELD(low, 15, 8) == 0 &&
	       FIELD(low, 23, 16) == vector && FIELD(low, 31, 24) == 0 &&
	       (eim ? FIELD(low, 63, 32) == destination
		    : FIELD(low, 39, 32) == 0 &&
				FIELD(low, 47, 40) == destination &&
				FIELD(low, 63, 48) == 0);
}

/* VT-d 9.10, bits 127:64.  Source ID 79:64, SQ 81:80 as 0: all 16 bits, SVT
 * 83:82 as 1: compared; reserved 127:84. */
bool claim_irte_high(u16 sid)
{
	u64 high = vtd_irte_source(sid);

	return FIELD(high, 15, 0) == sid && FIELD(high, 17, 16) == 0 &&
	       FIELD(high, 19, 18) == 1 && FIELD(high, 63, 20) == 0;
}

/* VT-d 5.1.2.2, remappable format.  Handle 14:0 at 19:5, format 4 as 1, SHV 3
 * as 0, handle 15 at 2, bits 31:20 FEEh, bits 1:0 and 63:32 as 0; without SHV
 * the data is 0. */
bool claim_message(int index)
{
	u64 address = 0;
	u32 data = 1;

	vtd_message(index, &address, &data);
	return FIELD(address, 1, 0) == 0 &&
	       FIELD(address, 2, 2) == FIELD(index, 15, 15) &&
	       FIELD(address, 4, 3) == 2 &&
	       FIELD(address, 19, 5) == FIELD(index, 14, 0) &&
	       FIELD(address, 63, 20) == 0xfee && data == 0;
}
