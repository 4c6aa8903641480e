/* This file builds and changes the guest's extended page tables (Intel SDM 3C
 * 28.2). */
#include "hv/vmx/ept.h"
#include "hv/asm.h"
#include "hv/cpu.h"
#include "hv/cpu_stop.h"
#include "hv/panic.h"
#include "hv/time.h"
#include "hv/vmx/ept_format.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/vmx.h"

#define EPTP_WB 6ULL
#define EPTP_WALK_4 (3ULL << 3)

#define INVEPT_SINGLE 1ULL
#define INVEPT_ALL 2ULL

/* An access of the guest's own may hold a CPU in the guest for as long as its
 * device lets the bus wait. */
#define FLUSH_LIMIT_US 5000000

int ept_add(const struct region *r)
{
	u32 attr = PT_READ;

	if (r->kind != REGION_BAR_READ)
		attr |= PT_WRITE;
	attr |= r->kind == REGION_RAM ? PT_EXEC : PT_UNCACHED;
	return pt_map(&guest.ept, r->gpa, r->hpa, r->size, attr);
}

int ept_init(void)
{
	u32 leaves = BIT(1) | (vmx.ept_vpid_cap & EPT_CAP_2M ? BIT(2) : 0) |
		     (vmx.ept_vpid_cap & EPT_CAP_1G ? BIT(3) : 0);
	int err = pt_init(&guest.ept, &ept_format, 4, leaves, false);

	for (unsigned int i = 0; !err && i < guest.map.count; i++)
		err = ept_add(&guest.map.region[i]);
	if (err)
		return err;
	guest.eptp = (hpa_t)guest.ept.root | EPTP_WALK_4 | EPTP_WB;
	return 0;
}

void ept_invalidate(void)
{
	const struct invept_descriptor descriptor = {guest.eptp, 0};
	u64 type = vmx.ept_vpid_cap & EPT_CAP_INVEPT_SINGLE ? INVEPT_SINGLE
							    : INVEPT_ALL;

	if (!invept(type, &descriptor))
		panic("ept: INVEPT refused");
}

/*
 * True when @cpu can no longer use what was mapped before @generation: it has
 * flushed since, or is not in the guest and looks before it enters, or waits
 * for a SIPI, which makes it exit and look.  It was so once; it need not stay
 * so for who asks again, because a CPU is "in the guest" from before it
 * flushes.
 */
static bool has_flushed(const struct cpu *cpu, u32 generation)
{
	return !__atomic_load_n(&cpu->in_guest, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&cpu->state, __ATOMIC_SEQ_CST) ==
		       CPU_WAIT_FOR_SIPI ||
	       __atomic_load_n(&cpu->ept_generation, __ATOMIC_SEQ_CST) ==
		       generation;
}

/* Asked again and again: an NMI that came in root operation makes the CPU exit
 * by its NMI window, and that stays shut while the guest handles an NMI. */
static bool flush_cpu(struct cpu *cpu, u32 generation)
{
	return ask_until(has_flushed(cpu, generation), cpu_interrupt(cpu),
			 FLUSH_LIMIT_US);
}

static bool flush_everywhere(void)
{
	u32 generation =
		__atomic_add_fetch(&guest.ept_generation, 1, __ATOMIC_SEQ_CST);
	bool all = true;

	for (unsigned int i = 0; i < vcpu_count; i++) {
		if (cpus[i] == this_cpu() || flush_cpu(cpus[i], generation))
			continue;
		all = false;
		guest_end(GUEST_CRASH,
			  "cpu %u does not leave the guest and may still use a "
			  "mapping that was taken away",
			  i);
	}
	return all;
}

void ept_remove(gpa_t gpa, u64 size)
{
	if (pt_unmap(&guest.ept, gpa, size))
		panic("ept: no memory to split a mapping at 0x%lx", gpa);
	/* Else its tables may still be walked */
	if (flush_everywhere())
		pt_release(&guest.ept);
}
