/* Root ports of Intel's chipsets of the 5 to 9 series: isolation without ACS.
 */
#ifndef DRIVERS_PCI_PCH_PORTS_H
#define DRIVERS_PCI_PCH_PORTS_H

#include "drivers/pci/pci.h"

/*
 * After pci_enumerate(): let the chipset forward no request from one of its
 * ports to another (backbone and upstream peer decode), as Linux does.  False:
 * that cannot be done, logged; true also if there is no such chipset.
 */
bool pch_ports_close(void);

#endif
