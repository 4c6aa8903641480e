/* This file answers port I/O of the guest (Intel SDM 3C 27.2.1 table 27-5). */
#include "hv/vmx/io.h"
#include "hv/vmx/trap.h"
#include "hv/vmx/vcpu.h"
#include "hv/vmx/vmx.h"
#include "hv/x86.h"

#define IO_SIZE(q) (((q) & 7) + 1)
#define IO_IN(q) ((q) & BIT(3))
#define IO_STRING(q) ((q) & BIT(4))
#define IO_PORT(q) ((u16)((q) >> 16))

void exit_io(struct cpu *cpu)
{
	u64 q = vmread(EXIT_QUALIFICATION), value = cpu->regs.reg[RAX];
	unsigned int size = IO_SIZE(q);
	u64 mask = size == 4 ? ~0ULL : BIT(8 * size) - 1;
	enum stat_cause cause;

	if (IO_STRING(q)) {
		/* No device here takes strings; on a bus without devices they
		 * would read all ones and write nothing. */
		vcpu_inject(VECTOR_GP, 0);
		return;
	}
	trap_port_access(IO_PORT(q), size, !IO_IN(q), &value, &cause);
	cpu->exits[cause]++;
	if (IO_IN(q) && size == 4)
		cpu->regs.reg[RAX] = (u32)value;
	else if (IO_IN(q))
		cpu->regs.reg[RAX] =
			(cpu->regs.reg[RAX] & ~mask) | (value & mask);
	vcpu_skip_instruction();
}
