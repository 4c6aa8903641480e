/* What the UEFI side hands to the hypervisor at take-over. */
#ifndef HV_MACHINE_HANDOVER_H
#define HV_MACHINE_HANDOVER_H

#include "drivers/framebuffer.h"
#include "hv/cpu.h"
#include "hv/host_paging.h"
#include "hv/machine/config.h"

#define HANDOVER_RAM_MAX 32
/* Each may be named again by a GOP that stands for several */
#define HANDOVER_SCREENS_MAX (2 * FRAMEBUFFERS_MAX)

struct hpa_range {
	hpa_t base;
	u64 size;
};

struct handover {
	struct config config;
	hpa_t rsdp; /* 0: firmware has none */

	/* Processors by the firmware's MP services, where there is no MADT; one
	 * more than are used, so that those left out are seen */
	u32 apic_id[MAX_CPUS + 1];
	unsigned int cpus; /* 0: the firmware does not tell */

	/* The UEFI memory map as ExitBootServices accepted it (UEFI 7.2) */
	struct uefi_memory_map memory_map;

	/* Files, contiguous; size 0: none */
	struct hpa_range kernel, initrd;

	/* Memory taken for us, outside every other use */
	struct hpa_range image; /* the loaded application */
	struct hpa_range pool;	/* for page_alloc(), page-aligned */
	hpa_t trampoline;	/* one page below 1 MiB */

	/* For the guest's RAM: multiples of 2 MiB, in the order of guest
	 * addresses, out of the map's conventional memory. */
	struct hpa_range ram[HANDOVER_RAM_MAX];
	unsigned int ram_count;
	u64 ram_needed; /* bytes; less will not do */

	/* As firmware tells; not checked, some may be the same */
	struct framebuffer screen[HANDOVER_SCREENS_MAX];
	unsigned int screen_count;

	void *runtime_services; /* EFI_RUNTIME_SERVICES *, physical mode */
	struct firmware_state firmware;
	u64 takeover_tsc; /* right after ExitBootServices */
	u64 tsc_adjust;	  /* IA32_TSC_ADJUST as firmware left it; now 0 */
};

/* What hv_main() was given. */
extern const struct handover *handover;

#endif
