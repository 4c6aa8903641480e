/* sources: drivers/nvme_reach.c drivers/nvme_admin.c */
/* longest input: 4096 */
/*
 * What an NVMe drive may answer, and when: registers, completions, Identify and
 * logs are the input's.  A VF passes only if its log of commands was asked for
 * and lists nothing but what concerns the VF alone, or what Lockdown has taken.
 */
#include "drivers/nvme_reach.h"
#include "drivers/nvme_admin.h"
#include "drivers/nvme_regs.h"
#include "tests/fuzz/fuzz.h"
#include <string.h>

#define PAGES 3
#define ADDRESS 0x100000

/* A controller: its pages, what it is told, and how it answers */
struct controller {
	u8 pages[PAGES * PAGE_SIZE] __attribute__((aligned(4096)));
	u32 cc, tail, done, phase;
};

static struct controller primary, secondary;
static struct pci_function pf, vf;
static struct input in;
static bool effects[256], io_effects[256], prohibited[256], asked, changes;
static u8 mode;

static struct controller *of(const struct pci_function *fn)
{
	return fn == &vf ? &secondary : &primary;
}

u32 nvme_read(const struct pci_function *fn, u32 reg)
{
	if (mode & 1)
		return (u32)take(&in, 4);
	switch (reg) {
	case 0x04:
		return 0x20;
	case 0x1c:
		return of(fn)->cc & 1;
	default:
		return 0;
	}
}

/* The log of commands, as it comes */
static void fill_effects(u8 *buffer)
{
	asked = true;
	for (unsigned int i = 0; i < 256; i++) {
		u8 entry = (u8)take(&in, 1);

		/* Most are likely ones */
		entry &= i == 6 || i == 2 || entry > 0xf0;
		entry |= i == 6;
		effects[i] = entry & 1;
		buffer[4 * i] = entry;
	}
	for (unsigned int i = 0; i < 256; i++) {
		u8 entry = (u8)take(&in, 1);

		entry &= i < 0x80 || entry > 0xf0;
		io_effects[i] = entry & 1;
		buffer[1024 + 4 * i] = entry;
	}
}

static void fill_lockdown(u8 *buffer, u32 contents)
{
	buffer[3] = (u8)take(&in, 1);
	for (unsigned int i = 0; i < 508; i++)
		buffer[4 + i] = (u8)take(&in, 1);
	if (contents != 1)
		return;
	memset(prohibited, 0, sizeof(prohibited));
	for (unsigned int i = 0; i < buffer[3]; i++)
		prohibited[buffer[4 + i]] = true;
}

static void execute(const struct pci_function *fn, const u8 *command)
{
	u8 *buffer = of(fn)->pages + 2 * PAGE_SIZE;

	switch (command[0]) {
	case 0x02:
		if (command[40] == 0x05)
			fill_effects(buffer);
		else
			fill_lockdown(buffer, command[41] >> 4);
		break;
	case 0x06:
		CHECK(fn == &vf && (command[40] == 1 || command[40] == 2));
		if (command[40] == 2) {
			buffer[0] = (u8)take(&in, 1);
			memset(buffer + 1, buffer[0], take(&in, 2) % 4096);
			break;
		}
		for (unsigned int i = 0; i < 16; i++) {
			u64 at = take(&in, 2) % 4096;

			buffer[at] = (u8)take(&in, 1);
		}
		break;
	case 0x24:
		CHECK(fn == &pf && command[41] != 0x1c);
		changes = true;
		break;
	default:
		CHECK(!"a command that is not asked for");
	}
}

static void complete(struct controller *c, const u8 *command)
{
	u8 *cqe = c->pages + PAGE_SIZE + 16 * c->done;
	u8 how = (u8)take(&in, 1);

	if (how == 0xff)
		return; /* it is lost */
	cqe[12] = command[2] + (how == 0xfe);
	cqe[13] = command[3];
	cqe[14] = (u8)((how > 0xf8 ? how << 1 : 0) | c->phase);
	cqe[15] = 0;
	if (++c->done == 64) {
		c->done = 0;
		c->phase ^= 1;
	}
}

void nvme_write(const struct pci_function *fn, u32 reg, u32 value)
{
	struct controller *c = of(fn);

	CHECK(reg + 4 <= fn->bar[0].size);
	if (reg == 0x14) {
		c->cc = value;
		if (!(value & 1))
			c->tail = c->done = 0, c->phase = 1;
	}
	if (reg != 0x1000)
		return;
	CHECK(value < 64);
	while (c->tail != value) {
		const u8 *command = c->pages + 64 * c->tail;

		execute(fn, command);
		complete(c, command);
		c->tail = (c->tail + 1) % 64;
	}
}

static bool concerns_itself(unsigned int opcode)
{
	return opcode <= 0x02 || (opcode >= 0x04 && opcode <= 0x06) ||
	       (opcode >= 0x08 && opcode <= 0x0a) || opcode == 0x0c ||
	       opcode == 0x14 || (opcode >= 0x18 && opcode <= 0x1a) ||
	       opcode == 0x7c || opcode == 0x86;
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	const struct pf_dma pf_dma = {primary.pages, ADDRESS};
	const struct pf_dma vf_dma = {secondary.pages, ADDRESS + 0x3000};
	struct nvme_admin a;
	bool restrain;

	fuzz_begin();
	in = (struct input){bytes, size};
	memset(&primary, 0, sizeof(primary));
	memset(&secondary, 0, sizeof(secondary));
	memset(effects, 0, sizeof(effects));
	memset(io_effects, 0, sizeof(io_effects));
	memset(prohibited, 0, sizeof(prohibited));
	asked = changes = false;
	pf = (struct pci_function){.bar = {{.size = 0x4000}}};
	vf = (struct pci_function){.bar = {{.size = 0x4000}}, .pf = &pf};
	mode = 0;
	if (nvme_admin_start(&a, &pf, &pf_dma))
		return 0;
	mode = (u8)take(&in, 1);
	restrain = mode & 2;
	if (!nvme_check_reach(&a, &vf, &vf_dma, restrain)) {
		CHECK(asked);
		for (unsigned int i = 0; i < 256; i++)
			CHECK((!effects[i] || concerns_itself(i) ||
			       (restrain && prohibited[i])) &&
			      (i < 0x80 || !io_effects[i]));
	}
	CHECK(restrain || !changes);
	return 0;
}
