/* This file sums up the preflight: what this machine can give, and what to
 * change in its firmware's set-up. */
#include "hv/machine/summary.h"
#include "drivers/pci/groups.h"
#include "drivers/pci/pci_facts.h"
#include "drivers/pci/pci_room.h"
#include "drivers/pci/sriov.h"
#include "guest/assign/verdict.h"
#include "hv/colour.h"
#include "hv/log.h"
#include "vtd/scope.h"

#define LINES_MAX 12 /* so that the screen has room for the advice */
#define CLASS_USB 0x0c03

/* Class codes (PCI Code and ID Assignment 1), the most exact ones first */
static const struct {
	u32 class, mask;
	const char *name;
} kinds[] = {
	{0x010800, 0xffff00, "NVMe drive"},
	{0x010600, 0xffff00, "SATA controller"},
	{0x010000, 0xff0000, "storage controller"},
	{0x020000, 0xff0000, "network card"},
	{0x030000, 0xff0000, "display"},
	{0x040000, 0xff0000, "sound or video"},
	{0x0c0300, 0xffff00, "USB controller"},
	{0, 0, "device"},
};

enum advice {
	ADVICE_VTD,
	ADVICE_SRIOV,
	ADVICE_ABOVE_4G,
	ADVICE_ACS,
	ADVICE_USB,
	ADVICE_X2APIC,
	ADVICE_VMD,
	ADVICE_COUNT
};

/* In the words that firmware uses */
static const char *const advice_text[] = {
	[ADVICE_VTD] = "\"VT-d\" or \"Intel VT for Directed I/O\": Enabled; "
		       "without it no device can be given",
	[ADVICE_SRIOV] = "\"SR-IOV Support\": Enabled, if a card is in that "
			 "has it: no function here shows VFs",
	[ADVICE_ABOVE_4G] = "\"Above 4G Decoding\" or \"64-bit BAR\": Enabled, "
			    "and \"Resizable BAR\": Disabled, for functions "
			    "that have no place",
	[ADVICE_ACS] = "\"ACS Control\" or \"PCIe ACS Support\": Enabled, for "
		       "functions in one group; or another slot",
	[ADVICE_USB] = "\"Legacy USB Support\": Disabled, for USB controllers "
		       "that firmware keeps memory for (RMRR)",
	[ADVICE_X2APIC] = "\"X2APIC Opt Out\": Disabled",
	[ADVICE_VMD] = "\"VMD\", \"Intel RST\" or \"VROC\": Disabled, or "
		       "drives behind the VMD stay out of sight",
};

static const char *kind_name(u32 class)
{
	unsigned int i = 0;

	while ((class & kinds[i].mask) != kinds[i].class)
		i++;
	return kinds[i].name;
}

/* What would help @fn, which cannot be given */
static u32 advice_for(const struct pci_function *fn)
{
	char text[400];
	u32 advice = 0;

	if (pci_bars_refused(fn, text, sizeof(text)))
		advice |= BIT(ADVICE_ABOVE_4G);
	if (fn->class >> 8 == CLASS_USB && vtd_rmrr_against(fn))
		advice |= BIT(ADVICE_USB);
	if (groups_others(fn, text, sizeof(text)))
		advice |= BIT(ADVICE_ACS);
	return advice;
}

/* The lines of what can be given; returns the advice for what cannot. */
static u32 log_functions(bool have_vtd)
{
	unsigned int count, given = 0;
	const struct pci_function *fn = pci_functions(&count);
	u32 advice = have_vtd ? BIT(ADVICE_SRIOV) : BIT(ADVICE_VTD);
	char how[400];

	for (unsigned int i = 0; i < count; i++) {
		enum verdict verdict =
			assign_verdict(&fn[i], have_vtd, how, sizeof(how));

		if (sriov_total_vfs(&fn[i]))
			advice &= ~BIT(ADVICE_SRIOV);
		if (pci_facts(&fn[i]) & PCI_FACT_VMD)
			advice |= BIT(ADVICE_VMD);
		if (verdict == VERDICT_NO && have_vtd)
			advice |= advice_for(&fn[i]);
		if (verdict == VERDICT_YES && given++ < LINES_MAX)
			hv_log("gangway:   " GREEN "%s" PLAIN " " PCI_FMT
			       ": %s\n",
			       kind_name(fn[i].class), PCI_ARG(fn[i].addr),
			       how);
	}
	if (!given)
		hv_log("gangway:   " RED "no device" PLAIN "; a guest with "
		       "processors and memory alone\n");
	if (given > LINES_MAX)
		hv_log("gangway:   and %u more, in the table\n",
		       given - LINES_MAX);
	return advice;
}

void summary_log(const struct dmar *dmar, bool have_vtd)
{
	u32 advice;

	hv_log("gangway: This machine can give:\n");
	advice = log_functions(have_vtd);
	if (dmar && dmar->x2apic_opt_out)
		advice |= BIT(ADVICE_X2APIC);
	if (!advice)
		return;
	hv_log("gangway: For more, look in the firmware's set-up for:\n");
	for (unsigned int i = 0; i < ADVICE_COUNT; i++)
		if (advice & BIT(i))
			hv_log("gangway:   " YELLOW "%s" PLAIN "\n",
			       advice_text[i]);
}
