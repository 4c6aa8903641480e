/*
 * Interrupts of the guest's functions: the message that the guest wrote becomes
 * an interrupt remapping entry, and the function sends a message that names
 * that entry (VT-d 5.1.2).
 */
#include "guest/assigned.h"
#include "hv/guest.h"
#include "hv/log.h"
#include "vtd/vtd.h"

/* MSI messages as the guest writes them (Intel SDM 3A 10.11) */
#define MSI_ADDRESS_BASE 0xfee00000
#define MSI_DESTINATION(a) ((u8)((a) >> 12))
#define MSI_REDIRECTION_HINT BIT(3)
#define MSI_LOGICAL BIT(2)
#define MSI_VECTOR(d) ((u8)(d))
#define MSI_DELIVERY(d) ((d) >> 8 & 7)
#define MSI_LEVEL BIT(15)
#define LOWEST_PRIORITY 1
#define FIRST_VECTOR 16 /* 0 to 15 are illegal (10.5.2) */

static bool message_allowed(const struct msix_entry *e)
{
	return (e->address & ~0xfffffULL) == MSI_ADDRESS_BASE &&
	       !(e->address & MSI_LOGICAL) &&
	       guest_has_apic_id(MSI_DESTINATION(e->address)) &&
	       MSI_VECTOR(e->data) >= FIRST_VECTOR &&
	       MSI_DELIVERY(e->data) <= LOWEST_PRIORITY &&
	       !(e->data & MSI_LEVEL);
}

static int route(void *ctx, unsigned int index, const struct msix_entry *e,
		 u64 *address, u32 *data)
{
	struct assigned *a = ctx;
	struct vtd_interrupt interrupt = {
		.destination = MSI_DESTINATION(e->address),
		.vector = MSI_VECTOR(e->data),
		.delivery_mode = MSI_DELIVERY(e->data),
		.redirection_hint = e->address & MSI_REDIRECTION_HINT,
	};
	int err;

	if (!message_allowed(e))
		return -EINVAL;
	err = vtd_irte_set(a->irte[index], &interrupt);
	if (err)
		return err;
	vtd_message(a->irte[index], address, data);
	return 0;
}

static int allocate_irtes(struct assigned *a)
{
	for (unsigned int i = 0; i < a->msix.vectors; i++) {
		a->irte[i] = vtd_irte_alloc(a->fn);
		if (a->irte[i] < 0) {
			hv_log("assign: " PCI_FMT ": no interrupt remapping "
			       "entry for vector %u (%d)\n",
			       PCI_ARG(a->fn->addr), i, a->irte[i]);
			return a->irte[i];
		}
	}
	return 0;
}

int assigned_init_interrupts(struct assigned *a)
{
	struct msix_backend backend = {route, a};
	int err = msix_init(&a->msix, a->fn, backend);

	return err ? err : allocate_irtes(a);
}

void assigned_free_interrupts(struct assigned *a)
{
	for (unsigned int i = 0; i < a->msix.vectors; i++)
		vtd_irte_free(a->irte[i]);
}
