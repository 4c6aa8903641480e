/* Starting the other processors. */
#ifndef HV_SMP_H
#define HV_SMP_H

#include "hv/cpu.h"

/* Where a started CPU arrives, on its own stack with the hypervisor's page
 * tables. */
typedef void smp_entry_fn(struct cpu *cpu);

/*
 * Start every processor of @apic_ids by INIT-SIPI-SIPI (Intel SDM 3A 9.4.4),
 * one after the other, at @entry, which calls smp_started().  On CPU 0.
 * @trampoline is a page below 1 MiB.  Those that do not answer are logged and
 * left out.  False if a processor of the machine is, or may be, left out.
 */
bool smp_start(const u32 *apic_ids, unsigned int count, hpa_t trampoline,
	       smp_entry_fn *entry);

/* @cpu, this one, is ready.  False: it comes too late, is left out, and must
 * touch nothing any more. */
bool smp_started(struct cpu *cpu);

#endif
