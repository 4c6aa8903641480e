/* Single-root I/O virtualization: enabling, VF addresses, VF BARs (PCIe 9). */
#ifndef DRIVERS_PCI_SRIOV_H
#define DRIVERS_PCI_SRIOV_H

#include "drivers/pci/pci.h"

/*
 * Before the driver of @pf starts, while it does no DMA: number the buses of
 * its branch anew if @count VFs have no numbers there.  @keep: true if a
 * function must keep its requester ID, because some memory is open to that.
 * -ENODEV: no SR-IOV capability, or no 4 KiB pages; -ERANGE: no VF, more than
 * TotalVFs, or there are no numbers: the way out is in the log.
 */
int sriov_number_buses(struct pci_function *pf, u16 count,
		       bool (*keep)(const struct pci_function *fn));

/*
 * Enable @count VFs of @pf: ARI forwarding above it, system page size 4 KiB,
 * VF BARs placed (drivers/pci/sriov_bars.h),
 * NumVFs, VF Enable and VF MSE, then the 100 ms of PCIe 9.3.3.3.1.  Adds the
 * VFs to the PCI functions, with IDs and BARs synthesised; they may be on buses
 * behind the PF's, which no function has.  Logs a line a VF.  -ENODEV: no
 * SR-IOV capability; -ERANGE: no VF, more than TotalVFs, or the bus numbers are
 * another's or not forwarded by every bridge above; -ENOSPC: no room for a VF
 * BAR or a VF; -EIO: a VF does not answer, or where it should be another
 * function is.  Each is logged, and leaves VF Enable off.
 */
int sriov_enable(struct pci_function *pf, u16 count);

/* How many VFs @fn can have; 0: it is no PF. */
u16 sriov_total_vfs(const struct pci_function *fn);

/* VF @index of @pf, or NULL when not enabled. */
struct pci_function *sriov_vf(struct pci_function *pf, u16 index);

/*
 * True if @addr, on a bus that leads to @pf, is a VF of @pf, by First VF Offset
 * and VF Stride, also before it is enabled; *number says which.  Turns ARI on
 * before, if the port above has it, because the offset depends on it.
 */
bool sriov_vf_number(struct pci_function *pf, struct pci_addr addr,
		     u16 *number);

/* Clear VF Enable, if it is set; waits the second of PCIe 9.3.3.3.1.  The PF
 * driver has stopped the VFs' queues before. */
void sriov_disable(struct pci_function *pf);

#endif
