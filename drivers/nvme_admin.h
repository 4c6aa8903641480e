/*
 * The admin queue of an NVMe controller: reset, enable, one command at a time.
 * The controller is not trusted: it can write into its three pages whatever
 * and whenever it likes, so each value is read once and then checked, and each
 * wait ends.
 */
#ifndef DRIVERS_NVME_ADMIN_H
#define DRIVERS_NVME_ADMIN_H

#include "drivers/nvme.h"
#include "drivers/pf.h"

/* True if @pf's registers read all ones: it was pulled. */
bool nvme_is_gone(const struct pci_function *pf);

/*
 * Reset controller @fn, whatever state it was left in, and enable it with the
 * admin queues in @dma, NVME_ADMIN_PAGES pages.  -EIO: it is not a controller
 * that can be driven; -ETIMEDOUT.  Logged.
 */
int nvme_admin_start(struct nvme_admin *a, struct pci_function *fn,
		     const struct pf_dma *dma);

/* Disable the controller: its DMA ends.  -ENODEV: it is gone; -ETIMEDOUT;
 * logged. */
int nvme_admin_stop(struct nvme_admin *a);

/*
 * Identify data structure @cns into a->buffer, which the controller can change
 * at any time: read each field once (nvme_get()).  Errors as
 * nvme_virt_mgmt().
 */
int nvme_identify(struct nvme_admin *a, u8 cns);

/* The first @bytes, at most a page, of log page @id into a->buffer, with @lsp
 * as its log specific field (5.14).  As nvme_identify(). */
int nvme_log_page(struct nvme_admin *a, u8 id, u8 lsp, u16 bytes);

/* Have admin command @opcode refused to every controller of the drive (NVMe 2.0
 * 5.19).  Errors as nvme_virt_mgmt(). */
int nvme_lockdown(struct nvme_admin *a, u8 opcode);

/*
 * Virtualization Management (5.22): @action on controller @id, with @count
 * resources of @type.  -EBUSY: the state of @id does not permit it; -ENOSPC:
 * more resources than there are; -EIO: other errors, or the controller is not
 * usable any more; -ENODEV: it is gone; -ETIMEDOUT.  Logged, with the status by
 * name.
 */
int nvme_virt_mgmt(struct nvme_admin *a, u8 action, u16 id, u8 type, u16 count);

/* @bytes (1, 2 or 4) at @offset of a->buffer, little-endian. */
u32 nvme_get(const struct nvme_admin *a, u32 offset, unsigned int bytes);

#endif
