/*
 * Configuration space of the guest's functions: one function reads and one
 * function writes each register.  The guest sees:
 *
 *   00  vendor and device ID       struct pci_function's: a VF's own read FFFFh
 *   04  command, status            command ours; bus mastering is forwarded
 *   08  class, revision            the function's
 *   10  BARs                       ours, in memory and in ports; map_bar() when
 *                                  decoding changes
 *   2C  subsystem IDs              the function's
 *   34  capability list            PCIe, MSI, MSI-X, end
 *   PCIe: capabilities             the function's, as an integrated endpoint
 *         device control           ours; a reset becomes reset()
 *         transactions pending     the function's
 *   MSI: guest/vmsi.c             ours; the real one sends another message
 *   MSI-X: enable, function mask   forwarded
 *          table and PBA           the function's
 *          number of vectors       what guest/vmsix.c gives
 *
 * All else reads 0 and ignores writes: ROM, interrupt pin, power management,
 * extended capabilities.
 */
#include "guest/vpci.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_bars.h"
#include "drivers/pci/pci_caps.h"
#include "hv/guest_layout.h"
#include "hv/log.h"

/* Beside what the function decodes */
#define COMMAND_WRITABLE                                                       \
	(PCI_COMMAND_MASTER | COMMAND_PARITY | COMMAND_SERR |                  \
	 PCI_COMMAND_INTX_OFF)
#define COMMAND_PARITY BIT(6)
#define COMMAND_SERR BIT(8)

/* PCIe capability (PCIe 7.5.3): version 2, or version 1, which ends before
 * the slot's registers */
#define PCIE_CAP 0x00
#define PCIE_CAP_VERSION(n) ((n) << 16)
#define PCIE_CAP_INTEGRATED (9u << 20) /* device type: RCiEP, 7.5.3.2 */
#define DEVCAP_MPS 0x7u
#define DEVCAP_EXT_TAG (1u << 5)
#define DEVCAP_ROLE_ERRORS (1u << 15)
#define DEVCAP_FLR (1u << 28)
#define DEVCTL_WRITABLE 0x7fff
#define DEVCTL_FLR (1u << 15)
#define DEVSTA_PENDING (1u << 21) /* in the same doubleword */
#define DEVCAP2_TIMEOUTS 0x1fu	  /* completion timeout ranges, disable */
#define DEVCTL2_WRITABLE 0x1f	  /* completion timeout value, disable */
#define PCIE_SIZE 0x3c
#define PCIE_SIZE_1 0x14

/* MSI-X capability (PCIe 7.7.2) */
#define MSIX_CONTROL_WRITABLE 0xc000 /* enable, function mask */
#define MSIX_SIZE 0x0c

/*
 * Decoding stays on in the device: the hypervisor reaches the MSI-X table and
 * what it mediates whatever the guest does, and the guest reaches BARs through
 * EPT, or by exits, alone.  INTx would reach nobody.
 */
/* @old with the bits of @mask taken from @value. */
static u32 merge(u32 old, u32 value, u32 mask)
{
	return (old & ~mask) | (value & mask);
}

static void write_hardware_command(const struct vpci_function *v)
{
	pci_write16(v->fn, PCI_COMMAND,
		    v->decodes | PCI_COMMAND_INTX_OFF |
			    (v->command & PCI_COMMAND_MASTER));
}

/* Where the guest has BAR @i now; 0: nowhere. */
static u64 effective_address(const struct vpci_function *v, unsigned int i)
{
	u16 decoding = v->bar[i].flags & PCI_BAR_IO ? PCI_COMMAND_IO
						    : PCI_COMMAND_MEMORY;

	return v->command & decoding ? v->bar[i].address : 0;
}

/* First all that go, then all that come: two may have changed places. */
static void update_mappings(struct vpci_function *v)
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		struct vpci_bar *bar = &v->bar[i];

		if (!bar->mapped || bar->mapped == effective_address(v, i))
			continue;
		v->backend->map_bar(v, i, 0);
		bar->mapped = 0;
	}
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		struct vpci_bar *bar = &v->bar[i];
		u64 address = effective_address(v, i);

		if (address && !bar->mapped &&
		    v->backend->map_bar(v, i, address) == 0)
			bar->mapped = address;
	}
}

static void write_command(struct vpci_function *v, u32 value, u32 mask)
{
	v->command = merge(v->command, value,
			   mask & (COMMAND_WRITABLE | v->decodes));
	write_hardware_command(v);
	update_mappings(v);
}

/*
 * The BAR that register @index belongs to, and *@shift = 32 if it is the upper
 * half; NULL if none.
 */
static struct vpci_bar *bar_at(struct vpci_function *v, unsigned int index,
			       unsigned int *shift)
{
	*shift = 0;
	if (v->bar[index].size)
		return &v->bar[index];
	if (index == 0 || !v->bar[index - 1].size ||
	    !(v->bar[index - 1].flags & PCI_BAR_64))
		return NULL;
	*shift = 32;
	return &v->bar[index - 1];
}

static u32 read_bar(struct vpci_function *v, unsigned int index)
{
	unsigned int shift;
	const struct vpci_bar *bar = bar_at(v, index, &shift);

	if (!bar)
		return 0;
	return bar->address >> shift | (shift ? 0 : bar->flags);
}

/* All ones written read back as the size: its lower bits are fixed at 0. */
static void write_bar(struct vpci_function *v, unsigned int index, u32 value,
		      u32 mask)
{
	unsigned int shift;
	struct vpci_bar *bar = bar_at(v, index, &shift);
	u64 half;

	if (!bar)
		return;
	half = merge(bar->address >> shift, value, mask);
	bar->address =
		(bar->address & ~(0xffffffffULL << shift)) | half << shift;
	bar->address &= ~(bar->size - 1);
	update_mappings(v);
}

static bool has_flr(const struct vpci_function *v)
{
	return pci_read32(v->fn, v->pcie_cap + PCIE_DEVCAP) & DEVCAP_FLR;
}

/*
 * Payload and request sizes stay as firmware made them fit the path, and a VF
 * has none (PCIe 9.3.5): the guest's choice is kept but not forwarded.
 */
static void write_device_control(struct vpci_function *v, u32 value, u32 mask)
{
	v->device_control =
		merge(v->device_control, value, mask & DEVCTL_WRITABLE);
	if (!(value & mask & DEVCTL_FLR) || !has_flr(v))
		return;
	/* Another processor of the guest's may not reach it meanwhile: a
	 * request without an answer can be a fatal error to the platform
	 * (6.6.2) */
	v->command &= ~(PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	update_mappings(v);
	v->backend->reset(v);
}

/* What follows @cap in the list, in the place of the pointer to it. */
static u32 next_cap(const struct vpci_function *v, u16 cap)
{
	if (cap == v->pcie_cap && v->msi_cap)
		return (u32)v->msi_cap << 8;
	return cap == v->msix_cap ? 0 : (u32)v->msix_cap << 8;
}

static u32 read_pcie(const struct vpci_function *v, u16 reg)
{
	u16 at = v->pcie_cap + reg;

	switch (reg) {
	case PCIE_CAP:
		return PCI_CAP_PCIE | next_cap(v, v->pcie_cap) |
		       PCIE_CAP_VERSION(v->pcie_size == PCIE_SIZE ? 2u : 1u) |
		       PCIE_CAP_INTEGRATED;
	case PCIE_DEVCAP:
		return pci_read32(v->fn, at) &
		       (DEVCAP_MPS | DEVCAP_EXT_TAG | DEVCAP_ROLE_ERRORS |
			DEVCAP_FLR);
	case PCIE_DEVCTL:
		return v->device_control |
		       (pci_read32(v->fn, at) & DEVSTA_PENDING);
	case PCIE_DEVCAP2:
		return pci_read32(v->fn, at) & DEVCAP2_TIMEOUTS;
	case PCIE_DEVCTL2:
		return v->device_control2;
	default:
		return 0;
	}
}

static void write_pcie(struct vpci_function *v, u16 reg, u32 value, u32 mask)
{
	if (reg == PCIE_DEVCTL)
		write_device_control(v, value, mask);
	if (reg == PCIE_DEVCTL2)
		v->device_control2 = merge(v->device_control2, value,
					   mask & DEVCTL2_WRITABLE);
}

static u32 read_msix(const struct vpci_function *v, u16 reg)
{
	u16 control = pci_read16(v->fn, v->msix_cap + PCI_MSIX_CONTROL);

	control &= (u16)~PCI_MSIX_CONTROL_SIZE;
	control |= v->msix->vectors - 1;
	if (reg == 0)
		return PCI_CAP_MSIX | (u32)control << 16;
	return pci_read32(v->fn, v->msix_cap + reg);
}

static void write_msix_control(struct vpci_function *v, u16 value, u16 mask)
{
	u16 at = v->msix_cap + PCI_MSIX_CONTROL;

	mask &= MSIX_CONTROL_WRITABLE;
	if (mask)
		pci_write16(v->fn, at,
			    merge(pci_read16(v->fn, at), value, mask));
}

/* True if @reg lies in a capability of @size at @cap (0: not there). */
static bool in_cap(u16 reg, u16 cap, u16 size)
{
	return cap && reg >= cap && reg - cap < size;
}

static u16 first_cap(const struct vpci_function *v)
{
	if (v->pcie_cap)
		return v->pcie_cap;
	return v->msi_cap ? v->msi_cap : v->msix_cap;
}

static u32 read_header(struct vpci_function *v, u16 reg)
{
	switch (reg) {
	case PCI_VENDOR_ID:
		return v->fn->vendor | (u32)v->fn->device << 16;
	case PCI_COMMAND:
		return v->command |
		       (first_cap(v) ? PCI_STATUS_CAP_LIST << 16 : 0);
	case PCI_REVISION:
	case PCI_SUBSYSTEM:
		return pci_read32(v->fn, reg);
	case PCI_BAR(0)... PCI_BAR(PCI_BARS - 1):
		return read_bar(v, (reg - PCI_BAR(0)) / 4);
	case PCI_CAP_POINTER:
		return first_cap(v);
	default:
		return 0;
	}
}

u32 vpci_read(struct vpci_function *v, u16 reg)
{
	if (in_cap(reg, v->pcie_cap, v->pcie_size))
		return read_pcie(v, reg - v->pcie_cap);
	if (v->msi && in_cap(reg, v->msi_cap, v->msi->size))
		return msi_read(v->msi, reg - v->msi_cap) |
		       (reg == v->msi_cap ? next_cap(v, reg) : 0);
	if (in_cap(reg, v->msix_cap, MSIX_SIZE))
		return read_msix(v, reg - v->msix_cap);
	return read_header(v, reg);
}

void vpci_write(struct vpci_function *v, u16 reg, u32 value, u32 mask)
{
	if (in_cap(reg, v->pcie_cap, v->pcie_size))
		write_pcie(v, reg - v->pcie_cap, value, mask);
	else if (v->msi && in_cap(reg, v->msi_cap, v->msi->size))
		msi_write(v->msi, reg - v->msi_cap, value, mask);
	else if (reg == v->msix_cap && reg)
		write_msix_control(v, value >> 16, mask >> 16);
	else if (reg == PCI_COMMAND)
		write_command(v, value, mask);
	else if (reg >= PCI_BAR(0) && reg < PCI_BAR(PCI_BARS))
		write_bar(v, (reg - PCI_BAR(0)) / 4, value, mask);
}

void vpci_reset(struct vpci_function *v)
{
	v->command = 0;
	for (unsigned int i = 0; i < PCI_BARS; i++)
		v->bar[i].address = 0;
	update_mappings(v);
	write_hardware_command(v);
	v->device_control = 0;
	v->device_control2 = 0;
	if (v->msi)
		msi_reset(v->msi);
	if (v->msix)
		msix_reset(v->msix);
}

void vpci_lose(struct vpci_function *v)
{
	v->command = 0;
	update_mappings(v);
	v->lost = true;
}

/* Offset of the capability, or 0 if it does not fit where one may stand. */
static u16 find_cap(const struct pci_function *fn, u8 id, u16 size)
{
	u16 cap = pci_find_cap(fn, id);

	return cap >= 0x40 && cap + size <= 0x100 && IS_ALIGNED(cap, 4) ? cap
									: 0;
}

static void find_pcie_cap(struct vpci_function *v)
{
	u16 cap = find_cap(v->fn, PCI_CAP_PCIE, PCIE_SIZE_1);
	bool first_version =
		cap && (pci_read16(v->fn, cap + PCIE_FLAGS) & 0xf) < 2;

	v->pcie_size = first_version ? PCIE_SIZE_1 : PCIE_SIZE;
	v->pcie_cap = cap + v->pcie_size <= 0x100 ? cap : 0;
}

/* Memory, or ports */
struct window {
	const char *name;
	u64 start, size;
	u64 granule; /* BARs that are smaller are this far apart */
	u64 *next;
};

/* The next aligned place for @size bytes; 0: the window is full. */
static u64 take(const struct window *w, u64 size)
{
	u64 room = MAX(size, w->granule);
	u64 address = ALIGN_UP(*w->next, room), end = w->start + w->size;

	if (address >= end || room > end - address)
		return 0;
	*w->next = address + room;
	return address;
}

static u64 keep_address(const struct pci_bar *bar, struct vpci_room *room)
{
	if (!room->high_end || bar->base < room->high_start)
		room->high_start = bar->base;
	room->high_end = MAX(room->high_end, bar->base + bar->size);
	return bar->base;
}

static bool can_be_given(const struct pci_bar *bar, unsigned int i)
{
	if (!IS_ALIGNED(bar->size, bar->size) || !bar->base)
		return false;
	return !bar->is64 || i < PCI_BARS - 1;
}

static int init_bar(struct vpci_function *v, unsigned int i,
		    struct vpci_room *room)
{
	const struct window windows[] = {
		{"PCI window", GUEST_PCI_WINDOW, GUEST_PCI_WINDOW_SIZE,
		 PAGE_SIZE, &room->memory},
		{"PCI ports", GUEST_PCI_IO_WINDOW, GUEST_PCI_IO_WINDOW_SIZE, 1,
		 &room->ports},
	};
	const struct pci_bar *real = &v->fn->bar[i];
	const struct window *w = &windows[real->io];
	bool high = pci_bar_is_high(v->fn, i);
	u64 address;

	if (real->size == 0)
		return 0;
	if (!can_be_given(real, i)) {
		hv_log("vpci: " PCI_FMT ": BAR %u not given to the guest\n",
		       PCI_ARG(v->fn->addr), i);
		return 0;
	}
	address = high ? keep_address(real, room) : take(w, real->size);
	if (!address) {
		hv_log("vpci: " PCI_FMT ": no room for BAR %u of %lu KiB in "
		       "the guest's %s, which has %lu KiB in all\n",
		       PCI_ARG(v->fn->addr), i, (real->size + KIB - 1) / KIB,
		       w->name, w->size / KIB);
		return -ENOSPC;
	}
	v->bar[i] = (struct vpci_bar){
		.size = real->size,
		.address = address,
		.flags = real->io ? PCI_BAR_IO
				  : (real->is64 ? PCI_BAR_64 : 0) |
					    (real->prefetch ? PCI_BAR_PREFETCH
							    : 0),
		.high = high,
	};
	v->decodes |= real->io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	return 0;
}

int vpci_init(struct vpci_function *v, struct pci_function *fn, u8 devfn,
	      struct msi *msi, struct msix *msix, struct vpci_room *room,
	      const struct vpci_backend *backend, void *ctx)
{
	if (fn->bridge || PCI_FN(devfn) != 0)
		return -EINVAL;
	*v = (struct vpci_function){
		.fn = fn,
		.devfn = devfn,
		.decodes = PCI_COMMAND_MEMORY,
		.msi_cap = msi ? msi->cap : 0,
		.msix_cap = msix ? find_cap(fn, PCI_CAP_MSIX, MSIX_SIZE) : 0,
		.msi = msi,
		.msix = msix,
		.backend = backend,
		.ctx = ctx,
	};
	find_pcie_cap(v);
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		int err = init_bar(v, i, room);

		if (err)
			return err;
	}
	write_hardware_command(v);
	return 0;
}
