/*
 * The registers of a remapping unit, in the order of the specification
 * (VT-d 10.4; 11.4 from revision 4 on).  Fields stand indented under their
 * register and carry the specification's names.
 */
#ifndef VTD_REGS_H
#define VTD_REGS_H

#include "hv/types.h"

#define VTD_CAP 0x08 /* 64 bits: capabilities */
/* Domain IDs have 4 + 2 * ND bits */
#define VTD_CAP_ND(cap) ((cap) & 7)
#define VTD_CAP_RWBF BIT(4) /* write buffers must be flushed */
#define VTD_CAP_PLMR BIT(5) /* protected low memory region */
#define VTD_CAP_PHMR BIT(6) /* protected high memory region */
#define VTD_CAP_CM BIT(7)   /* caching mode: caches what is not present */
#define VTD_CAP_SAGAW(cap) (((cap) >> 8) & 0x1f)
#define VTD_SAGAW_39 BIT(1)			       /* 3 levels */
#define VTD_SAGAW_48 BIT(2)			       /* 4 levels */
#define VTD_CAP_MGAW(cap) ((((cap) >> 16) & 0x3f) + 1) /* bits */
#define VTD_CAP_FRO(cap) ((u32)((cap) >> 24 & 0x3ff) * 16)
#define VTD_CAP_SLLPS(cap) (((cap) >> 34) & 0xf)
#define VTD_SLLPS_2M BIT(0)
#define VTD_SLLPS_1G BIT(1)
#define VTD_CAP_NFR(cap) ((unsigned int)((cap) >> 40 & 0xff) + 1)
#define VTD_CAP_DWD BIT(54) /* can drain writes */
#define VTD_CAP_DRD BIT(55) /* can drain reads */

#define VTD_ECAP 0x10	    /* 64 bits: extended capabilities */
#define VTD_ECAP_C BIT(0)   /* table walks are snooped */
#define VTD_ECAP_QI BIT(1)  /* queued invalidation */
#define VTD_ECAP_IR BIT(3)  /* interrupt remapping */
#define VTD_ECAP_EIM BIT(4) /* 32-bit APIC IDs */
#define VTD_ECAP_PT BIT(6)  /* pass-through */
#define VTD_ECAP_IRO(ecap) ((u32)((ecap) >> 8 & 0x3ff) * 16)

#define VTD_GCMD 0x18	  /* 32 bits, write-only: global command */
#define VTD_GSTS 0x1c	  /* 32 bits, read-only: global status, same places */
#define VTD_CFI BIT(23)	  /* compatibility-format interrupts pass */
#define VTD_SIRTP BIT(24) /* set interrupt remapping table pointer */
#define VTD_IRE BIT(25)	  /* interrupt remapping enable */
#define VTD_QIE BIT(26)	  /* queued invalidation enable */
#define VTD_WBF BIT(27)	  /* write buffer flush */
#define VTD_EAFL BIT(28)  /* advanced fault log enable */
#define VTD_SFL BIT(29)	  /* set fault log pointer */
#define VTD_SRTP BIT(30)  /* set root table pointer */
#define VTD_TE BIT(31)	  /* translation enable */
/* States, as opposed to bits that command once (SIRTP, WBF, SFL, SRTP), whose
 * status must not be written back. */
#define VTD_STATES (VTD_CFI | VTD_IRE | VTD_QIE | VTD_EAFL | VTD_TE)

#define VTD_RTADDR 0x20			   /* 64 bits: root table address */
#define VTD_RTADDR_TTM (BIT(10) | BIT(11)) /* 0: legacy mode */

#define VTD_CCMD 0x28	     /* 64 bits: context command */
#define VTD_CCMD_ICC BIT(63) /* invalidate the context cache: under way */

#define VTD_FSTS 0x34	    /* 32 bits: fault status */
#define VTD_FSTS_PFO BIT(0) /* primary fault overflow, W1C */
#define VTD_FSTS_PPF BIT(1) /* primary pending fault: any record has F */
#define VTD_FSTS_AFO BIT(2) /* advanced fault overflow, W1C */
#define VTD_FSTS_APF BIT(3) /* advanced pending fault, W1C */
#define VTD_FSTS_IQE BIT(4) /* invalidation queue error, W1C */
#define VTD_FSTS_ICE BIT(5) /* invalidation completion error, W1C */
#define VTD_FSTS_ITE BIT(6) /* invalidation time-out error, W1C */
#define VTD_FSTS_QUEUE (VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE)
#define VTD_FSTS_PRO BIT(7) /* page request overflow, W1C */
#define VTD_FSTS_ANY                                                           \
	(VTD_FSTS_PFO | VTD_FSTS_PPF | VTD_FSTS_AFO | VTD_FSTS_APF |           \
	 VTD_FSTS_QUEUE | VTD_FSTS_PRO)
#define VTD_FSTS_FRI(fsts) (((fsts) >> 8) & 0xff) /* oldest record */

#define VTD_FECTL 0x38 /* 32 bits: fault event control; 29:0 preserved */
#define VTD_FECTL_IM BIT(31)
#define VTD_FEDATA 0x3c	 /* 32 bits: message data */
#define VTD_FEADDR 0x40	 /* 32 bits: message address */
#define VTD_FEUADDR 0x44 /* 32 bits: upper message address */

#define VTD_PMEN 0x64 /* 32 bits: protected memory enable; 30:1 preserved */
#define VTD_PMEN_PRS BIT(0)
#define VTD_PMEN_EPM BIT(31)

#define VTD_IQH 0x80	      /* 64 bits: queue head, a byte offset */
#define VTD_IQT 0x88	      /* 64 bits: queue tail, a byte offset */
#define VTD_IQ_OFFSET 0x7fff0 /* bits 18:4 of both */
#define VTD_IQA 0x90 /* 64 bits: queue address; size 2:0: 0 = one page */

#define VTD_IRTA 0xb8 /* 64 bits: interrupt remapping table address */
#define VTD_IRTA_EIME BIT(11)
#define VTD_IRTA_SIZE(entries_log2) ((entries_log2) - 1)

/* 64 bits, behind the address register that VTD_ECAP_IRO finds */
#define VTD_IOTLB 0x08
#define VTD_IOTLB_IVT BIT(63) /* invalidate the IOTLB: under way */

#define VTD_FIXED_END 0xc0 /* of the registers above */

/* Fault recording registers: VTD_CAP_NFR of them, at VTD_CAP_FRO, 16 bytes
 * each (VT-d 10.4.14).  Word 0: address, or interrupt index in 63:48. */
#define VTD_FRCD_SIZE 16
#define VTD_FRCD_HIGH 8
#define VTD_FRCD_F_WORD 12 /* the 32-bit word that holds F */
#define VTD_FRCD_F BIT(31) /* in that word; W1C */
#define VTD_FRCD_SID(high) ((u16)(high))
#define VTD_FRCD_T2(high) ((high) >> 28 & 1)
#define VTD_FRCD_REASON(high) ((u8)((high) >> 32))
#define VTD_FRCD_T1(high) ((high) >> 62 & 1)
#define VTD_FRCD_ADDRESS(low) ((low) & ~0xfffULL)
#define VTD_FRCD_INDEX(low) ((u16)((low) >> 48))

/* What a unit's registers may take: the fault records and the IOTLB registers
 * start at most 3FF0h from the base, and there are at most 256 records. */
#define VTD_REGISTERS_SIZE 0x5000

/*
 * Access to a register of the unit at @base, by one instruction of the
 * register's own size (VT-d 10.2: others are undefined).
 */
u32 vtd_read32(hpa_t base, u32 reg);
u64 vtd_read64(hpa_t base, u32 reg);
void vtd_write32(hpa_t base, u32 reg, u32 value);
void vtd_write64(hpa_t base, u32 reg, u64 value);

/* Write the cache lines of [@start, @start + @size) back to memory, for units
 * whose walks do not snoop (ECAP.C = 0), before any later register write. */
void vtd_write_back(const volatile void *start, size_t size);

#endif
