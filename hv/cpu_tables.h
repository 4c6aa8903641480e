/* Descriptor tables and stacks of a processor. */
#ifndef HV_CPU_TABLES_H
#define HV_CPU_TABLES_H

#include "hv/cpu.h"

/* A CPU's structure with its stacks; -ENOMEM.  Before host_paging_load(). */
int cpu_create(unsigned int index, u32 apic_id);

/* Load GDT, TSS, IDT and GS base of @cpu on the CPU that runs this. */
void cpu_load_tables(struct cpu *cpu);

#endif
