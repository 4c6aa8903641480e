/*
 * gangway-stat: what the hypervisor counted, for the guest's eyes.
 *
 *   gangway-stat                 since take-over
 *   gangway-stat -- COMMAND...   while COMMAND ran; its exit status
 *   gangway-stat --watch         in each second
 *   gangway-stat --trace         the last exits and blocked requests
 *
 * gangway-stat.1 beside this file has all options.
 * Needs no privilege: CPUID alone.  Each CPUID is an exit itself, so the
 * program stays on one CPU and takes its own ones off that CPU's count.
 */
#define _GNU_SOURCE
#include "guest/tools/counters.h"
#include "guest/tools/cpuid_stat.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPUS_MAX 1024
#define COUNTERS_MAX 256
#define EXIT_TROUBLE 125 /* as timeout(1), env(1) have it */

static unsigned int cpus, counters;
static uint32_t version, tsc_khz;
static const char *over = "up"; /* what the time is that is shown */
static unsigned int home;	/* the CPU that our own CPUIDs run on */

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
	tsc_khz = r.edx;
	if (!cpus || cpus > CPUS_MAX || !tsc_khz || counters < STAT_REASONS ||
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

typedef void print_fn(const struct snapshot *s);

/* Print what was counted from @before on, and forget it. */
static void print_between(print_fn *print, struct snapshot *before,
			  const struct snapshot *now)
{
	struct snapshot *s = before;

	s->time_us = now->time_us - s->time_us;
	s->blocked = now->blocked - s->blocked;
	for (size_t i = 0; i < (size_t)cpus * counters; i++)
		s->count[i] = now->count[i] - s->count[i];
	if (home < cpus)
		s->count[home * counters + REASON_CPUID] -= s->own_cpuids;
	print(s);
	fflush(stdout);
	free(s->count);
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

static void print_table(const struct snapshot *s)
{
	printf("Gangway %u.%u.%u, %u CPU%s, %s %" PRIu64 ".%06" PRIu64
	       " s, %u request%s blocked\n",
	       version >> 16, version >> 8 & 0xff, version & 0xff, cpus,
	       cpus == 1 ? "" : "s", over, s->time_us / 1000000,
	       s->time_us % 1000000, s->blocked, s->blocked == 1 ? "" : "s");
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

/* The counters from @first to @end: ,"NAME":[CPU 0's,CPU 1's...] */
static void print_json_counters(const struct snapshot *s, unsigned int first,
				unsigned int end)
{
	const char *before = "";
	char buf[24];

	for (unsigned int counter = first; counter < end; counter++) {
		if (!total(s, counter))
			continue;
		printf("%s\"%s\":", before,
		       counter_name(counter, buf, sizeof(buf)));
		for (unsigned int cpu = 0; cpu < cpus; cpu++)
			printf("%c%" PRIu64, cpu ? ',' : '[',
			       s->count[cpu * counters + counter]);
		printf("]");
		before = ",";
	}
}

/* One object a line. */
static void print_json(const struct snapshot *s)
{
	printf("{\"version\":\"%u.%u.%u\",\"cpus\":%u,\"time_us\":%" PRIu64
	       ",\"blocked\":%u,\"exits\":{",
	       version >> 16, version >> 8 & 0xff, version & 0xff, cpus,
	       s->time_us, s->blocked);
	print_json_counters(s, 0, STAT_REASONS);
	printf("},\"accesses\":{");
	print_json_counters(s, STAT_REASONS, counters);
	printf("}}\n");
}

/* For eyes that wait: how many exits, then what they were. */
static void print_line(const struct snapshot *s)
{
	uint64_t exits = 0;
	char buf[24];

	for (unsigned int counter = 0; counter < STAT_REASONS; counter++)
		exits += total(s, counter);
	printf("%8" PRIu64 " exits %6u blocked ", exits, s->blocked);
	for (unsigned int counter = 0; counter < counters; counter++)
		if (total(s, counter))
			printf(" %s%s %" PRIu64,
			       counter == STAT_REASONS ? "; " : "",
			       counter_name(counter, buf, sizeof(buf)),
			       total(s, counter));
	printf("\n");
}

/* What was counted in each of @lines times @seconds; 0: until killed. */
static void watch(print_fn *print, unsigned int seconds, unsigned int lines)
{
	struct snapshot before = take_snapshot(), now;

	for (unsigned int line = 0; !lines || line < lines; line++) {
		sleep(seconds);
		now = take_snapshot();
		print_between(print, &before, &now);
		before = now;
	}
	free(before.count);
}

/* One of the last exits, or (cpu ~0) of the blocked requests */
struct event {
	uint64_t time_us;
	unsigned int cpu;
	struct cpuid what, more;
};

/* Newer than the time of a leaf that was read before is now. */
static uint64_t exit_time(uint64_t tsc)
{
	uint64_t now = cpuid_u64(cpuid_read(STAT_LEAF_TIME, 0));
	uint64_t ticks = __builtin_ia32_rdtsc() - tsc;
	uint64_t ago =
		ticks / tsc_khz * 1000 + ticks % tsc_khz * 1000 / tsc_khz;

	return now > ago ? now - ago : 0;
}

/* False if there is none, or it was written meanwhile. */
static bool read_exit(unsigned int cpu, unsigned int n, struct event *e)
{
	uint32_t subleaf = cpu << 16 | 2 * n;
	uint64_t tsc;

	e->cpu = cpu;
	e->what = cpuid_read(STAT_LEAF_EXIT, subleaf);
	e->more = cpuid_read(STAT_LEAF_EXIT, subleaf + 1);
	tsc = cpuid_u64(e->what);
	if (!tsc || tsc != cpuid_u64(cpuid_read(STAT_LEAF_EXIT, subleaf)))
		return false;
	e->time_us = exit_time(tsc);
	return true;
}

static bool read_fault(unsigned int n, struct event *e)
{
	e->cpu = ~0u;
	e->what = cpuid_read(STAT_LEAF_FAULT, 2 * n);
	e->time_us = cpuid_u64(cpuid_read(STAT_LEAF_FAULT, 2 * n + 1));
	return e->time_us != 0;
}

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	return (x->time_us > y->time_us) - (x->time_us < y->time_us);
}

static void print_event(const struct event *e, bool json)
{
	uint32_t source = e->what.ecx & 0xffff;
	char name[24];

	if (e->cpu != ~0u)
		printf(json ? "{\"time_us\":%" PRIu64 ",\"cpu\":%u,\"exit\":"
			      "\"%s\",\"rip\":\"0x%" PRIx64 "\","
			      "\"qualification\":\"0x%" PRIx64 "\"}\n"
			    : "%12" PRIu64 " us  cpu %u: %s, rip %" PRIx64
			      ", qualification %" PRIx64 "\n",
		       e->time_us, e->cpu,
		       counter_name(e->what.ecx & 0xffff, name, sizeof(name)),
		       cpuid_u64(e->more),
		       (uint64_t)e->more.edx << 32 | e->more.ecx);
	else
		printf(json ? "{\"time_us\":%" PRIu64 ",\"blocked\":\"%s\","
			      "\"source\":\"%02x:%02x.%x\",\"address\":"
			      "\"0x%" PRIx64 "\",\"reason\":%u}\n"
			    : "%12" PRIu64 " us  blocked: %s by %02x:%02x.%x "
			      "to %" PRIx64 ", reason %u\n",
		       e->time_us, e->what.edx >> 31 ? "read" : "write",
		       source >> 8, source >> 3 & 31, source & 7,
		       cpuid_u64(e->what), e->what.edx & 0xff);
}

/* The last exits of each CPU and the last blocked requests, the newest last. */
static void print_trace(bool json)
{
	struct event *e = calloc(cpus * STAT_EXITS + STAT_FAULTS, sizeof(*e));
	size_t count = 0;

	if (!e)
		die("no memory");
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		for (unsigned int n = 0; n < STAT_EXITS; n++)
			count += read_exit(cpu, n, &e[count]);
	for (unsigned int n = 0; n < STAT_FAULTS; n++)
		count += read_fault(n, &e[count]);
	qsort(e, count, sizeof(*e), by_time);
	for (size_t i = 0; i < count; i++)
		print_event(&e[i], json);
	free(e);
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

/* From 1 to what a day has of seconds. */
static unsigned int number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!n || n > 86400 || *end)
		die("not a number from 1 to 86400");
	return n;
}

static const struct option options[] = {
	{"watch", no_argument, NULL, 'w'},
	{"interval", required_argument, NULL, 'i'},
	{"count", required_argument, NULL, 'n'},
	{"trace", no_argument, NULL, 't'},
	{"json", no_argument, NULL, 'j'},
	{0},
};

_Noreturn static void usage(void)
{
	fprintf(stderr, "usage: gangway-stat [-m | --json] [-- COMMAND...]\n"
			"       gangway-stat --watch [--interval SECONDS] "
			"[--count LINES] [-m | --json]\n"
			"       gangway-stat --trace [--json]\n");
	exit(EXIT_TROUBLE);
}

/* What @argv is to be counted of; NULL: since take-over. */
static int count(print_fn *print, char *const argv[], const cpu_set_t *allowed)
{
	struct snapshot before = take_snapshot(), now;
	int status;

	if (!argv[0]) {
		(print ? print : print_table)(&before);
		free(before.count);
		return 0;
	}
	over = "over";
	status = run_command(argv, allowed);
	now = take_snapshot();
	print_between(print ? print : print_table, &before, &now);
	free(now.count);
	return status;
}

int main(int argc, char **argv)
{
	unsigned int interval = 1, lines = 0;
	print_fn *print = NULL;
	cpu_set_t allowed;
	int option, what = 0;

	while ((option = getopt_long(argc, argv, "+mwi:n:tj", options, NULL)) !=
	       -1)
		if (option == 'm')
			print = print_keys;
		else if (option == 'j')
			print = print_json;
		else if (option == 'i')
			interval = number(optarg);
		else if (option == 'n')
			lines = number(optarg);
		else if (option == '?')
			usage();
		else
			what = option;
	if (what && argv[optind])
		usage();
	find_gangway();
	stay_here(&allowed);
	if (what == 't')
		print_trace(print == print_json);
	else if (what == 'w')
		watch(print ? print : print_line, interval, lines);
	else
		return count(print, &argv[optind], &allowed);
	return 0;
}
