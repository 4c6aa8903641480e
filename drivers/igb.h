/*
 * Intel 82576 gigabit Ethernet controller: the registers that its physical
 * function needs to serve virtual ones.  Names as in the datasheet, chapter 8;
 * offsets in BAR0 of the PF.
 */
#ifndef DRIVERS_IGB_H
#define DRIVERS_IGB_H

#include "drivers/pci/pci.h"
#include "drivers/pf.h"
#include "hv/types.h"

#define IGB_BAR_SIZE (128 * KIB)
#define IGB_MAX_VFS 8

/* General */
#define CTRL 0x0000
#define CTRL_FD BIT(0)
#define CTRL_GIO_MASTER_DISABLE BIT(2)
#define CTRL_SLU BIT(6) /* set link up */
#define CTRL_FRCSPD BIT(11)
#define CTRL_FRCDPX BIT(12)
#define CTRL_RST BIT(26)
#define STATUS 0x0008
#define STATUS_LINK_UP BIT(1)
#define STATUS_LAN_ID_SHIFT 2
#define STATUS_GIO_MASTER_ENABLE BIT(19)
#define EEC 0x0010
#define EEC_AUTO_RD BIT(9) /* EEPROM read by the device */
#define CTRL_EXT 0x0018
#define CTRL_EXT_PFRSTD BIT(14) /* PF reset done, as the VFs see it */
#define CTRL_EXT_LINK_MODE (3U << 22)
#define CTRL_EXT_DRV_LOAD BIT(28)
#define MDIC 0x0020
#define MDIC_REG_SHIFT 16
#define MDIC_PHY_SHIFT 21
#define MDIC_OP_WRITE (1U << 26)
#define MDIC_READY BIT(28)
#define MDIC_ERROR BIT(30)
#define EEMNGCTL 0x1010
#define EEMNGCTL_CFG_DONE(port) BIT(18 + (port))
/* PCIe control: completion time-out (8.6.1) */
#define GCR 0x5b00
#define GCR_TIMEOUT 0xf000U
#define GCR_TIMEOUT_10MS 0x1000U
#define GCR_RESEND BIT(16)
#define GCR_BY_CONFIG BIT(18) /* set in device control 2 instead */
#define SWSM 0x5b50
#define SWSM_SMBI BIT(0)    /* between software agents */
#define SWSM_SWESMBI BIT(1) /* between software and firmware */
#define SW_FW_SYNC 0x5b5c
#define SW_FW_SYNC_PHY(port) BIT(1 + (port))
#define SW_FW_SYNC_FW_SHIFT 16

/* Interrupts */
#define ICR 0x00c0
#define IMC 0x00d8
#define GPIE 0x1514
#define GPIE_NSICR BIT(0)
#define GPIE_MULTIPLE_MSIX BIT(4)
#define GPIE_EIAME BIT(30)
#define GPIE_PBA BIT(31)
#define EIMC 0x1528
#define EIAC 0x152c
#define EIAM 0x1530
#define EICR 0x1580
#define EITR(vector) (0x1680 + 4 * (vector))
#define IVAR(queue) (0x1700 + 4 * (queue)) /* queues n and n + 8 */
#define IVAR_MISC 0x1740

/* Receive */
#define RCTL 0x0100
#define RCTL_RXEN BIT(1)
#define RCTL_LPE BIT(5)
#define RCTL_BAM BIT(15)
#define RCTL_VFE BIT(18) /* VLAN filter */
#define RCTL_SECRC BIT(26)
#define QDE 0x2408
#define MTA(n) (0x5200 + 4 * (n))
#define MTA_REGS 128
#define RAL(n) (0x5400 + 8 * (n)) /* entries 0-15 */
#define RAH(n) (0x5404 + 8 * (n))
#define RAH_POOL(pool) BIT(18 + (pool))
#define RAH_AV BIT(31)
#define VFTA(n) (0x5600 + 4 * (n))
#define VFTA_REGS 128
#define MRQC 0x5818
#define MRQC_VMDQ 3U
#define RDBAL(q) (0xc000 + 0x40 * (q))
#define RDBAH(q) (0xc004 + 0x40 * (q))
#define RDLEN(q) (0xc008 + 0x40 * (q))
#define RDH(q) (0xc010 + 0x40 * (q))
#define RDT(q) (0xc018 + 0x40 * (q))
#define RXDCTL(q) (0xc028 + 0x40 * (q))

/* Transmit */
#define TCTL 0x0400
#define TCTL_EN BIT(1)
#define DTXSWC 0x3500
#define DTXSWC_MAC_ANTI_SPOOF 0x00ffU  /* a bit a pool */
#define DTXSWC_VLAN_ANTI_SPOOF 0xff00U /* same */
#define DTXSWC_LOOPBACK BIT(31)	       /* from pool to pool */
#define DTXCTL 0x3590
#define DTXCTL_VLAN_ADDED BIT(3)
#define TDBAL(q) (0xe000 + 0x40 * (q))
#define TDBAH(q) (0xe004 + 0x40 * (q))
#define TDLEN(q) (0xe008 + 0x40 * (q))
#define TDH(q) (0xe010 + 0x40 * (q))
#define TDT(q) (0xe018 + 0x40 * (q))
#define TXDCTL(q) (0xe028 + 0x40 * (q))
#define TDWBAL(q) (0xe038 + 0x40 * (q))
#define TDWBAH(q) (0xe03c + 0x40 * (q))
#define QUEUE_ENABLE BIT(25) /* RXDCTL, TXDCTL */

/* Virtualization */
#define VMBMEM(vf) (0x0800 + 0x40 * (vf))
#define VMBMEM_DWORDS 16
#define P2VMAILBOX(vf) (0x0c00 + 4 * (vf))
#define P2V_STS BIT(0)
#define P2V_ACK BIT(1)
#define P2V_PFU BIT(3)
#define MBVFICR 0x0c80
#define MBVFICR_REQ(vf) BIT(vf)
#define MBVFICR_ACK(vf) BIT(16 + (vf))
#define MBVFIMR 0x0c84
#define VFLRE 0x0c88
#define VFRE 0x0c8c
#define VFTE 0x0c90
#define VT_CTL 0x581c
#define VT_CTL_DIS_DEF_POOL BIT(29)
#define VT_CTL_REPL_EN BIT(30)
#define VMOLR(pool) (0x5ad0 + 4 * (pool))
#define VMOLR_RLPML_MASK 0x3fffU
#define VMOLR_LPE BIT(16)
#define VMOLR_AUPE BIT(24)    /* accept untagged */
#define VMOLR_ROMPE BIT(25)   /* accept by the multicast table */
#define VMOLR_BAM BIT(27)     /* accept broadcast */
#define VMOLR_STRVLAN BIT(30) /* take the tag away */
#define VMOLR_STRCRC BIT(31)
#define VMVIR(pool) (0x3700 + 4 * (pool))
#define VMVIR_DEFAULT BIT(30) /* tag every frame, with bits 15:0 */
#define VLVF(n) (0x5d00 + 4 * (n))
#define VLVF_ENTRIES 32
#define VLVF_VLAN_MASK 0xfffU
#define VLVF_POOL(pool) BIT(12 + (pool))
#define VLVF_POOLS (0xffU << 12)
#define VLVF_EN BIT(31)

#define IGB_MAC_SIZE 6
#define IGB_MAX_FRAME 9728 /* largest jumbo frame */
#define IGB_MIN_FRAME 64
#define IGB_MAX_HASHES 30 /* in one mailbox message */

/* What the PF keeps of one VF. */
struct igb_vf {
	u8 mac[IGB_MAC_SIZE];
	bool clear_to_send; /* it reset itself through the mailbox */
	u16 port_vlan;	    /* its only one; 0: as it asks */
	unsigned int refused;
	unsigned int vlans;
	unsigned int hashes;
	u16 hash[IGB_MAX_HASHES]; /* multicast */
};

/* The state of one PF's driver: pf->driver, one page. */
struct igb_pf {
	struct pci_function *fn;
	u16 count; /* VFs */
	bool gone; /* reads all ones */
	bool link;
	u32 mta[MTA_REGS];
	struct igb_vf vf[IGB_MAX_VFS];
};
_Static_assert(sizeof(struct igb_pf) <= PAGE_SIZE, "one page");

extern const struct pf_driver igb_pf_driver;

#endif
