/* Access Control Services (PCIe 6.12, 7.7.8): whether requests from one
 * function to another take the way through the remapping unit. */
#ifndef DRIVERS_PCI_PCI_ACS_H
#define DRIVERS_PCI_PCI_ACS_H

#include "drivers/pci/pci.h"

/* The type of @fn's PCI Express capability (PCIE_*), or -1: conventional. */
int pcie_type(const struct pci_function *fn);

/* True if @fn's device has several functions.  VFs do not count. */
bool pci_is_multi_function(const struct pci_function *fn);

/*
 * In every function that has ACS, turn on what it has of source validation,
 * request redirect, completion redirect and upstream forwarding.  Logs how
 * many there are, and each one whose control register does not keep it.
 */
void pci_acs_enable(void);

/*
 * True if nothing can pass @fn, or come from @fn, to another function without
 * going up to the root complex: ACS is on as above, where PCIe demands it of
 * this type (6.12.1); it is a single-function endpoint or upstream port; or
 * that is known of it (drivers/pci/pci_facts.h).  Looks at the hardware.
 */
bool pci_acs_isolates(const struct pci_function *fn);

/* Ports with PCI_FACT_PCH_PORT do not isolate: pch_ports_close() failed. */
void pci_acs_distrust_pch(void);

/* True if @fn has the capability. */
bool pci_has_acs(const struct pci_function *fn);

#endif
