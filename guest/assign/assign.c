/* This file leads from the requests of assign= to devices on the guest's bus,
 * and opens VT-d for them. */
#include "guest/assign/assign.h"
#include "drivers/pci/groups.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/sriov.h"
#include "guest/assign/bars.h"
#include "guest/assign/irq.h"
#include "guest/assign/pf_domain.h"
#include "guest/assign/stop.h"
#include "guest/assign/table.h"
#include "guest/assign/whole.h"
#include "hv/alloc.h"
#include "hv/guest_layout.h"
#include "hv/log.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/vmx.h"
#include "vtd/context.h"
#include "vtd/reserved.h"
#include "vtd/second_level.h"

_Static_assert(ASSIGN_MAX <= VPCI_MAX_FUNCTIONS, "all have a place");
#define GUEST_DOMAIN_ID 1

static struct vtd_domain domain = {.id = GUEST_DOMAIN_ID};

/* Function-level reset, and what the PF has to do after it. */
static int reset_assigned(const struct assigned *a)
{
	int err = assigned_flr(a);

	if (!err)
		err = assigned_service(a);
	if (err || !a->pf_driver || !a->pf_driver->after_reset)
		return err;
	return a->pf_driver->after_reset(a->fn);
}

/* As many VFs as reach the last one of @pf that is the guest's. */
static u16 vfs_wanted(const struct pci_function *pf)
{
	u16 count = 0;

	for (unsigned int i = 0; i < assigned_count; i++)
		if (assigned[i].pf == pf)
			count = MAX(count, assigned[i].vf + 1);
	return count;
}

static int start_pf(struct pci_function *pf, const struct pf_driver *driver)
{
	u16 count = vfs_wanted(pf);
	int err = assigned_map_for_host(pf);

	if (!err)
		err = pf_start(pf, driver, count);
	return err ? err : sriov_enable(pf, count);
}

/* Enable the VF, and those that come before it, if they are not yet. */
static int find_vf(struct assigned *a)
{
	int err;

	a->pf_driver = pf_driver_for(a->pf);
	if (!a->pf_driver) {
		hv_log("assign: " PCI_FMT " (%04x:%04x): Gangway has no driver "
		       "for this physical function\n",
		       PCI_ARG(a->pf->addr), a->pf->vendor, a->pf->device);
		return -EOPNOTSUPP;
	}
	if (!sriov_vf(a->pf, 0)) {
		err = start_pf(a->pf, a->pf_driver);
		if (err)
			return err;
	}
	a->fn = sriov_vf(a->pf, a->vf);
	if (a->fn)
		return 0;
	hv_log("assign: " PCI_FMT " has no VF %u\n", PCI_ARG(a->pf->addr),
	       a->vf);
	return -ENODEV;
}

/* What assign= says of the network interface. */
static int set_identity(struct assigned *a)
{
	const struct assign_request *request = a->request;
	const struct pf_driver *driver = a->pf_driver;

	if (!request->has_mac && !request->vlan)
		return 0;
	if (!driver || !driver->set_mac || !driver->set_vlan) {
		hv_log("assign: " PCI_FMT ": mac= and vlan= are for VFs of a "
		       "network card\n",
		       PCI_ARG(a->fn->addr));
		return -EINVAL;
	}
	if (request->vlan)
		driver->set_vlan(a->fn, request->vlan);
	return request->has_mac ? driver->set_mac(a->fn, request->mac) : 0;
}

/* What the guest could command by the VF's own queues, and reach by that what
 * is not its own: VT-d cannot see it. */
static int check_reach(const struct assigned *a, bool allow_unsafe)
{
	int err = pf_check_vf(a->fn, a->pf_driver, !allow_unsafe);

	if (err != -EPERM)
		return err;
	if (allow_unsafe) {
		hv_log("assign: WARNING: " PCI_FMT " IS ASSIGNED ALL THE SAME "
		       "(allow-unsafe-commands=yes): THE GUEST CAN COMMAND "
		       "WHAT REACHES BEYOND IT, SUCH AS DATA OF ALL THE "
		       "DRIVE\n",
		       PCI_ARG(a->fn->addr));
		return 0;
	}
	hv_log("assign: " PCI_FMT " is refused. Use a device whose VFs do not "
	       "take such commands; or set allow-unsafe-commands=yes in "
	       "gangway.cfg: the guest can then read, change and erase what "
	       "is not its own, such as all of the drive\n",
	       PCI_ARG(a->fn->addr));
	return err;
}

static int make_vf_ready(struct assigned *a, bool allow_unsafe)
{
	char identity[80];
	int err = find_vf(a);

	if (err)
		return err;
	pci_enable_path(a->fn);
	err = set_identity(a);
	if (!err)
		err = assigned_map_for_host(a->fn);
	if (!err)
		err = a->pf_driver->enable_vf(a->fn);
	if (!err)
		err = check_reach(a, allow_unsafe);
	/* Nothing of what it did before is left in it */
	if (!err)
		err = reset_assigned(a);
	if (err)
		return err;
	pci_write16(a->fn, PCI_COMMAND, PCI_COMMAND_MEMORY);
	a->pf_driver->describe_vf(a->fn, identity, sizeof(identity));
	hv_log("%s: " PCI_FMT ": VF %u of " PCI_FMT ", %s\n",
	       a->pf_driver->name, PCI_ARG(a->fn->addr), a->vf,
	       PCI_ARG(a->pf->addr), identity);
	return 0;
}

static int make_whole_ready(struct assigned *a)
{
	int err = set_identity(a);

	return err ? err : assigned_make_whole_ready(a);
}

static void reset_function(struct vpci_function *v)
{
	struct assigned *a = v->ctx;

	if (reset_assigned(a))
		assigned_lose(a, "it did not come back from its reset");
	else
		vpci_reset(v);
}

static int put_on_bus(struct assigned *a, struct vpci_bus *bus)
{
	static const struct vpci_backend backend = {assigned_map_bar,
						    reset_function};
	int err = vpci_init(&a->vpci, a->fn, (bus->count + 1) << 3,
			    a->msi.cap ? &a->msi : NULL,
			    a->msix.vectors ? &a->msix : NULL, &assigned_room,
			    &backend, a);

	if (!err)
		bus->function[bus->count++] = &a->vpci;
	return err;
}

int assign_prepare(const struct assign_request *request, unsigned int count,
		   bool allow_unsafe, struct vpci_bus *bus)
{
	int err = 0;

	/* All of them first: a PF's number of VFs is set once */
	for (unsigned int i = 0; !err && i < count; i++)
		err = assigned_add(&request[i]);
	for (unsigned int i = 0; !err && i < assigned_count; i++)
		if (!assigned[i].pf)
			err = assigned_check_whole(&assigned[i]);
	for (unsigned int i = 0; !err && i < assigned_count; i++) {
		err = assigned[i].pf ? make_vf_ready(&assigned[i], allow_unsafe)
				     : make_whole_ready(&assigned[i]);
		if (!err)
			err = assigned_init_interrupts(&assigned[i]);
		if (!err)
			err = assigned_find_trapped_pages(&assigned[i]);
		if (!err)
			err = put_on_bus(&assigned[i], bus);
	}
	return err;
}

void assign_high_window(u64 *start, u64 *end)
{
	*start = assigned_room.high_start;
	*end = assigned_room.high_end;
}

static bool is_driven(const struct pci_function *fn)
{
	for (unsigned int i = 0; i < assigned_count; i++)
		if (assigned[i].pf &&
		    (assigned[i].pf == fn || assigned[i].pf == fn->pf))
			return true;
	return false;
}

/* Parts of the chipset, of which firmware or Gangway may use one, and screens:
 * bridges, memory controllers, communication (management engine, serial
 * ports), system peripherals, SMBus. */
static bool must_decode(const struct pci_function *fn)
{
	u8 class = fn->class >> 16;

	return class == PCI_CLASS_DISPLAY || class == 0x05 ||
	       class == PCI_CLASS_BRIDGE || class == 0x07 || class == 0x08 ||
	       fn->class >> 8 == 0x0c05;
}

/* A PF that Gangway drives, and its other VFs, are held by what they are. */
static enum group_hold hold(struct pci_function *fn)
{
	u16 command = pci_read16(fn, PCI_COMMAND);

	if (is_driven(fn))
		return GROUP_DECODES;
	if (vtd_kept(fn))
		return GROUP_FREE;
	/* The chipset's own may not let go of the bit; VT-d blocks them */
	if (must_decode(fn))
		return GROUP_DECODES;
	if (command & PCI_COMMAND_MASTER)
		return GROUP_FREE;
	pci_write16(fn, PCI_COMMAND,
		    command & (u16) ~(PCI_COMMAND_MEMORY | PCI_COMMAND_IO));
	return GROUP_CLOSED;
}

int assign_check_groups(bool strict, bool allow_unsafe)
{
	const struct pci_function *fn[ASSIGN_MAX];

	for (unsigned int i = 0; i < assigned_count; i++)
		fn[i] = assigned[i].fn;
	if (strict || allow_unsafe)
		return groups_check(fn, assigned_count, allow_unsafe);
	return groups_check_held(fn, assigned_count, hold);
}

static bool has_high_bar(const struct vpci_function *v)
{
	for (unsigned int i = 0; i < PCI_BARS; i++)
		if (v->bar[i].high)
			return true;
	return false;
}

bool assign_reserve_tables(void)
{
	unsigned int high = 0;

	for (unsigned int i = 0; i < assigned_count; i++)
		high += has_high_bar(&assigned[i].vpci);
	return page_reserve(assigned_table_pages(assigned_count, high,
						 vmx.ept_vpid_cap & EPT_CAP_2M),
			    PAGES_EPT);
}

int assign_attach(void)
{
	int err = vtd_domain_init(&domain, GUEST_DOMAIN_ID, &guest.map);

	for (unsigned int i = 0; !err && i < assigned_count; i++) {
		assigned[i].domain = &domain;
		err = vtd_attach(&domain, assigned[i].fn);
		if (!err)
			hv_log("assign: " PCI_FMT " is the guest's "
			       "0000:00:%02x.0\n",
			       PCI_ARG(assigned[i].fn->addr),
			       PCI_DEV(assigned[i].vpci.devfn));
	}
	return err;
}

void assign_stop(void)
{
	for (unsigned int i = 0; i < assigned_count; i++)
		assigned_stop(&assigned[i]);
	pf_stop_all();
}
