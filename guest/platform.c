/* This file says which virtual device answers at which address or port. */
#include "guest/platform.h"
#include "guest/com1.h"
#include "guest/vcmos.h"
#include "guest/vioapic.h"
#include "guest/vpower.h"
#include "hv/asm.h"
#include "hv/guest_layout.h"
#include "hv/panic.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/trap.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define KEYBOARD_PORT 0x64
#define NMI_STATUS_PORT 0x61
#define NMI_STATUS_CAUSES 0xc0 /* SERR#, IOCHK# */

static struct vioapic ioapic;
static struct vcmos cmos;
static struct vpower power;

/* No NMI of the guest's is of a system error or an I/O check; the rest is as
 * where nothing is. */
static void nmi_status_access(void *ctx, u64 offset, unsigned int size,
			      bool write, u64 *value)
{
	(void)ctx;
	(void)offset;
	(void)size;
	if (!write)
		*value = 0xff & ~NMI_STATUS_CAUSES;
}

static u8 read_cmos(u8 index)
{
	outb(CMOS_INDEX, index);
	return inb(CMOS_DATA);
}

/* The reset port lies within CONFIG_ADDRESS, which is written whole. */
static void pci_ports_access(void *ctx, u64 offset, unsigned int size,
			     bool write, u64 *value)
{
	if (GUEST_PCI_PORT + offset == GUEST_RESET_PORT && size == 1)
		vpower_reset_access(&power, 0, size, write, value);
	else
		vpci_ports_access(ctx, offset, size, write, value);
}

static void add_ports(u64 start, u64 size, trap_fn *handler, void *ctx,
		      enum stat_cause cause)
{
	struct trap_range range = {start, size, handler, ctx, cause};

	if (trap_ports(&range))
		panic("platform: port 0x%lx is taken", start);
}

static void add_memory(u64 start, u64 size, trap_fn *handler, void *ctx,
		       enum stat_cause cause)
{
	struct trap_range range = {start, size, handler, ctx, cause};

	if (trap_memory(&range))
		panic("platform: address 0x%lx is taken", start);
}

void platform_init(struct vpci_bus *bus, u8 ioapic_id)
{
	vioapic_reset(&ioapic, ioapic_id, guest_send_ipi);
	ioapic.changed = com1_line_route;
	com1_init(&ioapic);
	cmos.read = read_cmos;

	add_ports(GUEST_UART_PORT, 8, com1_access, NULL, STAT_CAUSE_UART);
	add_ports(GUEST_CMOS_PORT, 2, vcmos_access, &cmos, STAT_CAUSE_CMOS);
	add_ports(GUEST_SLEEP_CONTROL_PORT, 2, vpower_sleep_access, &power,
		  STAT_CAUSE_POWER);
	add_ports(GUEST_PCI_PORT, 8, pci_ports_access, bus,
		  STAT_CAUSE_PCI_CONFIG);
	add_ports(KEYBOARD_PORT, 1, vpower_keyboard_access, &power,
		  STAT_CAUSE_POWER);
	add_ports(NMI_STATUS_PORT, 1, nmi_status_access, NULL, STAT_CAUSE_NONE);
	add_memory(GUEST_IOAPIC, PAGE_SIZE, vioapic_access, &ioapic,
		   STAT_CAUSE_IOAPIC);
	add_memory(GUEST_ECAM, GUEST_ECAM_SIZE, vpci_access, bus,
		   STAT_CAUSE_PCI_CONFIG);
}
