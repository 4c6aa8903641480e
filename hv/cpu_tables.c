/* This file makes the descriptor tables and stacks of a processor (Intel SDM
 * 3A 3.5, 6.10, 7.2). */
#include "hv/cpu_tables.h"
#include "hv/alloc.h"
#include "hv/asm.h"
#include "hv/host_paging.h"
#include "hv/idt.h"
#include "hv/segments.h"
#include "hv/x86.h"

#define GDT_DATA 0x00cf93000000ffffULL
#define GDT_TSS 0x0000890000000000ULL

/* A stack of @pages with a hole below; its lowest byte. */
static u8 *stack_create(size_t pages)
{
	u8 *guard = page_alloc(pages + 1, PAGES_CPU);

	if (!guard || host_unmap_page(guard))
		return NULL;
	return guard + PAGE_SIZE;
}

static void gdt_fill(struct cpu *cpu)
{
	u64 base = (u64)&cpu->tss;

	cpu->gdt[HOST_CS / 8] = GDT_CODE64;
	cpu->gdt[HOST_DS / 8] = GDT_DATA;
	cpu->gdt[HOST_TR / 8] = GDT_TSS | (sizeof(struct tss) - 1) |
				(base & 0xffffff) << 16 |
				(base >> 24 & 0xff) << 56;
	cpu->gdt[HOST_TR / 8 + 1] = base >> 32;
}

int cpu_create(unsigned int index, u32 apic_id)
{
	struct cpu *cpu;
	u8 *nmi, *fault;

	_Static_assert(sizeof(*cpu) <= PAGE_SIZE, "one page a CPU");
	cpu = page_alloc(1, PAGES_CPU);
	if (!cpu)
		return -ENOMEM;
	cpu->self = cpu;
	cpu->index = index;
	cpu->apic_id = apic_id;
	cpu->stack = stack_create(CPU_STACK_PAGES);
	nmi = stack_create(NMI_STACK_PAGES);
	fault = stack_create(FAULT_STACK_PAGES);
	cpu->vmxon_region = page_alloc(1, PAGES_CPU);
	cpu->vmcs = page_alloc(1, PAGES_CPU);
	if (!cpu->stack || !nmi || !fault || !cpu->vmxon_region || !cpu->vmcs)
		return -ENOMEM;
	cpu->tss.ist[IST_NMI - 1] = (u64)nmi + NMI_STACK_PAGES * PAGE_SIZE;
	cpu->tss.ist[IST_FAULT - 1] =
		(u64)fault + FAULT_STACK_PAGES * PAGE_SIZE;
	cpu->tss.iomap = sizeof(struct tss);
	gdt_fill(cpu);
	cpus[index] = cpu;
	return 0;
}

static void load_gdt(const struct cpu *cpu)
{
	struct descriptor_pointer gdtr = {sizeof(cpu->gdt) - 1, (u64)cpu->gdt};

	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "mov %2, %%ds\n\t"
			 "mov %2, %%es\n\t"
			 "mov %2, %%ss\n\t"
			 "mov %3, %%fs\n\t"
			 "mov %3, %%gs"
			 :
			 : "m"(gdtr), "i"(HOST_CS), "r"(HOST_DS), "r"(0)
			 : "rax", "memory");
}

void cpu_load_tables(struct cpu *cpu)
{
	load_gdt(cpu);
	wrmsr(MSR_GS_BASE, (u64)cpu);
	cpu->gdt[HOST_TR / 8] &= ~BIT(41); /* LTR refuses a busy TSS */
	__asm__ volatile("ltr %0" : : "r"((u16)HOST_TR));
	idt_load();
}
