/* This file masks what chipsets report of faults beside the remapping unit's
 * own reports. */
#include "vtd/platform_errors.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_caps.h"
#include "hv/host_paging.h"
#include "hv/log.h"
#include "hv/mmio.h"

#define INTEL 0x8086

/* Intel Xeon E5-1600/2600 datasheet volume 2: VTUNCERRMSK */
#define CORE_MASK 0x1ac
#define CORE_MASK_FAULTS BIT(31)

/* Same, XPUNCERRMSK: a completion with Unsupported Request was sent */
#define PORT_MASK 0x20c
#define PORT_MASK_UNSUPPORTED BIT(4)

/* Advanced error reporting (PCIe 7.8.4) */
#define AER_UNCORRECTABLE_MASK 0x08
#define AER_UNSUPPORTED_REQUEST BIT(20)
#define AER_CORRECTABLE_MASK 0x14
#define AER_ADVISORY BIT(13)
#define AER_SIZE 0x48

/* Client processors: registers of DMI, by the host bridge (2nd generation Core
 * datasheet volume 2, 2.5.16) */
#define DMIBAR 0x68
#define DMIBAR_ON BIT(0)
#define DMIBAR_ADDRESS 0x7ffffff000ULL
#define DMI_UNCORRECTABLE_MASK 0x1c8

enum kind {
	CORE, /* the function of the IIO that reports for VT-d */
	PORT, /* host bridges and root ports of the same */
	DMI,
};

static const struct {
	u16 first, last; /* device IDs */
	u8 kind;
} table[] = {
	/* Tylersburg, Jasper Forest, Sandy Bridge-EP, Ivy Bridge-EP */
	{0x342e, 0x342e, CORE},
	{0x3728, 0x3728, CORE},
	{0x3c28, 0x3c28, CORE},
	{0x0e28, 0x0e28, CORE},
	{0x3400, 0x3411, PORT},
	{0x3420, 0x3421, PORT},
	{0x3700, 0x370f, PORT},
	{0x3720, 0x3724, PORT},
	{0x3c00, 0x3c0b, PORT},
	/* Sandy Bridge, Ivy Bridge */
	{0x0100, 0x0100, DMI},
	{0x0104, 0x0104, DMI},
	{0x0108, 0x0108, DMI},
	{0x0150, 0x0150, DMI},
	{0x0154, 0x0154, DMI},
	{0x0158, 0x0158, DMI},
	/* Haswell */
	{0x0a00, 0x0a00, DMI},
	{0x0a04, 0x0a04, DMI},
	{0x0a08, 0x0a08, DMI},
	{0x0a0f, 0x0a0f, DMI},
	{0x0c00, 0x0c00, DMI},
	{0x0c04, 0x0c04, DMI},
	{0x0c08, 0x0c08, DMI},
	{0x0c0f, 0x0c0f, DMI},
	{0x0d00, 0x0d00, DMI},
	{0x0d04, 0x0d04, DMI},
	{0x0d08, 0x0d08, DMI},
	{0x0d0f, 0x0d0f, DMI},
	/* Broadwell, Skylake */
	{0x1600, 0x1600, DMI},
	{0x1604, 0x1604, DMI},
	{0x1608, 0x1608, DMI},
	{0x160f, 0x160f, DMI},
	{0x1610, 0x1610, DMI},
	{0x1614, 0x1614, DMI},
	{0x1618, 0x1618, DMI},
	{0x1900, 0x1904, DMI},
	{0x1908, 0x1908, DMI},
	{0x190c, 0x1910, DMI},
	{0x1918, 0x191f, DMI},
};

static void set_bits(const struct pci_function *fn, u16 reg, u64 bits)
{
	pci_write32(fn, reg, pci_read32(fn, reg) | (u32)bits);
}

static bool mask_core(const struct pci_function *fn)
{
	set_bits(fn, CORE_MASK, CORE_MASK_FAULTS);
	return true;
}

static bool mask_port(const struct pci_function *fn)
{
	u16 aer = pci_find_ext_cap(fn, PCI_EXT_CAP_AER);

	if (aer && aer <= PCI_CONFIG_SIZE - AER_SIZE) {
		set_bits(fn, aer + AER_UNCORRECTABLE_MASK,
			 AER_UNSUPPORTED_REQUEST);
		set_bits(fn, aer + AER_CORRECTABLE_MASK, AER_ADVISORY);
	}
	set_bits(fn, PORT_MASK, PORT_MASK_UNSUPPORTED);
	return true;
}

static bool mask_dmi(const struct pci_function *fn)
{
	u64 bar = pci_read32(fn, DMIBAR) | (u64)pci_read32(fn, DMIBAR + 4)
						   << 32;
	volatile u8 *regs = (volatile u8 *)(bar & DMIBAR_ADDRESS);
	volatile u8 *mask = regs + DMI_UNCORRECTABLE_MASK;

	if (!(bar & DMIBAR_ON) || !regs ||
	    host_map_device((hpa_t)regs, PAGE_SIZE))
		return false;
	mmio_write32(mask, mmio_read32(mask) | (u32)AER_UNSUPPORTED_REQUEST);
	return true;
}

static void mask(const struct pci_function *fn)
{
	static bool (*const by_kind[])(const struct pci_function *fn) = {
		[CORE] = mask_core,
		[PORT] = mask_port,
		[DMI] = mask_dmi,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++)
		if (fn->device >= table[i].first &&
		    fn->device <= table[i].last && by_kind[table[i].kind](fn))
			hv_log("vtd: " PCI_FMT " (%04x:%04x) makes no system "
			       "errors of VT-d's faults any more\n",
			       PCI_ARG(fn->addr), fn->vendor, fn->device);
}

void vtd_mask_platform_errors(void)
{
	unsigned int count;
	const struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++)
		if (fn[i].vendor == INTEL && !fn[i].parent)
			mask(&fn[i]);
}
