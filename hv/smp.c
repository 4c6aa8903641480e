/* This file starts the other processors (Intel SDM 3A 9.4.4). */
#include "hv/smp.h"
#include "hv/apic.h"
#include "hv/cpu.h"
#include "hv/cpu_tables.h"
#include "hv/host_paging.h"
#include "hv/log.h"
#include "hv/segments.h"
#include "hv/string.h"
#include "hv/time.h"
#include "hv/trampoline.h"

#define INIT_DELAY_US 10000 /* 9.4.4.1 step 15 */
#define SIPI_DELAY_US 200
/* A hypervisor below may let a processor stand for a while */
#define START_LIMIT_US 10000000

static struct trampoline_params *trampoline_install(hpa_t page,
						    smp_entry_fn *entry)
{
	struct trampoline_params *p = (void *)(page + PARAMS_OFFSET);

	memcpy((void *)page, trampoline_start,
	       trampoline_end - trampoline_start);
	p->gdt[1] = GDT_CODE64;
	p->gdt_limit = sizeof(p->gdt) - 1;
	p->gdt_base = (u32)(u64)p->gdt;
	p->far_offset =
		(u32)page + (u32)(trampoline_long_mode - trampoline_start);
	p->far_selector = 8;
	p->cr3 = host_paging_root();
	p->entry = (u64)entry;
	return p;
}

static void send_start_sequence(u32 apic_id, hpa_t trampoline)
{
	u32 startup = ICR_STARTUP | ICR_ASSERT | (u32)(trampoline >> 12);

	apic_send_ipi(apic_id, ICR_INIT | ICR_ASSERT);
	delay_us(INIT_DELAY_US, "after INIT (SDM 3A 9.4.4.1)");
	apic_send_ipi(apic_id, startup);
	delay_us(SIPI_DELAY_US, "after SIPI (SDM 3A 9.4.4.1)");
	apic_send_ipi(apic_id, startup);
}

/* Whether it has started is decided once, by whoever comes first: the processor
 * itself, or the one that waits and gives it up. */
static bool decide(struct cpu *cpu, enum cpu_state state)
{
	enum cpu_state undecided = CPU_ABSENT;

	return __atomic_compare_exchange_n(&cpu->state, &undecided, state,
					   false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

bool smp_started(struct cpu *cpu)
{
	return decide(cpu, CPU_STARTED);
}

static bool is_started(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->state, __ATOMIC_ACQUIRE) == CPU_STARTED;
}

static int start_one(u32 apic_id, struct trampoline_params *params,
		     hpa_t trampoline)
{
	struct cpu *cpu;
	int err = cpu_create(cpu_count, apic_id);

	if (err) {
		hv_log("smp: no memory for the CPU with APIC ID %u\n", apic_id);
		return err;
	}
	cpu = cpus[cpu_count];
	params->stack = (u64)cpu->stack + CPU_STACK_PAGES * PAGE_SIZE;
	params->cpu = (u64)cpu;
	send_start_sequence(apic_id, trampoline);
	err = wait_until(is_started(cpu), START_LIMIT_US,
			 "a processor to start after SIPI");
	if (err && decide(cpu, CPU_STOPPED)) {
		hv_log("smp: CPU with APIC ID %u did not start; going on "
		       "without it\n",
		       apic_id);
		/* It waits for a SIPI again, and does not come late to the
		 * parameters of the next one */
		apic_send_ipi(apic_id, ICR_INIT | ICR_ASSERT);
		return err;
	}
	cpu_count++;
	return 0;
}

bool smp_start(const u32 *apic_ids, unsigned int count, hpa_t trampoline,
	       smp_entry_fn *entry)
{
	struct trampoline_params *params =
		trampoline_install(trampoline, entry);
	bool all;

	if (host_paging_root() > UINT32_MAX) {
		hv_log("smp: page tables above 4 GiB cannot be loaded in real "
		       "mode; staying on one CPU\n");
		return false;
	}
	/* No list may mean that there are more */
	all = count;
	for (unsigned int i = 0; i < count; i++)
		if (apic_ids[i] != cpus[0]->apic_id &&
		    (cpu_count == MAX_CPUS ||
		     start_one(apic_ids[i], params, trampoline)))
			all = false;
	host_paging_lock_trampoline(trampoline);
	return all;
}
