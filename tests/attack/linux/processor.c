/* The processor in ring 3: instructions, ports, MSRs by the kernel's file,
 * addresses where no memory is. */
#define _GNU_SOURCE
#include "tests/attack/linux/attack.h"
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t operand[8];

/* An instruction as a function, for signal_of(). */
#define ACT(name, code)                                                        \
	static void do_##name(void *p)                                         \
	{                                                                      \
		uint32_t a = 0, b = 0, c = 0, d = 0x80;                        \
                                                                               \
		__asm__ volatile(code                                          \
				 : "+a"(a), "+b"(b), "+c"(c), "+d"(d)          \
				 : "S"(p), "D"(p)                              \
				 : "memory", "cc", "xmm0");                    \
	}
ACT(vmcall, "vmcall")
ACT(vmmcall, "vmmcall")
ACT(vmlaunch, "vmlaunch")
ACT(vmresume, "vmresume")
ACT(vmxon, "vmxon (%%rsi)")
ACT(vmxoff, "vmxoff")
ACT(vmclear, "vmclear (%%rsi)")
ACT(vmptrld, "vmptrld (%%rsi)")
ACT(vmptrst, "vmptrst (%%rsi)")
ACT(vmread, "vmread %%rbx, %%rcx")
ACT(vmwrite, "vmwrite %%rbx, %%rcx")
ACT(invept, "invept (%%rsi), %%rbx")
ACT(invvpid, "invvpid (%%rsi), %%rbx")
ACT(vmfunc, "vmfunc")
ACT(getsec, "getsec")
ACT(monitor, "monitor")
ACT(mwait, "mwait")
ACT(rsm, "rsm")
ACT(encls, "encls")
ACT(rdmsr, "rdmsr")
ACT(wrmsr, "wrmsr")
ACT(rdpmc, "rdpmc")
ACT(xsetbv, "xsetbv")
ACT(invd, "invd")
ACT(wbinvd, "wbinvd")
ACT(hlt, "hlt")
ACT(cli, "cli")
ACT(in, "inb %%dx, %%al")
ACT(out, "outb %%al, %%dx")
ACT(ins, "insb")
ACT(read_cr0, "mov %%cr0, %%rax")
ACT(write_cr4, "mov %%rax, %%cr4")
ACT(write_dr7, "mov %%rax, %%db7")
ACT(lgdt, "lgdt (%%rsi)")
ACT(lidt, "lidt (%%rsi)")
ACT(ltr, "ltr %%ax")
ACT(lmsw, "lmsw %%ax")
ACT(clts, "clts")
ACT(invlpg, "invlpg (%%rsi)")
ACT(swapgs, "swapgs")
ACT(sysret, "sysretq")

static const struct {
	const char *name;
	void (*act)(void *);
	int expected;
} instructions[] = {
	{"VMCALL", do_vmcall, SIGILL},
	{"VMMCALL", do_vmmcall, SIGILL},
	{"VMLAUNCH", do_vmlaunch, SIGILL},
	{"VMRESUME", do_vmresume, SIGILL},
	{"VMXON", do_vmxon, SIGILL},
	{"VMXOFF", do_vmxoff, SIGILL},
	{"VMCLEAR", do_vmclear, SIGILL},
	{"VMPTRLD", do_vmptrld, SIGILL},
	{"VMPTRST", do_vmptrst, SIGILL},
	{"VMREAD", do_vmread, SIGILL},
	{"VMWRITE", do_vmwrite, SIGILL},
	{"INVEPT", do_invept, SIGILL},
	{"INVVPID", do_invvpid, SIGILL},
	{"VMFUNC", do_vmfunc, SIGILL},
	{"GETSEC", do_getsec, SIGILL},
	{"MONITOR", do_monitor, SIGILL},
	{"MWAIT", do_mwait, SIGILL},
	{"RSM", do_rsm, SIGILL},
	{"ENCLS", do_encls, SIGILL},
	{"RDMSR", do_rdmsr, SIGSEGV},
	{"WRMSR", do_wrmsr, SIGSEGV},
	{"RDPMC", do_rdpmc, SIGSEGV},
	{"XSETBV", do_xsetbv, SIGSEGV},

	{"INVD", do_invd, SIGSEGV},
	{"WBINVD", do_wbinvd, SIGSEGV},
	{"HLT", do_hlt, SIGSEGV},
	{"CLI", do_cli, SIGSEGV},
	{"IN", do_in, SIGSEGV},
	{"OUT", do_out, SIGSEGV},
	{"INS", do_ins, SIGSEGV},
	{"read CR0", do_read_cr0, SIGSEGV},
	{"write CR4", do_write_cr4, SIGSEGV},
	{"write DR7", do_write_dr7, SIGSEGV},
	{"LGDT", do_lgdt, SIGSEGV},
	{"LIDT", do_lidt, SIGSEGV},
	{"LTR", do_ltr, SIGSEGV},
	{"LMSW", do_lmsw, SIGSEGV},
	{"CLTS", do_clts, SIGSEGV},
	{"INVLPG", do_invlpg, SIGSEGV},
	{"SWAPGS", do_swapgs, SIGSEGV},
	{"SYSRET", do_sysret, SIGSEGV},
};

bool attack_instructions(void)
{
	unsigned int wrong = 0, a, b, c, d;

	for (unsigned int i = 0; i < ARRAY_SIZE(instructions); i++) {
		int got = signal_of(instructions[i].act, operand);

		if (got == instructions[i].expected)
			continue;
		wrong++;
		printf("attack: %s: signal %d, not %d\n", instructions[i].name,
		       got, instructions[i].expected);
	}
	__cpuid(1, a, b, c, d);
	return report("ring 3 instructions", !wrong && !(c & (1 << 5 | 1 << 6)),
		      "%zu tried, %u ended otherwise; CPUID shows no VMX",
		      ARRAY_SIZE(instructions), wrong);
}

/* --- ports */

/* The console, the reset, the power, the clocks and PCI are the kernel's own
 * here, and the attack kernel's elsewhere. */
static bool is_used(unsigned int port, unsigned int size)
{
	static const struct {
		unsigned int first, last;
	} used[] = {{0x20, 0x21},   {0x40, 0x43},   {0x60, 0x64},
		    {0x70, 0x71},   {0xa0, 0xa1},   {0x3f8, 0x3ff},
		    {0x600, 0x601}, {0x608, 0x60b}, {0xcf8, 0xcff}};

	for (unsigned int i = 0; i < ARRAY_SIZE(used); i++)
		if (port <= used[i].last && port + size > used[i].first)
			return true;
	return false;
}

/* IN and OUT by the ring 3 that iopl() allows. */
static bool direct_ports(void)
{
	if (iopl(3))
		die("iopl");
	return !signal_of(do_in, operand) && !signal_of(do_out, operand) &&
	       signal_of(do_ins, operand) == SIGSEGV;
}

bool attack_ports(void)
{
	int fd = open("/dev/port", O_RDWR | O_CLOEXEC);
	unsigned int done = 0, wrong = 0;

	if (fd < 0)
		die("/dev/port");
	for (unsigned int port = 0; port < 0x10000; port++) {
		uint8_t value = 0;

		if (is_used(port, 1))
			continue;
		wrong += pread(fd, &value, 1, port) != 1 || value != 0xff;
		value = (uint8_t)random_bits();
		wrong += pwrite(fd, &value, 1, port) != 1;
		done += 2;
	}
	close(fd);
	return report("ports by root", !wrong && direct_ports(),
		      "%u accesses, %u read what is not there", done, wrong);
}

/* --- MSRs */

static const struct {
	uint32_t msr;
	uint64_t value;
} forbidden[] = {
	{0x1b, 0xfee00000},	     /* APIC off */
	{0x1b, 0xfee00800},	     /* x2APIC mode left */
	{0x1b, 0xfed00c00},	     /* moved */
	{0x3a, 5},		     /* VMX unlocked */
	{0x79, 0x1000},		     /* microcode */
	{0x9b, 1},		     /* SMM monitor */
	{0x1d9, 1 << 6},	     /* branch trace */
	{0x277, 0x0202020202020202}, /* memory type that is none */
	{0x2ff, ~0ULL},		     /* MTRRs */
	{0x480, 0},		     /* VMX capabilities */
	{0x48b, ~0ULL},		     /* of secondary controls */
	{0xda0, 1 << 8},	     /* supervisor state */
	{0xc0000080, 0x1d01},	     /* EFER.SVME */
	{0xc0000080, 0x100000d01},   /* a reserved bit of it */
	{0xc0000080, 0xc01},	     /* long mode off in long mode */
	{0xc0010117, 0x1000},	     /* SVM's */
};

static bool msr_present(int fd, uint32_t msr)
{
	uint64_t value;

	return pread(fd, &value, sizeof(value), msr) == sizeof(value);
}

bool attack_msrs(void)
{
	int fd = open("/dev/cpu/0/msr", O_RDWR | O_CLOEXEC);
	unsigned int there = 0, vmx = 0, taken = 0;

	if (fd < 0)
		die("/dev/cpu/0/msr");
	for (uint32_t i = 0; i < 0x2000; i++) {
		there += msr_present(fd, i);
		there += msr_present(fd, 0xc0000000 + i);
	}
	for (uint32_t i = 0x480; i < 0x4a0; i++)
		vmx += msr_present(fd, i);
	for (unsigned int i = 0; i < ARRAY_SIZE(forbidden); i++) {
		if (pwrite(fd, &forbidden[i].value, 8, forbidden[i].msr) < 0 &&
		    errno == EIO)
			continue;
		taken++;
		printf("attack: MSR %x took %llx\n", forbidden[i].msr,
		       (unsigned long long)forbidden[i].value);
	}
	close(fd);
	return report("MSRs by root", !vmx && !taken,
		      "16384 read, %u are there, %u of VMX; of %zu forbidden "
		      "writes %u taken",
		      there, vmx, ARRAY_SIZE(forbidden), taken);
}

/* --- memory that is not there */

ACT(read1, "movb (%%rsi), %%al")
ACT(read2, "movw (%%rsi), %%ax")
ACT(read4, "movl (%%rsi), %%eax")
ACT(read8, "movq (%%rsi), %%rax")
ACT(write1, "movb %%al, (%%rsi)")
ACT(write2, "movw %%ax, (%%rsi)")
ACT(write4, "movl %%eax, (%%rsi)")
ACT(write8, "movq %%rax, (%%rsi)")
ACT(sse, "movups %%xmm0, (%%rsi)")
ACT(movs, "movsb")
ACT(xadd, "lock xaddl %%eax, (%%rsi)")
ACT(push, "pushq (%%rsi); addq $8, %%rsp")
ACT(cmpxchg16, "lock cmpxchg16b (%%rsi)")
ACT(fill, "incl %%ecx; rep stosb")
ACT(jump, "leaq 1f(%%rip), %%rax; pushq %%rax; jmp *%%rsi; 1:")

static const struct {
	const char *name;
	void (*act)(void *);
	int expected;
} accesses[] = {
	{"MOV 1", do_read1, 0},
	{"MOV 2", do_read2, 0},
	{"MOV 4", do_read4, 0},
	{"MOV 8", do_read8, 0},
	{"to 1", do_write1, 0},
	{"to 2", do_write2, 0},
	{"to 4", do_write4, 0},
	{"to 8", do_write8, 0},
	{"MOVUPS", do_sse, SIGSEGV},
	{"MOVS", do_movs, SIGSEGV},
	{"XADD", do_xadd, SIGSEGV},
	{"PUSH", do_push, SIGSEGV},
	{"CMPXCHG16B", do_cmpxchg16, SIGSEGV},
	{"STOS", do_fill, SIGSEGV},
	{"JMP", do_jump, SIGILL},
};

bool attack_memory(void)
{
	static const uint64_t places[] = {0xc8000000, 0xdffff000, 0xfed00000,
					  0xfed90000, 0xffc00000, 0x100000000,
					  0x800000000};
	unsigned int wrong = 0, done = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		volatile uint8_t *p =
			map_file("/dev/mem", places[i], 4096,
				 PROT_READ | PROT_WRITE | PROT_EXEC);

		wrong += *(volatile uint64_t *)p != ~0ULL;
		for (unsigned int j = 0; j < ARRAY_SIZE(accesses); j++) {
			int got = signal_of(accesses[j].act, (void *)p);

			done++;
			if (got == accesses[j].expected)
				continue;
			wrong++;
			printf("attack: %s at %llx: signal %d\n",
			       accesses[j].name, (unsigned long long)places[i],
			       got);
		}
		wrong += *(volatile uint32_t *)(p + 4092) != ~0u;
	}
	return report("device memory by root", !wrong,
		      "%u accesses where nothing is, %u ended otherwise", done,
		      wrong);
}
