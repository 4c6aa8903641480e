/*
 * gangway-stat: what the hypervisor counted, for the guest's eyes.
 *
 *   gangway-stat [-m]                 since take-over
 *   gangway-stat [-m] -- COMMAND...   while COMMAND ran; its exit status
 *
 * Needs no privilege: CPUID alone.  Each CPUID is an exit itself, so the
 * program stays on one CPU and takes its own ones off that CPU's count.
 */
#define _GNU_SOURCE
#include "guest/tools/cpuid_stat.h"
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPUS_MAX 1024
#define COUNTERS_MAX 256
#define REASON_CPUID 10
#define EXIT_TROUBLE 125 /* as timeout(1), env(1) have it */

/* Basic exit reasons, Intel SDM 3D appendix C; NULL: not defined there. */
static const char *const reason_name[STAT_REASONS] = {
	[0] = "EXCEPTION_OR_NMI",
	[1] = "EXTERNAL_INTERRUPT",
	[2] = "TRIPLE_FAULT",
	[3] = "INIT",
	[4] = "SIPI",
	[5] = "IO_SMI",
	[6] = "OTHER_SMI",
	[7] = "INTERRUPT_WINDOW",
	[8] = "NMI_WINDOW",
	[9] = "TASK_SWITCH",
	[REASON_CPUID] = "CPUID",
	[11] = "GETSEC",
	[12] = "HLT",
	[13] = "INVD",
	[14] = "INVLPG",
	[15] = "RDPMC",
	[16] = "RDTSC",
	[17] = "RSM",
	[18] = "VMCALL",
	[19] = "VMCLEAR",
	[20] = "VMLAUNCH",
	[21] = "VMPTRLD",
	[22] = "VMPTRST",
	[23] = "VMREAD",
	[24] = "VMRESUME",
	[25] = "VMWRITE",
	[26] = "VMXOFF",
	[27] = "VMXON",
	[28] = "CR_ACCESS",
	[29] = "DR_ACCESS",
	[30] = "IO_INSTRUCTION",
	[31] = "RDMSR",
	[32] = "WRMSR",
	[33] = "ENTRY_FAILURE_GUEST_STATE",
	[34] = "ENTRY_FAILURE_MSR_LOADING",
	[36] = "MWAIT",
	[37] = "MONITOR_TRAP_FLAG",
	[39] = "MONITOR",
	[40] = "PAUSE",
	[41] = "ENTRY_FAILURE_MACHINE_CHECK",
	[43] = "TPR_BELOW_THRESHOLD",
	[44] = "APIC_ACCESS",
	[45] = "VIRTUALIZED_EOI",
	[46] = "GDTR_OR_IDTR_ACCESS",
	[47] = "LDTR_OR_TR_ACCESS",
	[48] = "EPT_VIOLATION",
	[49] = "EPT_MISCONFIGURATION",
	[50] = "INVEPT",
	[51] = "RDTSCP",
	[52] = "PREEMPTION_TIMER",
	[53] = "INVVPID",
	[54] = "WBINVD",
	[55] = "XSETBV",
	[56] = "APIC_WRITE",
	[57] = "RDRAND",
	[58] = "INVPCID",
	[59] = "VMFUNC",
	[60] = "ENCLS",
	[61] = "RDSEED",
	[62] = "PAGE_MODIFICATION_LOG_FULL",
	[63] = "XSAVES",
	[64] = "XRSTORS",
	[65] = "PCONFIG",
	[66] = "SPP_EVENT",
	[67] = "UMWAIT",
	[68] = "TPAUSE",
	[69] = "LOADIWKEY",
	[70] = "ENCLV",
	[72] = "ENQCMD_PASID_FAILURE",
	[73] = "ENQCMDS_PASID_FAILURE",
	[74] = "BUS_LOCK",
	[75] = "INSTRUCTION_TIMEOUT",
	[76] = "SEAMCALL",
	[77] = "TDCALL",
	[78] = "RDMSRLIST",
	[79] = "WRMSRLIST",
};

static const char *const cause_name[STAT_COUNTERS - STAT_REASONS] = {
	[STAT_CAUSE_NONE - STAT_REASONS] = "NO_DEVICE",
	[STAT_CAUSE_UART - STAT_REASONS] = "UART",
	[STAT_CAUSE_CMOS - STAT_REASONS] = "CMOS",
	[STAT_CAUSE_POWER - STAT_REASONS] = "POWER",
	[STAT_CAUSE_PCI_CONFIG - STAT_REASONS] = "PCI_CONFIG",
	[STAT_CAUSE_IOAPIC - STAT_REASONS] = "IOAPIC",
	[STAT_CAUSE_MSIX_TABLE - STAT_REASONS] = "MSIX_TABLE",
	[STAT_CAUSE_PF_MAILBOX - STAT_REASONS] = "PF_MAILBOX",
	[STAT_CAUSE_BAR - STAT_REASONS] = "BAR",
	[STAT_CAUSE_PF_MAILBOX_READ - STAT_REASONS] = "PF_MAILBOX_READ",
};

static unsigned int cpus, counters;
static uint32_t version;
static unsigned int home; /* the CPU that our own CPUIDs run on */

struct snapshot {
	uint64_t time_us, own_cpuids;
	uint32_t blocked;
	uint64_t *count; /* [cpu * counters + counter] */
};

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "gangway-stat: %s\n", what);
	exit(EXIT_TROUBLE);
}

/* Names in @buf where the manual, or this program, has none. */
static const char *counter_name(unsigned int counter, char *buf, size_t size)
{
	const char *name = NULL;

	if (counter < STAT_REASONS)
		name = reason_name[counter];
	else if (counter < STAT_COUNTERS)
		name = cause_name[counter - STAT_REASONS];
	if (name)
		return name;
	snprintf(buf, size, "%s_%u",
		 counter < STAT_REASONS ? "REASON" : "COUNTER", counter);
	return buf;
}

/* What the leaves may say is bounded here, once. */
static void find_gangway(void)
{
	struct cpuid r;

	if (!under_gangway())
		die("this system does not run under Gangway "
		    "(no such CPUID leaves)");
	r = cpuid_read(STAT_LEAF_VERSION, 0);
	version = r.eax;
	cpus = r.ebx;
	counters = r.ecx;
	if (!cpus || cpus > CPUS_MAX || counters < STAT_REASONS ||
	    counters > COUNTERS_MAX)
		die("the hypervisor's CPUID leaves make no sense");
}

/* Stay on the CPU that we are on; @old gets where we were allowed before. */
static void stay_here(cpu_set_t *old)
{
	cpu_set_t here;
	int cpu = sched_getcpu();

	if (cpu < 0 || sched_getaffinity(0, sizeof(*old), old))
		die("cannot tell on which CPU this runs");
	CPU_ZERO(&here);
	CPU_SET(cpu, &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		die("cannot stay on one CPU");
	home = cpu;
}

/* Executes the same CPUIDs in the same order each time, so that between two
 * readings of one counter there are own_cpuids of them. */
static struct snapshot take_snapshot(void)
{
	struct snapshot s = {0};
	struct cpuid r = cpuid_read(STAT_LEAF_TIME, 0);

	s.time_us = cpuid_u64(r);
	s.blocked = r.ecx;
	s.count = calloc((size_t)cpus * counters, sizeof(*s.count));
	if (!s.count)
		die("no memory");
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		for (unsigned int counter = 0; counter < counters; counter++)
			s.count[cpu * counters + counter] =
				cpuid_u64(cpuid_read(STAT_LEAF_COUNTER,
						     cpu << 16 | counter));
	s.own_cpuids = 1 + (uint64_t)cpus * counters;
	return s;
}

static void subtract(struct snapshot *after, const struct snapshot *before)
{
	after->time_us -= before->time_us;
	after->blocked -= before->blocked;
	for (size_t i = 0; i < (size_t)cpus * counters; i++)
		after->count[i] -= before->count[i];
	if (home < cpus)
		after->count[home * counters + REASON_CPUID] -=
			after->own_cpuids;
}

static uint64_t total(const struct snapshot *s, unsigned int counter)
{
	uint64_t sum = 0;

	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		sum += s->count[cpu * counters + counter];
	return sum;
}

static void print_row(const struct snapshot *s, unsigned int counter)
{
	char buf[24];

	printf("%-28s", counter_name(counter, buf, sizeof(buf)));
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		printf(" %10" PRIu64, s->count[cpu * counters + counter]);
	printf(" %12" PRIu64 "\n", total(s, counter));
}

static void print_head(const char *what)
{
	printf("\n%-28s", what);
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		printf("   CPU %4u", cpu);
	printf("        total\n");
}

static void print_table(const struct snapshot *s, bool since_start)
{
	printf("Gangway %u.%u.%u, %u CPU%s, %s %" PRIu64 ".%06" PRIu64
	       " s, %u request%s blocked\n",
	       version >> 16, version >> 8 & 0xff, version & 0xff, cpus,
	       cpus == 1 ? "" : "s", since_start ? "up" : "over",
	       s->time_us / 1000000, s->time_us % 1000000, s->blocked,
	       s->blocked == 1 ? "" : "s");
	print_head("VM exits by reason");
	for (unsigned int counter = 0; counter < STAT_REASONS; counter++)
		if (total(s, counter))
			print_row(s, counter);
	print_head("trapped accesses by device");
	for (unsigned int counter = STAT_REASONS; counter < counters; counter++)
		if (total(s, counter))
			print_row(s, counter);
}

/* One key=value a line: reasons under exit., devices under access. */
static void print_keys(const struct snapshot *s)
{
	char buf[24];

	printf("version=%u.%u.%u\ncpus=%u\ntime_us=%" PRIu64 "\nblocked=%u\n",
	       version >> 16, version >> 8 & 0xff, version & 0xff, cpus,
	       s->time_us, s->blocked);
	for (unsigned int counter = 0; counter < counters; counter++) {
		const char *name = counter_name(counter, buf, sizeof(buf));
		const char *kind = counter < STAT_REASONS ? "exit" : "access";

		if (!total(s, counter))
			continue;
		printf("%s.%s=%" PRIu64 "\n", kind, name, total(s, counter));
		for (unsigned int cpu = 0; cpu < cpus; cpu++)
			printf("%s.%s.cpu%u=%" PRIu64 "\n", kind, name, cpu,
			       s->count[cpu * counters + counter]);
	}
}

/* Run @argv on the CPUs of @allowed; its exit status as the shell has it. */
static int run_command(char *const argv[], const cpu_set_t *allowed)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("cannot fork");
	if (!pid) {
		sched_setaffinity(0, sizeof(*allowed), allowed);
		execvp(argv[0], argv);
		fprintf(stderr, "gangway-stat: %s: %s\n", argv[0],
			strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("lost the command");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct snapshot before, now;
	bool keys = false;
	cpu_set_t allowed;
	int option, status = 0;

	while ((option = getopt(argc, argv, "+m")) != -1) {
		if (option != 'm') {
			fprintf(stderr, "usage: gangway-stat [-m] "
					"[-- COMMAND...]\n");
			return EXIT_TROUBLE;
		}
		keys = true;
	}
	find_gangway();
	stay_here(&allowed);
	now = take_snapshot();
	if (optind < argc) {
		before = now;
		status = run_command(argv + optind, &allowed);
		now = take_snapshot();
		subtract(&now, &before);
		free(before.count);
	}
	if (keys)
		print_keys(&now);
	else
		print_table(&now, optind >= argc);
	free(now.count);
	return status;
}
