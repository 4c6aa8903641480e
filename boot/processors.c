/*
 * This file asks the firmware's MP services protocol (Platform Initialization
 * Specification 1.7, volume 2, 13.4) for the machine's processors, because some
 * firmware has no MADT.
 */
#include "boot/processors.h"
#include "boot/console.h"
#include "boot/loader.h"

#define MP_SERVICES_GUID                                                       \
	{0x3fdda605,                                                           \
	 0xa76e,                                                               \
	 0x4f46,                                                               \
	 {0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08}}
#define PROCESSOR_ENABLED BIT(1)

struct processor_information {
	u64 id;
	u32 status;
	u32 location[3];
	u32 extended_location[6]; /* if asked for; we do not ask */
};
_Static_assert(offsetof(struct processor_information, location) == 12,
	       "EFI_PROCESSOR_INFORMATION");

/* As far as it is used here */
struct mp_services {
	EFI_STATUS(EFIAPI *get_number)
	(struct mp_services *self, UINTN *all, UINTN *enabled);
	EFI_STATUS(EFIAPI *get_information)
	(struct mp_services *self, UINTN number,
	 struct processor_information *information);
};

static void add(struct handover *handover, u64 apic_id)
{
	/* What does not fit an x2APIC's register is none */
	if (apic_id < UINT32_MAX &&
	    handover->cpus < ARRAY_SIZE(handover->apic_id))
		handover->apic_id[handover->cpus++] = (u32)apic_id;
}

void find_processors(struct handover *handover)
{
	EFI_GUID guid = MP_SERVICES_GUID;
	struct mp_services *mp;
	UINTN all = 0, enabled;

	if (EFI_ERROR(loader.bs->LocateProtocol(&guid, NULL, (void **)&mp)) ||
	    EFI_ERROR(mp->get_number(mp, &all, &enabled)))
		return;
	for (UINTN i = 0;
	     i < all && handover->cpus < ARRAY_SIZE(handover->apic_id); i++) {
		struct processor_information p = {0};

		if (!EFI_ERROR(mp->get_information(mp, i, &p)) &&
		    p.status & PROCESSOR_ENABLED)
			add(handover, p.id);
	}
}
