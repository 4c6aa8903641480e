/*
 * The first user process under Bochs.  One line for each thing that takes a
 * different way through VMX: then the power-off.
 */
#define _GNU_SOURCE
#include "hv/stat_abi.h"
#include <cpuid.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define SLEEP_MS 100
#define SLEEP_MS_MAX 5000

static sigjmp_buf after_signal;

static void result(bool good, const char *what, const char *detail)
{
	printf("%s %s: %s\n", good ? "PASS" : "FAIL", what, detail);
}

static void on_signal(int number)
{
	siglongjmp(after_signal, number);
}

/* The signal that @act ends in; 0: none. */
static int signal_of(void (*act)(void))
{
	int number = sigsetjmp(after_signal, 1);

	if (!number)
		act();
	return number;
}

/* Exits, and comes back as an event of VM entry: an exception without an error
 * code, and one with */
static void do_vmcall(void)
{
	__asm__ volatile("vmcall" : : : "memory");
}

static void do_rdpmc(void)
{
	__asm__ volatile("rdpmc" : : "c"(0) : "eax", "edx");
}

/* Does not exit */
static void read_nowhere(void)
{
	__asm__ volatile("movq (%0), %%rax" : : "r"(8UL) : "rax");
}

static void check_exceptions(void)
{
	signal(SIGILL, on_signal);
	signal(SIGSEGV, on_signal);
	result(signal_of(do_vmcall) == SIGILL, "injected #UD", "VMCALL");
	result(signal_of(do_rdpmc) == SIGSEGV, "injected #GP", "RDPMC");
	result(signal_of(read_nowhere) == SIGSEGV, "own #PF", "address 8");
}

/* A thread moves to another processor by that one's scheduler, which an IPI
 * calls. */
static void check_processors(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN), reached = 0;
	char detail[64];

	for (long i = 0; i < count; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(i, &set);
		if (!sched_setaffinity(0, sizeof(set), &set))
			reached += sched_getcpu() == i;
	}
	snprintf(detail, sizeof(detail), "%ld online, ran on %ld", count,
		 reached);
	result(count > 0 && reached == count, "processors", detail);
}

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void check_timer(void)
{
	const struct timespec sleep = {0, SLEEP_MS * 1000000};
	long start = milliseconds(), took;
	char detail[64];

	nanosleep(&sleep, NULL);
	took = milliseconds() - start;
	snprintf(detail, sizeof(detail), "%d ms took %ld ms", SLEEP_MS, took);
	result(took >= SLEEP_MS && took <= SLEEP_MS_MAX, "timer", detail);
}

static void check_cpuid(void)
{
	unsigned int eax, ebx, ecx, edx;
	char name[13] = "";

	__cpuid(STAT_LEAF_BASE, eax, ebx, ecx, edx);
	memcpy(name, &ebx, 4);
	memcpy(name + 4, &ecx, 4);
	memcpy(name + 8, &edx, 4);
	result(!strcmp(name, STAT_SIGNATURE), "CPUID", name);
}

int main(void)
{
	int console = open("/dev/console", O_RDWR);

	for (int fd = 0; console >= 0 && fd < 3; fd++)
		dup2(console, fd);
	setvbuf(stdout, NULL, _IOLBF, 0);
	result(getpid() == 1, "first user process", "PID 1");
	check_cpuid();
	check_exceptions();
	check_processors();
	check_timer();
	fflush(stdout);
	tcdrain(1);
	reboot(RB_POWER_OFF);
	return 1;
}
