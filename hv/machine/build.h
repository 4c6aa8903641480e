/* The machine becomes a guest's. */
#ifndef HV_MACHINE_BUILD_H
#define HV_MACHINE_BUILD_H

#include "hv/vmx/vmcs.h"

/*
 * Take over PCI and VT-d, build the guest from the configuration: memory map,
 * EPT, second-level tables, assigned functions, platform, Linux.  Fills @entry.
 * Stops the machine, with the reason and what to do, if there can be no guest.
 */
void machine_build(struct vcpu_entry *entry);

/* Bytes of guest RAM. */
u64 machine_ram_size(void);

#endif
