/* This file sees to it that ports of older Intel chipsets isolate. */
#include "drivers/pci/pch_ports.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_facts.h"
#include "hv/host_paging.h"
#include "hv/log.h"
#include "hv/mmio.h"

/* The LPC bridge, and in its configuration space where the chipset's own
 * registers are (6 series datasheet 13.1.35; 10.1) */
#define LPC_DEVFN 0xf8
#define LPC_RCBA 0xf0
#define RCBA_ENABLE BIT(0)
#define RCBA_BASE(rcba) ((rcba) & 0xffffc000u)
#define RCBA_PAGE 0x1000
#define UPDCR 0x014 /* upstream peer decode, a bit a port; in that page */
#define UPDCR_PORTS 0x3fu
#define BSPR 0x104	     /* backbone scratch pad */
#define BSPR_NO_PEERS 0x300u /* peers: non-posted off, posted off */

static bool has_ports(void)
{
	unsigned int count;
	const struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++)
		if (fn[i].bridge && pci_facts(&fn[i]) & PCI_FACT_PCH_PORT)
			return true;
	return false;
}

static void close_peers(volatile u8 *page)
{
	if ((mmio_read32(page + BSPR) & BSPR_NO_PEERS) != BSPR_NO_PEERS)
		mmio_write32(page + UPDCR,
			     mmio_read32(page + UPDCR) & ~UPDCR_PORTS);
}

bool pch_ports_close(void)
{
	const struct pci_function *lpc =
		pci_find((struct pci_addr){.devfn = LPC_DEVFN});
	u32 rcba = lpc ? pci_read32(lpc, LPC_RCBA) : 0;
	hpa_t page = (hpa_t)RCBA_BASE(rcba) + RCBA_PAGE;

	if (!has_ports())
		return true;
	if (!(rcba & RCBA_ENABLE) || host_map_device(page, PAGE_SIZE)) {
		hv_log("acs: the chipset's registers are not reached (RCBA "
		       "%08x): its ports are taken as open\n",
		       rcba);
		return false;
	}
	close_peers((volatile u8 *)page);
	return true;
}
