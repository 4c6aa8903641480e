/*
 * What is known of certain PCI functions that they do not tell, or tell wrong:
 * one line of data for each.
 */
#ifndef DRIVERS_PCI_PCI_FACTS_H
#define DRIVERS_PCI_PCI_FACTS_H

#include "drivers/pci/pci.h"

/* Its maker says that none of its functions reaches another */
#define PCI_FACT_NO_PEERS BIT(0)
/* A root port that isolates as if it had all of ACS, once
 * drivers/pci/pch_ports.h has seen to it */
#define PCI_FACT_PCH_PORT BIT(1)
/* A root port whose ACS registers have 32 bits each */
#define PCI_FACT_WIDE_ACS BIT(2)
/* Its function-level reset hangs */
#define PCI_FACT_NO_FLR BIT(3)
/* Its requests carry the ID of function 0 or 1 of its device */
#define PCI_FACT_ALIAS_0 BIT(4)
#define PCI_FACT_ALIAS_1 BIT(5)
/* What stands where BARs would be is something else */
#define PCI_FACT_NO_BARS BIT(6)
/* It wants 250 ms after a function-level reset */
#define PCI_FACT_SLOW_FLR BIT(7)
/* A Volume Management Device: what is behind it is not to be seen */
#define PCI_FACT_VMD BIT(8)

/* True if requests of @fn, DMA and messages, may carry the ID of another
 * function of its device: *alias. */
bool pci_request_alias(const struct pci_function *fn, struct pci_addr *alias);

/* The facts of @fn, by its vendor and device ID; a VF's are its own. */
u32 pci_facts(const struct pci_function *fn);

#endif
