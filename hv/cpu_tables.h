/* Descriptor tables and stacks of a processor. */
#ifndef HV_CPU_TABLES_H
#define HV_CPU_TABLES_H

#include "hv/cpu.h"

/* Beside CPU_STACK_PAGES: the stacks of NMIs and of double and page faults.
 * Below each of the three is a hole. */
#define NMI_STACK_PAGES 1
#define FAULT_STACK_PAGES 2

/* What cpu_create() takes: the structure, three stacks with their holes, VMXON
 * region, VMCS. */
#define CPU_PAGES                                                              \
	(1 + (CPU_STACK_PAGES + 1) + (NMI_STACK_PAGES + 1) +                   \
	 (FAULT_STACK_PAGES + 1) + 1 + 1)

/* A CPU's structure with its stacks; -ENOMEM.  Before host_paging_load(). */
int cpu_create(unsigned int index, u32 apic_id);

/* Load GDT, TSS, IDT and GS base of @cpu on the CPU that runs this. */
void cpu_load_tables(struct cpu *cpu);

#endif
