/* This file ends the machine's life under Gangway: off, reset or halt. */
#include "hv/power.h"
#include "hv/asm.h"
#include "hv/log.h"
#include "hv/segments.h"
#include "hv/x86.h"

/* EFI_RUNTIME_SERVICES (UEFI 4.5): a 24-byte header, then pointers */
#define RESET_SYSTEM_OFFSET (24 + 10 * 8)
#define EFI_RESET_COLD 0
#define EFI_RESET_SHUTDOWN 2

/* Which a caller leaves to the one it calls (UEFI 2.3.4.2) */
#define SHADOW_SPACE 32

/* The last resort: reset control register of PC chipsets */
#define RESET_PORT 0xcf9
#define RESET_FULL 0x0a
#define RESET_CPU 0x04	/* some want to see it change */
#define RESET_READS 100 /* of a port, a microsecond each */

typedef void __attribute__((ms_abi)) reset_system_fn(u32 type, u64 status,
						     u64 size, void *reason);

static void *runtime_services;
static struct firmware_state firmware;

/* While the firmware's code runs: what it was to do, and our state. */
static enum end_action asked_for;
static struct firmware_state own;

static void load(struct firmware_state state)
{
	wrmsr(MSR_PAT, state.pat);
	write_cr3(state.cr3);
	write_cr4(state.cr4);
}

static _Noreturn void end_without_firmware(enum end_action action)
{
	if (action == END_RESET)
		power_reset();
	if (action == END_POWEROFF)
		hv_log("power: halted; the machine must be turned off by "
		       "hand\n");
	for (;;)
		halt();
}

static void back_from_firmware(void)
{
	load(own);
	own.cr3 = 0;
}

/* On the stack that ends at @rsp; RBX survives the call (UEFI 2.3.4.2). */
static void call_on(u64 rsp, reset_system_fn *reset, u32 type)
{
	register u64 size __asm__("r8") = 0, reason __asm__("r9") = 0;
	u64 stack = ALIGN_DOWN(rsp, 16) - SHADOW_SPACE, status = 0;

	__asm__ volatile("mov %%rsp, %%rbx\n\t"
			 "mov %%rax, %%rsp\n\t"
			 "call *%[reset]\n\t"
			 "mov %%rbx, %%rsp"
			 : "+c"(type), "+d"(status), "+r"(size), "+r"(reason),
			   "+a"(stack)
			 : [reset] "S"(reset)
			 : "rbx", "r10", "r11", "memory", "cc");
}

/* Comes back if the firmware does, or has no such service. */
static void call_firmware(enum end_action action)
{
	reset_system_fn *const *reset =
		(void *)((u8 *)runtime_services + RESET_SYSTEM_OFFSET);

	if (!runtime_services)
		return;
	asked_for = action;
	own = (struct firmware_state){
		.cr3 = read_cr3(), .cr4 = read_cr4(), .pat = rdmsr(MSR_PAT)};
	load(firmware);
	call_on(firmware.rsp, *reset,
		action == END_RESET ? EFI_RESET_COLD : EFI_RESET_SHUTDOWN);
	back_from_firmware();
	hv_log("power: the firmware's ResetSystem() comes back\n");
}

bool power_in_firmware(void)
{
	return own.cr3;
}

void power_firmware_failed(const char *exception, u64 rip)
{
	back_from_firmware();
	hv_log("power: the firmware's ResetSystem() fails: %s exception at rip "
	       "%lx\n",
	       exception, rip);
	end_without_firmware(asked_for);
}

void power_reset(void)
{
	const struct descriptor_pointer no_idt = {0, 0};

	outb(RESET_PORT, RESET_FULL);
	for (unsigned int i = 0; i < RESET_READS; i++)
		inb(RESET_PORT);
	outb(RESET_PORT, RESET_FULL | RESET_CPU);
	/* Should there be no such port: a shutdown, which chipsets answer by a
	 * reset (Intel SDM 3A 6.15, double fault) */
	__asm__ volatile("lidt %0; int3" : : "m"(no_idt));
	for (;;)
		halt();
}

void power_init(void *services, struct firmware_state state)
{
	runtime_services = services;
	firmware = state;
}

void power_end(enum end_action action)
{
	if (action != END_HALT)
		call_firmware(action);
	end_without_firmware(action);
}
