/*
 * NVM Express controller: what its physical function needs to give queues and
 * vectors to virtual ones.  Section numbers are of the NVM Express Base
 * Specification, revision 1.4.
 */
#ifndef DRIVERS_NVME_H
#define DRIVERS_NVME_H

#include "drivers/pci/pci.h"

/* Registers in BAR0 (3.1), 32 bits each */
#define NVME_CAP_LOW 0x00
#define NVME_CAP_LOW_TO(cap) ((cap) >> 24) /* in 500 ms */
#define NVME_CAP_HIGH 0x04
/* Doorbells: 4 << this apart */
#define NVME_CAP_HIGH_DSTRD(cap) ((cap) & 0xf)
#define NVME_CAP_HIGH_CSS(cap) ((cap) >> 5 & 0xff) /* command sets */
#define NVME_CAP_CSS_NVM BIT(0)
#define NVME_CAP_CSS_ALL BIT(6)	  /* as Identify says */
#define NVME_CAP_CSS_ADMIN BIT(7) /* none but admin commands */
#define NVME_CAP_HIGH_MPSMIN(cap) ((cap) >> 16 & 0xf) /* 4 KiB << this */
#define NVME_CC 0x14
#define NVME_CC_EN BIT(0)
#define NVME_CC_CSS(set) ((u32)(set) << 4)
#define NVME_CC_IOSQES_64 (6U << 16) /* sizes of I/O queue entries, as logs */
#define NVME_CC_IOCQES_16 (4U << 20)
#define NVME_CSTS 0x1c
#define NVME_CSTS_RDY BIT(0)
#define NVME_CSTS_CFS BIT(1) /* fatal status */
#define NVME_AQA 0x24
#define NVME_AQA_SIZES(entries) (((entries) - 1) << 16 | ((entries) - 1))
#define NVME_ASQ 0x28	      /* 64 bits, as two registers */
#define NVME_ACQ 0x30	      /* same */
#define NVME_DOORBELLS 0x1000 /* admin queue: tail; one stride on: head */

/* Admin commands (5) */
#define NVME_GET_LOG_PAGE 0x02
#define NVME_IDENTIFY 0x06
#define NVME_CNS_CONTROLLER 0x01
#define NVME_CNS_NAMESPACES 0x02 /* those attached to the controller */
#define NVME_CNS_PRIMARY 0x14
#define NVME_CNS_SECONDARY 0x15
#define NVME_VIRT_MGMT 0x1c
#define NVME_LOCKDOWN 0x24 /* NVMe 2.0 5.19 */
#define NVME_OACS_VIRT_MGMT BIT(7)
#define NVME_OACS_LOCKDOWN BIT(10)

/* The admin queues: one page holds 64 commands; as many completions. */
#define NVME_QUEUE_ENTRIES 64

/* Submission queue entry (4.2) */
struct nvme_command {
	u8 opcode, flags;
	u16 id;
	u32 namespace_id;
	u32 reserved[4];
	u64 prp[2];
	u32 dword10, dword11;
	u32 rest[4];
};
_Static_assert(sizeof(struct nvme_command) == 64, "NVMe 4.2");

/* Completion queue entry (4.6) */
struct nvme_completion {
	u32 result;
	u32 reserved;
	u16 sq_head, sq_id;
	u16 command_id;
	u16 status; /* bit 0: phase; 15:1: status field */
};
_Static_assert(sizeof(struct nvme_completion) == 16, "NVMe 4.6");

/* Status field (4.6.1): code 7:0, type 10:8, do not retry 14 */
#define NVME_STATUS(field) ((field) & 0x7ff)

/* A controller's admin queue, driven by polling, one command at a time. */
struct nvme_admin {
	struct pci_function *fn;
	volatile struct nvme_command *sq;
	volatile struct nvme_completion *cq;
	volatile u8 *buffer; /* one page, for what a command returns */
	u64 address;  /* of the three pages, one after the other, for the device
		       */
	u64 ready_us; /* longest time from CC.EN to CSTS.RDY */
	u32 stride;   /* between doorbells, in bytes */
	u16 tail, head;
	u16 phase; /* of the next new completion */
	u16 last_id;
	bool usable; /* enabled, and no command was lost */
};
#define NVME_ADMIN_PAGES 3
/* The PF's, and those of a VF that is asked */
#define NVME_DMA_PAGES (2 * NVME_ADMIN_PAGES)

#define NVME_VIRT_PRIMARY 1 /* Primary Controller Flexible Allocation */
#define NVME_VIRT_OFFLINE 7
#define NVME_VIRT_ASSIGN 8
#define NVME_VIRT_ONLINE 9
#define NVME_VQ 0 /* queue pairs, the admin queues among them */
#define NVME_VI 1 /* interrupt vectors */

#endif
