/*
 * work NAME: one of the works below, the same amount each time, for make bench
 * (tools/bench.py).  Silent: what it would print is work, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define MEMORY (64ul << 20)

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Registers alone */
static void loop(void)
{
	uint64_t turns = 200000000, x = 1;

	__asm__ volatile("1:\tadd $3, %1\n\t"
			 "xor $5, %1\n\t"
			 "rol $1, %1\n\t"
			 "dec %0\n\t"
			 "jnz 1b"
			 : "+r"(turns), "+r"(x));
}

static void system_calls(void)
{
	for (int i = 0; i < 1000000; i++)
		syscall(SYS_getppid);
}

static unsigned char *map_memory(void)
{
	void *at = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

static void page_faults(void)
{
	for (int i = 0; i < 8; i++) {
		unsigned char *at = map_memory();

		/* One of 4 KiB each */
		madvise(at, MEMORY, MADV_NOHUGEPAGE);
		for (size_t page = 0; page < MEMORY; page += PAGE)
			at[page] = 1;
		munmap(at, MEMORY);
	}
}

/* Reads that follow no pattern */
static void memory(void)
{
	unsigned char *at = map_memory();
	uint64_t place = 1, sum = 0;

	memset(at, 1, MEMORY);
	for (int i = 0; i < 10000000; i++) {
		place = place * 6364136223846793005u + 1442695040888963407u;
		sum += at[(place >> 33) % MEMORY];
	}
	if (sum != 10000000)
		die("memory");
}

static void forks(void)
{
	for (int i = 0; i < 1000; i++) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (!child)
			_exit(0);
		waitpid(child, NULL, 0);
	}
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

/* A byte there and back between two processes on one CPU */
static void context_switches(void)
{
	int there[2], back[2];
	char byte = 0;

	stay_on(0);
	if (pipe(there) || pipe(back))
		die("pipe");
	if (!fork()) {
		close(there[1]);
		while (read(there[0], &byte, 1) == 1)
			if (write(back[1], &byte, 1) != 1)
				break;
		_exit(0);
	}
	for (int i = 0; i < 100000; i++)
		if (write(there[1], &byte, 1) != 1 ||
		    read(back[0], &byte, 1) != 1)
			die("pipe");
	close(there[1]);
	wait(NULL);
}

static int turn;

static void take_turns(int mine)
{
	for (int i = 0; i < 20000; i++) {
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != mine)
			syscall(SYS_futex, &turn, FUTEX_WAIT, 1 - mine, NULL);
		__atomic_store_n(&turn, 1 - mine, __ATOMIC_RELEASE);
		syscall(SYS_futex, &turn, FUTEX_WAKE, 1);
	}
}

static void *second_cpu(void *unused)
{
	stay_on(1);
	take_turns(1);
	return unused;
}

/* Two threads on two CPUs wake each other: by IPIs, where the other one halts
 */
static void ipis(void)
{
	pthread_t other;

	stay_on(0);
	if (pthread_create(&other, NULL, second_cpu, NULL))
		die("pthread_create");
	take_turns(0);
	pthread_join(other, NULL);
}

static void timers(void)
{
	struct timespec ms = {0, 1000000};

	for (int i = 0; i < 2000; i++)
		nanosleep(&ms, NULL);
}

static const struct {
	const char *name;
	void (*run)(void);
} works[] = {
	{"loop", loop},
	{"system-calls", system_calls},
	{"page-faults", page_faults},
	{"memory", memory},
	{"forks", forks},
	{"context-switches", context_switches},
	{"ipis", ipis},
	{"timers", timers},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(works) / sizeof(*works); i++)
		if (!strcmp(argv[1], works[i].name)) {
			works[i].run();
			return 0;
		}
	fprintf(stderr, "work: no such work\n");
	return 2;
}
