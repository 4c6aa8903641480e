/* This file ends the machine when something happened that cannot be. */
#include "hv/panic.h"
#include "hv/asm.h"
#include "hv/build_id.h"
#include "hv/cpu_stop.h"
#include "hv/format.h"
#include "hv/image.h"
#include "hv/log.h"
#include "hv/machine_check.h"
#include "hv/panic_state.h"
#include "hv/power.h"
#include "hv/version.h"
#include "hv/x86.h"

#define STACK_WORDS 16

bool (*panic_stop_dma)(void);

enum end_action panic_action = END_HALT;

/* How often that CPU failed again meanwhile, and whether all DMA was stopped
 * before */
static unsigned int failed_again;
static bool dma_stopped;

/* Of the first panic */
static const char *first_why;
static u64 first_rip;
static bool first_said;

static void log_registers(const struct exception_frame *f)
{
	static const char *const name[] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8 ", "r9 ", "r10", "r11", "r12", "r13", "r14", "r15"};

	hv_log("  rip %016lx (image + 0x%lx)  rflags %08lx  error %lx\n",
	       f->rip, f->rip - (u64)image_start, f->rflags, f->error);
	hv_log("  cr0 %08lx  cr2 %016lx  cr3 %lx  cr4 %lx\n", read_cr0(),
	       read_cr2(), read_cr3(), read_cr4());
	for (unsigned int i = 0; i < 16; i += 4)
		hv_log("  %s %016lx  %s %016lx  %s %016lx  %s %016lx\n",
		       name[i], i == RSP ? f->rsp : f->regs.reg[i], name[i + 1],
		       f->regs.reg[i + 1], name[i + 2], f->regs.reg[i + 2],
		       name[i + 3], f->regs.reg[i + 3]);
}

/* Words on this CPU's stack from @rsp up, as far as the stack goes. */
static void log_stack(u64 rsp)
{
	const struct cpu *cpu = this_cpu();
	u64 low = (u64)cpu->stack, high = low + CPU_STACK_PAGES * PAGE_SIZE;

	if (rsp < low || rsp >= high) {
		hv_log("  rsp %016lx is outside this CPU's stack %lx-%lx\n",
		       rsp, low, high);
		return;
	}
	rsp = ALIGN_DOWN(rsp, 8);
	for (unsigned int i = 0; i < STACK_WORDS && rsp < high; i++, rsp += 8)
		hv_log("  stack %016lx: %016lx\n", rsp, *(const u64 *)rsp);
}

static void log_recent_exits(const struct cpu *cpu)
{
	for (unsigned int i = 0; i < STAT_EXITS; i++) {
		const struct recent_exit *e =
			&cpu->recent[(cpu->recent_next + i) % STAT_EXITS];

		if (e->tsc)
			hv_log("  cpu %u exit: reason %u, guest rip %lx, "
			       "qualification %lx\n",
			       cpu->index, e->reason, e->rip, e->qualification);
	}
}

static _Noreturn void end(void)
{
	bool reset = panic_action == END_RESET;

	/* Should the log be what fails: the second time without it */
	if (failed_again < 2)
		hv_log("gangway: panic ends: %s\n",
		       reset ? "reset (on-panic= in gangway.cfg)"
			     : "halted; the machine needs a reset");
	if (reset)
		power_reset();
	for (;;)
		halt();
}

/* Why there was a first panic, if it could not say so; then that there is a
 * second, and that the rest of the first is missing. */
static _Noreturn void fail_again(const char *why, u64 rip)
{
	if (++failed_again == 1) {
		log_screen = NULL;
		if (!first_said)
			hv_log("gangway: panic: %s at rip %016lx\n", first_why,
			       first_rip);
		hv_log("gangway: panic: and again: %s at rip %016lx (image + "
		       "0x%lx); DMA is %s\n",
		       why, rip, rip - (u64)image_start,
		       dma_stopped ? "stopped" : "NOT stopped");
		cpu_wait_others_stopped();
	}
	end();
}

static _Noreturn void finish(void)
{
	for (unsigned int i = 0; i < cpu_count; i++)
		log_recent_exits(cpus[i]);
	cpu_wait_others_stopped();
	end();
}

/* A panic within a panic, on this CPU or another, must not start over. */
static void begin(const char *why, u64 rip)
{
	if (!panic_is_first()) {
		if (panic_elsewhere())
			cpu_park();
		fail_again(why, rip);
	}
	first_why = why;
	first_rip = rip;
	if (panic_stop_dma)
		dma_stopped = panic_stop_dma();
	cpu_stop_others();
}

/* The registers of the caller of panic(), as far as it still has them. */
static inline __attribute__((always_inline)) void
read_registers(struct exception_frame *f)
{
	__asm__ volatile("mov %%rax, 0(%1)\n\t"
			 "mov %%rcx, 8(%1)\n\t"
			 "mov %%rdx, 16(%1)\n\t"
			 "mov %%rbx, 24(%1)\n\t"
			 "mov %%rbp, 40(%1)\n\t"
			 "mov %%rsi, 48(%1)\n\t"
			 "mov %%rdi, 56(%1)\n\t"
			 "mov %%r8, 64(%1)\n\t"
			 "mov %%r9, 72(%1)\n\t"
			 "mov %%r10, 80(%1)\n\t"
			 "mov %%r11, 88(%1)\n\t"
			 "mov %%r12, 96(%1)\n\t"
			 "mov %%r13, 104(%1)\n\t"
			 "mov %%r14, 112(%1)\n\t"
			 "mov %%r15, 120(%1)\n\t"
			 "pushfq\n\t"
			 "popq %0"
			 : "=m"(f->rflags)
			 : "r"(f->regs.reg)
			 : "memory");
}

void panic(const char *fmt, ...)
{
	struct exception_frame f = {0};
	char text[256], build[BUILD_ID_TEXT];
	va_list ap;

	read_registers(&f);
	f.rip = (u64)__builtin_return_address(0);
	f.rsp = (u64)__builtin_frame_address(0);
	va_start(ap, fmt);
	format_va(text, sizeof(text), fmt, ap);
	va_end(ap);
	begin(text, f.rip);
	build_id_text(build);
	hv_log("gangway: panic: %s (cpu %u, Gangway " GANGWAY_VERSION " %s)\n",
	       text, this_cpu()->index, build);
	first_said = true;
	log_registers(&f);
	log_stack(f.rsp);
	finish();
}

void panic_exception(const char *name, const struct exception_frame *f)
{
	char build[BUILD_ID_TEXT];

	begin(name, f->rip);
	build_id_text(build);
	hv_log("gangway: panic: %s exception (vector %lu, cpu %u, "
	       "Gangway " GANGWAY_VERSION " %s)\n",
	       name, f->vector, this_cpu()->index, build);
	first_said = true;
	if (f->vector == VECTOR_MC)
		machine_check_log(this_cpu()->index);
	log_registers(f);
	log_stack(f->rsp);
	finish();
}
