/* Leaves control registers and MSRs of the first processor otherwise than at
 * reset (Intel SDM 3A 2.5, 11.12). */
#include "hv/asm.h"
#include "hv/x86.h"
#include "tests/leftovers/leftovers.h"

/* Entry 3, which PCD and PWT choose, write-back in place of uncached */
#define ODD_PAT 0x0007040606070406ULL

static u64 may_be_set(void)
{
	struct cpuid_regs seven = cpuid(7, 0);

	return CR4_TSD | CR4_PGE | (seven.ebx & BIT(7) ? CR4_SMEP : 0) |
	       (seven.ebx & BIT(20) ? CR4_SMAP : 0) |
	       (seven.ecx & BIT(2) ? CR4_UMIP : 0) |
	       (seven.ecx & BIT(3) ? CR4_PKE : 0);
}

void leave_processor(void)
{
	if (!wanted("processor"))
		return;
	write_cr4((read_cr4() & ~CR4_MCE) | may_be_set());
	wrmsr(MSR_PAT, ODD_PAT);
	say("leftovers: CR4 %lx\n", read_cr4());
}
