/* This file takes USB controllers from the firmware (xHCI 4.22.1; EHCI 5.1;
 * OHCI 5.1.1.3.3; UHCI 5.2.1). */
#include "drivers/usb_handoff.h"
#include "drivers/pci/pci.h"
#include "hv/host_paging.h"
#include "hv/log.h"
#include "hv/mmio.h"
#include "hv/time.h"

/* Classes, with the interface */
#define CLASS_UHCI 0x0c0300
#define CLASS_OHCI 0x0c0310
#define CLASS_EHCI 0x0c0320
#define CLASS_XHCI 0x0c0330

#define HANDOFF_LIMIT_US 1000000

/* xHCI 7.1, EHCI 2.1.7: ID 1; the second half is control and status of SMIs */
#define LEGACY_ID 1
#define LEGACY_FIRMWARE BIT(16)
#define LEGACY_OS BIT(24)
#define LEGACY_SMI 4
#define LEGACY_SMI_EVENTS 0xe0000000U /* written 1: cleared */
#define XHCI_SMI_RESERVED 0x000e1feeU

#define XHCI_HCCPARAMS1 0x10 /* 31:16: extended capabilities, in 4 bytes */
#define EHCI_HCCPARAMS 0x08  /* 15:8: the same, in configuration space */
#define CAPS_MAX 64

#define UHCI_LEGSUP 0xc0
#define UHCI_LEGSUP_OFF 0x8f00 /* no SMI; events, written 1: cleared */

#define OHCI_CONTROL 0x04
#define OHCI_CONTROL_SMI BIT(8)
#define OHCI_STATUS 0x08
#define OHCI_STATUS_CHANGE_OWNER BIT(3)
#define OHCI_ENABLE 0x10
#define OHCI_ENABLE_OWNER BIT(30)
#define OHCI_DISABLE 0x14

static void said(const struct pci_function *fn, bool let_go)
{
	hv_log("usb: " PCI_FMT ": firmware drove it, and %s\n",
	       PCI_ARG(fn->addr),
	       let_go ? "has let go"
		      : "does not let go: if the machine stands still here, "
			"turn legacy USB support off in the firmware's set-up");
}

/* xHCI and EHCI, by the capability at @legacy; @keep of the SMI half. */
static void take_legacy(const struct pci_function *fn, volatile u8 *legacy,
			u32 keep)
{
	u32 value = mmio_read32(legacy);

	if (value & LEGACY_FIRMWARE) {
		mmio_write32(legacy, value | LEGACY_OS);
		said(fn, ask_until(!(mmio_read32(legacy) & LEGACY_FIRMWARE), ,
				   HANDOFF_LIMIT_US));
		/* Whether it has let go or not: it is not to think so */
		mmio_write32(legacy, (mmio_read32(legacy) | LEGACY_OS) &
					     (u32)~LEGACY_FIRMWARE);
	}
	mmio_write32(legacy + LEGACY_SMI, (mmio_read32(legacy + LEGACY_SMI) &
					   keep) | LEGACY_SMI_EVENTS);
}

/* The list of capabilities at @at of @space, whose links are in @unit bytes;
 * NULL: none of @size bytes is the one. */
static volatile u8 *find_legacy(volatile u8 *space, u64 size, u64 at,
				unsigned int unit, bool relative)
{
	for (unsigned int i = 0; i < CAPS_MAX && at; i++) {
		u32 value;
		u64 next;

		if (!IS_ALIGNED(at, 4) || at > size - 8)
			return NULL;
		value = mmio_read32(space + at);
		if ((u8)value == LEGACY_ID)
			return space + at;
		next = (value >> 8 & 0xff) * unit;
		at = next ? next + (relative ? at : 0) : 0;
	}
	return NULL;
}

static void take_xhci(const struct pci_function *fn, volatile u8 *regs)
{
	u64 at = (u64)(mmio_read32(regs + XHCI_HCCPARAMS1) >> 16) * 4;
	volatile u8 *legacy = find_legacy(regs, fn->bar[0].size, at, 4, true);

	if (legacy)
		take_legacy(fn, legacy, XHCI_SMI_RESERVED);
}

static void take_ehci(const struct pci_function *fn, volatile u8 *regs)
{
	u64 at = mmio_read32(regs + EHCI_HCCPARAMS) >> 8 & 0xff;
	volatile u8 *legacy = find_legacy(fn->config, 256, at, 1, false);

	if (legacy)
		take_legacy(fn, legacy, 0);
}

static void take_ohci(const struct pci_function *fn, volatile u8 *regs)
{
	if (mmio_read32(regs + OHCI_CONTROL) & OHCI_CONTROL_SMI) {
		mmio_write32(regs + OHCI_ENABLE, OHCI_ENABLE_OWNER);
		mmio_write32(regs + OHCI_STATUS, OHCI_STATUS_CHANGE_OWNER);
		said(fn, ask_until(!(mmio_read32(regs + OHCI_CONTROL) &
				     OHCI_CONTROL_SMI),
				   , HANDOFF_LIMIT_US));
	}
	mmio_write32(regs + OHCI_DISABLE, ~0U);
}

static const struct {
	u32 class;
	void (*take)(const struct pci_function *fn, volatile u8 *regs);
} kinds[] = {
	{CLASS_XHCI, take_xhci},
	{CLASS_EHCI, take_ehci},
	{CLASS_OHCI, take_ohci},
};

/* Firmware uses none that does not answer. */
static bool answers(const struct pci_function *fn)
{
	u16 command = mmio_read16(fn->config + PCI_COMMAND);
	const struct pci_bar *bar = &fn->bar[0];

	return command != 0xffff && command & PCI_COMMAND_MEMORY &&
	       bar->size >= 256 && bar->base && !bar->io &&
	       !host_map_device(bar->base, bar->size);
}

static void take(const struct pci_function *fn)
{
	if (fn->class == CLASS_UHCI)
		mmio_write16(fn->config + UHCI_LEGSUP, UHCI_LEGSUP_OFF);
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++)
		if (fn->class == kinds[i].class && answers(fn))
			kinds[i].take(fn, (volatile u8 *)fn->bar[0].base);
}

void usb_handoff(void)
{
	unsigned int count;
	const struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++)
		take(&fn[i]);
}
