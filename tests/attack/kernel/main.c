/* The order of the attacks, and the end that the command line asks for. */
#include "hv/format.h"
#include "hv/string.h"
#include "tests/attack/kernel/attack.h"
#include "tests/attack/kernel/vf.h"

#define CODE64 0x10
#define NMI 2
#define UART_THR GUEST_UART_PORT
/* In boot_params */
#define BOOT_E820_ENTRIES 0x1e8
#define BOOT_CMD_LINE 0x228
#define BOOT_E820_TABLE 0x2d0

struct frame {
	u64 rax, rbx, rcx, rdx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14,
		r15;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

struct gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_middle;
	u32 offset_high, reserved;
};

volatile u64 nmis, debug_exceptions;
volatile u64 interrupts[256];

extern const u8 exception_stubs[256][16];
static struct gate idt[256];

/* --- words */

static void put(char c)
{
	if (c == '\n')
		out8(UART_THR, '\r');
	out8(UART_THR, (u8)c);
}

/* A line at a time, but no longer than whoever holds the lock may need: it may
 * have got INIT. */
static void puts(const char *text)
{
	static u32 lock;
	bool mine = false;

	for (u32 i = 0; !mine && i < 1000000; i++)
		mine = !__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE);
	while (*text)
		put(*text++);
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

static bool quiet;

void be_quiet(void)
{
	quiet = true;
}

#define FORMAT(text, fmt)                                                      \
	do {                                                                   \
		va_list ap;                                                    \
                                                                               \
		va_start(ap, fmt);                                             \
		format_va(text, sizeof(text), fmt, ap);                        \
		va_end(ap);                                                    \
	} while (0)

void say(const char *fmt, ...)
{
	char text[300];

	FORMAT(text, fmt);
	puts(text);
}

void print(const char *fmt, ...)
{
	char text[300];

	if (quiet)
		return;
	FORMAT(text, fmt);
	puts(text);
}

void report(const char *name, bool good, const char *fmt, ...)
{
	char text[300];

	if (quiet)
		return;
	FORMAT(text, fmt);
	say("%s attack %s: %s\n", good ? "PASS" : "FAIL", name, text);
}

/* --- exceptions */

static void end_of_interrupt(void)
{
	msr_write(0x80b, 0);
}

_Noreturn void power_off(void)
{
	out8(GUEST_SLEEP_CONTROL_PORT, GUEST_S5_TYPE << 2 | 1 << 5);
	for (;;)
		__asm__ volatile("cli; hlt");
}

static bool begin_anew;
extern const u8 smp_again[];

void exceptions_begin_anew(void)
{
	begin_anew = true;
}

void on_exception(struct frame *f)
{
	if (f->vector == NMI) {
		nmis++;
		return;
	}
	if (f->vector >= 32) {
		interrupts[f->vector]++;
		end_of_interrupt();
		return;
	}
	if (f->vector == DB) {
		debug_exceptions++;
		f->rflags &= ~0x100UL; /* TF */
		return;
	}
	if (caught.resume) {
		caught.vector = (s64)f->vector;
		caught.error = f->error;
		f->rip = caught.resume;
		f->cs = CODE64; /* from compatibility mode, too */
		return;
	}
	say("FAIL attack kernel: exception %lu, error %lx, at %lx\n", f->vector,
	    f->error, f->rip);
	if (!begin_anew)
		power_off();
	f->rip = (u64)smp_again;
	f->cs = CODE64;
}

void load_idt(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) idtr = {sizeof(idt) - 1, (u64)idt};

	for (unsigned int i = 0; i < 256; i++) {
		u64 stub = (u64)exception_stubs[i];

		idt[i] = (struct gate){
			.offset_low = (u16)stub,
			.selector = CODE64,
			.type = 0x8e,
			.offset_middle = (u16)(stub >> 16),
			.offset_high = (u32)(stub >> 32),
		};
	}
	__asm__ volatile("lidt %0" : : "m"(idtr));
}

/* --- memory */

static u64 pml4[512] __attribute__((aligned(4096)));
static u64 pdpt[512] __attribute__((aligned(4096)));
static u64 pd[5][512] __attribute__((aligned(4096)));

#define PRESENT_WRITABLE 3UL
#define LARGE 0x80UL
#define WINDOW (4UL << 30)

/* 4 GiB as they are, and a window above for each processor. */
static void load_page_tables(void)
{
	pml4[0] = (u64)pdpt | PRESENT_WRITABLE;
	for (unsigned int i = 0; i < 5; i++)
		pdpt[i] = (u64)pd[i] | PRESENT_WRITABLE;
	for (u64 i = 0; i < 4 * 512; i++)
		pd[i / 512][i % 512] = i << 21 | LARGE | PRESENT_WRITABLE;
	__asm__ volatile("mov %0, %%cr3" : : "r"(pml4) : "memory");
}

volatile u8 *map_gpa(u64 gpa)
{
	unsigned int here = smp_here();
	volatile u8 *window = (volatile u8 *)WINDOW + ((u64)here << 21);
	u64 entry = (gpa & ~0x1fffffUL) | LARGE | PRESENT_WRITABLE;

	if (pd[4][here] == entry)
		return window + (gpa & 0x1fffff);
	pd[4][here] = entry;
	__asm__ volatile("invlpg (%0)" : : "r"(window) : "memory");
	return window + (gpa & 0x1fffff);
}

/* --- time */

void wait_ms(u32 ms)
{
	u64 khz = cpuid(0x40000101, 0).edx;
	u64 start = tsc();

	while (tsc() - start < khz * ms)
		__asm__ volatile("pause");
}

/* --- the ends */

static const char *cmdline;

/* The text after @name on the command line, or NULL. */
static const char *argument(const char *name)
{
	size_t length = strlen(name);

	for (const char *p = cmdline; *p; p++)
		if ((p == cmdline || p[-1] == ' ') &&
		    !memcmp(p, name, MIN(length, strlen(p))) &&
		    strlen(p) >= length)
			return p + length;
	return NULL;
}

static bool argument_is(const char *name, const char *value)
{
	const char *is = argument(name);
	size_t length = strlen(value);

	return is && strlen(is) >= length && !memcmp(is, value, length) &&
	       (is[length] == ' ' || !is[length]);
}

static u32 number(const char *text)
{
	u32 value = 0;

	while (text && *text >= '0' && *text <= '9')
		value = value * 10 + (u32)(*text++ - '0');
	return value;
}

u32 guest_cpus(void)
{
	return argument("cpus=") ? number(argument("cpus=")) : 2;
}

/* Paging structures where no memory is: the processor cannot go on. */
static void end_page_tables_in_mmio(void)
{
	print("attack kernel: CR3 into the PCI window\n");
	__asm__ volatile("mov %0, %%cr3"
			 :
			 : "r"(GUEST_PCI_WINDOW + 0x1000000)
			 : "memory");
}

static void end_idt_in_mmio(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) idtr = {4095, GUEST_PCI_WINDOW + 0x1000000};

	print("attack kernel: IDT in the PCI window\n");
	__asm__ volatile("lidt %0; ud2" : : "m"(idtr));
}

static void end_triple_fault(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) idtr = {0, 0};

	print("attack kernel: triple fault\n");
	__asm__ volatile("lidt %0; ud2" : : "m"(idtr));
}

void attack_rip(void)
{
	static u64 top[3][512] __attribute__((aligned(4096)));
	static u8 page[4096] __attribute__((aligned(4096)));
	u64 target = 0x7ffffffffffeUL, a = 0, b = 0, c = 0, d = 0;

	page[4094] = 0x0f;
	page[4095] = 0xa2;
	pml4[255] = (u64)top[0] | PRESENT_WRITABLE;
	top[0][511] = (u64)top[1] | PRESENT_WRITABLE;
	top[1][511] = (u64)top[2] | PRESENT_WRITABLE;
	top[2][511] = (u64)page | PRESENT_WRITABLE;
	TRY("jmp *%[to]",
	    WITH("+a"(a), "+b"(b), "+c"(c), "+d"(d)), [to] "S"(target));
	report("CPUID below a non-canonical address", caught.vector == GP,
	       "vector %ld behind it", caught.vector);
}

static void end_stack_in_mmio(void)
{
	print("attack kernel: an exception with its stack in the IOAPIC\n");
	__asm__ volatile("mov %0, %%rsp; ud2" : : "r"(GUEST_IOAPIC + 0x800));
}

static const struct {
	const char *name;
	void (*run)(void);
} ends[] = {
	{"idt", end_idt_in_mmio},
	{"init", attack_first_cpu},
	{"init-at-end", attack_init_at_end},
	{"page-tables", end_page_tables_in_mmio},
	{"smi", attack_smi},
	{"stack", end_stack_in_mmio},
	{"triple-fault", end_triple_fault},
};

static void end(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ends); i++)
		if (argument_is("end=", ends[i].name))
			ends[i].run();
	if (argument_is("end=", "reset"))
		out8(GUEST_RESET_PORT, GUEST_RESET_VALUE);
	power_off();
}

static void all_attacks(u64 ram_end)
{
	attack_cpuid();
	attack_instructions();
	attack_debug();
	attack_control_registers();
	attack_xcr0();
	attack_msrs();
	attack_memory(ram_end);
	attack_execution();
	attack_rip();
	attack_ports();
	attack_pm_timer();
	attack_ipis();
	attack_task_switch();
	attack_modes();
	attack_compatibility();
}

/* The end of the RAM below 4 GiB, by the E820 map. */
static u64 low_ram_end(const u8 *boot_params)
{
	u64 end = 0;

	for (unsigned int i = 0; i < boot_params[BOOT_E820_ENTRIES]; i++) {
		const u8 *e = boot_params + BOOT_E820_TABLE + 20 * i;
		u64 start, size;
		u32 type;

		memcpy(&start, e, 8);
		memcpy(&size, e + 8, 8);
		memcpy(&type, e + 16, 4);
		if (type == 1 && start < 1UL << 32)
			end = MAX(end, start + size);
	}
	return end;
}

/* The assigned function answers at 00:01.0. */
static void look_at_device(void)
{
	u32 id = *(volatile u32 *)(GUEST_ECAM + (1 << 15));

	print("attack kernel: 00:01.0 is %04x:%04x\n", id & 0xffff, id >> 16);
}

void attack_main(const u8 *boot_params)
{
	u32 at;

	memcpy(&at, boot_params + BOOT_CMD_LINE, 4);
	cmdline = (const char *)(u64)at;
	load_page_tables();
	load_idt();
	random_seed(1);
	print("attack kernel: here\n");
	look_at_device();
	if (argument("random="))
		attack_random(argument("set="), number(argument("seed=")),
			      number(argument("random=")),
			      low_ram_end(boot_params));
	if (argument("hidden="))
		attack_hidden(number(argument("hidden=")));
	if (argument("moves"))
		attack_bar_moves();
	if (argument("time="))
		attack_time(number(argument("time=")));
	if (argument("commands"))
		take_commands(argument("echo"));
	else if (!argument("only-end"))
		all_attacks(low_ram_end(boot_params));
	print("attack kernel: done\n");
	end();
}
