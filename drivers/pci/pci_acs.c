/*
 * Access Control Services.  A switch, a root port or a device of several
 * functions may hand a memory request over to a neighbour; the remapping unit
 * in the root complex then never sees it.  With ACS on, it goes up first.
 */
#include "drivers/pci/pci_acs.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_caps.h"
#include "drivers/pci/pci_facts.h"
#include "hv/log.h"

/* The capability, offsets from its start (7.7.8) */
#define ACS_CAPABILITY 0x04 /* 16 bits */
#define ACS_SOURCE_VALIDATION BIT(0)
#define ACS_REQUEST_REDIRECT BIT(2)
#define ACS_COMPLETION_REDIRECT BIT(3)
#define ACS_UPSTREAM_FORWARDING BIT(4)
#define ACS_WANTED                                                             \
	((u16)(ACS_SOURCE_VALIDATION | ACS_REQUEST_REDIRECT |                  \
	       ACS_COMPLETION_REDIRECT | ACS_UPSTREAM_FORWARDING))

#define VENDOR_INTEL 0x8086

/* 32 bits each in ports of the 100 and 200 series */
#define WIDE_ACS_CONTROL 0x08
#define WIDE_ACS_SIZE 12

/* Miscellaneous port configuration of older ports (6 series datasheet 19.1.41):
 * requests with a bus number that is not behind the port are dropped */
#define PCH_MPC 0xd8
#define PCH_MPC_BUS_CHECK BIT(26)

static bool pch_distrusted;

void pci_acs_distrust_pch(void)
{
	pch_distrusted = true;
}

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

static bool is_wide(const struct pci_function *fn)
{
	return pcie_type(fn) == PCIE_PORT_ROOT &&
	       pci_facts(fn) & PCI_FACT_WIDE_ACS;
}

static bool is_pch_port(const struct pci_function *fn)
{
	return pcie_type(fn) == PCIE_PORT_ROOT &&
	       pci_facts(fn) & PCI_FACT_PCH_PORT;
}

static u16 find_acs(const struct pci_function *fn)
{
	u16 cap = 0;

	if (pcie_type(fn) >= 0)
		cap = pci_find_ext_cap(fn, PCI_EXT_CAP_ACS);
	return cap <= PCI_CONFIG_SIZE - WIDE_ACS_SIZE ? cap : 0;
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

static u16 control_of(const struct pci_function *fn, u16 cap)
{
	return cap + (is_wide(fn) ? WIDE_ACS_CONTROL : PCI_ACS_CONTROL);
}

static bool is_on(const struct pci_function *fn, u16 cap)
{
	u16 bits = wanted(fn, cap);

	return (pci_read16(fn, control_of(fn, cap)) & bits) == bits;
}

static void turn_on(const struct pci_function *fn, u16 cap)
{
	u16 at = control_of(fn, cap);

	if (is_wide(fn))
		pci_write32(fn, at, pci_read32(fn, at) | wanted(fn, cap));
	else
		pci_write16(fn, at, pci_read16(fn, at) | wanted(fn, cap));
}

void pci_acs_enable(void)
{
	unsigned int count, on = 0;
	struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++) {
		u16 cap = find_acs(&fn[i]);

		if (is_pch_port(&fn[i]))
			pci_write32(&fn[i], PCH_MPC,
				    pci_read32(&fn[i], PCH_MPC) |
					    (u32)PCH_MPC_BUS_CHECK);
		if (!cap)
			continue;
		turn_on(&fn[i], cap);
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
	if (is_pch_port(fn))
		return !pch_distrusted;
	/* Intel's root complexes send what their own endpoints ask of each
	 * other through the remapping unit (VT-d 3.16). */
	return (fn->vendor == VENDOR_INTEL && type == PCIE_ROOT_ENDPOINT) ||
	       pci_facts(fn) & PCI_FACT_NO_PEERS;
}

bool pci_acs_isolates(const struct pci_function *fn)
{
	int type = pcie_type(fn);
	u16 cap;

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
