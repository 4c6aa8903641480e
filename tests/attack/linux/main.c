/* attack NAME...: run the attacks of these names. */
#define _GNU_SOURCE
#include "tests/attack/linux/attack.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct {
	const char *name;
	bool (*run)(void);
} attacks[] = {
	{"instructions", attack_instructions},
	{"ports", attack_ports},
	{"msrs", attack_msrs},
	{"memory", attack_memory},
	{"mask", attack_mask},
	{"table", attack_table},
	{"config", attack_config},
	{"namespaces", attack_namespaces},
	{"management", attack_management},
	{"commands", attack_commands},
	{"registers", attack_registers},
};

bool report(const char *name, bool good, const char *format, ...)
{
	va_list ap;

	printf("%s attack %s: ", good ? "PASS" : "FAIL", name);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	return good;
}

void die(const char *what)
{
	fprintf(stderr, "FAIL attack: ");
	perror(what);
	exit(2);
}

uint32_t random_bits(void)
{
	static uint32_t state = 4711;

	state = state * 1664525 + 1013904223;
	return state >> 4;
}

volatile uint8_t *map_file(const char *path, uint64_t offset, uint64_t length,
			   int protection)
{
	int fd = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
	void *p;

	if (fd < 0)
		die(path);
	p = mmap(NULL, length, protection, MAP_SHARED, fd, (off_t)offset);
	if (p == MAP_FAILED)
		die(path);
	close(fd);
	return p;
}

void poke(volatile void *at, unsigned int size, uint64_t value)
{
	switch (size) {
	case 1:
		*(volatile uint8_t *)at = (uint8_t)value;
		break;
	case 2:
		*(volatile uint16_t *)at = (uint16_t)value;
		break;
	case 4:
		*(volatile uint32_t *)at = (uint32_t)value;
		break;
	default:
		*(volatile uint64_t *)at = value;
	}
}

/* --- signals */

static sigjmp_buf after_signal;

static void on_signal(int number)
{
	siglongjmp(after_signal, number);
}

int signal_of(void (*act)(void *), void *argument)
{
	static const int caught[] = {SIGILL, SIGSEGV, SIGBUS, SIGTRAP, SIGFPE};
	int number;

	for (unsigned int i = 0; i < ARRAY_SIZE(caught); i++)
		signal(caught[i], on_signal);
	number = sigsetjmp(after_signal, 1);
	if (!number)
		act(argument);
	for (unsigned int i = 0; i < ARRAY_SIZE(caught); i++)
		signal(caught[i], SIG_DFL);
	return number;
}

int main(int argc, char **argv)
{
	bool good = true;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++)
		for (unsigned int j = 0; j < ARRAY_SIZE(attacks); j++)
			if (!strcmp(argv[i], attacks[j].name))
				good &= attacks[j].run();
	return good ? 0 : 1;
}
