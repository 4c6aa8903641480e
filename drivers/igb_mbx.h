/*
 * The mailbox between a VF's driver and the PF (82576 7.10): sixteen
 * dwords that both write.  The VF's side is the guest: a message is copied
 * once, and only the copy is looked at.
 */
#ifndef DRIVERS_IGB_MBX_H
#define DRIVERS_IGB_MBX_H

#include "drivers/pci/pci.h"

/* The mailbox (igb_mbx.c): answer every VF that asked, each at most once.
 * -ENODEV: the PF's registers read all ones; what changes is logged. */
int igb_service(struct pci_function *pf);

#endif
