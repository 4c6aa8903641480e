/* Where a device must not write, and what Gangway says when it tries. */
#ifndef GUEST_TOOLS_BLOCKED_H
#define GUEST_TOOLS_BLOCKED_H

#include "guest/tools/cpuid_stat.h"
#include "guest/tools/vf_device.h"

/* Zeroed memory that stays where it is, for a device; never NULL. */
static inline void *locked_pages(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE,
		       -1, 0);

	if (p == MAP_FAILED)
		die("no locked memory: %s", strerror(errno));
	memset(p, 0, size);
	return p;
}

/* First address above the guest's RAM. */
static inline uint64_t ram_end(void)
{
	FILE *f = fopen("/proc/iomem", "r");
	uint64_t start, end, highest = 0;
	char line[200];

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "System RAM") &&
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2 &&
		    end > highest)
			highest = end;
	if (f)
		fclose(f);
	if (!highest)
		die("/proc/iomem names no System RAM (not root?)");
	return highest + 1;
}

static inline uint32_t blocked_count(void)
{
	return cpuid_read(STAT_LEAF_TIME, 0).ecx;
}

/* Print what Gangway says of the device's write to @target, before which it had
 * counted @count_before requests; true: refused. */
static inline bool judge(uint64_t target, uint32_t count_before)
{
	struct cpuid last;
	uint64_t address;

	if (!under_gangway()) {
		printf("the VF wrote to 0x%" PRIx64 "; nobody here could stop "
		       "it (not under Gangway)\n",
		       target);
		return false;
	}
	if (!wait_for(blocked_count() != count_before)) {
		printf("write to 0x%" PRIx64 ": no fault was counted\n",
		       target);
		return false;
	}
	last = cpuid_read(STAT_LEAF_FAULT, 0);
	address = cpuid_u64(last);
	if (address / PAGE != target / PAGE || last.edx >> 31) {
		printf("a fault was counted, but of a %s at 0x%" PRIx64
		       ", not of the write to 0x%" PRIx64 "\n",
		       last.edx >> 31 ? "read" : "write", address, target);
		return false;
	}
	printf("write to 0x%" PRIx64 " refused, fault reason %u logged\n",
	       target, last.edx & 0xff);
	return true;
}

#endif
