/* From the taken-over machine to a guest that can be entered, and to its end.
 */
#include "hv/machine/build.h"
#include "drivers/pci/pci.h"
#include "drivers/pci/pci_acs.h"
#include "guest/acpi.h"
#include "guest/assign/assign.h"
#include "guest/com1.h"
#include "guest/dsdt.h"
#include "guest/platform.h"
#include "hv/asm.h"
#include "hv/console.h"
#include "hv/cpu.h"
#include "hv/guest_layout.h"
#include "hv/host_paging.h"
#include "hv/log.h"
#include "hv/machine/preflight.h"
#include "hv/panic.h"
#include "hv/power.h"
#include "hv/time.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/stat.h"
#include "hv/weaken.h"
#include "vtd/regs.h"
#include "vtd/vtd.h"

#define MAX_ECAM 8

static const struct handover *handover;
static struct vpci_bus bus;
struct dmar machine_dmar;
static bool have_pci, have_vtd;

u64 machine_ram_size(void)
{
	u64 size = 0;

	for (unsigned int i = 0; i < guest.map.count; i++)
		if (guest.map.region[i].kind == REGION_RAM)
			size += guest.map.region[i].size;
	return size;
}

/* What a call leaves is counted too, if the faults stop within this. */
#define LAST_FAULTS_US 1000000

static void service_last_faults(void)
{
	u64 end = time_us() + LAST_FAULTS_US;

	do
		vtd_service_faults();
	while (vtd_faults_pending() && time_us() < end);
}

/* No guest can be: say so and leave the machine as a panic does, but without
 * its dump, for this is no fault of the hypervisor. */
static _Noreturn void stop(const char *what)
{
	if (have_vtd)
		service_last_faults(); /* they may be the reason */
	hv_log("gangway: stopped: %s\n", what);
	power_end(handover, END_HALT);
}

/* --- PCI and VT-d --------------------------------------------------------- */

static int take_pci(void)
{
	const struct acpi_header *mcfg = machine_acpi_table("MCFG");
	static struct pci_ecam ecam[MAX_ECAM];
	unsigned int count = mcfg ? acpi_ecam(mcfg, ecam, MAX_ECAM) : 0;
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
	pci_bus_master_off();
	pci_acs_enable();
	return 0;
}

static void explain_no_dmar(void)
{
	hv_log("vtd: No DMAR table: this machine shows no VT-d. Without it "
	       "nothing keeps a device's DMA\n"
	       "vtd: inside the guest, so the guest boots without its device "
	       "(as VFIO refuses to assign one).\n"
	       "vtd: Turn on \"Intel VT-d\" (or \"VT for Directed I/O\") in "
	       "the firmware's set-up; in QEMU, add\n"
	       "vtd: -device intel-iommu,intremap=on.\n");
}

static u64 count_faults(u64 *address, u32 *source, u32 *reason)
{
	struct vtd_fault last = {0};
	u64 count = vtd_fault_count(&last);

	*address = last.address;
	*source = last.source_id;
	*reason = last.reason | (u32)last.read << 31;
	return count;
}

static u32 highest_apic_id(void)
{
	u32 highest = 0;

	for (unsigned int i = 0; i < guest.vcpus; i++)
		highest = MAX(highest, cpus[i]->apic_id);
	return highest;
}

/* Only units whose registers can be mapped stay in @dmar; the error of the
 * others. */
static int map_units(struct dmar *dmar)
{
	int err, result = 0;

	for (unsigned int i = dmar->unit_count; i-- > 0;) {
		err = host_map_device(dmar->unit[i].base, VTD_REGISTERS_SIZE);
		if (!err)
			continue;
		hv_log("vtd: the remapping unit at 0x%lx stays as firmware "
		       "left it; the devices behind it are held by bus "
		       "mastering alone\n",
		       dmar->unit[i].base);
		dmar->unit[i] = dmar->unit[--dmar->unit_count];
		dmar->dropped_count++;
		result = err;
	}
	return result;
}

static void log_unusable(int err)
{
	hv_log("vtd: not usable (%d): the guest boots without its device\n",
	       err);
}

/* Which units there are, and whether they will do; nothing is changed. */
static int find_vtd(void)
{
	const struct acpi_header *table = machine_acpi_table("DMAR");
	int err;

	if (!table) {
		explain_no_dmar();
		return -ENODEV;
	}
	err = dmar_parse(table, table->length, &machine_dmar);
	if (!err) {
		int unmapped = map_units(&machine_dmar);

		err = vtd_probe(&machine_dmar, true, highest_apic_id());
		err = unmapped ? unmapped : err;
	}
	if (err)
		log_unusable(err);
	return err;
}

static int take_vtd(bool usable)
{
	int err = -EOPNOTSUPP;

	if (usable)
		err = vtd_start(this_cpu()->apic_id);
	else
		vtd_only_block();
	panic_stop_dma = vtd_block_all;
	if (usable && err)
		log_unusable(err);
	if (err)
		return err;
	stat_faults = count_faults;
	return 0;
}

/* --- VT-d faults: NMIs ---------------------------------------------------- */

/* A unit can signal again while its faults are being served; that NMI then
 * finds nothing, and is not the guest's if it comes this soon. */
#define FAULT_ECHO_US 10000
#define POLL_US 1000000
#define LINE_US 100000

static u64 last_fault_us;

static bool service_faults(void)
{
	bool any;

	/* The messages name what lies at an address, by the guest's map */
	trap_lock();
	any = vtd_service_faults();
	trap_unlock();
	if (!any)
		return false;
	__atomic_store_n(&last_fault_us, time_us(), __ATOMIC_RELAXED);
	return true;
}

static bool platform_nmi(void)
{
	u64 last;

	if (!have_vtd)
		return false;
	if (service_faults())
		return true;
	last = __atomic_load_n(&last_fault_us, __ATOMIC_RELAXED);
	return last && time_us() - last < FAULT_ECHO_US;
}

/* An exit is the time to look, and there is no other: at most once a second,
 * and not while a line of the guest's is under way, which what it finds would
 * cut in two. */
static void poll_devices(void)
{
	static u64 next_us;
	u64 now = time_us(), next = __atomic_load_n(&next_us, __ATOMIC_RELAXED);

	if (now < next || (console_guest_in_line() && now < next + LINE_US) ||
	    !__atomic_compare_exchange_n(&next_us, &next, now + POLL_US, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	trap_lock();
	assign_poll();
	trap_unlock();
}

/* A flood of faults is served in parts, or the guest would stand still. */
static void before_entry(void)
{
	if (have_vtd && vtd_faults_pending())
		service_faults();
	/* Not where a SIPI is expected: that path must be short */
	if (this_cpu()->state == CPU_GUEST)
		poll_devices();
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
	for (unsigned int i = 0; i < guest.map.count; i++)
		hv_log("guest: RAM 0x%09lx-0x%09lx at host 0x%09lx\n",
		       guest.map.region[i].gpa,
		       guest.map.region[i].gpa + guest.map.region[i].size - 1,
		       guest.map.region[i].hpa);
}

static unsigned int choose_cpus(void)
{
	u32 wanted = handover->config.cpus;

	if (wanted == CONFIG_ALL_CPUS)
		return cpu_count;
	if (wanted > cpu_count)
		hv_log("guest: cpus=%u, but only %u are here\n", wanted,
		       cpu_count);
	return MIN(wanted, cpu_count);
}

/* The tables, built where the guest finds them. */
static void build_acpi(const struct acpi_cpus *acpi)
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
	if (!have_pci || !have_vtd)
		return;
	if (assign_prepare(&handover->config, &bus))
		stop("a function of assign= cannot be given to the guest; the "
		     "reason stands above. Change assign= in gangway.cfg, or "
		     "set assign=none");
	if (assign_check_groups(handover->config.allow_unsafe_groups))
		stop("a function of assign= is not isolated; the reason "
		     "stands above");
}

static void load_linux(struct linux_entry *entry)
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
		stop("the kernel could not be loaded; the reason stands above");
}

static void after_end(void);

void machine_build(const struct handover *h, struct linux_entry *entry)
{
	static u32 ids[MAX_CPUS];
	struct acpi_cpus acpi = {.apic_id = ids};
	bool usable;

	handover = h;
	weaken_set(h->config.weaken);
	guest.vcpus = acpi.count = choose_cpus();
	build_map();
	have_pci = !take_pci();
	usable = !find_vtd();
	/* Before translation is on: an integrated display may need its DMA */
	preflight(usable);
	if (h->config.mode == MODE_CHECK)
		preflight_end(h);
	have_vtd = !take_vtd(usable);
	assign_functions();
	for (unsigned int i = 0; i < guest.vcpus; i++)
		ids[i] = cpus[i]->apic_id;
	platform_init(&bus, acpi_ioapic_id(&acpi));
	console_line_init(machine_acpi_table("APIC"));
	build_acpi(&acpi);
	write_reset_vector();
	load_linux(entry);
	if (ept_init())
		stop("no memory for the guest's page tables");
	if (have_vtd && assign_attach())
		stop("VT-d refuses a function of assign=; the reason stands "
		     "above");
	guest_platform_nmi = platform_nmi;
	guest_before_entry = before_entry;
	guest_after_end = after_end;
}

/* --- The end -------------------------------------------------------------- */

static enum end_action log_end(void)
{
	const struct config *c = &handover->config;

	switch (guest.end) {
	case GUEST_POWEROFF:
		hv_log("gangway: guest powered off\n");
		return c->on_poweroff;
	case GUEST_REBOOT:
		hv_log("gangway: guest rebooted\n");
		return c->on_reboot;
	default:
		hv_log("gangway: guest crashed (%s)\n", guest.end_reason);
		return c->on_crash;
	}
}

/* On CPU 0, when no vCPU runs any more. */
static void after_end(void)
{
	enum end_action action = log_end();

	if (have_vtd) {
		assign_stop();
		service_last_faults();
		vtd_fault_summary();
	}
	stat_log();
	power_end(handover, action);
}
