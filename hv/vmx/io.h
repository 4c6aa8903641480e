/* Port I/O of the guest (Intel SDM 3C 27.2.1 table 27-5). */
#ifndef HV_VMX_IO_H
#define HV_VMX_IO_H

#include "hv/cpu.h"

void exit_io(struct cpu *cpu);

#endif
