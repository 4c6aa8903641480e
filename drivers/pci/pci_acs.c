/*
 * Access Control Services.  A switch, a root port or a device of several
 * functions may hand a memory request over to a neighbour; the remapping unit
 * in the root complex then never sees it.  With ACS on, it goes up first.
 */
#include "drivers/pci/pci_acs.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_caps.h"
#include "hv/log.h"

/* The capability, offsets from its start (7.7.8) */
#define ACS_CAPABILITY 0x04 /* 16 bits */
#define ACS_CONTROL 0x06    /* 16 bits, the same places */
#define ACS_SOURCE_VALIDATION BIT(0)
#define ACS_REQUEST_REDIRECT BIT(2)
#define ACS_COMPLETION_REDIRECT BIT(3)
#define ACS_UPSTREAM_FORWARDING BIT(4)
#define ACS_SIZE 8
#define ACS_WANTED                                                             \
	((u16)(ACS_SOURCE_VALIDATION | ACS_REQUEST_REDIRECT |                  \
	       ACS_COMPLETION_REDIRECT | ACS_UPSTREAM_FORWARDING))

#define VENDOR_INTEL 0x8086

/* Cards of several functions without ACS, of which Intel says that none of
 * their functions reaches another: the 82576 in all its forms. */
static const u16 no_peer_to_peer[] = {0x10c9, 0x10e6, 0x10e7, 0x10e8,
				      0x150a, 0x150d, 0x1518, 0x1526};

int pcie_type(const struct pci_function *fn)
{
	u16 cap = pci_find_cap(fn, PCI_CAP_PCIE);

	return cap ? pci_read16(fn, cap + PCIE_FLAGS) >> 4 & 0xf : -1;
}

bool pci_is_multi_function(const struct pci_function *fn)
{
	return !fn->pf &&
	       (PCI_FN(fn->addr.devfn) ||
		pci_read8(fn, PCI_HEADER_TYPE) & PCI_HEADER_MULTI_FUNCTION);
}

static u16 find_acs(const struct pci_function *fn)
{
	u16 cap = 0;

	if (pcie_type(fn) >= 0)
		cap = pci_find_ext_cap(fn, PCI_EXT_CAP_ACS);
	return cap <= PCI_CONFIG_SIZE - ACS_SIZE ? cap : 0;
}

bool pci_has_acs(const struct pci_function *fn)
{
	return find_acs(fn) != 0;
}

/* What of @cap is wanted and there.  What a port has not it need not control:
 * it does so always, or has no such traffic (6.12.1.1). */
static u16 wanted(const struct pci_function *fn, u16 cap)
{
	return pci_read16(fn, cap + ACS_CAPABILITY) & ACS_WANTED;
}

static bool is_on(const struct pci_function *fn, u16 cap)
{
	u16 bits = wanted(fn, cap);

	return (pci_read16(fn, cap + ACS_CONTROL) & bits) == bits;
}

void pci_acs_enable(void)
{
	unsigned int count, on = 0;
	struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++) {
		u16 cap = find_acs(&fn[i]);

		if (!cap)
			continue;
		pci_write16(&fn[i], cap + ACS_CONTROL,
			    pci_read16(&fn[i], cap + ACS_CONTROL) |
				    wanted(&fn[i], cap));
		if (is_on(&fn[i], cap))
			on++;
		else
			hv_log("acs: " PCI_FMT ": control register does not "
			       "keep %04x\n",
			       PCI_ARG(fn[i].addr), wanted(&fn[i], cap));
	}
	hv_log("acs: on in %u of %u functions\n", on, count);
}

/* What does not need ACS by what is known of it. */
static bool needs_no_acs(const struct pci_function *fn, int type)
{
	if (fn->vendor != VENDOR_INTEL)
		return false;
	/* Intel's root complexes send what their own endpoints ask of each
	 * other through the remapping unit (VT-d 3.16). */
	if (type == PCIE_ROOT_ENDPOINT)
		return true;
	for (unsigned int i = 0; i < ARRAY_SIZE(no_peer_to_peer); i++)
		if (fn->device == no_peer_to_peer[i])
			return true;
	return false;
}

bool pci_acs_isolates(const struct pci_function *fn)
{
	int type = pcie_type(fn);
	u16 cap;

	if (type < 0)
		return false;
	if (needs_no_acs(fn, type))
		return true;
	switch (type) {
	case PCIE_PORT_ROOT:
	case PCIE_PORT_DOWNSTREAM:
		break;
	case PCIE_ENDPOINT:
	case PCIE_LEGACY_ENDPOINT:
	case PCIE_ROOT_ENDPOINT:
	case PCIE_PORT_UPSTREAM:
		if (!pci_is_multi_function(fn))
			return true; /* 6.12.1.3 */
		break;
	default:
		/* Bridges to and from PCI, event collectors: no ACS there */
		return false;
	}
	cap = find_acs(fn);
	return cap && is_on(fn, cap);
}
