#include "tests/unit/processor_model.h"
#include "tests/unit/support.h"
#include <string.h>

#define ENTRIES_MAX 64

struct processor processor;

static struct {
	u32 number;
	u64 value;
} msrs[ENTRIES_MAX];
static unsigned int msr_count;

static struct {
	u32 leaf, subleaf;
	struct cpuid_regs regs;
} leaves[ENTRIES_MAX];
static unsigned int leaf_count;

void processor_reset(void)
{
	memset(&processor, 0, sizeof(processor));
	msr_count = leaf_count = 0;
	processor_cpuid(0, 0, (struct cpuid_regs){.eax = 0x1f});
}

static u64 *find_msr(u32 msr)
{
	for (unsigned int i = 0; i < msr_count; i++)
		if (msrs[i].number == msr)
			return &msrs[i].value;
	return NULL;
}

void processor_has_msr(u32 msr, u64 value)
{
	u64 *at = find_msr(msr);

	assert_true(at || msr_count < ENTRIES_MAX);
	if (!at) {
		msrs[msr_count].number = msr;
		at = &msrs[msr_count++].value;
	}
	*at = value;
}

u64 processor_msr(u32 msr)
{
	u64 *at = find_msr(msr);

	if (!at)
		fail_msg("#GP: there is no MSR 0x%x", msr);
	return *at;
}

void processor_cpuid(u32 leaf, u32 subleaf, struct cpuid_regs r)
{
	unsigned int i = 0;

	while (i < leaf_count &&
	       (leaves[i].leaf != leaf || leaves[i].subleaf != subleaf))
		i++;
	assert_true(i < ENTRIES_MAX);
	leaves[i].leaf = leaf;
	leaves[i].subleaf = subleaf;
	leaves[i].regs = r;
	leaf_count = i < leaf_count ? leaf_count : i + 1;
}

u64 rdmsr(u32 msr)
{
	return processor_msr(msr);
}

void wrmsr(u32 msr, u64 value)
{
	processor_msr(msr);
	processor_has_msr(msr, value);
	processor.msr_writes++;
}

struct cpuid_regs cpuid(u32 leaf, u32 subleaf)
{
	for (unsigned int i = 0; i < leaf_count; i++)
		if (leaves[i].leaf == leaf && leaves[i].subleaf == subleaf)
			return leaves[i].regs;
	return (struct cpuid_regs){0};
}

u64 rdtsc(void)
{
	return processor.tsc++;
}

void xsetbv(u32 index, u64 value)
{
	assert_int_equal(index, 0);
	if (!(processor.cr4 & BIT(18)))
		fail_msg("#UD: XSETBV without CR4.OSXSAVE");
	processor.xcr0 = value;
}

u64 read_cr4(void)
{
	return processor.cr4;
}

void write_cr0(u64 value)
{
	processor.cr0 = value;
}

void write_cr4(u64 value)
{
	processor.cr4 = value;
}

void cpu_pause(void)
{
}
