/* This file asks firmware for its USB controllers. */
#include "drivers/usb_handover.h"
#include "drivers/pci/pci_access.h"
#include "hv/log.h"
#include "hv/mmio.h"
#include "hv/time.h"

#define CLASS_EHCI 0x0c0320
#define CLASS_XHCI 0x0c0330

/* xHCI 1.2 5.3.6, 7: a list of capabilities in BAR 0 */
#define XHCI_HCCPARAMS1 0x10
#define XHCI_FIRST(params) ((params) >> 16 << 2)
#define XHCI_NEXT(header) (((header) >> 8 & 0xff) << 2)
/* EHCI 1.0 2.2.4: one, in configuration space */
#define EHCI_HCCPARAMS 0x08
#define EHCI_FIRST(params) ((params) >> 8 & 0xff)

#define CAPABILITIES_MAX 64
#define LEGACY_ID 1
#define LEGACY_FIRMWARE BIT(16) /* owns it */
#define LEGACY_SYSTEM BIT(24)
#define LEGACY_CONTROL 4 /* which events are management interrupts */
#define LEGACY_SIZE 8
/* Written as 1 these clear what is pending; all enables are 0 */
#define LEGACY_EVENTS 0xe0000000u
#define HANDOVER_US 1000000

/* Where the capability is: in memory, or in configuration space */
struct legacy {
	const struct pci_function *fn;
	volatile u8 *memory; /* NULL: configuration space */
	u16 at;
};

static u32 get(const struct legacy *l, u16 reg)
{
	return l->memory ? mmio_read32(l->memory + reg)
			 : pci_read32(l->fn, l->at + reg);
}

static void set(const struct legacy *l, u16 reg, u32 value)
{
	if (l->memory)
		mmio_write32(l->memory + reg, value);
	else
		pci_write32(l->fn, l->at + reg, value);
}

static bool find_xhci(struct legacy *l)
{
	volatile u8 *base = (volatile u8 *)l->fn->bar[0].base;
	u64 size = l->fn->bar[0].size, at;
	u32 header, next;

	next = XHCI_FIRST(mmio_read32(base + XHCI_HCCPARAMS1));
	at = next;
	for (unsigned int i = 0; next && i < CAPABILITIES_MAX; i++) {
		if (at > size - LEGACY_SIZE)
			return false;
		header = mmio_read32(base + at);
		if ((header & 0xff) == LEGACY_ID) {
			l->memory = base + at;
			return true;
		}
		next = XHCI_NEXT(header);
		at += next;
	}
	return false;
}

static bool find_ehci(struct legacy *l)
{
	const volatile u8 *base = (const volatile u8 *)l->fn->bar[0].base;

	l->at = EHCI_FIRST(mmio_read32(base + EHCI_HCCPARAMS));
	return l->at >= 0x40 && IS_ALIGNED(l->at, 4) &&
	       (get(l, 0) & 0xff) == LEGACY_ID;
}

static bool find(struct legacy *l)
{
	const struct pci_bar *bar = &l->fn->bar[0];

	if (bar->io || !bar->base || bar->size < XHCI_HCCPARAMS1 + LEGACY_SIZE)
		return false;
	if (l->fn->class == CLASS_XHCI)
		return find_xhci(l);
	return l->fn->class == CLASS_EHCI && find_ehci(l);
}

void usb_take(const struct pci_function *fn)
{
	struct legacy l = {.fn = fn};

	if (!find(&l))
		return;
	set(&l, 0, get(&l, 0) | (u32)LEGACY_SYSTEM);
	if (wait_until(!(get(&l, 0) & LEGACY_FIRMWARE), HANDOVER_US,
		       "firmware to give up a USB controller"))
		hv_log("usb: " PCI_FMT ": firmware keeps it; it is taken all "
		       "the same\n",
		       PCI_ARG(fn->addr));
	set(&l, 0, (get(&l, 0) & ~(u32)LEGACY_FIRMWARE) | (u32)LEGACY_SYSTEM);
	set(&l, LEGACY_CONTROL, LEGACY_EVENTS);
}
