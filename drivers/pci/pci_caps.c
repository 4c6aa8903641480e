/* This file says whether a function is there, and finds its capabilities. */
#include "drivers/pci/pci_caps.h"
#include "drivers/pci/pci.h"
#include "drivers/pci/pci_access.h"

#define CAP_FIRST 0x40
#define CAP_STEPS 48 /* 4-byte structures that fit above the header */
#define EXT_CAP_FIRST 0x100
#define EXT_CAP_STEPS 960
/* Bits 31:20, of which the last two are reserved (7.6.3) */
#define EXT_CAP_NEXT(header) ((u16)((header) / BIT(22) * 4))

bool pci_answers(const struct pci_function *fn)
{
	return pci_read16(fn, PCI_STATUS) != 0xffff;
}

u16 pci_find_cap(const struct pci_function *fn, u8 id)
{
	u8 at;

	if (!(pci_read16(fn, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	at = pci_read8(fn, PCI_CAP_POINTER) / 4 * 4;
	/*@ loop invariant 0 <= step <= CAP_STEPS && at % 4 == 0;
	  @ loop assigns step, at;
	  @ loop variant CAP_STEPS - step;
	  @*/
	for (unsigned int step = 0; step < CAP_STEPS && at >= CAP_FIRST;
	     step++) {
		if (pci_read8(fn, at) == id)
			return at;
		at = pci_read8(fn, at + 1) / 4 * 4;
	}
	return 0;
}

u16 pci_find_ext_cap(const struct pci_function *fn, u16 id)
{
	u16 at = EXT_CAP_FIRST;
	u32 header;

	/*@ loop invariant 0 <= step <= EXT_CAP_STEPS;
	  @ loop invariant at % 4 == 0 && at < 4096;
	  @ loop assigns step, at, header;
	  @ loop variant EXT_CAP_STEPS - step;
	  @*/
	for (unsigned int step = 0; step < EXT_CAP_STEPS && at >= EXT_CAP_FIRST;
	     step++) {
		header = pci_read32(fn, at);
		if (header == 0 || header == 0xffffffff)
			return 0;
		if ((u16)header == id)
			return at;
		at = EXT_CAP_NEXT(header);
	}
	return 0;
}
