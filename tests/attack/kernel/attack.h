/*
 * The attack kernel: loaded by Gangway in Linux's place, it does on the bare
 * virtual machine, in ring 0, what a guest must not be able to do, and says
 * for each attack what it saw.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include "hv/guest_layout.h"
#include "hv/types.h"
#include "tests/attack/kernel/smp.h"

#define NO_FAULT (-1)
#define DB 1
#define UD 6
#define GP 13
#define PF 14

/* Of this processor. */
#define caught (percpu()->caught)

extern volatile u64 nmis; /* that arrived here */
extern volatile u64 interrupts[256];
extern volatile u64 debug_exceptions;

/*
 * Run @code, which may fault; caught.vector says how it ended.  The constraints
 * are those of an asm statement; R11 and memory are clobbered.
 */
#define TRY(code, outputs, ...)                                                \
	do {                                                                   \
		caught.vector = NO_FAULT;                                      \
		__asm__ volatile("leaq 77f(%%rip), %%r11\n\t"                  \
				 "movq %%r11, %[resume]\n\t" code "\n"         \
				 "77:\n\t"                                     \
				 "movq $0, %[resume]"                          \
				 : outputs                                     \
				 : [resume] "m"(caught.resume), ##__VA_ARGS__  \
				 : "r11", "memory", "cc");                     \
	} while (0)
#define NONE
#define WITH(...) __VA_ARGS__

/* --- words */

void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* No words but by say(), which is heard in any case; reports are counted. */
void be_quiet(void);
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "PASS attack NAME: ..." or "FAIL attack NAME: ...". */
void report(const char *name, bool good, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* --- the processor */

static inline u8 in8(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void out8(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u64 tsc(void)
{
	u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

/* RDMSR and WRMSR; the vector of the fault, or NO_FAULT. */
s64 msr_read(u32 msr, u64 *value);
s64 msr_write(u32 msr, u64 value);

void wait_ms(u32 ms);

/* This processor's exceptions, NMIs and interrupts go to on_exception(). */
void load_idt(void);

/* An exception that nobody expects makes its processor begin anew (smp_job). */
void exceptions_begin_anew(void);

_Noreturn void power_off(void);

/* As the command line says with cpus=N; 2 without. */
u32 guest_cpus(void);

/* INIT and SIPI to the other processor: it starts in real mode at @page. */
void start_other_cpu(u64 page);

/* --- memory: any guest-physical address, by a window of 2 MiB */

volatile u8 *map_gpa(u64 gpa);

/* --- the attacks */

void attack_msrs(void);
void attack_control_registers(void);
void attack_xcr0(void);
void attack_ports(void);
void attack_pm_timer(void);
void attack_instructions(void);
void attack_debug(void);
void attack_cpuid(void);
void attack_memory(u64 ram_end);
void attack_execution(void);

/* CPUID as the last instruction below the non-canonical addresses: to go on
 * behind it is for the guest to fail, not for VM entry. */
void attack_rip(void);
void attack_ipis(void);
void attack_task_switch(void);

/* Real mode, 16-bit and 32-bit protected mode, ring 3, virtual-8086 mode and
 * two kinds of paging on another processor; compatibility mode on this one. */
void attack_modes(void);
void attack_compatibility(void);
void attack_time(u32 seconds);

/*
 * For so long, every processor draws attacks from a set ("race": those that
 * move BARs and reset; "all") with random numbers from @seed.  Then the guest
 * powers off.
 */
void attack_random(const char *set, u32 seed, u32 seconds, u64 ram_end);

/* The second processor sends INIT to the first, which the units of the machine
 * would tell of blocked DMA; then it lets the VF do some, and for so long does
 * nothing that exits.  Then the guest powers off. */
void attack_hidden(u32 seconds);

/* The first processor moves a BAR without end, the second one never exits. */
void attack_bar_moves(void);

/* Translations that a processor must have been told to forget; needs the VF. */
void attack_stale(void);

/* Ends: INIT and SIPI to the processor that runs this, from the other one; INIT
 * while the hypervisor runs there, and the guest's end with it; an SMI. */
void attack_first_cpu(void);
void attack_init_at_end(void);
void attack_smi(void);

#endif
