/* This file is COM1 as the guest's UART: what the guest sees, and the line
 * that interrupts it. */
#include "guest/com1.h"
#include "drivers/ioapic.h"
#include "guest/log_lines.h"
#include "guest/vuart.h"
#include "hv/console.h"
#include "hv/guest_layout.h"
#include "hv/host_paging.h"
#include "hv/log.h"
#include "hv/vmx/guest.h"
#include "vtd/irte.h"
#include "vtd/vtd.h"

#define COM1_ISA_IRQ 4

/* The real line */
static struct {
	hpa_t ioapic; /* 0: there is no line */
	unsigned int pin;
	int irte; /* with interrupt remapping */
} line;

static struct vuart uart;

static void uart_interrupt(void *ctx)
{
	vioapic_raise(ctx, GUEST_UART_IRQ);
}

/* As long as the guest's FIFO has room. */
static void take_input(void)
{
	int c;

	while (vuart_can_receive(&uart) && (c = console_guest_getc()) >= 0)
		vuart_receive(&uart, (u8)c);
}

/* COM1's line interrupts the guest, not us: the guest's handler reads, and
 * finds what has come. */
void com1_access(void *ctx, u64 offset, unsigned int size, bool write,
		 u64 *value)
{
	(void)ctx;
	if (!write)
		take_input();
	vuart_access(&uart, offset, size, write, value);
}

void com1_init(struct vioapic *ioapic)
{
	struct vuart_backend backend = {console_guest_putc, uart_interrupt,
					ioapic};

	if (!console_guest_has_port()) {
		hv_log("console: nothing answers at COM1: what the guest says "
		       "there is in the log, and it has no input\n");
		backend.put = log_lines_putc;
	}
	vuart_reset(&uart, backend);
}

/* The IOAPIC that has @gsi.  The lines of all are masked: firmware may have
 * left some open.  A server has an IOAPIC for each of its root complexes. */
static bool find_ioapic(const struct acpi_header *madt, u32 gsi,
			struct acpi_ioapic *found)
{
	struct acpi_ioapic ioapic;
	bool any = false;
	u32 at = 0;

	while (acpi_next_ioapic(madt, &at, &ioapic)) {
		if (host_map_device(ioapic.base, IOAPIC_SIZE))
			continue;
		ioapic_mask_all(ioapic.base);
		if (gsi - ioapic.gsi_base > ioapic_last_pin(ioapic.base))
			continue;
		*found = ioapic;
		any = true;
	}
	return any;
}

void com1_line_init(const struct acpi_header *madt)
{
	u32 gsi = madt ? acpi_isa_gsi(madt, COM1_ISA_IRQ) : 0;
	struct acpi_ioapic ioapic;

	if (!madt || !find_ioapic(madt, gsi, &ioapic)) {
		hv_log("console: no IOAPIC has COM1's line, so no input for "
		       "the guest\n");
		return;
	}
	if (!console_guest_listen())
		return;
	line.pin = gsi - ioapic.gsi_base;
	if (vtd_remapping()) {
		line.irte = vtd_irte_alloc_ioapic(ioapic.id);
		if (line.irte < 0) {
			hv_log("console: no interrupt remapping entry for the "
			       "IOAPIC: no input for the guest\n");
			return;
		}
	}
	line.ioapic = ioapic.base;
}

static bool is_allowed(const struct vioapic_route *r)
{
	return !r->logical && guest_has_apic_id(r->destination);
}

void com1_line_route(unsigned int pin, u64 rte)
{
	struct vioapic_route r;
	struct vtd_interrupt interrupt = {0};

	if (pin != GUEST_UART_IRQ || !line.ioapic)
		return;
	ioapic_mask(line.ioapic, line.pin);
	if (!vioapic_route(rte, &r) || !is_allowed(&r))
		return;
	interrupt.destination = r.destination;
	interrupt.vector = r.vector;
	if (!vtd_remapping())
		ioapic_route(line.ioapic, line.pin, r.destination, r.vector);
	else if (vtd_irte_set(line.irte, &interrupt) == 0)
		ioapic_route_remapped(line.ioapic, line.pin, (u16)line.irte,
				      r.vector);
	/* What came while the line was masked made no edge */
	take_input();
}
