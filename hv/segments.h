/* Selectors of the hypervisor's GDT, and how descriptor tables are loaded. */
#ifndef HV_SEGMENTS_H
#define HV_SEGMENTS_H

#include "hv/types.h"

/* 64-bit code: present, DPL 0, readable, accessed (Intel SDM 3A 3.4.5) */
#define GDT_CODE64 0x00af9b000000ffffULL

#define HOST_CS 0x08
#define HOST_DS 0x10
#define HOST_TR 0x18

/* Stacks that the IDT switches to (Intel SDM 3A 6.14.5) */
#define IST_NMI 1
#define IST_FAULT 2

struct descriptor_pointer {
	u16 limit;
	u64 base;
} __attribute__((packed));

#endif
