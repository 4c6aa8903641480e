/* This file leads from the DMAR table to units that block. */
#include "hv/machine/take_vtd.h"
#include "drivers/pci/pci.h"
#include "drivers/usb_handoff.h"
#include "hv/cpu.h"
#include "hv/host_paging.h"
#include "hv/log.h"
#include "hv/machine/handover.h"
#include "hv/panic.h"
#include "hv/vmx/stat.h"
#include "vtd/context.h"
#include "vtd/faults.h"
#include "vtd/platform_errors.h"
#include "vtd/regs.h"
#include "vtd/reserved.h"
#include "vtd/vtd.h"

static struct dmar dmar;

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

static struct stat_faults read_faults(u32 back)
{
	struct vtd_fault f;
	u64 count = vtd_fault_count(back, &f);

	return (struct stat_faults){count,	 f.time_us, f.address,
				    f.source_id, f.reason,  f.read};
}

static u32 highest_apic_id(void)
{
	u32 highest = 0;

	for (unsigned int i = 0; i < vcpu_count; i++)
		highest = MAX(highest, cpus[i]->apic_id);
	return highest;
}

/* Only units whose registers can be mapped stay in dmar; the error of the
 * others. */
static int map_units(void)
{
	int err, result = 0;

	for (unsigned int i = dmar.unit_count; i-- > 0;) {
		err = host_map_device(dmar.unit[i].base, VTD_REGISTERS_SIZE);
		if (!err)
			continue;
		hv_log("vtd: the remapping unit at 0x%lx stays as firmware "
		       "left it; the devices behind it are held by bus "
		       "mastering alone\n",
		       dmar.unit[i].base);
		dmar.unit[i] = dmar.unit[--dmar.unit_count];
		dmar.dropped_count++;
		result = err;
	}
	return result;
}

static void log_unusable(int err)
{
	hv_log("vtd: not usable (%d): the guest boots without its device\n",
	       err);
}

int machine_parse_dmar(const struct acpi_header *table,
		       const struct dmar **parsed)
{
	*parsed = &dmar;
	return table ? dmar_parse((const u8 *)table, table->length, &dmar)
		     : -ENODEV;
}

int machine_find_vtd(const struct dmar **found)
{
	const struct acpi_header *table = acpi_table("DMAR");
	int err, unusable, probed;

	*found = &dmar;
	if (!table) {
		explain_no_dmar();
		return -ENODEV;
	}
	/* Whatever is refused, every unit that can block does */
	err = machine_parse_dmar(table, found);
	unusable = map_units();
	if ((dmar.dropped_count || dmar.scopes_unknown) && !unusable)
		unusable = -EINVAL;
	probed = vtd_probe(&dmar, true, highest_apic_id());
	err = err ? err : unusable ? unusable : probed;
	if (err)
		log_unusable(err);
	return err;
}

/* What no device of firmware's may reach, whatever its tables say. */
static void keep_ours_apart(void)
{
	static struct host_range ours[HANDOVER_RAM_MAX + 5];
	unsigned int count = 0;

	for (unsigned int i = 0; i < handover->ram_count; i++)
		ours[count++] = (struct host_range){handover->ram[i].base,
						    handover->ram[i].size,
						    "it has memory of the "
						    "guest's"};
	const struct hpa_range own[] = {
		handover->image,
		handover->pool,
		{handover->trampoline, PAGE_SIZE},
		handover->kernel,
		handover->initrd,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(own); i++)
		ours[count++] = (struct host_range){own[i].base, own[i].size,
						    "it has memory of "
						    "Gangway's"};
	vtd_reserved_avoid(ours, count);
}

int machine_take_vtd(bool usable)
{
	int err = -EOPNOTSUPP;

	keep_ours_apart();
	usb_handoff();
	pci_bus_master_off(vtd_keeps);
	vtd_mask_platform_errors();
	if (usable)
		err = vtd_start(this_cpu()->apic_id);
	else
		vtd_only_block();
	/* Where no unit holds them */
	pci_bus_master_off(vtd_kept);
	panic_stop_dma = vtd_block_all;
	if (usable && err)
		log_unusable(err);
	if (err)
		return err;
	stat_read_faults = read_faults;
	return 0;
}
