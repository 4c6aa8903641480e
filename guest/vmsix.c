/*
 * The MSI-X table of an assigned function.  The guest never reaches the real
 * one: what it writes is kept as it wrote it, and the real entry gets a
 * message that the remapping unit gave for it, or stays masked.
 */
#include "guest/vmsix.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_caps.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/mmio.h"

/* The capability (PCIe 7.7.2), offsets from its start */
#define MSIX_CAP_SIZE 12
#define NEWER_FIRMWARE "look for a newer firmware of the device"

/* One entry */
#define ENTRY_ADDRESS_LOW 0
#define ENTRY_ADDRESS_HIGH 4
#define ENTRY_DATA 8
#define ENTRY_CONTROL 12
#define ENTRY_MASKED 1U

static volatile u8 *real_entry(const struct msix *m, unsigned int index)
{
	return m->table + index * MSIX_ENTRY_SIZE;
}

/* The other bits of the control word are to be preserved (7.7.2). */
static void set_real_mask(const struct msix *m, unsigned int index, u32 mask)
{
	volatile u8 *control = real_entry(m, index) + ENTRY_CONTROL;

	mmio_write32(control, (mmio_read32(control) & ~ENTRY_MASKED) | mask);
	/* Reading back pushes the write to the function: what follows finds
	 * the entry masked. */
	mmio_read32(control);
}

/*
 * Make the guest's unmasked entry @index real.  An entry may only be changed
 * while it is masked (7.7.2).
 */
static void program(struct msix *m, unsigned int index)
{
	const struct msix_entry *e = &m->entry[index];
	volatile u8 *real = real_entry(m, index);
	u64 address;
	u32 data;
	int err;

	set_real_mask(m, index, ENTRY_MASKED);
	err = m->backend.route(m->backend.ctx, index, e, &address, &data);
	if (err) {
		if (m->refused++ < MESSAGES_REFUSED_LOGGED)
			hv_log("msix: " PCI_FMT ": vector %u refused (%d): "
			       "address %lx, data %x; it stays masked%s\n",
			       PCI_ARG(m->fn->addr), index, err, e->address,
			       e->data,
			       log_last(m->refused, MESSAGES_REFUSED_LOGGED));
		return;
	}
	mmio_write32(real + ENTRY_ADDRESS_LOW, address);
	mmio_write32(real + ENTRY_ADDRESS_HIGH, address >> 32);
	mmio_write32(real + ENTRY_DATA, data);
	set_real_mask(m, index, 0);
}

static void change(struct msix *m, unsigned int index, struct msix_entry new)
{
	struct msix_entry *e = &m->entry[index];
	bool same = e->address == new.address && e->data == new.data &&
		    e->control == new.control;

	*e = new;
	if (same)
		return;
	if (new.control & ENTRY_MASKED)
		set_real_mask(m, index, ENTRY_MASKED);
	else
		program(m, index);
}

static void set_dword(struct msix_entry *e, unsigned int offset, u32 value)
{
	switch (offset) {
	case ENTRY_ADDRESS_LOW: /* bits 1:0 are 0 (7.7.2) */
		e->address = (e->address & ~0xffffffffULL) | (value & ~3U);
		break;
	case ENTRY_ADDRESS_HIGH:
		e->address = (u32)e->address | (u64)value << 32;
		break;
	case ENTRY_DATA:
		e->data = value;
		break;
	case ENTRY_CONTROL:
		e->control = value & ENTRY_MASKED;
		break;
	}
}

static u32 get_dword(const struct msix_entry *e, unsigned int offset)
{
	switch (offset) {
	case ENTRY_ADDRESS_LOW:
		return e->address;
	case ENTRY_ADDRESS_HIGH:
		return e->address >> 32;
	case ENTRY_DATA:
		return e->data;
	default:
		return e->control;
	}
}

static bool is_valid_access(const struct msix *m, u32 offset, unsigned int size)
{
	return (size == 4 || size == 8) && offset % size == 0 &&
	       offset < m->vectors * MSIX_ENTRY_SIZE;
}

u64 msix_table_read(struct msix *m, u32 offset, unsigned int size)
{
	const struct msix_entry *e;
	unsigned int at = offset % MSIX_ENTRY_SIZE;
	u64 value;

	if (!is_valid_access(m, offset, size))
		return ~0ULL;
	e = &m->entry[offset / MSIX_ENTRY_SIZE];
	value = get_dword(e, at);
	if (size == 8)
		value |= (u64)get_dword(e, at + 4) << 32;
	return value;
}

void msix_table_write(struct msix *m, u32 offset, unsigned int size, u64 value)
{
	unsigned int index = offset / MSIX_ENTRY_SIZE;
	unsigned int at = offset % MSIX_ENTRY_SIZE;
	struct msix_entry e;

	if (!is_valid_access(m, offset, size))
		return;
	e = m->entry[index];
	set_dword(&e, at, value);
	if (size == 8)
		set_dword(&e, at + 4, value >> 32);
	change(m, index, e);
}

void msix_reset(struct msix *m)
{
	for (unsigned int i = 0; i < m->real_vectors; i++)
		set_real_mask(m, i, ENTRY_MASKED);
	for (unsigned int i = 0; i < m->vectors; i++)
		m->entry[i] = (struct msix_entry){.control = ENTRY_MASKED};
}

/* True if [@offset, @offset + @size) lies within memory BAR @bar of @fn. */
static bool is_in_bar(const struct pci_function *fn, u8 bar, u32 offset,
		      u64 size)
{
	return bar < PCI_BARS && !fn->bar[bar].io && fn->bar[bar].base &&
	       size <= fn->bar[bar].size && offset <= fn->bar[bar].size - size;
}

static bool lies_right(const struct msix *m, const struct pci_function *fn)
{
	u64 table = m->real_vectors * MSIX_ENTRY_SIZE;
	u64 pba = (m->real_vectors + 63) / 64 * 8;

	if (!is_in_bar(fn, m->table_bar, m->table_offset, table) ||
	    !is_in_bar(fn, m->pba_bar, m->pba_offset, pba))
		return false;
	return m->table_bar != m->pba_bar ||
	       m->table_offset >= m->pba_offset + pba ||
	       m->pba_offset >= m->table_offset + table;
}

/* What the capability of @fn says.  -ENODEV: none; -EINVAL: not to be used,
 * @buf: why. */
static int read_capability(struct msix *m, const struct pci_function *fn,
			   char *buf, size_t size)
{
	u32 table, pba;

	m->cap = pci_find_cap(fn, PCI_CAP_MSIX);
	if (!m->cap)
		return -ENODEV;
	if (m->cap > 0x100 - MSIX_CAP_SIZE) {
		format(buf, size, "its MSI-X capability is cut off at %x: %s",
		       m->cap, NEWER_FIRMWARE);
		return -EINVAL;
	}
	m->real_vectors = (pci_read16(fn, m->cap + PCI_MSIX_CONTROL) &
			   PCI_MSIX_CONTROL_SIZE) +
			  1;
	m->vectors = MIN(m->real_vectors, MSIX_MAX_VECTORS);
	table = pci_read32(fn, m->cap + PCI_MSIX_TABLE);
	pba = pci_read32(fn, m->cap + PCI_MSIX_PBA);
	m->table_bar = table & (u32)PCI_MSIX_BIR;
	m->table_offset = table & ~(u32)PCI_MSIX_BIR;
	m->pba_bar = pba & (u32)PCI_MSIX_BIR;
	m->pba_offset = pba & ~(u32)PCI_MSIX_BIR;
	if (lies_right(m, fn))
		return 0;
	format(buf, size,
	       "its MSI-X table (BAR%u+%x) or PBA (BAR%u+%x) of %u vectors "
	       "lies in no BAR, or one over the other: %s",
	       m->table_bar, m->table_offset, m->pba_bar, m->pba_offset,
	       m->real_vectors, NEWER_FIRMWARE);
	return -EINVAL;
}

bool msix_refused(const struct pci_function *fn, char *buf, size_t size)
{
	struct msix m;

	return read_capability(&m, fn, buf, size) == -EINVAL;
}

int msix_init(struct msix *m, struct pci_function *fn,
	      struct msix_backend backend)
{
	char why[200];
	int err;

	*m = (struct msix){.fn = fn, .backend = backend};
	err = read_capability(m, fn, why, sizeof(why));
	if (err == -EINVAL)
		hv_log("msix: " PCI_FMT ": %s\n", PCI_ARG(fn->addr), why);
	if (err)
		return err;
	m->table =
		(volatile u8 *)(fn->bar[m->table_bar].base + m->table_offset);
	msix_reset(m);
	return 0;
}
