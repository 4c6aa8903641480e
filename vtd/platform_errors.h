/* Chipsets that make system errors of faults. */
#ifndef VTD_PLATFORM_ERRORS_H
#define VTD_PLATFORM_ERRORS_H

/*
 * After pci_enumerate(), before translation is on: where a chipset of 2009 to
 * 2016 would make a system error (SERR, NMI, or a reset) of a fault that a
 * remapping unit reports, mask that, as Xen does since its advisory XSA-59, or
 * a device could take the machine down by one blocked request.  Logs where.
 */
void vtd_mask_platform_errors(void);

#endif
