/* sources: hv/smp.c */
/* Processors that start, do not, or come late. */
#include "hv/apic.h"
#include "hv/cpu_tables.h"
#include "hv/host_paging.h"
#include "hv/smp.h"
#include "hv/time.h"
#include "hv/trampoline.h"
#include "tests/unit/support.h"
#include <stdlib.h>
#include <string.h>

#define MACHINE 5 /* processors; APIC IDs 0, 2, 4, 6, 8 */

/* In place of hv/trampoline.asm */
__asm__(".pushsection .rodata\n"
	".global trampoline_start, trampoline_long_mode, trampoline_end\n"
	"trampoline_start: .byte 0xfa\n"
	"trampoline_long_mode: .byte 0xf4\n"
	"trampoline_end:\n"
	".popsection");

struct cpu *cpus[MAX_CPUS];
unsigned int cpu_count;

static u8 *page;
static hpa_t root;
static bool locked;

/* What a processor does after its first SIPI */
enum way { AT_ONCE, NEVER, IN_THE_LAST_MOMENT, LATE };
static enum way way[MACHINE];

/* What it was sent: I and S */
static char sent[MACHINE][8];
static struct cpu *given[MACHINE];
static unsigned int last_asked;

static const struct trampoline_params *params(void)
{
	return (const void *)(page + PARAMS_OFFSET);
}

hpa_t host_paging_root(void)
{
	return root;
}

int host_paging_lock_trampoline(hpa_t trampoline)
{
	assert_ptr_equal(trampoline, page);
	locked = true;
	return 0;
}

int cpu_create(unsigned int index, u32 apic_id)
{
	cpus[index] = calloc(1, sizeof(struct cpu));
	cpus[index]->index = index;
	cpus[index]->apic_id = apic_id;
	return 0;
}

void apic_send_ipi(u32 destination, u32 icr_low)
{
	unsigned int n = destination / 2;
	bool init = (icr_low & ~ICR_ASSERT) == ICR_INIT;

	assert_true(n < MACHINE && destination % 2 == 0 && n);
	strcat(sent[n], init ? "I" : "S");
	if (init)
		return;
	assert_int_equal(icr_low,
			 ICR_STARTUP | ICR_ASSERT | (u32)((u64)page >> 12));
	given[n] = (struct cpu *)params()->cpu;
	last_asked = n;
	if (way[n] == AT_ONCE && !strcmp(sent[n], "IS"))
		assert_true(smp_started(given[n]));
}

/* A second for each look */
u64 time_us(void)
{
	return test_time += 1000000;
}

/* The wait is over: between that and giving up. */
int wait_timed_out(const char *what)
{
	assert_string_equal(what, "a processor to start after SIPI");
	if (way[last_asked] == IN_THE_LAST_MOMENT)
		assert_true(smp_started(given[last_asked]));
	return -ETIMEDOUT;
}

static bool start(unsigned int count)
{
	const u32 ids[] = {4, 0, 2, 6, 8};

	return smp_start(ids, count, (hpa_t)page, NULL);
}

static int setup(void **state)
{
	(void)state;
	page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	memset(sent, 0, sizeof(sent));
	memset(way, 0, sizeof(way));
	root = 0x1000;
	locked = false;
	cpu_create(0, 0);
	cpu_count = 1;
	test_log_clear();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(page);
	for (unsigned int i = 0; i < MAX_CPUS; i++) {
		free(cpus[i]);
		cpus[i] = NULL;
	}
	return 0;
}

static void all_start(void **state)
{
	const u32 order[] = {0, 4, 2, 6, 8};

	(void)state;
	assert_true(start(MACHINE));
	assert_int_equal(cpu_count, MACHINE);
	for (unsigned int i = 0; i < MACHINE; i++) {
		assert_int_equal(cpus[i]->apic_id, order[i]);
		assert_string_equal(sent[i], i ? "ISS" : "");
	}
	assert_true(locked);
	assert_string_equal(test_log, "");
}

/* It gets another INIT, and the next one has its number. */
static void one_never_starts(void **state)
{
	(void)state;
	way[1] = NEVER;
	assert_false(start(MACHINE));
	assert_int_equal(cpu_count, MACHINE - 1);
	assert_string_equal(sent[1], "ISSI");
	assert_int_equal(cpus[2]->apic_id, 6);
	assert_non_null(strstr(test_log, "CPU with APIC ID 2 did not start"));
	assert_true(locked);
	free(given[1]);
}

static void one_comes_too_late(void **state)
{
	(void)state;
	way[1] = LATE;
	assert_false(start(MACHINE));
	assert_false(smp_started(given[1]));
	assert_int_equal(given[1]->state, CPU_STOPPED);
	free(given[1]);
}

/* It is not given up: it may be in root operation, where INIT is blocked. */
static void one_comes_in_the_last_moment(void **state)
{
	(void)state;
	way[1] = IN_THE_LAST_MOMENT;
	assert_true(start(MACHINE));
	assert_int_equal(cpu_count, MACHINE);
	assert_string_equal(sent[1], "ISS");
	assert_string_equal(test_log, "");
}

static void more_than_there_is_room_for(void **state)
{
	(void)state;
	for (cpu_count = 1; cpu_count < MAX_CPUS - 1; cpu_count++)
		cpu_create(cpu_count, 1000);
	assert_false(start(MACHINE));
	assert_int_equal(cpu_count, MAX_CPUS);
	assert_string_equal(sent[2], "ISS");
	assert_string_equal(sent[1], "");
	assert_true(locked);
}

/* Nobody knows whether there are more. */
static void no_list(void **state)
{
	(void)state;
	assert_false(start(0));
	assert_int_equal(cpu_count, 1);
}

static void tables_out_of_reach(void **state)
{
	(void)state;
	root = 4 * GIB;
	assert_false(start(MACHINE));
	assert_int_equal(cpu_count, 1);
	assert_non_null(strstr(test_log, "staying on one CPU"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_start, setup, teardown),
		cmocka_unit_test_setup_teardown(one_never_starts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_comes_too_late, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_comes_in_the_last_moment,
						setup, teardown),
		cmocka_unit_test_setup_teardown(more_than_there_is_room_for,
						setup, teardown),
		cmocka_unit_test_setup_teardown(no_list, setup, teardown),
		cmocka_unit_test_setup_teardown(tables_out_of_reach, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
