/*
 * This file has a table of facts, nearly all from Linux's quirks of PCI devices
 * (quirks.c and, for x86, fixup.c), where each has its report.
 */
#include "drivers/pci/pci_facts.h"

#define INTEL 0x8086
#define AMD 0x1022
#define BROADCOM 0x14e4
#define EMULEX 0x10df
#define HIGHPOINT 0x1103
#define JMICRON 0x197b
#define LITE_ON 0x1c28
#define MARVELL 0x1b4b
#define MEDIATEK 0x14c3
#define RICOH 0x1180
#define SERVERENGINES 0x19a2
#define SAMSUNG 0x144d
#define SOLARFLARE 0x1924
#define SOLIDIGM 0x025e
#define WANGXUN 0x8088

static const struct {
	u16 vendor, first, last; /* device IDs */
	u16 facts;
} table[] = {
	/* Network cards of several functions without ACS: 82571, 82575 */
	{INTEL, 0x105e, 0x1060, PCI_FACT_NO_PEERS},
	{INTEL, 0x10d9, 0x10d9, PCI_FACT_NO_PEERS},
	{INTEL, 0x10a7, 0x10a7, PCI_FACT_NO_PEERS},
	{INTEL, 0x10a9, 0x10a9, PCI_FACT_NO_PEERS},
	{INTEL, 0x10d6, 0x10d6, PCI_FACT_NO_PEERS},
	/* 82576 */
	{INTEL, 0x10c9, 0x10c9, PCI_FACT_NO_PEERS},
	{INTEL, 0x10e6, 0x10e8, PCI_FACT_NO_PEERS},
	{INTEL, 0x150a, 0x150a, PCI_FACT_NO_PEERS},
	{INTEL, 0x150d, 0x150d, PCI_FACT_NO_PEERS},
	{INTEL, 0x1518, 0x1518, PCI_FACT_NO_PEERS},
	{INTEL, 0x1526, 0x1526, PCI_FACT_NO_PEERS},
	/* 82580 */
	{INTEL, 0x1509, 0x1509, PCI_FACT_NO_PEERS},
	{INTEL, 0x150e, 0x1511, PCI_FACT_NO_PEERS},
	{INTEL, 0x1516, 0x1516, PCI_FACT_NO_PEERS},
	{INTEL, 0x1527, 0x1527, PCI_FACT_NO_PEERS},
	/* 82598, 82599, X540 */
	{INTEL, 0x10c6, 0x10c6, PCI_FACT_NO_PEERS},
	{INTEL, 0x10db, 0x10db, PCI_FACT_NO_PEERS},
	{INTEL, 0x10dd, 0x10dd, PCI_FACT_NO_PEERS},
	{INTEL, 0x10e1, 0x10e1, PCI_FACT_NO_PEERS},
	{INTEL, 0x10f1, 0x10f1, PCI_FACT_NO_PEERS},
	{INTEL, 0x10f7, 0x10fc, PCI_FACT_NO_PEERS},
	{INTEL, 0x1507, 0x1507, PCI_FACT_NO_PEERS},
	{INTEL, 0x1514, 0x1514, PCI_FACT_NO_PEERS},
	{INTEL, 0x151c, 0x151c, PCI_FACT_NO_PEERS},
	{INTEL, 0x1529, 0x152a, PCI_FACT_NO_PEERS},
	{INTEL, 0x154d, 0x154d, PCI_FACT_NO_PEERS},
	{INTEL, 0x154f, 0x154f, PCI_FACT_NO_PEERS},
	{INTEL, 0x1551, 0x1551, PCI_FACT_NO_PEERS},
	{INTEL, 0x1558, 0x1558, PCI_FACT_NO_PEERS},
	/* I350, I219 */
	{INTEL, 0x1521, 0x1524, PCI_FACT_NO_PEERS},
	{INTEL, 0x15b7, 0x15b8, PCI_FACT_NO_PEERS},
	{BROADCOM, 0x16d7, 0x16d7, PCI_FACT_NO_PEERS},
	{BROADCOM, 0x1750, 0x1752, PCI_FACT_NO_PEERS},
	{BROADCOM, 0x1760, 0x1763, PCI_FACT_NO_PEERS},
	{EMULEX, 0x0720, 0x0720, PCI_FACT_NO_PEERS},
	{SERVERENGINES, 0x0710, 0x0710, PCI_FACT_NO_PEERS},
	{SOLARFLARE, 0x0903, 0x0903, PCI_FACT_NO_PEERS},
	{SOLARFLARE, 0x0923, 0x0923, PCI_FACT_NO_PEERS},
	{SOLARFLARE, 0x0a03, 0x0a03, PCI_FACT_NO_PEERS},
	{WANGXUN, 0x0100, 0x010f, PCI_FACT_NO_PEERS},
	{WANGXUN, 0x1001, 0x1001, PCI_FACT_NO_PEERS},
	{WANGXUN, 0x2001, 0x2001, PCI_FACT_NO_PEERS},

	/* Root ports of Intel's chipsets: 5 series */
	{INTEL, 0x3b42, 0x3b51, PCI_FACT_PCH_PORT},
	/* 6 and 7 series, C600 and X79 */
	{INTEL, 0x1c10, 0x1c1f, PCI_FACT_PCH_PORT},
	{INTEL, 0x1e10, 0x1e1f, PCI_FACT_PCH_PORT},
	{INTEL, 0x1d10, 0x1d1f, PCI_FACT_PCH_PORT},
	/* 8 and 9 series, C610 and X99 */
	{INTEL, 0x8c10, 0x8c1f, PCI_FACT_PCH_PORT},
	{INTEL, 0x9c10, 0x9c1b, PCI_FACT_PCH_PORT},
	{INTEL, 0x8c90, 0x8c9f, PCI_FACT_PCH_PORT},
	{INTEL, 0x9c90, 0x9c9b, PCI_FACT_PCH_PORT},
	{INTEL, 0x8d10, 0x8d1f, PCI_FACT_PCH_PORT},
	/* 100 and 200 series */
	{INTEL, 0xa110, 0xa11f, PCI_FACT_WIDE_ACS},
	{INTEL, 0xa167, 0xa16a, PCI_FACT_WIDE_ACS},
	{INTEL, 0xa290, 0xa29f, PCI_FACT_WIDE_ACS},
	{INTEL, 0xa2e7, 0xa2ee, PCI_FACT_WIDE_ACS},
	{INTEL, 0x9d10, 0x9d1b, PCI_FACT_WIDE_ACS},

	/* 82579, on the board of Sandy Bridge and Ivy Bridge machines */
	{INTEL, 0x1502, 0x1503, PCI_FACT_NO_FLR},
	{AMD, 0x1486, 0x1487, PCI_FACT_NO_FLR},
	{AMD, 0x148c, 0x148c, PCI_FACT_NO_FLR},
	{AMD, 0x149c, 0x149c, PCI_FACT_NO_FLR},
	{AMD, 0x7901, 0x7901, PCI_FACT_NO_FLR},
	{MEDIATEK, 0x0616, 0x0616, PCI_FACT_NO_FLR},
	/* NVMe drives: SM961, whose reset hangs while it is enabled; P3700,
	   P4510, P5800X */
	{SAMSUNG, 0xa804, 0xa804, PCI_FACT_NO_FLR},
	{INTEL, 0x0953, 0x0953, PCI_FACT_SLOW_FLR},
	{INTEL, 0x0a54, 0x0a54, PCI_FACT_SLOW_FLR},
	{SOLIDIGM, 0xf1ac, 0xf1ac, PCI_FACT_SLOW_FLR},

	/* SATA controllers: 88SE91xx and 92xx, RocketRAID 642L, 644L, JMB388,
	   Plextor */
	{MARVELL, 0x9120, 0x9130, PCI_FACT_ALIAS_1},
	{MARVELL, 0x9170, 0x9183, PCI_FACT_ALIAS_1},
	{MARVELL, 0x91a0, 0x91a0, PCI_FACT_ALIAS_1},
	{MARVELL, 0x9215, 0x9215, PCI_FACT_ALIAS_1},
	{MARVELL, 0x9220, 0x9220, PCI_FACT_ALIAS_1},
	{MARVELL, 0x9230, 0x9235, PCI_FACT_ALIAS_1},
	{HIGHPOINT, 0x0642, 0x0642, PCI_FACT_ALIAS_1},
	{HIGHPOINT, 0x0645, 0x0645, PCI_FACT_ALIAS_1},
	{JMICRON, 0x2392, 0x2392, PCI_FACT_ALIAS_1},
	{LITE_ON, 0x0122, 0x0122, PCI_FACT_ALIAS_1},
	/* Card readers */
	{RICOH, 0xe832, 0xe832, PCI_FACT_ALIAS_0},
	{RICOH, 0xe476, 0xe476, PCI_FACT_ALIAS_0},

	/* Home agents and power units of Xeon E5 v3 and v4, MROM of C620 */
	{INTEL, 0x2fc0, 0x2fc0, PCI_FACT_NO_BARS},
	{INTEL, 0x6f60, 0x6f60, PCI_FACT_NO_BARS},
	{INTEL, 0x6fa0, 0x6fa0, PCI_FACT_NO_BARS},
	{INTEL, 0x6fc0, 0x6fc0, PCI_FACT_NO_BARS},
	{INTEL, 0xa1ec, 0xa1ed, PCI_FACT_NO_BARS},
	{INTEL, 0xa26c, 0xa26d, PCI_FACT_NO_BARS},

	/* Volume Management Devices (VMD, by their driver's list) */
	{INTEL, 0x201d, 0x201d, PCI_FACT_VMD},
	{INTEL, 0x28c0, 0x28c0, PCI_FACT_VMD},
	{INTEL, 0x467f, 0x467f, PCI_FACT_VMD},
	{INTEL, 0x4c3d, 0x4c3d, PCI_FACT_VMD},
	{INTEL, 0x7d0b, 0x7d0b, PCI_FACT_VMD},
	{INTEL, 0x9a0b, 0x9a0b, PCI_FACT_VMD},
	{INTEL, 0xa77f, 0xa77f, PCI_FACT_VMD},
	{INTEL, 0xad0b, 0xad0b, PCI_FACT_VMD},
	{INTEL, 0xb06f, 0xb06f, PCI_FACT_VMD},
	{INTEL, 0xb60b, 0xb60b, PCI_FACT_VMD},
};

u32 pci_facts(const struct pci_function *fn)
{
	u32 facts = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].vendor == fn->vendor &&
		    fn->device >= table[i].first && fn->device <= table[i].last)
			facts |= table[i].facts;
	return facts;
}

bool pci_request_alias(const struct pci_function *fn, struct pci_addr *alias)
{
	u32 facts = pci_facts(fn) & (PCI_FACT_ALIAS_0 | PCI_FACT_ALIAS_1);
	u8 function = facts & PCI_FACT_ALIAS_1 ? 1 : 0;

	*alias = fn->addr;
	alias->devfn = (fn->addr.devfn & 0xf8) | function;
	return facts && alias->devfn != fn->addr.devfn;
}
