/* This file counts exits, and shows them to the guest by CPUID and in the
 * log. */
#include "hv/vmx/stat.h"
#include "hv/cpu.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/stat_abi.h"
#include "hv/string.h"
#include "hv/time.h"
#include "hv/version.h"

#define VERSION_NUMBER                                                         \
	(GANGWAY_VERSION_MAJOR << 16 | GANGWAY_VERSION_MINOR << 8 |            \
	 GANGWAY_VERSION_PATCH)

/* A line of the log has room for so many; a space and a number each */
#define BY_CPU_MAX 16
#define BY_CPU_WIDTH 21

static struct stat_faults no_faults(u32 back)
{
	(void)back;
	return (struct stat_faults){0};
}

struct stat_faults (*stat_read_faults)(u32 back) = no_faults;

/* Those that can occur, and the causes behind two of them. */
static const char *const names[STAT_COUNTERS] = {
	[0] = "exception or NMI",
	[2] = "triple fault",
	[3] = "INIT",
	[4] = "SIPI",
	[8] = "NMI window",
	[9] = "task switch",
	[10] = "CPUID",
	[11] = "GETSEC",
	[13] = "INVD",
	[15] = "RDPMC",
	[28] = "control register",
	[30] = "I/O port",
	[31] = "RDMSR",
	[32] = "WRMSR",
	[33] = "invalid guest state",
	[48] = "EPT violation",
	[49] = "EPT misconfiguration",
	[55] = "XSETBV",
	[STAT_CAUSE_NONE] = "  no device there",
	[STAT_CAUSE_UART] = "  UART",
	[STAT_CAUSE_CMOS] = "  CMOS clock",
	[STAT_CAUSE_POWER] = "  reset and power",
	[STAT_CAUSE_PCI_CONFIG] = "  PCI configuration",
	[STAT_CAUSE_IOAPIC] = "  IOAPIC",
	[STAT_CAUSE_MSIX_TABLE] = "  MSI-X table",
	[STAT_CAUSE_PF_MAILBOX] = "  PF mailbox page",
	[STAT_CAUSE_BAR] = "  I/O or small BAR",
	[STAT_CAUSE_PF_MAILBOX_READ] = "  PF mailbox page read",
};

static struct cpuid_regs counter_leaf(u32 subleaf)
{
	u32 cpu = subleaf >> 16, counter = subleaf & 0xffff;
	u64 count;

	if (cpu >= cpu_count || counter >= STAT_COUNTERS)
		return (struct cpuid_regs){0};
	count = __atomic_load_n(&cpus[cpu]->exits[counter], __ATOMIC_RELAXED);
	return (struct cpuid_regs){.eax = (u32)count, .ebx = count >> 32};
}

static struct cpuid_regs time_leaf(void)
{
	u64 now = time_us();

	return (struct cpuid_regs){
		.eax = (u32)now,
		.ebx = now >> 32,
		.ecx = (u32)stat_read_faults(0).count,
	};
}

static struct cpuid_regs fault_leaf(u32 subleaf)
{
	struct stat_faults f = stat_read_faults(subleaf / 2);

	if (subleaf % 2)
		return (struct cpuid_regs){(u32)f.time_us, f.time_us >> 32, 0,
					   0};
	return (struct cpuid_regs){(u32)f.address, f.address >> 32, f.source_id,
				   f.reason | (u32)f.read << 31};
}

static struct cpuid_regs exit_leaf(u32 subleaf)
{
	u32 cpu = subleaf >> 16, n = (subleaf & 0xffff) / 2;
	const struct recent_exit *e;
	u64 tsc;

	if (cpu >= cpu_count || n >= STAT_EXITS)
		return (struct cpuid_regs){0};
	e = &cpus[cpu]->recent[n];
	if (subleaf % 2)
		return (struct cpuid_regs){(u32)e->rip, e->rip >> 32,
					   (u32)e->qualification,
					   e->qualification >> 32};
	tsc = __atomic_load_n(&e->tsc, __ATOMIC_ACQUIRE);
	return (struct cpuid_regs){(u32)tsc, tsc >> 32, e->reason, 0};
}

struct cpuid_regs cpuid_signature(u32 last_leaf, const char *text)
{
	struct cpuid_regs r = {.eax = last_leaf};

	memcpy(&r.ebx, text, 4);
	memcpy(&r.ecx, &text[4], 4);
	memcpy(&r.edx, &text[8], 4);
	return r;
}

struct cpuid_regs stat_leaf(u32 leaf, u32 subleaf)
{
	switch (leaf) {
	case STAT_LEAF_BASE:
		return cpuid_signature(STAT_LEAF_LAST, STAT_SIGNATURE);
	case STAT_LEAF_VERSION:
		return (struct cpuid_regs){VERSION_NUMBER, cpu_count,
					   STAT_COUNTERS, time_tsc_khz()};
	case STAT_LEAF_TIME:
		return time_leaf();
	case STAT_LEAF_COUNTER:
		return counter_leaf(subleaf);
	case STAT_LEAF_FAULT:
		return fault_leaf(subleaf);
	default:
		return exit_leaf(subleaf);
	}
}

/* What each CPU has; of many, which has most. */
static void log_by_cpu(unsigned int counter, char *line, size_t size)
{
	const struct cpu *most = cpus[0];

	for (unsigned int i = 0; i < cpu_count; i++) {
		if (cpus[i]->exits[counter] > most->exits[counter])
			most = cpus[i];
		if (cpu_count > BY_CPU_MAX)
			continue;
		line += format(line, size, " %9lu", cpus[i]->exits[counter]);
		size -= BY_CPU_WIDTH;
	}
	if (cpu_count > BY_CPU_MAX)
		format(line, size, " at most %lu, on cpu %u",
		       most->exits[counter], most->index);
}

static void log_counter(unsigned int counter)
{
	char line[BY_CPU_MAX * BY_CPU_WIDTH + 1] = "";
	u64 sum = 0;

	for (unsigned int i = 0; i < cpu_count; i++)
		sum += cpus[i]->exits[counter];
	if (!sum)
		return;
	log_by_cpu(counter, line, sizeof(line));
	if (names[counter])
		hv_log("  %-22s %10lu %s\n", names[counter], sum, line);
	else
		hv_log("  reason %-15u %10lu %s\n", counter, sum, line);
}

void stat_log(void)
{
	hv_log("gangway: VM exits: in all, then by CPU\n");
	for (unsigned int i = 0; i < STAT_COUNTERS; i++)
		log_counter(i);
}
