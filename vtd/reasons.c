/* This file has the fault reasons in words (VT-d 7.1.3 and 5.1.4.1);
 * docs/faults.md has more. */
#include "vtd/reasons.h"

static const struct vtd_reason reasons[] = {
	{0x01, "LRT.2", "root entry not present"},
	{0x02, "LCT.2", "context entry not present: not assigned"},
	{0x03, "LCT.4", "context entry of unsupported type or width"},
	{0x04, "LGN.1", "address beyond the width of the table"},
	{0x05, "LGN.2", "not writable"},
	{0x06, "LGN.3", "not readable"},
	{0x07, "LSL.1", "second-level table could not be read"},
	{0x08, "LRT.1", "root table could not be read"},
	{0x09, "LCT.1", "context table could not be read"},
	{0x0a, "LRT.3", "reserved bits set in root entry"},
	{0x0b, "LCT.3", "reserved bits set in context entry"},
	{0x0c, "LSL.2", "reserved bits set in second-level entry"},
	{0x0d, "LCT.5", "address translation service is not permitted"},
	{0x0e, "LGN.4", "translates to the interrupt range"},
	{0x20, "IR 20h", "reserved bits set in interrupt request"},
	{0x21, "IR 21h", "interrupt index beyond the table"},
	{0x22, "IR 22h", "interrupt entry not present"},
	{0x23, "IR 23h", "interrupt table could not be read"},
	{0x24, "IR 24h", "reserved bits set in interrupt entry"},
	{0x25, "IR 25h", "compatibility-format interrupt is blocked"},
	{0x26, "IR 26h", "interrupt entry belongs to another source"},
	{0x27, "IR 27h", "posted-interrupt descriptor could not be read"},
	{0x28, "IR 28h", "reserved bits set in posted-interrupt descriptor"},
};

const struct vtd_reason *vtd_reason(u8 code)
{
	static const struct vtd_reason other = {
		0, "?", "a reason of a mode that Gangway does not use"};

	for (unsigned int i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].code == code)
			return &reasons[i];
	return &other;
}
