/* Gangway's CPUID leaves, read from a guest program (hv/stat_abi.h). */
#ifndef GUEST_TOOLS_CPUID_STAT_H
#define GUEST_TOOLS_CPUID_STAT_H

#include "hv/stat_abi.h"
#include <cpuid.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid_read(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
	return r;
}

static inline uint64_t cpuid_u64(struct cpuid r)
{
	return (uint64_t)r.ebx << 32 | r.eax;
}

/*
 * True if a hypervisor is there (Intel SDM 2A, CPUID.1:ECX bit 31) and it is
 * Gangway, with all the leaves that stat_abi.h names.
 */
static inline bool under_gangway(void)
{
	struct cpuid r;

	if (!(cpuid_read(1, 0).ecx & 1u << 31))
		return false;
	r = cpuid_read(STAT_LEAF_BASE, 0);
	return !memcmp(&r.ebx, STAT_SIGNATURE, sizeof(STAT_SIGNATURE)) &&
	       r.eax >= STAT_LEAF_LAST;
}

#endif
