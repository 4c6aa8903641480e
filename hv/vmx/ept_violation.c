/* This file answers accesses to guest-physical addresses that EPT does not
 * map (Intel SDM 3C 27.2.1 table 27-7). */
#include "hv/vmx/ept_violation.h"
#include "hv/log.h"
#include "hv/vmx/decode.h"
#include "hv/vmx/ept.h"
#include "hv/vmx/guest.h"
#include "hv/vmx/guest_walk.h"
#include "hv/vmx/trap.h"
#include "hv/vmx/vcpu.h"
#include "hv/vmx/vmx.h"
#include "hv/x86.h"

#define NOT_EMULATED_LOG_MAX 16

#define QUAL_WRITE BIT(1)
#define QUAL_FETCH BIT(2)
#define QUAL_LINEAR_VALID BIT(7)
#define QUAL_FINAL_ACCESS BIT(8) /* else: of a paging structure */

static struct guest_paging paging_now(void)
{
	return (struct guest_paging){
		.map = &guest.map,
		.cr0 = vmread(GUEST_CR0),
		.cr3 = vmread(GUEST_CR3),
		.cr4 = vmread(GUEST_CR4),
		.efer = vmread(GUEST_EFER),
	};
}

static unsigned int code_bits(void)
{
	if (vcpu_in_64bit_code())
		return 64;
	return vmread(GUEST_ACCESS(SEG_CS)) & ACCESS_DB ? 32 : 16;
}

static bool fetch_and_decode(struct decoded *d)
{
	struct guest_paging paging = paging_now();
	unsigned int bits = code_bits(), available;
	u64 rip = vmread(GUEST_RIP);
	u8 code[MAX_INSTRUCTION];

	if (bits != 64)
		rip = (u32)(rip + vmread(GUEST_BASE(SEG_CS)));
	trap_lock();
	available = guest_read_linear(&paging, rip, code, sizeof(code));
	trap_unlock();
	return decode_mov(code, available, bits, d);
}

static u64 low_bytes(u64 value, unsigned int size)
{
	return size >= 8 ? value : value & (BIT(8 * size) - 1);
}

static u64 value_to_write(const struct cpu *cpu, const struct decoded *d)
{
	if (d->immediate)
		return low_bytes(d->value, d->size);
	return low_bytes(vcpu_reg(cpu, d->reg) >> (d->high_byte ? 8 : 0),
			 d->size);
}

static u64 extend(const struct decoded *d, u64 value)
{
	u64 sign = BIT(8 * d->size - 1);

	if (d->sign_extend && value & sign)
		value |= ~(sign - 1);
	return low_bytes(value, d->reg_size);
}

/* A 4-byte result clears the upper half, smaller ones leave the rest (SDM 1
 * 3.4.1.1). */
static void finish_read(struct cpu *cpu, const struct decoded *d, u64 value)
{
	unsigned int shift = d->high_byte ? 8 : 0;
	u64 mask =
		d->reg_size >= 4 ? ~0ULL : (BIT(8 * d->reg_size) - 1) << shift;
	u64 old = vcpu_reg(cpu, d->reg);

	value = extend(d, low_bytes(value, d->size)) << shift;
	vcpu_set_reg(cpu, d->reg, (old & ~mask) | (value & mask));
}

static void emulate(struct cpu *cpu, gpa_t gpa, const struct decoded *d)
{
	u64 value = d->write ? value_to_write(cpu, d) : 0;
	u64 next = vmread(GUEST_RIP) + d->length;
	enum stat_cause cause;

	trap_memory_access(gpa, d->size, d->write, &value, &cause);
	if (cause == STAT_CAUSE_PF_MAILBOX && !d->write)
		cause = STAT_CAUSE_PF_MAILBOX_READ;
	cpu->exits[cause]++;
	if (!d->write)
		finish_read(cpu, d, value);
	vcpu_go_to(next);
}

/* The map changes under this lock when a BAR moves. */
static bool is_mapped(gpa_t gpa, bool write)
{
	const struct region *r;
	bool mapped;

	trap_lock();
	r = memory_map_find(&guest.map, gpa);
	mapped = r && !(write && r->kind == REGION_BAR_READ);
	trap_unlock();
	return mapped;
}

static void log_not_emulated(gpa_t gpa)
{
	static u32 logged;
	u32 count = __atomic_add_fetch(&logged, 1, __ATOMIC_RELAXED);
	char where[80];

	if (count > NOT_EMULATED_LOG_MAX)
		return;
	trap_lock();
	memory_map_describe(&guest.map, gpa, where, sizeof(where));
	trap_unlock();
	hv_log("guest: access to 0x%lx (%s) at rip 0x%lx by an instruction "
	       "that is no MOV: #GP%s\n",
	       gpa, where, vmread(GUEST_RIP),
	       log_last(count, NOT_EMULATED_LOG_MAX));
}

void exit_ept_violation(struct cpu *cpu)
{
	u64 q = vmread(EXIT_QUALIFICATION);
	gpa_t gpa = vmread(GUEST_PHYSICAL_ADDRESS);
	struct decoded d;

	if (!(q & QUAL_FETCH) && is_mapped(gpa, q & QUAL_WRITE)) {
		/* Mapped since: a BAR that another CPU has just moved here */
		ept_invalidate();
		return;
	}
	if (vmread(IDT_VECTORING) & INTERRUPTION_VALID ||
	    !(q & QUAL_LINEAR_VALID) || !(q & QUAL_FINAL_ACCESS)) {
		guest_end(GUEST_CRASH,
			  "cpu %u: page table, stack or descriptor at 0x%lx, "
			  "which is not RAM",
			  cpu->index, gpa);
		return;
	}
	if (q & QUAL_FETCH) {
		/* Device memory reads all ones, which is no instruction */
		vcpu_inject(VECTOR_UD, 0);
		return;
	}
	if (!fetch_and_decode(&d)) {
		log_not_emulated(gpa);
		vcpu_inject(VECTOR_GP, 0);
		return;
	}
	emulate(cpu, gpa, &d);
}
