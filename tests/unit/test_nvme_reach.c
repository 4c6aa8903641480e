/* sources: drivers/nvme_reach.c */
/* What an NVMe VF says of itself, and Lockdown.  Offsets, bits and opcodes are
 * written out here. */
#include "drivers/nvme_admin.h"
#include "drivers/nvme_reach.h"
#include "tests/unit/support.h"
#include <string.h>

static struct pci_function pf = {.addr = {.bus = 2}};
static struct pci_function vf = {.addr = {.bus = 2, .devfn = 1}, .pf = &pf};
static struct nvme_admin primary = {.fn = &pf};
static const struct pf_dma dma = {(void *)0x1000, 0x3000};

/* The VF's answers; the commands that the drive lets be prohibited, and those
 * that are */
static u8 identify[4096], namespaces[4096], effects[2048];
static bool can_be[256], is[256];

/* What fails */
static int start_error, identify_error, namespaces_error, effects_error;
static int list_error, lock_error;
static bool lock_lies;

static bool running;
static unsigned int locks, lists;
static u8 locked[256], answer[4096];

/* In place of drivers/nvme_admin.c */
int nvme_admin_start(struct nvme_admin *a, struct pci_function *fn,
		     const struct pf_dma *given)
{
	assert_ptr_equal(fn, &vf);
	assert_ptr_equal(given, &dma);
	*a = (struct nvme_admin){.fn = fn};
	running = true;
	return start_error;
}

int nvme_admin_stop(struct nvme_admin *a)
{
	assert_ptr_equal(a->fn, &vf);
	running = false;
	return 0;
}

int nvme_identify(struct nvme_admin *a, u8 cns)
{
	assert_ptr_equal(a->fn, &vf);
	assert_true(running);
	assert_in_range(cns, 1, 2);
	memcpy(answer, cns == 1 ? identify : namespaces, sizeof(answer));
	return cns == 1 ? identify_error : namespaces_error;
}

static int answer_list(u8 lsp)
{
	const bool *list = lsp ? is : can_be;

	lists++;
	assert_true(lsp == 0x00 || lsp == 0x10);
	for (unsigned int i = 0; i < 256; i++)
		if (list[i])
			answer[4 + answer[3]++] = i;
	return list_error;
}

int nvme_log_page(struct nvme_admin *a, u8 id, u8 lsp, u16 bytes)
{
	memset(answer, 0, sizeof(answer));
	if (id == 0x14) {
		assert_ptr_equal(a, &primary);
		assert_int_equal(bytes, 512);
		return answer_list(lsp);
	}
	assert_ptr_equal(a->fn, &vf);
	assert_true(running);
	assert_int_equal(id, 0x05);
	assert_int_equal(lsp, 0);
	assert_int_equal(bytes, 2048);
	memcpy(answer, effects, sizeof(effects));
	return effects_error;
}

int nvme_lockdown(struct nvme_admin *a, u8 opcode)
{
	assert_ptr_equal(a, &primary);
	assert_false(running);
	if (lock_error)
		return lock_error;
	assert_false(is[0x24]); /* nothing can be after that */
	locked[locks++] = opcode;
	is[opcode] = !lock_lies;
	return 0;
}

u32 nvme_get(const struct nvme_admin *a, u32 offset, unsigned int bytes)
{
	u32 value = 0;

	(void)a;
	for (unsigned int i = 0; i < bytes; i++)
		value |= (u32)answer[offset + i] << 8 * i;
	return value;
}

/* --- */

static void takes(u8 opcode)
{
	effects[4 * opcode] |= 1;
}

/* A VF that takes what it must, and says so. */
static int set_up(void **state)
{
	static const u8 must[] = {0x00, 0x01, 0x02, 0x04, 0x05,
				  0x06, 0x08, 0x09, 0x0a, 0x0c};

	(void)state;
	test_log_clear();
	start_error = identify_error = namespaces_error = effects_error = 0;
	list_error = lock_error = 0;
	lock_lies = running = false;
	locks = lists = 0;
	memset(identify, 0, sizeof(identify));
	memset(namespaces, 0, sizeof(namespaces));
	namespaces[0] = 1;
	memset(effects, 0, sizeof(effects));
	memset(can_be, 0, sizeof(can_be));
	memset(is, 0, sizeof(is));
	identify[0] = 0x36;
	identify[261] = 2;
	for (unsigned int i = 0; i < ARRAY_SIZE(must); i++)
		takes(must[i]);
	return 0;
}

static int check(bool restrain)
{
	int err = nvme_check_reach(&primary, &vf, &dma, restrain);

	assert_false(running);
	return err;
}

static void assert_logged(const char *text)
{
	if (!strstr(test_log, text))
		fail_msg("not logged: \"%s\"; but: %s", text, test_log);
}

static void keeps_to_itself(void **state)
{
	static const u8 may[] = {0x14, 0x18, 0x19, 0x1a, 0x7c, 0x86};

	(void)state;
	assert_int_equal(check(false), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(may); i++)
		takes(may[i]);
	/* Self-test, directives, doorbell buffers, LBA status */
	identify[256] = 0x30;
	identify[257] = 0x03;
	assert_int_equal(check(true), 0);
	assert_string_equal(test_log,
			    "nvme: 0000:02:00.1: 1 namespace attached\n"
			    "nvme: 0000:02:00.1: 1 namespace attached\n");
	assert_int_equal(lists, 0); /* nobody needs Lockdown */
}

/* Each bit of OACS that announces more, and SANICAP. */
static void believes_identify(void **state)
{
	static const struct {
		u8 bit;
		const char *words;
	} bits[] = {
		{0, "takes Security Send (81h), which reaches beyond it"},
		{1, "Format NVM (80h)"},
		{2, "Firmware Image Download (11h)"},
		{3, "Namespace Attachment (15h)"},
		{6, "NVMe-MI Send (1dh)"},
		{7, "Virtualization Management (1ch)"},
		{10, "Lockdown (24h)"},
		{11, "Migration Send (41h)"},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++) {
		set_up(state);
		identify[256 + bits[i].bit / 8] = 1 << bits[i].bit % 8;
		assert_int_equal(check(false), -EPERM);
		assert_logged(bits[i].words);
		assert_logged("nvme: 0000:02:00.1: this VF");
	}
	set_up(state);
	identify[331] = 0x40;
	assert_int_equal(check(false), -EPERM);
	assert_logged("Sanitize (84h)");
}

/* Every opcode that is not known to concern the VF alone. */
static void believes_the_log(void **state)
{
	unsigned int refused = 0;

	for (unsigned int i = 0; i < 256; i++) {
		set_up(state);
		takes((u8)i);
		refused += check(false) == -EPERM;
	}
	assert_int_equal(refused, 256 - 16);
	set_up(state);
	takes(0x7b);
	takes(0xc0);
	takes(0xff);
	assert_int_equal(check(false), -EPERM);
	assert_logged("a command without a name here (7bh)");
	assert_logged("takes 2 commands of its vendor's own, which may reach");
	/* The other bits of an entry do not say that it takes the command */
	set_up(state);
	memset(effects + 4 * 0x80, 0xff, 4);
	effects[4 * 0x80] = 0xfe;
	assert_int_equal(check(false), 0);
}

/* I/O commands: those of the specification concern a namespace. */
static void believes_the_log_of_io_commands(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 0x80; i++)
		effects[1024 + 4 * i] = 1;
	assert_int_equal(check(false), 0);
	effects[1024 + 4 * 0x80] = effects[1024 + 4 * 0xff] = 1;
	/* and no Lockdown helps */
	takes(0x80);
	can_be[0x80] = true;
	assert_int_equal(check(true), -EPERM);
	assert_int_equal(locks, 0);
	assert_logged("takes 2 I/O commands of its vendor's own, which may");
	effects[4 * 0x80] = 0;
	assert_int_equal(check(true), -EPERM);
}

static void counts_namespaces(void **state)
{
	(void)state;
	namespaces[5] = 1; /* 256 */
	assert_int_equal(check(true), 0);
	assert_logged("nvme: 0000:02:00.1: 2 namespaces attached");
	memset(namespaces, 0xff, sizeof(namespaces));
	assert_int_equal(check(true), 0);
	assert_logged("1024 namespaces attached");
	memset(namespaces, 0, 4);
	assert_int_equal(check(true), 0);
	assert_logged("no namespace is attached, so the guest will find a "
		      "drive without a disk. Attach one");
	test_log_clear();
	namespaces_error = -EIO;
	assert_int_equal(check(true), 0);
	assert_string_equal(test_log, "");
}

static void wants_to_be_told_all(void **state)
{
	(void)state;
	identify[261] = 0xfd;
	assert_int_equal(check(true), -EPERM);
	assert_logged("does not say which commands this VF takes (LPA bit 1)");
	assert_int_equal(lists, 0);
}

/* A log that does not even name Identify did not arrive; no more did an
 * Identify without a vendor. */
static void misses_what_did_not_arrive(void **state)
{
	(void)state;
	memset(effects, 0, sizeof(effects));
	assert_int_equal(check(true), -EIO);
	assert_logged("did not arrive");
	set_up(state);
	identify[0] = 0;
	assert_int_equal(check(true), -EIO);
	assert_logged("did not arrive");
}

static void hands_on_errors(void **state)
{
	(void)state;
	start_error = -ETIMEDOUT;
	assert_int_equal(check(true), -ETIMEDOUT);
	start_error = 0;
	identify_error = -ENODEV;
	assert_int_equal(check(true), -ENODEV);
	identify_error = 0;
	effects_error = -EIO;
	assert_int_equal(check(true), -EIO);
}

/* --- Lockdown */

static void permissive(void)
{
	takes(0x15);
	takes(0x24);
	takes(0x80);
	can_be[0x15] = can_be[0x24] = can_be[0x80] = true;
}

static void prohibits_what_reaches_beyond(void **state)
{
	static const u8 in_order[] = {0x15, 0x80, 0x24};

	(void)state;
	permissive();
	assert_int_equal(check(true), 0);
	assert_int_equal(locks, 3);
	assert_memory_equal(locked, in_order, 3);
	assert_logged("nvme: 0000:02:00.0: Lockdown: such commands are "
		      "prohibited for the whole drive, its physical function "
		      "too, until its power goes off");
	/* The next VF, and the next start, find it done. */
	assert_int_equal(check(true), 0);
	assert_int_equal(locks, 3);
}

static void prohibits_nothing_unasked(void **state)
{
	(void)state;
	permissive();
	assert_int_equal(check(false), -EPERM);
	assert_int_equal(locks + lists, 0);
}

/* All or nothing; never what the PF brings VFs online by. */
static void prohibits_nothing_in_vain(void **state)
{
	(void)state;
	permissive();
	takes(0xc1);
	assert_int_equal(check(true), -EPERM);
	set_up(state);
	permissive();
	takes(0x1c);
	can_be[0x1c] = true;
	assert_int_equal(check(true), -EPERM);
	assert_int_equal(locks, 0);
	assert_logged("Virtualization Management (1ch)");
}

static void does_not_believe_in_vain(void **state)
{
	(void)state;
	permissive();
	lock_lies = true;
	assert_int_equal(check(true), -EPERM);
	assert_logged("Format NVM (80h)");
	set_up(state);
	permissive();
	lock_error = -EIO;
	assert_int_equal(check(true), -EPERM);
	assert_logged("nvme: 0000:02:00.1: Lockdown does not work");
	set_up(state);
	permissive();
	list_error = -EIO;
	assert_int_equal(check(true), -EPERM);
	assert_int_equal(locks, 0);
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_to_itself),
		TEST(believes_identify),
		TEST(believes_the_log),
		TEST(believes_the_log_of_io_commands),
		TEST(counts_namespaces),
		TEST(wants_to_be_told_all),
		TEST(misses_what_did_not_arrive),
		TEST(hands_on_errors),
		TEST(prohibits_what_reaches_beyond),
		TEST(prohibits_nothing_unasked),
		TEST(prohibits_nothing_in_vain),
		TEST(does_not_believe_in_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
