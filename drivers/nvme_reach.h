/*
 * What the driver of an NVMe VF may command that reaches beyond the VF.  Only
 * the VF's own controller knows: Identify and the log of supported commands
 * describe the controller that answers them, and the admin queue that the
 * guest will have is the one that is asked here, before the guest has it.
 */
#ifndef DRIVERS_NVME_REACH_H
#define DRIVERS_NVME_REACH_H

#include "drivers/nvme.h"
#include "drivers/pf.h"

/*
 * Ask @vf, a controller that is online, with queues in @dma, NVME_ADMIN_PAGES
 * pages; it is disabled afterwards.  @restrain: @primary has Lockdown (NVMe 2.0
 * 8.4), by which what reaches beyond the VF shall be prohibited.  0: nothing
 * does that is not prohibited; -EPERM: something, or the drive does not say;
 * others as nvme_admin_start() and nvme_identify().  Logged.
 */
int nvme_check_reach(struct nvme_admin *primary, struct pci_function *vf,
		     const struct pf_dma *dma, bool restrain);

#endif
