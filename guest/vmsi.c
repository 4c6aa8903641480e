/* This file keeps the MSI registers that the guest writes, and sets those
 * that the function has. */
#include "guest/vmsi.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_caps.h"
#include "hv/log.h"

/* The capability (PCI 3.0 6.8.1), offsets from its start */
#define MSI_CONTROL 0x02
#define MSI_ENABLE BIT(0)
#define MSI_MULTIPLE_ENABLE (7U << 4)
#define MSI_64 BIT(7)
#define MSI_MASKABLE BIT(8)
#define MSI_ADDRESS 0x04
#define MSI_ADDRESS_HIGH 0x08 /* if 64-bit: what follows is 4 further on */
#define MSI_DATA 0x08
#define MSI_MASK 0x0c
#define MSI_PENDING 0x10
#define MSI_VECTORS 1U /* bits of the two above that the guest has */

/* Offset of @reg as if addresses had 32 bits. */
static u16 plain_reg(const struct msi *m, u16 reg)
{
	return m->is64 && reg > MSI_ADDRESS ? reg - 4 : reg;
}

static u16 real_reg(const struct msi *m, u16 plain)
{
	return m->cap + plain + (m->is64 && plain > MSI_ADDRESS ? 4 : 0);
}

static void set_real_enable(struct msi *m, bool enable)
{
	u16 control = pci_read16(m->fn, m->cap + MSI_CONTROL);

	/* One message: Multiple Message Enable 0 */
	control &= (u16) ~(MSI_ENABLE | MSI_MULTIPLE_ENABLE);
	pci_write16(m->fn, m->cap + MSI_CONTROL,
		    control | (enable ? (u16)MSI_ENABLE : 0));
	m->real = enable;
}

static void write_message(const struct msi *m, u64 address, u32 data)
{
	pci_write32(m->fn, m->cap + MSI_ADDRESS, address);
	if (m->is64)
		pci_write32(m->fn, m->cap + MSI_ADDRESS_HIGH, address >> 32);
	pci_write16(m->fn, real_reg(m, MSI_DATA), data);
}

/*
 * Make what the guest wrote real.  The message of an entry is always the same:
 * while MSI is enabled only the entry changes, by one store.
 */
static void program(struct msi *m)
{
	struct msix_entry e = {.address = m->address, .data = m->data};
	u64 address;
	u32 data;
	int err;

	if (!m->enabled) {
		set_real_enable(m, false);
		return;
	}
	err = m->backend.route(m->backend.ctx, 0, &e, &address, &data);
	if (err) {
		set_real_enable(m, false);
		if (m->refused++ < MESSAGES_REFUSED_LOGGED)
			hv_log("msi: " PCI_FMT ": refused (%d): address %lx, "
			       "data %x; it stays off%s\n",
			       PCI_ARG(m->fn->addr), err, e.address, e.data,
			       log_last(m->refused, MESSAGES_REFUSED_LOGGED));
		return;
	}
	if (m->real)
		return;
	write_message(m, address, data);
	set_real_enable(m, true);
}

static u32 merge(u32 old, u32 value, u32 mask)
{
	return (old & ~mask) | (value & mask);
}

u32 msi_read(const struct msi *m, u16 reg)
{
	u32 control = (m->enabled ? MSI_ENABLE : 0) | (m->is64 ? MSI_64 : 0) |
		      (m->maskable ? MSI_MASKABLE : 0);

	if (m->is64 && reg == MSI_ADDRESS_HIGH)
		return m->address >> 32;
	switch (plain_reg(m, reg)) {
	case 0:
		return PCI_CAP_MSI | control << 16;
	case MSI_ADDRESS:
		return m->address;
	case MSI_DATA:
		return m->data;
	case MSI_MASK:
	case MSI_PENDING:
		if (m->maskable)
			return pci_read32(m->fn, m->cap + reg) & MSI_VECTORS;
		return 0;
	default:
		return 0;
	}
}

/* Masking does not touch the message. */
static void write_mask(struct msi *m, u32 value, u32 mask)
{
	u16 at = real_reg(m, MSI_MASK);

	if (m->maskable)
		pci_write32(m->fn, at,
			    merge(pci_read32(m->fn, at), value,
				  mask & MSI_VECTORS));
}

/* True if a register of the message changed. */
static bool keep(struct msi *m, u16 reg, u32 value, u32 mask)
{
	if (m->is64 && reg == MSI_ADDRESS_HIGH) {
		m->address = (u32)m->address |
			     (u64)merge(m->address >> 32, value, mask) << 32;
		return true;
	}
	switch (plain_reg(m, reg)) {
	case 0:
		if (mask >> 16 & MSI_ENABLE)
			m->enabled = value >> 16 & MSI_ENABLE;
		return true;
	case MSI_ADDRESS:
		m->address = (m->address & ~0xffffffffULL) |
			     (merge(m->address, value, mask) & ~3U);
		return true;
	case MSI_DATA:
		m->data = merge(m->data, value, mask & 0xffff);
		return true;
	default:
		return false;
	}
}

void msi_write(struct msi *m, u16 reg, u32 value, u32 mask)
{
	if (plain_reg(m, reg) == MSI_MASK)
		write_mask(m, value, mask);
	else if (keep(m, reg, value, mask))
		program(m);
}

void msi_reset(struct msi *m)
{
	set_real_enable(m, false);
	m->enabled = false;
	m->address = 0;
	m->data = 0;
}

int msi_init(struct msi *m, struct pci_function *fn,
	     struct msix_backend backend)
{
	u16 control;

	*m = (struct msi){.fn = fn, .backend = backend};
	m->cap = pci_find_cap(fn, PCI_CAP_MSI);
	if (!m->cap)
		return -ENODEV;
	control = pci_read16(fn, m->cap + MSI_CONTROL);
	m->is64 = control & MSI_64;
	m->maskable = control & MSI_MASKABLE;
	/* In whole doublewords, for the mask bits are aligned */
	m->size = (m->maskable ? 0x14 : 0x0c) + (m->is64 ? 4 : 0);
	if (m->cap + m->size > 0x100) {
		hv_log("msi: " PCI_FMT ": capability cut off at %x\n",
		       PCI_ARG(fn->addr), m->cap);
		m->cap = 0;
		return -EINVAL;
	}
	msi_reset(m);
	return 0;
}
