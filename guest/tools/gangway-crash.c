/*
 * Crash the hypervisor, where gangway.cfg has selftest=panic:
 *
 *     gangway-crash CPU WHAT
 *
 * WHAT: a number of hv/vmx/selftest.h.  Comes back if the hypervisor does.
 */
#define _GNU_SOURCE
#include "hv/vmx/selftest.h"
#include <cpuid.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	unsigned int eax, ebx, ecx, edx;
	cpu_set_t set;

	if (argc != 3) {
		fprintf(stderr, "usage: gangway-crash CPU WHAT\n");
		return 2;
	}
	CPU_ZERO(&set);
	CPU_SET(atoi(argv[1]), &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		perror("sched_setaffinity");
		return 2;
	}
	__cpuid_count(SELFTEST_LEAF, atoi(argv[2]), eax, ebx, ecx, edx);
	printf("gangway-crash: still here (%x %x %x %x)\n", eax, ebx, ecx, edx);
	return 1;
}
