/*
 * From take-over to the guest (docs/architecture.md, "The life of the
 * machine"): first what a processor needs, then the machine
 * (hv/machine/build.c), then every CPU into its vCPU.
 */
#include "hv/machine/main.h"
#include "drivers/framebuffer.h"
#include "hv/acpi_tables.h"
#include "hv/alloc.h"
#include "hv/apic.h"
#include "hv/asm.h"
#include "hv/console.h"
#include "hv/cpu_tables.h"
#include "hv/exception.h"
#include "hv/frequency.h"
#include "hv/host_paging.h"
#include "hv/host_state.h"
#include "hv/idt.h"
#include "hv/image.h"
#include "hv/log.h"
#include "hv/machine/build.h"
#include "hv/machine/handover.h"
#include "hv/machine/pager.h"
#include "hv/machine_check.h"
#include "hv/panic.h"
#include "hv/smp.h"
#include "hv/time.h"
#include "hv/tsc.h"
#include "hv/vmx/guest_power.h"
#include "hv/vmx/icr.h"
#include "hv/vmx/nmi.h"
#include "hv/vmx/run.h"
#include "hv/vmx/selftest.h"
#include "hv/vmx/vmcs.h"
#include "hv/vmx/vmx.h"
#include "hv/x86.h"

/* 8259 interrupt controllers: mask registers */
#define PIC1_MASK 0x21
#define PIC2_MASK 0xa1

#define TSC_WARP_NS 1000

static struct vcpu_entry linux_entry;
/* The other CPUs start their vCPUs when CPU 0 has built the guest. */
static bool guest_ready;

/* Firmware may have written the time stamp counters, which INIT leaves alone;
 * the guest finds IA32_TSC_ADJUST 0 and may not change it. */
static void set_up_tsc(const struct cpu *cpu)
{
	u64 first = handover->tsc_adjust;
	u64 left = cpu->index ? tsc_adjust_clear() : first;

	if (left != (cpu->index ? first : 0))
		hv_log("time: cpu %u: firmware left IA32_TSC_ADJUST at %ld; "
		       "now 0\n",
		       cpu->index, (s64)left);
}

/* The part of start-up that each CPU does for itself. */
static int set_up_cpu(void)
{
	struct cpu *cpu = this_cpu();
	int err = apic_enable_x2apic();

	if (err) {
		hv_log("smp: cpu %u has no x2APIC\n", cpu->index);
		return err;
	}
	apic_quiet();
	set_up_tsc(cpu);
	cpu->apic_id = apic_id();
	machine_check_enable();
	frequency_set(cpu->index == 0);
	return vmx_on();
}

static _Noreturn void enter_guest(struct cpu *cpu)
{
	if (vcpu_create())
		panic("vmx: no vCPU on cpu %u", cpu->index);
	if (cpu->index == 0) {
		vcpu_set_entry(&linux_entry);
		hv_log("gangway: first instruction of the guest at %lu us "
		       "after take-over, %lu us of them in delays that a "
		       "specification demands\n",
		       time_us(), time_delayed_us());
	}
	vcpu_run();
}

static bool is_guest_ready(void)
{
	return __atomic_load_n(&guest_ready, __ATOMIC_ACQUIRE);
}

static _Noreturn void ap_main(struct cpu *cpu)
{
	cpu_load_tables(cpu);
	host_state_set(false);
	host_paging_load();
	if (set_up_cpu() || !smp_started(cpu))
		for (;;)
			halt();
	/* Without a limit: CPU 0 sets it, or has stopped the machine */
	while (!is_guest_ready()) {
		tsc_answer(cpu->index);
		cpu_pause();
	}
	if (cpu->index < vcpu_count)
		enter_guest(cpu);
	for (;;)
		halt(); /* not the guest's: cpus= in gangway.cfg */
}

static int map_acpi(hpa_t base, u64 size)
{
	/* ACPI tables lie in RAM, which is mapped; what does not would be
	 * outside of what the UEFI map calls RAM */
	return host_is_mapped(base, size) ? 0 : -EINVAL;
}

/* Nothing that firmware set up interrupts us.  First of all, for it is NMIs too
 * (LINT1), and until our IDT is loaded they would end in the firmware's. */
static void mask_firmware_interrupts(void)
{
	/* set_up_cpu() says what is missing */
	if (!apic_enable_x2apic())
		apic_quiet();
	outb(PIC1_MASK, 0xff);
	outb(PIC2_MASK, 0xff);
}

static void start_other_cpus(void)
{
	const struct acpi_header *madt = acpi_table("APIC");
	/* One more than there can be, so that smp_start() sees that some are
	 * left out */
	static u32 ids[MAX_CPUS + 1];
	unsigned int count = madt ? acpi_cpus(madt, ids, ARRAY_SIZE(ids)) : 0;
	bool all;

	if (count) {
		all = smp_start(ids, count, handover->trampoline, ap_main);
	} else {
		hv_log("smp: no MADT table names processors; the firmware's MP "
		       "services name %u%s\n",
		       handover->cpus,
		       handover->cpus ? "" : ": staying on one CPU");
		all = smp_start(handover->apic_id, handover->cpus,
				handover->trampoline, ap_main);
	}
	if (!all) {
		icr_exits = true;
		hv_log("smp: not every processor is under Gangway: the "
		       "guest's IPIs exit, and are checked\n");
	}
	hv_log("smp: %u CPUs\n", cpu_count);
}

static void compare_clocks(void)
{
	for (unsigned int i = 1; i < cpu_count; i++) {
		s64 ticks = tsc_ahead(i), khz = time_tsc_khz();
		s64 ns = ticks / khz * 1000000 + ticks % khz * 1000000 / khz;

		if (ns > TSC_WARP_NS || ns < -TSC_WARP_NS)
			hv_log("time: cpu %u's TSC is %ld ns %s of cpu 0's: a "
			       "guest that trusts the TSC sees its clock jump; "
			       "update the firmware, or keep this processor "
			       "from the guest (cpus=)\n",
			       i, ns < 0 ? -ns : ns,
			       ns < 0 ? "behind" : "ahead");
	}
}

static void log_memory(void)
{
	u64 image = image_end - image_start;
	u64 pool = 0;

	for (enum page_use use = 0; use < PAGE_USES; use++)
		if (use != PAGES_EPT && use != PAGES_VTD_SL)
			pool += page_count(use) * PAGE_SIZE;
	hv_log("gangway: memory: image %lu KiB, CPUs %zu, host page tables "
	       "%zu, VT-d %zu, devices %zu KiB: %lu KiB in all, of %lu KiB "
	       "that are kept\n",
	       image / KIB, page_count(PAGES_CPU) * 4,
	       page_count(PAGES_HOST_PT) * 4, page_count(PAGES_VTD) * 4,
	       (page_count(PAGES_DEVICE) + page_count(PAGES_GUEST)) * 4,
	       (image + pool) / KIB, (image + handover->pool.size) / KIB);
	hv_log("gangway: image at 0x%lx-0x%lx, page tables at 0x%lx\n",
	       (u64)image_start, (u64)image_end - 1, host_paging_root());
	hv_log("gangway: guest tables: EPT %zu KiB, VT-d second level %zu KiB, "
	       "for %lu MiB of RAM\n",
	       page_count(PAGES_EPT) * 4, page_count(PAGES_VTD_SL) * 4,
	       machine_ram_size() / MIB);
}

/* A screen is a device, whatever firmware says: not where memory is. */
static bool memory_at(hpa_t base, u64 size)
{
	for (hpa_t at = 0; at < size; at += PAGE_SIZE)
		if (host_is_mapped(base + at, 1))
			return true;
	return false;
}

/* True if the log is on it from now on, and was not before. */
static bool use_screen(const struct framebuffer *mode)
{
	u64 size = framebuffer_bytes(mode);

	if (!size || framebuffer_has(mode->base))
		return false;
	if (memory_at(mode->base, size)) {
		hv_log("screen: its memory at 0x%lx is used otherwise\n",
		       mode->base);
		return false;
	}
	if (host_map_screen(mode->base, size))
		return false;
	if (framebuffer_add(mode))
		return true;
	hv_log("screen: one more at 0x%lx stays dark: %u are in use, or there "
	       "is no memory\n",
	       mode->base, FRAMEBUFFERS_MAX);
	return false;
}

static void use_screens(void)
{
	const struct framebuffer *used[FRAMEBUFFERS_MAX];
	unsigned int count = 0;

	for (unsigned int i = 0; i < handover->screen_count; i++)
		if (use_screen(&handover->screen[i]))
			used[count++] = &handover->screen[i];
	if (!count)
		return;
	log_screen = framebuffer_write;
	if (handover->config.mode == MODE_CHECK)
		pager_start();
	for (unsigned int i = 0; i < count; i++)
		hv_log("screen: %ux%u at 0x%lx\n", used[i]->width,
		       used[i]->height, used[i]->base);
}

/* On CPU 0's own stack, with the hypervisor's page tables. */
static _Noreturn void boot_main(void)
{
	const struct acpi_header *fadt = acpi_table("FACP");

	icr_exits = handover->config.check_ipis;
	use_screens();
	guest_power_init(handover->config.guest_power);
	vmx_capabilities();
	if (set_up_cpu())
		panic("VMX does not start on the first CPU");
	if (time_init(fadt ? acpi_pm_timer(fadt) : 0, handover->takeover_tsc))
		panic("no clock");
	this_cpu()->state = CPU_STARTED;
	cpu_count = 1;
	start_other_cpus();
	compare_clocks();
	if (vcpu_bitmaps_init())
		panic("no memory for the MSR and I/O bitmaps");
	machine_build(&linux_entry);
	log_memory();
	__atomic_store_n(&guest_ready, true, __ATOMIC_RELEASE);
	enter_guest(this_cpu());
}

/* Leave the firmware's stack. */
static _Noreturn void switch_stack(u8 *top)
{
	__asm__ volatile("mov %0, %%rsp\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call *%1"
			 :
			 : "r"(top), "r"(boot_main)
			 : "memory");
	__builtin_unreachable();
}

_Noreturn void hv_main(const struct handover *h)
{
	handover = h;
	acpi_init(h->rsdp, map_acpi);
	power_init(h->runtime_services, h->firmware);
	mask_firmware_interrupts();
	console_init(h->config.log_port);
	panic_action = h->config.on_panic;
	if (h->config.selftest)
		selftest_enable();
	alloc_init(h->pool.base, h->pool.size);
	exception_init(nmi_in_root);
	idt_init();
	if (host_paging_init(&h->memory_map, h->trampoline) ||
	    cpu_create(0, 0)) {
		hv_log("gangway: stopped: no memory for the first CPU\n");
		for (;;)
			halt();
	}
	cpu_load_tables(cpus[0]);
	host_state_set(true);
	host_paging_load();
	switch_stack(cpus[0]->stack + CPU_STACK_PAGES * PAGE_SIZE);
}
