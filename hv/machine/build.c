/* This file builds the guest: from PCI and VT-d to a machine that can be
 * entered. */
#include "hv/machine/build.h"
#include "drivers/pci/groups.h"
#include "drivers/pci/mcfg.h"
#include "drivers/pci/pch_ports.h"
#include "drivers/pci/pci.h"
#include "drivers/pci/pci_acs.h"
#include "guest/acpi.h"
#include "guest/assign/assign.h"
#include "guest/assign/verdict.h"
#include "guest/com1.h"
#include "guest/dsdt.h"
#include "guest/linux.h"
#include "guest/platform.h"
#include "hv/cpu.h"
#include "hv/guest_layout.h"
#include "hv/host_paging.h"
#include "hv/log.h"
#include "hv/machine/end.h"
#include "hv/machine/events.h"
#include "hv/machine/handover.h"
#include "hv/machine/nodes.h"
#include "hv/machine/pass_clock.h"
#include "hv/machine/preflight.h"
#include "hv/machine/take_ranges.h"
#include "hv/machine/take_vtd.h"
#include "hv/panic.h"
#include "hv/string.h"
#include "hv/vmx/ept.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/vmx.h"
#include "hv/weaken.h"
#include "vtd/vtd.h"

static struct vpci_bus bus;
static bool have_pci;

u64 machine_ram_size(void)
{
	u64 size = 0;

	for (unsigned int i = 0; i < guest.map.count; i++)
		if (guest.map.region[i].kind == REGION_RAM)
			size += guest.map.region[i].size;
	return size;
}

/* --- PCI and VT-d --------------------------------------------------------- */

static int take_pci(void)
{
	const struct acpi_header *mcfg = acpi_table("MCFG");
	static struct pci_ecam ecam[PCI_MAX_ECAM];
	unsigned int count = mcfg ? mcfg_ecam(mcfg, ecam, PCI_MAX_ECAM) : 0;
	int err;

	if (!count) {
		hv_log("pci: no MCFG table: PCI Express configuration space "
		       "cannot be reached, so there is no device for the "
		       "guest\n");
		return -ENODEV;
	}
	for (unsigned int i = 0; i < count; i++) {
		u64 buses = ecam[i].end_bus - ecam[i].start_bus + 1;

		err = host_map_device(ecam[i].base +
					      (u64)ecam[i].start_bus * MIB,
				      buses * MIB);
		if (err)
			return err;
	}
	err = pci_enumerate(ecam, count);
	if (err)
		return err;
	if (!pch_ports_close())
		pci_acs_distrust_pch();
	pci_acs_enable();
	return 0;
}

/* --- The guest ------------------------------------------------------------ */

/* The pieces of RAM in guest order: from 0 up to the low limit, then from
 * 4 GiB on. */
static void build_map(void)
{
	gpa_t at = 0;
	int err = 0;

	for (unsigned int i = 0; !err && i < handover->ram_count; i++) {
		hpa_t base = handover->ram[i].base;
		u64 left = handover->ram[i].size;

		while (!err && left) {
			u64 room = at < GUEST_LOW_RAM_MAX
					   ? GUEST_LOW_RAM_MAX - at
					   : left;
			u64 size = MIN(left, room);

			err = memory_map_add(&guest.map, at, base, size,
					     REGION_RAM);
			at += size;
			base += size;
			left -= size;
			if (at == GUEST_LOW_RAM_MAX)
				at = GUEST_HIGH_RAM;
		}
	}
	if (err)
		panic("guest: RAM does not fit the memory map (%d)", err);
	if (machine_ram_size() < handover->ram_needed)
		machine_stop("firmware took memory when it was left, and too "
			     "little is free for the guest: set memory= in "
			     "gangway.cfg to less");
	for (unsigned int i = 0; i < guest.map.count; i++)
		hv_log("guest: RAM 0x%09lx-0x%09lx at host 0x%09lx\n",
		       guest.map.region[i].gpa,
		       guest.map.region[i].gpa + guest.map.region[i].size - 1,
		       guest.map.region[i].hpa);
}

/* All vCPUs but the first begin by waiting for SIPI (SDM 3D A.6). */
static unsigned int usable_cpus(void)
{
	if (cpu_count == 1 || vmx.wait_for_sipi)
		return cpu_count;
	hv_log("guest: one CPU, because VMX here has no wait-for-SIPI state: "
	       "every processor with EPT has it, KVM offers it from Linux 5.11 "
	       "on; check the hypervisor below\n");
	return 1;
}

static unsigned int choose_cpus(void)
{
	u32 wanted = handover->config.cpus;
	unsigned int usable = usable_cpus();

	if (wanted == CONFIG_ALL_CPUS)
		return usable;
	if (wanted > usable)
		hv_log("guest: cpus=%u, but only %u can be used\n", wanted,
		       usable);
	return MIN(wanted, usable);
}

/* The tables, built where the guest finds them. */
static void build_acpi(const struct acpi_machine *acpi)
{
	hpa_t at;
	int size = -EINVAL;

	if (memory_map_ram(&guest.map, GUEST_ACPI_START, GUEST_ACPI_SIZE, &at))
		size = acpi_build((void *)at, GUEST_ACPI_SIZE, GUEST_ACPI_START,
				  acpi, dsdt_aml, dsdt_aml_end - dsdt_aml);
	if (size < 0)
		panic("guest: ACPI tables do not fit (%d)", size);
}

/* What software finds that restarts the machine by the BIOS, as Linux does
 * with reboot=bios: mov al, 6; mov dx, 0xcf9; out dx, al; hlt; jmp $ */
static void write_reset_vector(void)
{
	static const u8 code[] = {0xb0,
				  GUEST_RESET_VALUE,
				  0xba,
				  GUEST_RESET_PORT & 0xff,
				  GUEST_RESET_PORT >> 8,
				  0xee,
				  0xf4,
				  0xeb,
				  0xfe};

	if (guest_ram_write(&guest.map, GUEST_RESET_VECTOR, code, sizeof(code)))
		panic("guest: no RAM at the reset vector");
}

/* The guest's functions, or none: every one that assign= names, or the guest
 * does not start, for a guest without the device that it was meant to have
 * helps nobody.  Only where the machine has no VT-d it boots without. */
static void assign_functions(void)
{
	static struct assign_request request[ASSIGN_MAX];
	unsigned int count = handover->config.assign_count;

	if (!have_pci || !vtd_remapping())
		return;
	memcpy(request, handover->config.assign, sizeof(request));
	if (count && request[0].kind == ASSIGN_AUTO && !assign_choose(request))
		count = 0;
	if (assign_prepare(request, count,
			   handover->config.allow_unsafe_commands, &bus))
		machine_stop("a function of assign= cannot be given to the "
			     "guest; the "
			     "reason stands above. Change assign= in "
			     "gangway.cfg, or "
			     "set assign=none");
	if (assign_check_groups(handover->config.strict_groups,
				handover->config.allow_unsafe_groups))
		machine_stop(
			"a function of assign= is not isolated; the reason "
			"stands above");
}

static void load_linux(struct vcpu_entry *entry)
{
	struct linux_image image = {
		.kernel = (const void *)handover->kernel.base,
		.kernel_size = handover->kernel.size,
		.initrd = handover->initrd.size
				  ? (const void *)handover->initrd.base
				  : NULL,
		.initrd_size = handover->initrd.size,
		.cmdline = handover->config.cmdline,
		.rsdp = GUEST_ACPI_START,
	};

	if (linux_load(&guest.map, &image, entry))
		machine_stop("the kernel could not be loaded; the reason "
			     "stands above");
}

void machine_build(struct vcpu_entry *entry)
{
	static u32 ids[MAX_CPUS];
	struct acpi_machine acpi = {.apic_id = ids};
	const struct dmar *dmar;
	bool usable;

	weaken_set(handover->config.weaken);
	vcpu_count = acpi.count = choose_cpus();
	build_map();
	machine_log_nodes();
	have_pci = !take_pci();
	usable = !machine_find_vtd(&dmar);
	machine_take_ranges(dmar);
	groups_strict = handover->config.strict_groups;
	/* Nothing is taken from firmware's devices before it is over: an
	 * integrated display may need its DMA. */
	preflight(dmar, usable);
	if (handover->config.mode == MODE_CHECK)
		preflight_end(dmar, usable);
	machine_take_vtd(usable);
	assign_functions();
	for (unsigned int i = 0; i < vcpu_count; i++)
		ids[i] = cpus[i]->apic_id;
	platform_init(&bus, acpi_ioapic_id(&acpi));
	com1_line_init(acpi_table("APIC"));
	acpi.pm_timer = machine_pass_pm_timer();
	assign_high_window(&acpi.high_start, &acpi.high_end);
	build_acpi(&acpi);
	write_reset_vector();
	load_linux(entry);
	if (ept_init() || !assign_reserve_tables())
		machine_stop("no memory for the guest's page tables");
	if (vtd_remapping() && assign_attach())
		machine_stop(
			"VT-d refuses a function of assign=; the reason stands "
			"above");
	guest_events = &machine_events;
}
