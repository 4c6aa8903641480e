/* sources: guest/acpi.c */
#include "guest/acpi.h"
#include "hv/cpu.h"
#include "hv/guest_layout.h"
#include "tests/unit/support.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Run from the repository's root; ACPI_OUT names the directory for the tables
 * (default build/acpi).  iasl compiles the DSDT and reads every table.
 */
#define GPA GUEST_ACPI_START

static char out[200];
static u8 *dsdt;
static size_t dsdt_size;
static u8 buf[0x4000];

static u32 get32(const u8 *p)
{
	u32 value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static u64 get64(const u8 *p)
{
	u64 value;

	memcpy(&value, p, sizeof(value));
	return value;
}

/* Run @command; the test fails if that fails or says "error" or "warning"
 * otherwise than "0 Errors, 0 Warnings". */
static void run(const char *command)
{
	char line[512];
	bool bad = false;
	FILE *pipe = popen(command, "r");

	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe)) {
		if ((strstr(line, "rror") || strstr(line, "arning")) &&
		    !strstr(line, "0 Errors, 0 Warnings")) {
			fputs(line, stderr);
			bad = true;
		}
	}
	if (pclose(pipe) || bad)
		fail_msg("%s", command);
}

static int setup(void **state)
{
	const char *directory = getenv("ACPI_OUT");
	char path[256], command[600];
	struct stat st;
	FILE *file;

	(void)state;
	snprintf(out, sizeof(out), "%s", directory ? directory : "build/acpi");
	snprintf(command, sizeof(command), "mkdir -p '%s'", out);
	run(command);
	snprintf(command, sizeof(command),
		 "iasl -p '%s/dsdt' guest/dsdt.asl 2>&1", out);
	run(command);
	snprintf(path, sizeof(path), "%s/dsdt.aml", out);
	file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	dsdt_size = st.st_size;
	dsdt = malloc(dsdt_size);
	assert_int_equal(fread(dsdt, 1, dsdt_size, file), dsdt_size);
	fclose(file);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(dsdt);
	return 0;
}

static u8 sum(const u8 *bytes, size_t size)
{
	u8 total = 0;

	while (size--)
		total += *bytes++;
	return total;
}

static int build(unsigned int count, const u32 *ids)
{
	struct acpi_machine machine = {count, ids, 0, 0, 0};

	memset(buf, 0xcc, sizeof(buf));
	return acpi_build(buf, sizeof(buf), GPA, &machine, dsdt, dsdt_size);
}

/* The table at @gpa: within what was built, its length too, sum 0 */
static const u8 *table(u64 gpa, int used, const char *signature)
{
	const u8 *t = buf + (gpa - GPA);

	assert_in_range(gpa, GPA + 36, GPA + used - 36);
	assert_memory_equal(t, signature, 4);
	assert_in_range(get32(t + 4), 36, GPA + used - gpa);
	assert_int_equal(sum(t, get32(t + 4)), 0);
	return t;
}

/* By way of RSDP and XSDT; @n: 0 FADT, 1 MADT, 2 MCFG */
static const u8 *find(int used, unsigned int n, const char *signature)
{
	const u8 *xsdt = table(get64(buf + 24), used, "XSDT");

	assert_int_equal(get32(xsdt + 4), 36 + 3 * 8);
	return table(get64(xsdt + 36 + 8 * n), used, signature);
}

static const u32 two_cpus[] = {0, 1};

static void rsdp_leads_to_every_table(void **state)
{
	int used = build(2, two_cpus);

	(void)state;
	assert_in_range(used, 36, sizeof(buf));
	assert_memory_equal(buf, "RSD PTR ", 8);
	assert_int_equal(sum(buf, 20), 0);
	assert_int_equal(sum(buf, 36), 0);
	assert_int_equal(buf[15], 2);
	assert_int_equal(get32(buf + 20), 36);
	assert_int_equal(get32(buf + 16), 0); /* no RSDT */
	find(used, 0, "FACP");
	find(used, 1, "APIC");
	find(used, 2, "MCFG");
	/* The rest is zero */
	for (size_t i = used; i < sizeof(buf); i++)
		assert_int_equal(buf[i], 0);
}

/* PM_TMR_BLK, PM_TMR_LEN, X_PM_TMR_BLK (5.2.9): all three or none */
static void fadt_has_the_pm_timer(void **state)
{
	struct acpi_machine machine = {1, (u32[]){0}, 0x1808, 0, 0};
	const u8 *fadt = find(build(1, machine.apic_id), 0, "FACP");
	int used;

	(void)state;
	assert_int_equal(get32(fadt + 76), 0);
	assert_int_equal(fadt[91], 0);
	assert_true(get64(fadt + 212) == 0);
	memset(buf, 0xcc, sizeof(buf));
	used = acpi_build(buf, sizeof(buf), GPA, &machine, dsdt, dsdt_size);
	fadt = find(used, 0, "FACP");
	assert_int_equal(get32(fadt + 76), 0x1808);
	assert_int_equal(fadt[91], 4);
	assert_int_equal(get32(fadt + 208), 0x03002001);
	assert_true(get64(fadt + 212) == 0x1808);
}

/* Where the compiled DSDT has @letters, eight of them */
static size_t mark(const char *letters)
{
	for (size_t i = 0; i + 8 <= dsdt_size; i++)
		if (!memcmp(dsdt + i, letters, 8))
			return i;
	fail_msg("the DSDT has no %s", letters);
	return 0;
}

static bool in_mark(size_t at, const char *letters)
{
	return at - mark(letters) < 8;
}

/* Offsets of ACPI 6.3 table 5-33 */
static void fadt_is_hardware_reduced(void **state)
{
	int used = build(2, two_cpus);
	const u8 *fadt = find(used, 0, "FACP");
	u32 flags = get32(fadt + 112);
	const u8 *t;

	(void)state;
	assert_int_equal(get32(fadt + 4), 276);
	assert_int_equal(fadt[8], 6);
	assert_int_equal(fadt[131], 3);
	assert_true(flags & 1 << 20);			 /* HW_REDUCED_ACPI */
	assert_true(flags & 1 << 10);			 /* RESET_REG_SUP */
	assert_true(flags & 1);				 /* WBINVD */
	assert_int_equal(fadt[109] | fadt[110] << 8, 4); /* no VGA, RTC there */
	/* RESET_REG: system I/O, 8 bits */
	assert_int_equal(get32(fadt + 116), 0x01000801);
	assert_true(get64(fadt + 120) == GUEST_RESET_PORT);
	assert_int_equal(fadt[128], GUEST_RESET_VALUE);
	assert_int_equal(get32(fadt + 244), 0x01000801);
	assert_true(get64(fadt + 248) == GUEST_SLEEP_CONTROL_PORT);
	assert_int_equal(get32(fadt + 256), 0x01000801);
	assert_true(get64(fadt + 260) == GUEST_SLEEP_STATUS_PORT);
	/* X_DSDT, and the 32-bit field agrees */
	assert_int_equal(get32(fadt + 40), get64(fadt + 140));
	/* But for its checksum and the numbers of the high window */
	t = table(get64(fadt + 140), used, "DSDT");
	assert_int_equal(get32(t + 4), dsdt_size);
	for (size_t i = 0; i < dsdt_size; i++)
		if (i != 9 && !in_mark(i, "HIGHBASE") &&
		    !in_mark(i, "HIGHSIZE"))
			assert_int_equal(t[i], dsdt[i]);
}

/* Both numbers are where the AML has names for them; what does not have each
 * once is refused. */
static void dsdt_has_the_high_window(void **state)
{
	struct acpi_machine machine = {1, (u32[]){0}, 0, 0x38000000000,
				       0x3a000000000};
	u8 *copy = malloc(dsdt_size);
	const u8 *t;
	int used;

	(void)state;
	used = acpi_build(buf, sizeof(buf), GPA, &machine, dsdt, dsdt_size);
	t = table(get64(find(used, 0, "FACP") + 140), used, "DSDT");
	assert_true(get64(t + mark("HIGHBASE")) == 0x38000000000);
	assert_true(get64(t + mark("HIGHSIZE")) == 0x2000000000);
	/* Name (HBAS, QWord */
	assert_memory_equal(t + mark("HIGHBASE") - 6, "\x08HBAS\x0e", 6);
	assert_memory_equal(t + mark("HIGHSIZE") - 6, "\x08HSIZ\x0e", 6);
	memcpy(copy, dsdt, dsdt_size);
	copy[mark("HIGHSIZE")]++;
	assert_int_equal(
		acpi_build(buf, sizeof(buf), GPA, &machine, copy, dsdt_size),
		-EINVAL);
	memcpy(copy, dsdt, dsdt_size);
	memcpy(copy + dsdt_size - 8, "HIGHBASE", 8);
	assert_int_equal(
		acpi_build(buf, sizeof(buf), GPA, &machine, copy, dsdt_size),
		-EINVAL);
	free(copy);
}

static void madt_lists_cpus_and_ioapic(void **state)
{
	/* 254 is the last that a local APIC entry can name */
	static const u32 ids[] = {0, 2, 254, 255, 300};
	int used = build(5, ids);
	const u8 *madt = find(used, 1, "APIC");
	const u8 *entry = madt + 44;

	(void)state;
	assert_int_equal(get32(madt + 36), 0xfee00000);
	assert_int_equal(get32(madt + 40), 0); /* no PC-AT PICs */
	assert_int_equal(get32(madt + 4), 44 + 12 + 3 * 8 + 2 * 16);
	/* IOAPIC: the first ID that is free, GSI 0 */
	assert_int_equal(entry[0], 1);
	assert_int_equal(entry[1], 12);
	assert_int_equal(entry[2], 1);
	assert_int_equal(get32(entry + 4), GUEST_IOAPIC);
	assert_int_equal(get32(entry + 8), 0);
	entry += 12;
	for (unsigned int i = 0; i < 3; i++, entry += 8) {
		assert_int_equal(entry[0], 0);
		assert_int_equal(entry[1], 8);
		assert_int_equal(entry[2], i);
		assert_int_equal(entry[3], ids[i]);
		assert_int_equal(get32(entry + 4), 1);
	}
	for (unsigned int i = 3; i < 5; i++, entry += 16) {
		assert_int_equal(entry[0], 9);
		assert_int_equal(entry[1], 16);
		assert_int_equal(get32(entry + 4), ids[i]);
		assert_int_equal(get32(entry + 8), 1);
		assert_int_equal(get32(entry + 12), i);
	}
}

static void ioapic_id_collides_with_none(void **state)
{
	u32 ids[256];
	struct acpi_machine machine = {256, ids, 0, 0, 0};

	(void)state;
	for (u32 i = 0; i < 256; i++)
		ids[i] = i;
	assert_int_equal(acpi_ioapic_id(&machine), 255);
	ids[7] = 0xffffffff;
	assert_int_equal(acpi_ioapic_id(&machine), 7);
	machine.count = 2;
	assert_int_equal(acpi_ioapic_id(&machine), 2);
}

static void mcfg_covers_bus_0(void **state)
{
	int used = build(2, two_cpus);
	const u8 *mcfg = find(used, 2, "MCFG");

	(void)state;
	assert_int_equal(get32(mcfg + 4), 60);
	assert_true(get64(mcfg + 44) == GUEST_ECAM);
	assert_int_equal(get32(mcfg + 52), 0); /* segment 0, buses 0-0 */
}

static void small_buffer_is_refused(void **state)
{
	struct acpi_machine machine = {2, two_cpus, 0, 0, 0};
	int used = build(2, two_cpus);

	(void)state;
	for (int size = 0; size < used; size++) {
		u8 *small = malloc(size ? size : 1);

		assert_int_equal(
			acpi_build(small, size, GPA, &machine, dsdt, dsdt_size),
			-ENOSPC);
		free(small);
	}
	assert_int_equal(acpi_build(buf, used, GPA, &machine, dsdt, dsdt_size),
			 used);
}

/* The AML holds @size bytes of @bytes. */
static void expect_aml(const char *what, const void *bytes, size_t size)
{
	for (size_t i = 36; i + size <= dsdt_size; i++)
		if (!memcmp(dsdt + i, bytes, size))
			return;
	fail_msg("DSDT and hv/guest_layout.h differ: %s", what);
}

/* An I/O port descriptor (ACPI 6.3 6.4.2.5), fixed address, 16-bit decode */
static void expect_io(const char *what, u16 port, u8 length)
{
	const u8 io[] = {0x47,	      1,	 port & 0xff, port >> 8,
			 port & 0xff, port >> 8, 1,	      length};

	expect_aml(what, io, sizeof(io));
}

static void dsdt_agrees_with_the_layout(void **state)
{
	/* DWORD address space: granularity, min, max, offset, length
	 * (6.4.3.5.2) */
	const u32 window[] = {0, GUEST_PCI_WINDOW,
			      GUEST_PCI_WINDOW + GUEST_PCI_WINDOW_SIZE - 1, 0,
			      GUEST_PCI_WINDOW_SIZE};
	/* Word address space, of ports: the same (6.4.3.5.3) */
	const u16 ports[] = {0, GUEST_PCI_IO_WINDOW,
			     GUEST_PCI_IO_WINDOW + GUEST_PCI_IO_WINDOW_SIZE - 1,
			     0, GUEST_PCI_IO_WINDOW_SIZE};
	/* 32-bit fixed memory range: base, length (6.4.3.4) */
	const u32 ecam[] = {GUEST_ECAM, GUEST_ECAM_SIZE};
	/* Extended interrupt: consumer, edge, active high; one (6.4.3.6) */
	const u8 irq[] = {0x89, 6, 0, 3, 1, GUEST_UART_IRQ, 0, 0, 0};
	/* Name (_S5, Package (4) {BytePrefix type, ... */
	const u8 s5[] = {'_', 'S', '5', '_', 0x12, 7, 4, 0xa, GUEST_S5_TYPE};

	(void)state;
	expect_aml("PCI window", window, sizeof(window));
	expect_aml("PCI ports", ports, sizeof(ports));
	expect_aml("ECAM", ecam, sizeof(ecam));
	expect_aml("UART interrupt", irq, sizeof(irq));
	expect_aml("S5", s5, sizeof(s5));
	expect_io("UART", GUEST_UART_PORT, 8);
	expect_io("CMOS", GUEST_CMOS_PORT, 2);
	expect_io("sleep registers", GUEST_SLEEP_CONTROL_PORT, 2);
	expect_io("reset port", GUEST_RESET_PORT, 1);
}

static void iasl_one(const char *name, const u8 *bytes, size_t size)
{
	char path[256], command[700];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.dat", out, name);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	snprintf(command, sizeof(command), "iasl -d '%s' 2>&1", path);
	run(command);
	/* What it read, compiled again, must do without remarks on fields too
	 */
	snprintf(command, sizeof(command),
		 "iasl -p '%s/%s-again' '%s/%s.dsl' "
		 "2>&1",
		 out, name, out, name);
	run(command);
}

static void iasl_reads_every_table(void **state)
{
	static const char *const name[] = {"FACP", "APIC", "MCFG"};
	static const u32 ids[] = {0, 1, 300};
	int used = build(3, ids);
	const u8 *t = table(get64(buf + 24), used, "XSDT");

	(void)state;
	iasl_one("XSDT", t, get32(t + 4));
	for (unsigned int i = 0; i < 3; i++) {
		t = find(used, i, name[i]);
		iasl_one(name[i], t, get32(t + 4));
	}
	t = table(get64(find(used, 0, "FACP") + 140), used, "DSDT");
	iasl_one("DSDT", t, get32(t + 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rsdp_leads_to_every_table),
		cmocka_unit_test(fadt_is_hardware_reduced),
		cmocka_unit_test(fadt_has_the_pm_timer),
		cmocka_unit_test(madt_lists_cpus_and_ioapic),
		cmocka_unit_test(ioapic_id_collides_with_none),
		cmocka_unit_test(mcfg_covers_bus_0),
		cmocka_unit_test(small_buffer_is_refused),
		cmocka_unit_test(dsdt_agrees_with_the_layout),
		cmocka_unit_test(dsdt_has_the_high_window),
		cmocka_unit_test(iasl_reads_every_table),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
