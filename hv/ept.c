/* Extended page tables (Intel SDM 3C 28.2). */
#include "hv/guest.h"
#include "hv/log.h"
#include "hv/time.h"
#include "hv/vmx.h"

#define EPT_R BIT(0)
#define EPT_W BIT(1)
#define EPT_X BIT(2)
#define EPT_TYPE_UC (0ULL << 3)
#define EPT_TYPE_WB (6ULL << 3)
#define EPT_TYPE_MASK (7ULL << 3)
#define EPT_LARGE BIT(7)

#define EPTP_WB 6ULL
#define EPTP_WALK_4 (3ULL << 3)

#define INVEPT_SINGLE 1ULL
#define INVEPT_ALL 2ULL

#define FLUSH_LIMIT_US 1000000

static u64 ept_leaf(hpa_t pa, u32 attr, unsigned int level)
{
	u64 entry = pa;

	if (attr & PT_READ)
		entry |= EPT_R;
	if (attr & PT_WRITE)
		entry |= EPT_W;
	if (attr & PT_EXEC)
		entry |= EPT_X;
	entry |= attr & PT_UNCACHED ? EPT_TYPE_UC : EPT_TYPE_WB;
	if (level > 1)
		entry |= EPT_LARGE;
	return entry;
}

static u64 ept_table(hpa_t pa)
{
	return pa | EPT_R | EPT_W | EPT_X;
}

static bool ept_present(u64 entry)
{
	return entry & (EPT_R | EPT_W | EPT_X);
}

static u32 ept_attributes(u64 entry)
{
	return (entry & EPT_R ? PT_READ : 0) | (entry & EPT_W ? PT_WRITE : 0) |
	       (entry & EPT_X ? PT_EXEC : 0) |
	       ((entry & EPT_TYPE_MASK) == EPT_TYPE_UC ? PT_UNCACHED : 0);
}

const struct pt_format ept_format = {
	.name = "EPT",
	.use = PAGES_EPT,
	.leaf = ept_leaf,
	.table = ept_table,
	.present = ept_present,
	.attributes = ept_attributes,
};

int ept_add(const struct region *r)
{
	u32 attr = PT_READ | PT_WRITE;

	attr |= r->kind == REGION_RAM ? PT_EXEC : PT_UNCACHED;
	return pt_map(&guest.ept, r->gpa, r->hpa, r->size, attr);
}

int ept_init(void)
{
	u32 leaves = BIT(1) | (vmx.ept_vpid_cap & EPT_CAP_2M ? BIT(2) : 0) |
		     (vmx.ept_vpid_cap & EPT_CAP_1G ? BIT(3) : 0);
	int err = pt_init(&guest.ept, &ept_format, 4, leaves);

	for (unsigned int i = 0; !err && i < guest.map.count; i++)
		err = ept_add(&guest.map.region[i]);
	if (err)
		return err;
	guest.eptp = (hpa_t)guest.ept.root | EPTP_WALK_4 | EPTP_WB;
	return 0;
}

void ept_invalidate(void)
{
	struct {
		u64 eptp, zero;
	} descriptor = {guest.eptp, 0};
	u64 type = vmx.ept_vpid_cap & EPT_CAP_INVEPT_SINGLE ? INVEPT_SINGLE
							    : INVEPT_ALL;
	bool failed;

	__asm__ volatile("invept %1, %2"
			 : "=@ccbe"(failed)
			 : "m"(descriptor), "r"(type)
			 : "memory");
	if (failed)
		panic("ept: INVEPT refused");
}

/* True when @cpu can no longer use what was mapped before @generation: it
 * has flushed since, or is not in the guest and looks before it enters. */
static bool has_flushed(const struct cpu *cpu, u32 generation)
{
	return !__atomic_load_n(&cpu->in_guest, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&cpu->ept_generation, __ATOMIC_SEQ_CST) ==
		       generation;
}

static void flush_everywhere(void)
{
	u32 generation =
		__atomic_add_fetch(&guest.ept_generation, 1, __ATOMIC_SEQ_CST);

	for (unsigned int i = 0; i < guest.vcpus; i++) {
		struct cpu *cpu = cpus[i];

		if (cpu == this_cpu())
			continue;
		cpu_request(cpu, REQUEST_FLUSH);
		if (wait_until(has_flushed(cpu, generation), FLUSH_LIMIT_US,
			       "a CPU to flush its EPT mappings"))
			panic("ept: cpu %u may still use a mapping that was "
			      "taken away",
			      i);
	}
}

void ept_remove(gpa_t gpa, u64 size)
{
	if (pt_unmap(&guest.ept, gpa, size))
		panic("ept: no memory to split a mapping at 0x%lx", gpa);
	flush_everywhere();
}
