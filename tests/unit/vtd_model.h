/*
 * A software model of remapping units, written from the VT-d specification and
 * not from vtd/: it shares no definition with it.  It stands in for
 * vtd/regs.c, fails the test on what the specification forbids (reserved bits,
 * wrong access size, two commands at once, enabling before invalidating), and
 * caches whatever hardware may cache, so that a missing invalidation shows.
 *
 * A unit that does not snoop sees only what was written back: the model reads
 * root, context and interrupt tables from a copy that vtd_write_back() makes.
 */
#ifndef TESTS_UNIT_VTD_MODEL_H
#define TESTS_UNIT_VTD_MODEL_H

#include "drivers/pci/pci.h"
#include "hv/types.h"
#include "tests/unit/support.h"
#include "vtd/vtd.h"

/* Capabilities of the emulated unit (QEMU): 39 and 48 bits, 2M and 1G pages,
 * one fault record at 220h; not coherent, QI, IR, no EIM. */
#define MODEL_CAP 0x00d2008c222f0606ULL
#define MODEL_ECAP 0x0000000000f00f4aULL
#define MODEL_ECAP_EIM 0x10
#define MODEL_CAP_CM 0x80
#define MODEL_CAP_RWBF 0x10
#define MODEL_CAP_PMR 0x60

/* What reserved bits hold that must be preserved (FECTL 29:0, PMEN 30:1) */
#define MODEL_FECTL_RSVDP 0x2a00
#define MODEL_PMEN_RSVDP 0x1540

#define MODEL_RECORDS 8

struct model_context {
	bool valid;
	u16 sid, domain;
	u64 low, high;
};

struct model_translation {
	bool valid;
	u16 sid, domain;
	u64 page, output;
	bool read, write;
};

struct model_irte {
	bool valid;
	u64 low, high;
};

struct model {
	u64 base, cap, ecap;
	/* registers */
	u32 gsts, fsts, fectl, fedata, feaddr, feuaddr, pmen;
	u64 rtaddr, ccmd, iotlb_reg, irta, iqa, iqh, iqt;
	u64 record[MODEL_RECORDS][2];
	/* latched by SRTP and SIRTP */
	u64 root, irt;
	unsigned int next_record;
	/* flushed since SRTP, SIRTP */
	bool contexts_flushed, iotlb_flushed, irtes_flushed;
	struct model_context context[16];
	struct model_translation iotlb[64];
	struct model_irte iec[1024];

	const u64 *refused; /* the descriptor that stopped the queue */
	u64 refused_low;

	/* what the test asks for */
	u32 ignored;	  /* GCMD bits that have no effect */
	bool queue_dead;  /* descriptors are never fetched */
	bool pmr_stuck;	  /* PMEN.PRS stays */
	bool log_full;	  /* the advanced fault log, and a device faults on */
	bool vector_only; /* FEDATA keeps its vector alone */
	unsigned int iqe; /* refuse this many descriptors */
	bool flood;	  /* another fault as soon as one is cleared */
	bool completions; /* a device sends one with each descriptor, and each
			     record that is cleared: ICE */
	bool ice_flood;	  /* another ICE as soon as one is cleared */
	u64 record_us;	  /* what a read of a fault record takes */

	/* what the test looks at */
	char trace[8192]; /* commands and invalidations, in order */
	unsigned int nmis;
	bool passed; /* DMA was let through at some time */
};

/* Forget every unit, PCI function, and written-back line. */
void model_reset(void);

/* A unit at @base, as reset leaves it. */
struct model *model_add(u64 base, u64 cap, u64 ecap);

/* DMA by @sid.  0 and *hpa, or the fault reason (which is then recorded, if the
 * context entry's FPD does not hold it back). */
u8 model_dma(struct model *m, u16 sid, u64 address, bool write, u64 *hpa);

/* A write of @data to @address in the interrupt range by @sid.  0 and the
 * vector and destination, or the fault reason (which is then recorded). */
u8 model_interrupt(struct model *m, u16 sid, u64 address, u32 data, u8 *vector,
		   u32 *destination);

/* Record a fault as the unit would. */
void model_fault(struct model *m, u16 sid, u8 reason, bool read, u64 info);

/* The PCI functions that pci_find() and pci_is_below() know. */
struct pci_function *model_pci_add(u16 segment, u8 bus, u8 device, u8 function);

/* Both steps of taking over the units, as hv/machine/build.c does them. */
static inline int vtd_init(const struct dmar *dmar, u32 nmi_apic_id,
			   bool x2apic)
{
	int error = vtd_probe(dmar, x2apic, 0);

	if (!error)
		return vtd_start(nmi_apic_id);
	vtd_only_block();
	return error;
}

#endif
