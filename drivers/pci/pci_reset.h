/* Resets of a function by what it offers (PCIe 6.6). */
#ifndef DRIVERS_PCI_PCI_RESET_H
#define DRIVERS_PCI_PCI_RESET_H

#include "drivers/pci/pci.h"

enum pci_reset {
	PCI_RESET_NONE,
	PCI_RESET_FLR,	 /* function-level reset (PCIe 6.6.2) */
	PCI_RESET_AF,	 /* same of a conventional function (PCI AF ECN) */
	PCI_RESET_POWER, /* D3hot and back to D0 (PCI PM 1.2 5.4.1) */
	PCI_RESET_BUS,	 /* secondary bus reset of the bridge above (PCI-to-PCI
			    Bridge 1.2 3.2.5.18): all functions below it */
};

/* Which one pci_reset() takes: the one that touches the least.  @bus: all
 * functions below the bridge above @fn may be reset. */
enum pci_reset pci_reset_kind(const struct pci_function *fn, bool bus);

/* In words, for messages. */
const char *pci_reset_name(enum pci_reset kind);

/*
 * Reset @fn by @kind, as pci_flr() in all else: bus mastering off before, its
 * command register 0 afterwards, BARs put back; with PCI_RESET_BUS the command
 * registers and BARs of the others too.  -ENODEV: it does not answer;
 * -EOPNOTSUPP: PCI_RESET_NONE, or more than PCI_RESET_BUS_MAX functions below
 * the bridge; -ETIMEDOUT.
 */
#define PCI_RESET_BUS_MAX 8
int pci_reset(struct pci_function *fn, enum pci_reset kind);

/*
 * Function-level reset (PCIe 6.6.2, 7.5.3.4): bus mastering off, waits for
 * pending transactions (bounded), starts it, waits the 100 ms that 6.6.2
 * demands, then up to a minute until configuration space answers.  Afterwards
 * the command register is 0: the caller turns decoding on again.  BARs and
 * their sizes, device and link control, and ACS of a function that is no VF are
 * put back.  -ENODEV: it does not answer; -EOPNOTSUPP: the function has no FLR;
 * -ETIMEDOUT.  All logged.
 */
int pci_flr(struct pci_function *fn);

#endif
