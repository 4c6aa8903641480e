/* Claims about what becomes of a guest's MSI message. */
#include "hv/vmx/guest.h"
#include "vtd/irte.h"

static bool is_guests;
static u32 asked;
static struct vtd_interrupt set;
static int set_at, named;
static unsigned int sets;

/* In place of the guest's processors: one has the ID, or none */
static bool has_apic_id(u32 apic_id)
{
	asked = apic_id;
	return is_guests;
}

/* In place of the remapping unit */
static int set_entry(int index, const struct vtd_interrupt *interrupt)
{
	set_at = index;
	set = *interrupt;
	sets++;
	return 0;
}

static void name_entry(int index, u64 *address, u32 *data)
{
	(void)address;
	(void)data;
	named = index;
}

#define guest_has_apic_id has_apic_id
#define vtd_irte_set set_entry
#define vtd_message name_entry
#include "guest/assign/irq.c"
#include "tests/prove/fields.h"

/* Intel SDM 3A 10.11: address FEEh 31:20, destination 19:12, RH 3, DM 2; data:
 * vector 7:0, delivery mode 10:8, trigger mode 15.  Passed on if fixed or
 * lowest priority, edge, physical, to a processor of the guest's, with a vector
 * from 16 on; nothing else is. */
bool claim_guest_message(u64 address, u32 data, bool present, int index)
{
	struct msix_entry entry = {address, data, 0};
	bool good = FIELD(address, 63, 20) == 0xfee &&
		    FIELD(address, 2, 2) == 0 && present &&
		    FIELD(data, 7, 0) >= 16 && FIELD(data, 10, 8) <= 1 &&
		    FIELD(data, 15, 15) == 0;
	u64 real_address;
	u32 real_data;
	int err;

	is_guests = present;
	asked = sets = set_at = named = 0;
	set = (struct vtd_interrupt){0};
	err = route(index, &entry, &real_address, &real_data);
	if (!good)
		return err && !sets;
	return !err && sets == 1 && set_at == index && named == index &&
	       asked == FIELD(address, 19, 12) &&
	       set.destination == FIELD(address, 19, 12) &&
	       set.vector == FIELD(data, 7, 0) &&
	       set.delivery_mode == FIELD(data, 10, 8) && !set.logical &&
	       !set.level && set.redirection_hint == FIELD(address, 3, 3);
}
