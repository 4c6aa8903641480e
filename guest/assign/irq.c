/*
 * Interrupts of the guest's functions: the message that the guest wrote becomes
 * an interrupt remapping entry, and the function sends a message that names
 * that entry (VT-d 5.1.2).
 */
#include "guest/assign/irq.h"
#include "guest/assign/assigned.h"
#include "hv/apic.h"
#include "hv/log.h"
#include "hv/vmx/guest.h"
#include "vtd/irte.h"
#include "vtd/unit.h"

/* MSI messages as the guest writes them (Intel SDM 3A 10.11) */
#define MSI_ADDRESS_BASE 0xfee00000
#define MSI_DESTINATION(a) ((u8)((a) >> 12))
#define MSI_REDIRECTION_HINT BIT(3)
#define MSI_LOGICAL BIT(2)
#define MSI_VECTOR(d) ((u8)(d))
#define MSI_DELIVERY(d) ((d) >> 8 & 7)
#define MSI_LEVEL BIT(15)
#define LOWEST_PRIORITY 1

/* MSI, all of MSI-X, and the IOAPIC's; all may be below one unit */
_Static_assert(ASSIGN_MAX * (1 + MSIX_MAX_VECTORS) + 1 <= VTD_IRT_ENTRIES,
	       "every message has an entry");

static bool message_allowed(const struct msix_entry *e)
{
	return (e->address & ~0xfffffULL) == MSI_ADDRESS_BASE &&
	       !(e->address & MSI_LOGICAL) &&
	       guest_has_apic_id(MSI_DESTINATION(e->address)) &&
	       MSI_VECTOR(e->data) >= APIC_FIRST_VECTOR &&
	       MSI_DELIVERY(e->data) <= LOWEST_PRIORITY &&
	       !(e->data & MSI_LEVEL);
}

/* Point entry @irte to where the guest's message goes, and give the message
 * that reaches the entry. */
static int route(int irte, const struct msix_entry *e, u64 *address, u32 *data)
{
	struct vtd_interrupt interrupt = {
		.destination = MSI_DESTINATION(e->address),
		.vector = MSI_VECTOR(e->data),
		.delivery_mode = MSI_DELIVERY(e->data),
		.redirection_hint = e->address & MSI_REDIRECTION_HINT,
	};
	int err;

	if (!message_allowed(e))
		return -EINVAL;
	err = vtd_irte_set(irte, &interrupt);
	if (err)
		return err;
	vtd_message(irte, address, data);
	return 0;
}

static int route_msix(void *ctx, unsigned int index, const struct msix_entry *e,
		      u64 *address, u32 *data)
{
	const struct assigned *a = ctx;

	return route(a->irte[index], e, address, data);
}

static int route_msi(void *ctx, unsigned int index, const struct msix_entry *e,
		     u64 *address, u32 *data)
{
	const struct assigned *a = ctx;

	(void)index; /* there is one */
	return route(a->msi_irte, e, address, data);
}

static int allocate(const struct assigned *a, int *irte)
{
	*irte = vtd_irte_alloc(a->fn);
	if (*irte >= 0)
		return 0;
	hv_log("assign: " PCI_FMT ": no interrupt remapping entry left (%d)\n",
	       PCI_ARG(a->fn->addr), *irte);
	return *irte;
}

static int init_msi(struct assigned *a)
{
	struct msix_backend backend = {route_msi, a};
	int err = msi_init(&a->msi, a->fn, backend);

	return err ? err : allocate(a, &a->msi_irte);
}

static int init_msix(struct assigned *a)
{
	struct msix_backend backend = {route_msix, a};
	int err = msix_init(&a->msix, a->fn, backend);

	for (unsigned int i = 0; !err && i < a->msix.vectors; i++)
		err = allocate(a, &a->irte[i]);
	return err;
}

int assigned_init_interrupts(struct assigned *a)
{
	int err = init_msi(a);

	if (!err || err == -ENODEV)
		err = init_msix(a);
	return err == -ENODEV ? 0 : err;
}

void assigned_free_interrupts(struct assigned *a)
{
	if (a->msi.cap)
		vtd_irte_free(a->msi_irte);
	for (unsigned int i = 0; i < a->msix.vectors; i++)
		vtd_irte_free(a->irte[i]);
}
