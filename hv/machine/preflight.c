/* This file shows what of this machine can be given to a guest, and what
 * cannot. */
#include "hv/machine/preflight.h"
#include "drivers/pci/groups.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_acs.h"
#include "drivers/pci/pci_caps.h"
#include "drivers/pci/sriov.h"
#include "guest/assign/verdict.h"
#include "hv/asm.h"
#include "hv/colour.h"
#include "hv/console.h"
#include "hv/cpu.h"
#include "hv/format.h"
#include "hv/host_paging.h"
#include "hv/keyboard.h"
#include "hv/log.h"
#include "hv/machine/end.h"
#include "hv/machine/handover.h"
#include "hv/machine/pager.h"
#include "hv/machine/summary.h"
#include "hv/string.h"
#include "hv/time.h"
#include "hv/vmx/vmx.h"
#include "vtd/regs.h"

#define CPUID_BRAND 0x80000002 /* and the two that follow */
#define BRAND_SIZE 48

/* Keys typed before the question count for nothing; bounded, as a broken
 * controller has some to give at all times. */
#define STALE_KEYS 64

#define TURN_US 20000000 /* time to read a page */

/* What there must be, and what is only good to have */
static const char *required(bool yes)
{
	return yes ? GREEN "yes" PLAIN : RED "no" PLAIN;
}

static const char *optional(bool yes)
{
	return yes ? GREEN "yes" PLAIN : YELLOW "no" PLAIN;
}

/* --- Processor and remapping units --------------------------------------- */

static void read_brand(char brand[BRAND_SIZE + 1])
{
	brand[0] = '\0';
	if (cpuid(0x80000000, 0).eax < CPUID_BRAND + 2)
		return;
	for (u32 i = 0; i < 3; i++) {
		struct cpuid_regs r = cpuid(CPUID_BRAND + i, 0);

		memcpy(brand + i * sizeof(r), &r, sizeof(r));
	}
	brand[BRAND_SIZE] = '\0';
}

/* What is required was checked before take-over, so it is there. */
static void show_processor(void)
{
	char brand[BRAND_SIZE + 1];

	read_brand(brand);
	hv_log("preflight: CPU: %s, %u started\n", brand, cpu_count);
	hv_log("preflight: VMX %s, EPT %s, unrestricted guest %s, x2APIC %s, "
	       "2M pages %s, 1G pages %s, VPID %s\n",
	       required(true), required(vmx.proc2 & PROC2_EPT),
	       required(vmx.proc2 & PROC2_UNRESTRICTED), required(true),
	       optional(vmx.ept_vpid_cap & EPT_CAP_2M),
	       optional(vmx.ept_vpid_cap & EPT_CAP_1G),
	       optional(vmx.proc2 & PROC2_VPID));
}

static void show_unit(const struct dmar_unit *dmar, unsigned int number)
{
	u64 cap = vtd_read64(dmar->base, VTD_CAP);
	u64 ecap = vtd_read64(dmar->base, VTD_ECAP);

	hv_log("preflight: VT-d dmar%u at 0x%lx, segment %04x, %s: %u-bit "
	       "addresses, 3 levels %s, 4 levels %s, 2M pages %s, 1G pages "
	       "%s\n",
	       number, dmar->base, dmar->segment,
	       dmar->include_all ? "all that no other unit has" : "as listed",
	       (u32)VTD_CAP_MGAW(cap),
	       optional(VTD_CAP_SAGAW(cap) & VTD_SAGAW_39),
	       optional(VTD_CAP_SAGAW(cap) & VTD_SAGAW_48),
	       optional(VTD_CAP_SLLPS(cap) & VTD_SLLPS_2M),
	       optional(VTD_CAP_SLLPS(cap) & VTD_SLLPS_1G));
	hv_log("preflight: VT-d dmar%u: queued invalidation %s, interrupt "
	       "remapping %s, 32-bit APIC IDs (EIM) %s, coherent walks %s, "
	       "protected regions: low %s, high %s\n",
	       number, required(ecap & VTD_ECAP_QI),
	       required(ecap & VTD_ECAP_IR), optional(ecap & VTD_ECAP_EIM),
	       optional(ecap & VTD_ECAP_C), cap & VTD_CAP_PLMR ? "yes" : "no",
	       cap & VTD_CAP_PHMR ? "yes" : "no");
}

/* As firmware names it: the first function by its address, the way on from
 * there by device and function numbers. */
static void scope_text(const struct dmar_scope *scope, u16 segment, char *buf,
		       size_t size)
{
	size_t at = format(buf, size, "%04x:%02x", segment, scope->start_bus);

	for (unsigned int i = 0; i < scope->path_length && at < size; i++)
		at += format(buf + at, size - at, "%c%02x.%x", i ? '/' : ':',
			     scope->path[i].device, scope->path[i].function);
}

static void show_rmrr(const struct dmar_rmrr *rmrr)
{
	char owner[80], extent[40] = "impossible";

	if (rmrr->base <= rmrr->limit)
		format(extent, sizeof(extent), "%lu KiB",
		       (rmrr->limit - rmrr->base + 1) / KIB);
	for (unsigned int i = 0; i < rmrr->scope_count; i++) {
		scope_text(&rmrr->scope[i], rmrr->segment, owner,
			   sizeof(owner));
		hv_log("preflight: RMRR 0x%lx-0x%lx, %s, of %s%s\n", rmrr->base,
		       rmrr->limit, extent, owner,
		       rmrr->scope[i].type == DMAR_SCOPE_BRIDGE
			       ? " and what is behind it"
			       : "");
	}
}

static void show_vtd(const struct dmar *dmar, bool have_vtd)
{

	if (!have_vtd)
		hv_log("preflight: VT-d " RED "no" PLAIN ": no device can be "
		       "assigned; the reason stands above\n");
	for (unsigned int i = 0; i < dmar->unit_count; i++)
		if (host_is_mapped(dmar->unit[i].base, VTD_REGISTERS_SIZE))
			show_unit(&dmar->unit[i], i);
	for (unsigned int i = 0; i < dmar->rmrr_count; i++)
		show_rmrr(&dmar->rmrr[i]);
	if (have_vtd && !dmar->rmrr_count)
		hv_log("preflight: RMRR none\n");
}

/* --- PCI functions ------------------------------------------------------- */

/* Conventional functions may have it too (Advanced Features ECN) */
static bool has_flr(const struct pci_function *fn)
{
	u16 pcie = pci_find_cap(fn, PCI_CAP_PCIE);
	u16 af = pci_find_cap(fn, PCI_CAP_AF);

	if (pcie && pci_read32(fn, pcie + PCIE_DEVCAP) & PCIE_DEVCAP_FLR)
		return true;
	return af && pci_read8(fn, af + PCI_AF_CAP) & PCI_AF_CAP_FLR;
}

/* Of a device, that it has more functions than eight; of a port, that it
 * forwards to such. */
static bool has_ari(const struct pci_function *fn)
{
	u16 pcie = pci_find_cap(fn, PCI_CAP_PCIE);

	if (!pcie)
		return false;
	if (!fn->bridge)
		return pci_find_ext_cap(fn, PCI_EXT_CAP_ARI);
	return (pci_read16(fn, pcie + PCIE_FLAGS) & 0xf) >= 2 &&
	       pci_read32(fn, pcie + PCIE_DEVCAP2) & PCIE_DEVCAP2_ARI;
}

static unsigned int msix_vectors(const struct pci_function *fn)
{
	u16 cap = pci_find_cap(fn, PCI_CAP_MSIX);

	return cap ? (pci_read16(fn, cap + PCI_MSIX_CONTROL) &
		      PCI_MSIX_CONTROL_SIZE) +
			       1
		   : 0;
}

/* A column of the table: yes, a number for yes, or no. */
static const char *cell(char *buf, size_t size, unsigned int value, bool count)
{
	char text[8];

	if (count && value)
		format(text, sizeof(text), "%u", value);
	else
		format(text, sizeof(text), "%s", value ? "yes" : "no");
	format(buf, size, "%s%-6s" PLAIN, value ? GREEN : YELLOW, text);
	return buf;
}

static const char *const verdict_name[] = {
	[VERDICT_NONE] = "bridge",
	[VERDICT_NO] = RED "no" PLAIN ": ",
	[VERDICT_YES] = GREEN "yes" PLAIN ": ",
};

static void show_function(const struct pci_function *fn, bool have_vtd)
{
	char c[5][24], reason[400];
	enum verdict verdict =
		assign_verdict(fn, have_vtd, reason, sizeof(reason));

	hv_log("preflight: " PCI_FMT " %5u  %04x:%04x %06x  %s%s%s%s%s%s%s\n",
	       PCI_ARG(fn->addr), group_number(fn), fn->vendor, fn->device,
	       fn->class, cell(c[0], sizeof(c[0]), sriov_total_vfs(fn), true),
	       cell(c[1], sizeof(c[1]), has_ari(fn), false),
	       cell(c[2], sizeof(c[2]), pci_has_acs(fn), false),
	       cell(c[3], sizeof(c[3]), has_flr(fn), false),
	       cell(c[4], sizeof(c[4]), msix_vectors(fn), true),
	       verdict_name[verdict], reason);
}

static void show_functions(bool have_vtd)
{
	unsigned int count;
	const struct pci_function *fn = pci_functions(&count);

	if (!count)
		return;
	groups_build();
	pager_table(true);
	hv_log("preflight: function     group  IDs       class   VFs   ARI   "
	       "ACS   FLR   MSI-X assignable\n");
	for (unsigned int i = 0; i < count; i++)
		show_function(&fn[i], have_vtd);
	pager_table(false);
}

void preflight(const struct dmar *dmar, bool have_vtd)
{
	show_processor();
	show_vtd(dmar, have_vtd);
	show_functions(have_vtd);
}

/* --- mode=check ----------------------------------------------------------- */

static bool key_pressed(void)
{
	return console_getc() >= 0 || keyboard_pressed();
}

/* Until somebody has seen the last page, and presses a key.  Pages also turn by
 * themselves, for a keyboard may be out of reach; a key at the serial console,
 * which has all of it, ends at once. */
static void show_pages(void)
{
	bool last = pager_turn(), first_is_last = last;
	u64 turned = time_us();

	while (console_getc() < 0) {
		bool pressed = keyboard_pressed();

		if (pressed && last)
			break;
		if (pressed ||
		    (!first_is_last && time_us() - turned > TURN_US)) {
			last = pager_turn();
			turned = time_us();
		}
		cpu_pause();
	}
}

_Noreturn void preflight_end(const struct dmar *dmar, bool have_vtd)
{
	for (unsigned int i = 0; i < STALE_KEYS; i++)
		key_pressed();
	pager_hold(true);
	pager_last_page();
	summary_log(dmar, have_vtd);
	hv_log("gangway: mode=check ends here: no guest is started. To run "
	       "one, boot again and press R, where menu= in gangway.cfg gives "
	       "time for it, or set mode=run.\n"
	       "gangway: Press a key at the serial console or a PS/2 keyboard, "
	       "which most laptops have, to end;\n"
	       "gangway: USB keyboards are out of reach now: use the power "
	       "button. There is no time limit.\n"
	       "gangway: ready\n");
	show_pages();
	pager_hold(false);
	machine_end(handover->config.on_poweroff);
}
