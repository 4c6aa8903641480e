/*
 * Intel 82576: the physical function, as far as its virtual functions need it.
 * It has no queues and no interrupts of its own: VF n is pool n, and the
 * mailbox is served while a guest's CPU is in an exit anyway.
 */
#include "drivers/igb.h"
#include "drivers/igb_filter.h"
#include "drivers/igb_mbx.h"
#include "drivers/igb_regs.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_caps.h"
#include "drivers/pf.h"
#include "hv/alloc.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/string.h"
#include "hv/time.h"

/* Control register of the PHY (IEEE 802.3 22.2.4.1): auto-negotiation,
 * restart it, full duplex, 1000 Mb/s */
#define PHY_ADDRESS 1U
#define PHY_BMCR 0U
#define PHY_BMCR_RESTART 0x1340U

#define MASTER_DISABLE_US 80000
#define QUIET_US 10000
#define EEPROM_US 100000
#define RESET_US 1000
#define CONFIG_DONE_US 100000
#define SEMAPHORE_US 100000
#define MDIC_US 10000
#define QUEUE_US 10000

#define VF_VECTORS 3

/* Vector v of VF n is bit 22 - 3n + v of the PF's interrupt registers. */
#define VF_FIRST_VECTOR(vf) (22 - VF_VECTORS * (vf))

static void igb_set(struct pci_function *pf, u32 reg, u64 bits)
{
	igb_write(pf, reg, igb_read(pf, reg) | (u32)bits);
}

static void igb_clear(struct pci_function *pf, u32 reg, u64 bits)
{
	igb_write(pf, reg, igb_read(pf, reg) & (u32)~bits);
}

static unsigned int port_of(struct pci_function *pf)
{
	return igb_read(pf, STATUS) >> STATUS_LAN_ID_SHIFT & 1;
}

static void mask_interrupts(struct pci_function *pf)
{
	igb_write(pf, EIMC, ~0U);
	igb_write(pf, IMC, ~0U);
	igb_read(pf, ICR);
}

/* A request may wait for a remapping unit's walk: the 1 ms that some cards come
 * up with is less than PCIe recommends (7.5.3.16), and a completion that is
 * late is lost. */
static void allow_late_completions(struct pci_function *pf)
{
	u16 pcie = pci_find_cap(pf, PCI_CAP_PCIE), at = pcie + PCIE_DEVCTL2;
	u32 gcr = igb_read(pf, GCR);

	if (!(gcr & GCR_TIMEOUT) && !(gcr & GCR_BY_CONFIG))
		gcr |= GCR_TIMEOUT_10MS;
	else if (!(gcr & GCR_TIMEOUT) && pcie)
		pci_write16(pf, at,
			    (pci_read16(pf, at) & (u16)~PCIE_TIMEOUTS) |
				    PCIE_TIMEOUT_16MS);
	igb_write(pf, GCR, gcr & (u32)~GCR_RESEND);
}

static void late(const struct pci_function *pf, int err)
{
	if (err)
		hv_log("igb: " PCI_FMT ": goes on without it\n",
		       PCI_ARG(pf->addr));
}

/*
 * Software reset, with DMA of firmware's driver stopped first.
 * What a device does not report while it is idle it will not report after the
 * reset either, and is not waited for (an emulated one has no EEPROM to read).
 */
static int reset(struct pci_function *pf)
{
	u32 eeprom_read = igb_read(pf, EEC) & EEC_AUTO_RD;
	u32 done = igb_read(pf, EEMNGCTL) & EEMNGCTL_CFG_DONE(port_of(pf));

	mask_interrupts(pf);
	igb_write(pf, RCTL, 0);
	igb_clear(pf, TCTL, TCTL_EN);
	igb_read(pf, STATUS);
	delay_us(QUIET_US, "82576: packets under way, before the reset");
	igb_set(pf, CTRL, CTRL_GIO_MASTER_DISABLE);
	/* A late completion is lost with the reset: go on even so. */
	wait_until(!(igb_read(pf, STATUS) & STATUS_GIO_MASTER_ENABLE),
		   MASTER_DISABLE_US,
		   "82576 master disable: PCIe requests to end");
	igb_set(pf, CTRL, CTRL_RST);
	delay_us(RESET_US, "82576 8.2.1: CTRL.RST");
	if (wait_until(!(igb_read(pf, CTRL) & CTRL_RST), EEPROM_US,
		       "82576 software reset"))
		return -ETIMEDOUT;
	/* A card without either goes on, as with Intel's driver: with the
	 * address that it has, or with the link as it is */
	late(pf, wait_until((igb_read(pf, EEC) & eeprom_read) == eeprom_read,
			    EEPROM_US, "82576 software reset: EEPROM read"));
	late(pf,
	     wait_until((igb_read(pf, EEMNGCTL) & done) == done, CONFIG_DONE_US,
			"82576 software reset: PHY configuration"));
	mask_interrupts(pf);
	allow_late_completions(pf);
	return 0;
}

/* The PF's own address, which the reset loaded into entry 0; from it come the
 * VFs' addresses. */
static void read_mac(struct igb_pf *p)
{
	u32 low = igb_read(p->fn, RAL(0)), high = igb_read(p->fn, RAH(0));
	u8 mac[IGB_MAC_SIZE];

	memcpy(mac, &low, 4);
	memcpy(mac + 4, &high, 2);
	if (!(high & RAH_AV) || mac[0] & 1 || !(low | (u16)high)) {
		hv_log("igb: " PCI_FMT ": no MAC address in its EEPROM\n",
		       PCI_ARG(p->fn->addr));
		mac[0] = 0;
		mac[1] = p->fn->addr.segment;
		mac[2] = p->fn->addr.bus;
		mac[3] = 0;
		mac[4] = p->fn->addr.devfn;
		mac[5] = 1;
	}
	for (unsigned int vf = 0; vf < IGB_MAX_VFS; vf++)
		igb_vf_mac(mac, vf, p->vf[vf].mac);
}

static bool try_flags(struct pci_function *pf)
{
	igb_set(pf, SWSM, SWSM_SWESMBI);
	return igb_read(pf, SWSM) & SWSM_SWESMBI;
}

/* The flags in SW_FW_SYNC may be read and written while SWESMBI is ours.
 * No other software runs: SMBI needs no wait, only the release. */
static int lock_flags(struct pci_function *pf)
{
	return wait_until(try_flags(pf), SEMAPHORE_US,
			  "82576 SWSM: firmware's semaphore");
}

static void unlock_flags(struct pci_function *pf)
{
	igb_clear(pf, SWSM, SWSM_SWESMBI | SWSM_SMBI);
}

/* Take the PHY from the manageability firmware. */
static bool try_phy(struct pci_function *pf, u32 flag)
{
	bool is_free = false;

	if (lock_flags(pf))
		return false;
	is_free = !(igb_read(pf, SW_FW_SYNC) & flag << SW_FW_SYNC_FW_SHIFT);
	if (is_free)
		igb_set(pf, SW_FW_SYNC, flag);
	unlock_flags(pf);
	return is_free;
}

static void release_phy(struct pci_function *pf, u32 flag)
{
	if (lock_flags(pf))
		return;
	igb_clear(pf, SW_FW_SYNC, flag);
	unlock_flags(pf);
}

static int write_phy(struct pci_function *pf, u32 reg, u32 value)
{
	igb_write(pf, MDIC,
		  MDIC_OP_WRITE | PHY_ADDRESS << MDIC_PHY_SHIFT |
			  reg << MDIC_REG_SHIFT | value);
	if (wait_until(igb_read(pf, MDIC) & MDIC_READY, MDIC_US,
		       "82576 MDIC: PHY register write"))
		return -ETIMEDOUT;
	return igb_read(pf, MDIC) & MDIC_ERROR ? -EIO : 0;
}

/*
 * Restart auto-negotiation, which the reset ended.  The link comes up half a
 * second or more later; VF drivers watch it themselves.
 */
static int start_link(struct pci_function *pf)
{
	u32 flag = SW_FW_SYNC_PHY(port_of(pf));
	int err;

	igb_write(pf, CTRL,
		  (igb_read(pf, CTRL) & (u32) ~(CTRL_GIO_MASTER_DISABLE |
						CTRL_FRCSPD | CTRL_FRCDPX)) |
			  (u32)(CTRL_SLU | CTRL_FD));
	if (igb_read(pf, CTRL_EXT) & CTRL_EXT_LINK_MODE) {
		hv_log("igb: " PCI_FMT ": no copper PHY, the EEPROM's link "
		       "settings stay\n",
		       PCI_ARG(pf->addr));
		return 0;
	}
	err = wait_until(try_phy(pf, flag), SEMAPHORE_US,
			 "82576 SW_FW_SYNC: PHY held by firmware");
	if (err)
		return err;
	err = write_phy(pf, PHY_BMCR, PHY_BMCR_RESTART);
	release_phy(pf, flag);
	return err;
}

static void clear_tables(struct igb_pf *p)
{
	for (unsigned int i = 0; i < MTA_REGS; i++)
		igb_write(p->fn, MTA(i), 0);
	for (unsigned int i = 0; i < VFTA_REGS; i++)
		igb_write(p->fn, VFTA(i), 0);
	for (unsigned int i = 0; i < VLVF_ENTRIES; i++)
		igb_write(p->fn, VLVF(i), 0);
	for (unsigned int i = 0; i < IGB_MAX_VFS; i++)
		igb_clear_filters(p, i);
}

/*
 * Pools by MAC address and VLAN (7.10): nothing goes to a default pool, no
 * VF sends under an address or VLAN that is not its own, a VF whose ring is
 * full drops its frames instead of blocking the others (QDE), and no VF sends
 * or receives before its driver asked.  Where there are several VFs, what one
 * sends to another passes the device's own switch (loopback).
 */
static void set_up_pools(struct igb_pf *p)
{
	struct pci_function *pf = p->fn;

	igb_write(pf, VFRE, 0);
	igb_write(pf, VFTE, 0);
	clear_tables(p);
	igb_write(pf, VT_CTL, VT_CTL_DIS_DEF_POOL | VT_CTL_REPL_EN);
	igb_write(pf, MRQC, MRQC_VMDQ);
	igb_write(pf, QDE, 0xffff);
	igb_write(pf, DTXSWC,
		  DTXSWC_MAC_ANTI_SPOOF | DTXSWC_VLAN_ANTI_SPOOF |
			  (p->count > 1 ? (u32)DTXSWC_LOOPBACK : 0));
	igb_set(pf, DTXCTL, DTXCTL_VLAN_ADDED);
	/* VFs get interrupts in multiple-vector mode only. */
	igb_write(pf, GPIE,
		  GPIE_NSICR | GPIE_MULTIPLE_MSIX | GPIE_EIAME | GPIE_PBA);
	igb_write(pf, IVAR_MISC, 0);
	igb_write(pf, RCTL,
		  RCTL_RXEN | RCTL_LPE | RCTL_BAM | RCTL_VFE | RCTL_SECRC);
	igb_set(pf, TCTL, TCTL_EN);
}

static int check_pf(const struct pci_function *pf, u16 count)
{
	if (!count || count > IGB_MAX_VFS) {
		hv_log("igb: " PCI_FMT ": VF 0 to VF %u, no VF %u\n",
		       PCI_ARG(pf->addr), IGB_MAX_VFS - 1, count - 1);
		return -ERANGE;
	}
	if (pf->bar[0].io || !pf->bar[0].base ||
	    pf->bar[0].size < IGB_BAR_SIZE) {
		hv_log("igb: " PCI_FMT ": BAR0 is not the 82576's\n",
		       PCI_ARG(pf->addr));
		return -EIO;
	}
	return 0;
}

static int igb_start(struct pci_function *pf, u16 count,
		     const struct pf_dma *dma)
{
	struct igb_pf *p;
	int err = check_pf(pf, count);

	(void)dma; /* the PF has no queues */
	if (err)
		return err;
	p = pf->driver ? pf->driver : page_alloc(1, PAGES_DEVICE);
	if (!p)
		return -ENOMEM;
	memset(p, 0, sizeof(*p));
	p->fn = pf;
	p->count = count;
	pf->driver = p;
	/* Bus mastering: QEMU's device receives nothing for its VFs without
	 * it.  The PF has no queues, and VT-d blocks it anyway. */
	pci_write16(pf, PCI_COMMAND,
		    pci_read16(pf, PCI_COMMAND) |
			    (u16)(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
	err = reset(pf);
	if (!err) {
		read_mac(p);
		err = start_link(pf);
	}
	if (err) {
		hv_log("igb: " PCI_FMT ": did not start (%d)\n",
		       PCI_ARG(pf->addr), err);
		return err;
	}
	set_up_pools(p);
	/* Last: VF drivers wait for it (RSTI and RSTD of their mailbox). */
	igb_set(pf, CTRL_EXT, CTRL_EXT_PFRSTD | CTRL_EXT_DRV_LOAD);
	hv_log("igb: " PCI_FMT ": port %u, ready for %u VF%s\n",
	       PCI_ARG(pf->addr), port_of(pf), count, count == 1 ? "" : "s");
	return 0;
}

static void igb_describe_vf(struct pci_function *vf, char *buf, size_t size)
{
	const struct igb_pf *p = vf->pf->driver;
	const u8 *mac = p->vf[vf->vf_index].mac;

	format(buf, size, "MAC %02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
	       mac[2], mac[3], mac[4], mac[5]);
}

static int igb_set_mac(struct pci_function *vf, const u8 *mac)
{
	struct igb_pf *p = vf->pf->driver;

	for (u16 other = 0; other < p->count; other++)
		if (other != vf->vf_index &&
		    !memcmp(p->vf[other].mac, mac, IGB_MAC_SIZE)) {
			hv_log("igb: " PCI_FMT ": VF %u has the MAC address "
			       "that VF %u is to have\n",
			       PCI_ARG(vf->pf->addr), other, vf->vf_index);
			return -EINVAL;
		}
	memcpy(p->vf[vf->vf_index].mac, mac, IGB_MAC_SIZE);
	return 0;
}

static void igb_set_vlan(struct pci_function *vf, u16 vlan)
{
	struct igb_pf *p = vf->pf->driver;

	p->vf[vf->vf_index].port_vlan = vlan;
}

static int igb_enable_vf(struct pci_function *vf)
{
	struct igb_pf *p = vf->pf->driver;

	if (vf->vf_index >= p->count)
		return -EIO;
	igb_set_filters(p, vf->vf_index);
	return 0;
}

/* Queue @q off, and nothing left of where it was. */
static void stop_queue(struct pci_function *pf, unsigned int q)
{
	igb_clear(pf, TXDCTL(q), QUEUE_ENABLE);
	igb_clear(pf, RXDCTL(q), QUEUE_ENABLE);
	wait_until(!((igb_read(pf, TXDCTL(q)) | igb_read(pf, RXDCTL(q))) &
		     QUEUE_ENABLE),
		   QUEUE_US, "82576 TXDCTL, RXDCTL: queue of a VF to stop");
	igb_write(pf, TDLEN(q), 0);
	igb_write(pf, TDT(q), 0);
	igb_write(pf, TDH(q), 0);
	igb_write(pf, TDBAL(q), 0);
	igb_write(pf, TDBAH(q), 0);
	igb_write(pf, TDWBAL(q), 0);
	igb_write(pf, TDWBAH(q), 0);
	igb_write(pf, RDLEN(q), 0);
	igb_write(pf, RDT(q), 0);
	igb_write(pf, RDH(q), 0);
	igb_write(pf, RDBAL(q), 0);
	igb_write(pf, RDBAH(q), 0);
}

static void stop_interrupts(struct pci_function *pf, u16 vf)
{
	unsigned int first = VF_FIRST_VECTOR(vf);
	u32 vectors = 7U << first;

	igb_write(pf, EIMC, vectors);
	igb_clear(pf, EIAC, vectors);
	igb_clear(pf, EIAM, vectors);
	igb_write(pf, EICR, vectors);
	for (unsigned int i = 0; i < VF_VECTORS; i++)
		igb_write(pf, EITR(first + i), 0);
	igb_write(pf, IVAR(vf), 0);
}

static void igb_stop_vf(struct pci_function *vf)
{
	struct igb_pf *p = vf->pf->driver;
	u16 n = vf->vf_index;

	if (igb_read(p->fn, STATUS) == ~0U)
		return; /* gone: its queues do not stop, nor do they run */
	igb_clear(p->fn, VFTE, BIT(n));
	igb_clear(p->fn, VFRE, BIT(n));
	stop_interrupts(p->fn, n);
	stop_queue(p->fn, n);
	stop_queue(p->fn, n + IGB_MAX_VFS);
	igb_clear_filters(p, n);
	for (unsigned int i = 0; i < VMBMEM_DWORDS; i++)
		igb_write(p->fn, VMBMEM(n) + 4 * i, 0);
	igb_write(p->fn, MBVFICR, MBVFICR_REQ(n) | MBVFICR_ACK(n));
	igb_write(p->fn, VFLRE, BIT(n));
	p->vf[n].clear_to_send = false;
	p->vf[n].refused = 0;
}

static const struct pf_trapped_page trapped[] = {
	{.bar = 0, .offset = 0}, /* VF CTRL, STATUS, mailbox */
};

const struct pf_driver igb_pf_driver = {
	.name = "igb",
	.vendor = 0x8086,
	/* Copper, fibre, SerDes, four ports of copper; NS, SerDes with four
	 * ports, NS SerDes, ET2 with four ports */
	.device = {0x10c9, 0x10e6, 0x10e7, 0x10e8, 0x150a, 0x150d, 0x1518,
		   0x1526},
	.start = igb_start,
	.set_mac = igb_set_mac,
	.set_vlan = igb_set_vlan,
	.enable_vf = igb_enable_vf,
	.service = igb_service,
	.stop_vf = igb_stop_vf,
	.describe_vf = igb_describe_vf,
	.trapped = trapped,
	.trapped_count = ARRAY_SIZE(trapped),
};
