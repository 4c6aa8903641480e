/* sources: drivers/igb.c drivers/igb_filter.c drivers/igb_mbx.c drivers/igb_regs.c drivers/nvme_admin.c drivers/nvme_pf.c drivers/pci/pci_caps.c drivers/pf.c tests/unit/pci_model.c */
#include "drivers/igb.h"
#include "drivers/nvme_admin.h"
#include "drivers/nvme_pf.h"
#include "drivers/nvme_reach.h"
#include "drivers/nvme_regs.h"
#include "drivers/pci/pci_access.h"
#include "drivers/pci/pci_reset.h"
#include "drivers/pf.h"
#include "hv/alloc.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include <string.h>

/*
 * A primary controller in software.  It reaches memory only through the pages
 * that it was given, at the address that it was told.  Offsets and values are
 * written out here, so that the driver's names are tested too.
 */
#define DMA_ADDRESS 0x12345000ULL
#define COMMANDS_MAX 1024

static _Alignas(4096) u8 pages[6 * 4096];
static const struct pf_dma dma = {pages, DMA_ADDRESS};
static u32 cap_low, cap_high, cc, csts, aqa;
static u64 asq, acq;
static u32 sq_tail, sq_head, cq_tail, cq_head, phase;
static unsigned int csts_reads, disables, ready_after;

/* What it does wrong */
static bool gone, stuck_ready, never_ready, dies, silent, wrong_id, no_data;
static u16 status_of[256]; /* by opcode */
static u16 status_of_action[16];

/* What it tells */
static u8 identify[4096], primary[4096], secondary[4096];

/* Flexible resources that the primary gets by its next reset, by type; -1: as
 * many as it has */
static int next[2];
static unsigned int resets;
static int reset_error;
static bool keeps; /* all the same */

/* What it was sent */
static struct {
	u8 opcode;
	u32 dword10, dword11;
} sent[COMMANDS_MAX];
static unsigned int sent_count;

static void put(u8 *at, u64 value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = value >> 8 * i;
}

static u64 get(const u8 *at, unsigned int bytes)
{
	u64 value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (u64)at[i] << 8 * i;
	return value;
}

/* DMA outside of the pages would be a fault of VT-d. */
static u8 *memory(u64 address, u64 size)
{
	assert_true(address >= DMA_ADDRESS &&
		    address + size <= DMA_ADDRESS + sizeof(pages));
	return pages + (address - DMA_ADDRESS);
}

static void answer_identify(u64 prp, u32 dword10)
{
	const u8 *from = NULL;

	assert_int_equal(dword10 >> 16, 0);
	switch (dword10 & 0xff) {
	case 0x01:
		from = identify;
		break;
	case 0x14:
		from = primary;
		break;
	case 0x15:
		from = secondary;
		break;
	default:
		fail_msg("Identify CNS %02x", dword10 & 0xff);
	}
	assert_int_equal(prp % 4096, 0);
	if (!no_data)
		memcpy(memory(prp, 4096), from, 4096);
}

/* Which entry of the secondary controller list has this ID. */
static u8 *entry_of(u16 id)
{
	for (unsigned int i = 0; i < 127; i++)
		if (get(secondary + 32 + 32 * i, 2) == id)
			return secondary + 32 + 32 * i;
	fail_msg("controller %u", id);
	return NULL;
}

static void manage(u32 dword10, u32 dword11)
{
	u8 *entry;

	if ((dword10 & 0xf) == 1) {
		assert_int_equal(dword10 >> 16, 0x41);
		next[dword10 >> 8 & 7] = (int)dword11;
		return;
	}
	entry = entry_of(dword10 >> 16);
	switch (dword10 & 0xf) {
	case 7:
		entry[4] = 0;
		put(entry + 10, 0, 4);
		break;
	case 8:
		put(entry + (dword10 >> 8 & 7 ? 12 : 10), dword11, 2);
		break;
	case 9:
		entry[4] = 1;
		break;
	default:
		fail_msg("action %u", dword10 & 0xf);
	}
}

static u16 execute(const u8 *command)
{
	u32 dword10 = get(command + 40, 4), dword11 = get(command + 44, 4);
	u16 status = status_of[command[0]];

	assert_true(sent_count < COMMANDS_MAX);
	sent[sent_count].opcode = command[0];
	sent[sent_count].dword10 = dword10;
	sent[sent_count++].dword11 = dword11;
	if (status)
		return status;
	if (command[0] == 0x06) {
		answer_identify(get(command + 24, 8), dword10);
	} else if (command[0] == 0x02) {
		memset(memory(get(command + 24, 8), 4096), 0x77, 8);
	} else if (command[0] != 0x24) {
		assert_int_equal(command[0], 0x1c);
		status = status_of_action[dword10 & 0xf];
		if (!status)
			manage(dword10, dword11);
	}
	return status;
}

static void complete(u16 id, u16 status)
{
	u8 *cqe = memory(acq + 16 * cq_tail, 16);

	put(cqe, 0, 8);
	put(cqe + 8, sq_head, 2);
	put(cqe + 10, 0, 2);
	put(cqe + 12, wrong_id ? id + 1 : id, 2);
	put(cqe + 14, status << 1 | phase, 2);
	if (++cq_tail == (aqa >> 16) + 1) {
		cq_tail = 0;
		phase ^= 1;
	}
}

static void run_queue(void)
{
	while (sq_head != sq_tail) {
		const u8 *command = memory(asq + 64 * sq_head, 64);
		u16 status = execute(command);

		if (++sq_head == (aqa & 0xfff) + 1)
			sq_head = 0;
		if (!silent)
			complete(get(command + 2, 2), status);
	}
}

u32 nvme_read(const struct pci_function *pf, u32 reg)
{
	(void)pf;
	if (gone)
		return ~0U;
	switch (reg) {
	case 0x00:
		return cap_low;
	case 0x04:
		return cap_high;
	case 0x14:
		return cc;
	case 0x1c:
		if (ready_after && cc & 1 && ++csts_reads == ready_after)
			csts |= 1;
		return csts;
	}
	fail_msg("read of register %x", reg);
	return 0;
}

static void write_cc(u32 value)
{
	if (cc & 1 && !(value & 1)) {
		/* 3.1.5: undefined before RDY followed */
		assert_true(csts & 3 || never_ready);
		disables++;
		if (!stuck_ready)
			csts = 0;
	} else if (!(cc & 1) && value & 1) {
		assert_int_equal(csts & 1, 0);
		sq_head = sq_tail = cq_head = cq_tail = 0;
		phase = 1;
		csts = never_ready ? 0 : dies ? 2 : 1;
	}
	cc = value;
}

static void write_low(u64 *reg, u32 value)
{
	*reg = (*reg & ~0xffffffffULL) | value;
}

static void write_high(u64 *reg, u32 value)
{
	*reg = (u32)*reg | (u64)value << 32;
}

void nvme_write(const struct pci_function *pf, u32 reg, u32 value)
{
	u32 stride = 4U << (cap_high & 0xf);

	assert_true(reg + 4 <= pf->bar[0].size);
	if (reg == 0x1000) {
		assert_in_range(value, 0, aqa & 0xfff);
		sq_tail = value;
		run_queue();
		return;
	}
	if (reg == 0x1000 + stride) {
		assert_in_range(value, 0, aqa >> 16);
		cq_head = value;
		return;
	}
	switch (reg) {
	case 0x14:
		write_cc(value);
		return;
	case 0x24:
		aqa = value;
		return;
	case 0x28:
		write_low(&asq, value);
		return;
	case 0x2c:
		write_high(&asq, value);
		return;
	case 0x30:
		write_low(&acq, value);
		return;
	case 0x34:
		write_high(&acq, value);
		return;
	}
	fail_msg("write to register %x", reg);
}

/* In place of drivers/pci/pci_reset.c */
int pci_flr(struct pci_function *fn)
{
	assert_int_equal(cc & 1, 0);
	resets++;
	cc = csts = 0;
	for (unsigned int type = 0; type < 2 && !reset_error && !keeps; type++)
		if (next[type] >= 0)
			put(primary + 32 + 32 * type + 8, (u64)next[type], 2);
	pci_write16(fn, 4, 0);
	return reset_error;
}

/* --- The machine around it ------------------------------------------------ */

static struct pci_function pf, vf[4];
static const struct pf_driver *const nvme = &nvme_pf_driver;

/* One type of flexible resources of the primary controller. */
static void set_resources(unsigned int at, u32 total, u32 assigned, u16 kept,
			  u16 limit)
{
	put(primary + at, total, 4);
	put(primary + at + 4, assigned, 4);
	put(primary + at + 8, kept, 2);
	put(primary + at + 12, limit, 2);
}

/* Secondary controllers 0x101, 0x102 ... of VF 0, 1 ... , offline. */
static void set_list(unsigned int count)
{
	memset(secondary, 0, sizeof(secondary));
	secondary[0] = count;
	for (unsigned int i = 0; i < count && i < 127; i++) {
		put(secondary + 32 + 32 * i, 0x101 + i, 2);
		put(secondary + 32 + 32 * i + 8, i + 1, 2);
	}
}

static int set_up(void **state)
{
	(void)state;
	test_log_clear();
	gone = stuck_ready = never_ready = dies = silent = wrong_id = false;
	no_data = false;
	cap_low = 0x0f0107ff; /* CAP.TO 15: 7.5 s */
	cap_high = 0x20;      /* CAP.CSS: NVM */
	cc = csts = aqa = 0;
	asq = acq = 0;
	csts_reads = disables = ready_after = sent_count = resets = 0;
	next[0] = next[1] = -1;
	reset_error = 0;
	keeps = false;
	memset(status_of, 0, sizeof(status_of));
	memset(status_of_action, 0, sizeof(status_of_action));
	memset(pages, 0, sizeof(pages));
	memset(identify, 0, sizeof(identify));
	memset(primary, 0, sizeof(primary));
	put(identify, 0x1b36, 2);
	put(identify + 256, 0x80, 2);
	put(primary, 0x41, 2);
	primary[4] = 3;
	set_resources(32, 8, 0, 0, 4);
	set_resources(64, 6, 0, 0, 3);
	set_list(4);
	model_reset(3);
	model_add(2, 0, 0x1b36, 0x0010, 0x010802);
	model_cap(2, 0, 0x40, 0x11, 0);
	model_set16(2, 0, 0x42, 0xc003, 0xc000);
	pf = model_function(2, 0);
	pf.vendor = 0x1b36;
	pf.device = 0x0010;
	pf.class = 0x010802;
	pf.bar[0].base = 0xc0000000;
	pf.bar[0].size = 0x4000;
	for (unsigned int i = 0; i < ARRAY_SIZE(vf); i++)
		vf[i] = (struct pci_function){
			.addr = {.bus = 2, .devfn = i + 1},
			.pf = &pf,
			.vf_index = i};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (pf.driver)
		page_free(pf.driver, 1, PAGES_DEVICE);
	return 0;
}

static void assert_logged(const char *text)
{
	if (!strstr(test_log, text))
		fail_msg("not logged: \"%s\"; but: %s", text, test_log);
}

static void assert_sent(unsigned int i, u8 opcode, u32 dword10, u32 dword11)
{
	assert_true(i < sent_count);
	assert_int_equal(sent[i].opcode, opcode);
	assert_int_equal(sent[i].dword10, dword10);
	assert_int_equal(sent[i].dword11, dword11);
}

static bool is_bus_master(void)
{
	return model_get16(2, 0, 4) & 4;
}

/* After a start that failed: it is off, and cannot do DMA. */
static void assert_off(void)
{
	assert_int_equal(cc & 1, 0);
	assert_false(is_bus_master());
}

/* --- Bring-up ------------------------------------------------------------- */

static void starts(void **state)
{
	(void)state;
	assert_int_equal(nvme->start(&pf, 2, &dma), 0);
	assert_int_equal(nvme->dma_pages, 6);
	assert_int_equal(aqa, 0x003f003f);
	assert_int_equal(asq, DMA_ADDRESS);
	assert_int_equal(acq, DMA_ADDRESS + 0x1000);
	/* EN, NVM command set, 4 KiB pages, entries of 64 and 16 bytes */
	assert_int_equal(cc, 0x00460001);
	/* Memory, bus master, no INTx, no MSI-X */
	assert_int_equal(model_get16(2, 0, 4) & 0x406, 0x406);
	assert_int_equal(model_get16(2, 0, 0x42) & 0x8000, 0);
	assert_int_equal(sent_count, 2);
	assert_sent(0, 0x06, 0x01, 0);
	assert_sent(1, 0x06, 0x14, 0);
	assert_logged("ready for 2 VFs, 4 flexible queue pairs and 3 flexible "
		      "vectors");
}

static void brings_vfs_online(void **state)
{
	(void)state;
	assert_int_equal(nvme->start(&pf, 2, &dma), 0);
	assert_int_equal(nvme->enable_vf(&vf[1]), 0);
	assert_int_equal(sent_count, 6);
	assert_sent(2, 0x06, 0x15, 0);
	assert_sent(3, 0x1c, 0x01020008, 4);
	assert_sent(4, 0x1c, 0x01020108, 3);
	assert_sent(5, 0x1c, 0x01020009, 0);
	assert_logged("0000:02:00.2: VF 1 is controller 258, online");
	assert_int_equal(nvme->enable_vf(&vf[2]), -EIO); /* started for 2 */
}

static void takes_an_online_vf_offline_first(void **state)
{
	(void)state;
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	entry_of(0x101)[4] = 1;
	assert_int_equal(nvme->enable_vf(&vf[0]), 0);
	assert_sent(3, 0x1c, 0x01010007, 0);
	assert_sent(4, 0x1c, 0x01010008, 4);
}

static void leaves_fixed_resources_alone(void **state)
{
	(void)state;
	primary[4] = 1; /* queues are flexible, interrupts are not */
	set_resources(64, 0, 0, 0, 0);
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	assert_int_equal(nvme->enable_vf(&vf[0]), 0);
	assert_int_equal(sent_count, 5);
	assert_sent(3, 0x1c, 0x01010008, 4);
	assert_sent(4, 0x1c, 0x01010009, 0);
}

static void disables_what_firmware_left_on(void **state)
{
	(void)state;
	cc = 0x00460001;
	csts = 1;
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	assert_int_equal(disables, 1);
	assert_int_equal(asq, DMA_ADDRESS);
}

/* EN must not change before RDY followed: the model asserts that. */
static void waits_for_what_firmware_just_enabled(void **state)
{
	(void)state;
	cc = 0x00460001;
	ready_after = 20;
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	assert_true(csts_reads >= 20);
	assert_int_equal(disables, 1);
}

static void chooses_a_command_set(void **state)
{
	(void)state;
	cap_high = 0x80 << 5; /* admin commands only */
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	assert_int_equal(cc, 0x00460071);
	cap_high = 0xc0 << 5; /* also: all that Identify says */
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	assert_int_equal(cc, 0x00460061);
}

static void obeys_the_doorbell_stride(void **state)
{
	(void)state;
	cap_high |= 4; /* 64 bytes */
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	assert_int_equal(cq_head, 2);
	cap_high |= 0xf; /* 128 KiB: beyond BAR0 */
	assert_int_equal(nvme->start(&pf, 1, &dma), -EIO);
	assert_logged("doorbells lie beyond BAR0");
}

static void goes_round_its_queues(void **state)
{
	(void)state;
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	assert_int_equal(nvme->enable_vf(&vf[0]), 0);
	for (unsigned int i = 0; i < 500; i++)
		assert_int_equal(nvme->after_reset(&vf[0]), 0);
	assert_int_equal(sent_count, 506);
}

/* --- Resources that the primary keeps ------------------------------------- */

static void takes_resources_from_the_primary(void **state)
{
	(void)state;
	set_resources(32, 8, 0, 8, 4);
	set_resources(64, 6, 0, 6, 3);
	put(primary + 32 + 10, 1, 2); /* private queues, but no interrupts */
	assert_int_equal(nvme->start(&pf, 2, &dma), 0);
	assert_int_equal(resets, 1);
	assert_sent(2, 0x1c, 0x00410001, 0);
	assert_sent(3, 0x1c, 0x00410101, 1);
	assert_sent(4, 0x06, 0x01, 0);
	assert_sent(5, 0x06, 0x14, 0);
	assert_int_equal(sent_count, 6);
	assert_int_equal(asq, DMA_ADDRESS);
	assert_true(is_bus_master());
	assert_logged("the primary controller keeps 8 of 8 flexible queues: 0 "
		      "from now on, also without Gangway");
	assert_logged("keeps 6 of 6 flexible interrupts: 1 from now on");
	assert_logged("ready for 2 VFs, 4 flexible queue pairs and 2 flexible "
		      "vectors");
	/* The drive remembers. */
	nvme->stop(&pf);
	assert_int_equal(nvme->start(&pf, 2, &dma), 0);
	assert_int_equal(resets, 1);
}

static void takes_only_what_is_needed(void **state)
{
	(void)state;
	set_resources(32, 8, 0, 4, 4); /* 2 for each of two */
	set_resources(64, 6, 0, 5, 3);
	put(primary + 64 + 10, 1, 2);
	assert_int_equal(nvme->start(&pf, 2, &dma), 0);
	assert_sent(2, 0x1c, 0x00410101, 0);
	assert_int_equal(sent_count, 5);
}

/* Nothing is taken that would not do. */
static void takes_nothing_in_vain(void **state)
{
	(void)state;
	set_resources(32, 8, 6, 2, 4);
	assert_int_equal(nvme->start(&pf, 4, &dma), -ENOSPC);
	assert_logged("the primary controller keeps 2, 6 are assigned");
	primary[4] = 2;
	set_resources(32, 0, 0, 0, 0);
	set_resources(64, 1, 0, 1, 1); /* its only one */
	assert_int_equal(nvme->start(&pf, 1, &dma), -ENOSPC);
	assert_int_equal(resets, 0);
	assert_int_equal(sent_count, 4);
}

static void says_that_the_primary_does_not_give(void **state)
{
	(void)state;
	set_resources(32, 8, 0, 8, 4);
	put(primary + 32 + 10, 1, 2);
	status_of_action[1] = 0x121;
	assert_int_equal(nvme->start(&pf, 1, &dma), -ENOSPC);
	assert_logged("Virtualization Management, 0 virtual queues to "
		      "controller 65 fails: Invalid Number of Controller");
	assert_off();
	status_of_action[1] = 0;
	reset_error = -EOPNOTSUPP;
	assert_int_equal(nvme->start(&pf, 1, &dma), -EOPNOTSUPP);
	assert_off();
	/* It said yes, and kept them */
	set_resources(64, 6, 0, 0, 3);
	reset_error = 0;
	next[0] = -1;
	status_of_action[1] = 0;
	primary[4] = 1;
	keeps = true;
	assert_int_equal(nvme->start(&pf, 1, &dma), -ENOSPC);
	assert_logged("too few virtual queues for 1 VF: 8 are flexible, the "
		      "primary controller keeps 8");
	assert_int_equal(resets, 2);
}

/* --- What it cannot do ---------------------------------------------------- */

static void says_no_virtualization_management(void **state)
{
	(void)state;
	put(identify + 256, 0xff7f, 2);
	assert_int_equal(nvme->start(&pf, 1, &dma), -EOPNOTSUPP);
	assert_logged("no Virtualization Management (OACS bit 7)");
	assert_off();
}

static void says_no_resources(void **state)
{
	(void)state;
	set_resources(32, 8, 7, 0, 4);
	assert_int_equal(nvme->start(&pf, 1, &dma), -ENOSPC);
	assert_logged("too few virtual queues for 1 VF: 8 are flexible, the "
		      "primary controller keeps 0, 7 are assigned, a VF may "
		      "have 4 and needs 2");
	assert_off();
	set_resources(32, 8, 0, 0, 1);
	assert_int_equal(nvme->start(&pf, 1, &dma), -ENOSPC);
	set_resources(32, 8, 0, 0, 4);
	set_resources(64, 3, 0, 0, 3);
	assert_int_equal(nvme->start(&pf, 4, &dma), -ENOSPC);
	assert_logged("too few virtual interrupts for 4 VFs");
}

static void divides_whatever_it_is_told(void **state)
{
	(void)state;
	set_resources(32, 0xffffffff, 0, 0, 0xffff);
	set_resources(64, 0xffffffff, 0xfffffff0, 8, 0xffff);
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	assert_int_equal(nvme->enable_vf(&vf[0]), 0);
	assert_sent(3, 0x1c, 0x01010008, 0xffff);
	assert_sent(4, 0x1c, 0x01010108, 7);
	set_resources(32, 8, 0xfffffff8, 8, 4); /* 0 in 32 bits */
	assert_int_equal(nvme->start(&pf, 1, &dma), -ENOSPC);
}

static void says_that_it_does_not_stop(void **state)
{
	(void)state;
	cc = 0x00460001;
	csts = 1;
	stuck_ready = true;
	test_time = 0;
	assert_int_equal(nvme->start(&pf, 1, &dma), -ETIMEDOUT);
	assert_logged("does not stop (CSTS.RDY stays)");
	assert_false(is_bus_master());
	assert_int_equal(sent_count, 0);
	/* twice, the second time as it gives up */
	assert_in_range(test_time, 7500000, 2 * 7500000 + 100);
}

static void says_that_it_does_not_start(void **state)
{
	(void)state;
	never_ready = true;
	cap_low = 0; /* CAP.TO 0: the least, 500 ms */
	assert_int_equal(nvme->start(&pf, 1, &dma), -ETIMEDOUT);
	assert_logged("does not become ready");
	assert_off();
}

static void says_that_it_died(void **state)
{
	(void)state;
	dies = true;
	assert_int_equal(nvme->start(&pf, 1, &dma), -EIO);
	assert_logged("does not start (CSTS.CFS, fatal status)");
	assert_off();
}

static void says_that_it_is_gone(void **state)
{
	(void)state;
	gone = true;
	assert_int_equal(nvme->start(&pf, 1, &dma), -EIO);
	assert_logged("the controller does not answer");
	assert_false(is_bus_master());
}

static void refuses_large_pages(void **state)
{
	(void)state;
	cap_high |= 1 << 16;
	assert_int_equal(nvme->start(&pf, 1, &dma), -EIO);
	assert_logged("CAP.MPSMIN");
}

static void refuses_bad_arguments(void **state)
{
	(void)state;
	assert_int_equal(nvme->start(&pf, 0, &dma), -EIO);
	pf.bar[0].base = 0;
	assert_int_equal(nvme->start(&pf, 1, &dma), -EIO);
	pf.bar[0].base = 0xc0000000;
	test_pages_left = 0;
	assert_int_equal(nvme->start(&pf, 1, &dma), -ENOMEM);
	test_pages_left = SIZE_MAX;
	assert_int_equal(sent_count, 0);
}

/* --- Commands that fail --------------------------------------------------- */

static void gives_up_on_a_lost_command(void **state)
{
	(void)state;
	silent = true;
	test_time = 0;
	assert_int_equal(nvme->start(&pf, 1, &dma), -ETIMEDOUT);
	assert_logged("does not answer an admin command");
	assert_int_equal(sent_count, 1);
	assert_in_range(test_time, 5000000, 5000100);
	assert_off();
}

/* A lost command's buffer may be written at any time: nothing more is sent. */
static void sends_nothing_after_a_lost_command(void **state)
{
	(void)state;
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	silent = true;
	assert_int_equal(nvme->enable_vf(&vf[0]), -ETIMEDOUT);
	assert_int_equal(sent_count, 3);
	silent = false;
	assert_int_equal(nvme->enable_vf(&vf[0]), -EIO);
	nvme->stop_vf(&vf[0]);
	assert_int_equal(nvme->after_reset(&vf[0]), -EIO);
	assert_int_equal(sent_count, 3);
	assert_logged("out of use");
}

static void refuses_a_completion_of_another_command(void **state)
{
	(void)state;
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	wrong_id = true;
	assert_int_equal(nvme->enable_vf(&vf[0]), -EIO);
	assert_logged("completes a command that was not sent");
	wrong_id = false;
	assert_int_equal(nvme->enable_vf(&vf[0]), -EIO);
	assert_int_equal(sent_count, 3);
}

static void names_the_status(void **state)
{
	(void)state;
	status_of[0x06] = 0x4006; /* with Do Not Retry */
	assert_int_equal(nvme->start(&pf, 1, &dma), -EIO);
	assert_logged("Identify (CNS 01h) fails: Internal Error (status 006h)");
	status_of[0x06] = 0x7ff;
	assert_int_equal(nvme->start(&pf, 1, &dma), -EIO);
	assert_logged("a status without a name here (status 7ffh)");
	assert_off();
}

static void names_what_management_refuses(void **state)
{
	(void)state;
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	status_of_action[8] = 0x4121;
	assert_int_equal(nvme->enable_vf(&vf[0]), -ENOSPC);
	assert_logged("Virtualization Management, 4 virtual queues to "
		      "controller 257 fails: Invalid Number of Controller "
		      "Resources (status 121h)");
	status_of_action[8] = 0x122;
	assert_int_equal(nvme->enable_vf(&vf[0]), -ENOSPC);
	status_of_action[8] = 0;
	status_of_action[9] = 0x120;
	assert_int_equal(nvme->enable_vf(&vf[0]), -EBUSY);
	assert_logged("controller 257 online fails: Invalid Secondary "
		      "Controller State (status 120h)");
}

/* A blocked write of the controller is reported by VT-d alone. */
static void misses_what_did_not_arrive(void **state)
{
	(void)state;
	no_data = true;
	assert_int_equal(nvme->start(&pf, 1, &dma), -EIO);
	assert_logged("did not arrive in memory");
	no_data = false;
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	no_data = true;
	assert_int_equal(nvme->enable_vf(&vf[0]), -ENODEV);
	assert_logged("in a list of 0");
}

static void bounds_the_secondary_list(void **state)
{
	(void)state;
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	set_list(255); /* 127 entries fill the page */
	put(entry_of(0x101) + 8, 0, 2);
	assert_int_equal(nvme->enable_vf(&vf[0]), -ENODEV);
	assert_logged("no secondary controller for VF 0 in a list of 255");
	put(secondary + 32 + 32 * 126 + 8, 1, 2);
	assert_int_equal(nvme->enable_vf(&vf[0]), 0);
	set_list(0);
	assert_int_equal(nvme->enable_vf(&vf[0]), -ENODEV);
}

/* --- Resets and the end --------------------------------------------------- */

static void leaves_a_vf_online_after_reset(void **state)
{
	(void)state;
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	assert_int_equal(nvme->enable_vf(&vf[0]), 0);
	assert_int_equal(nvme->after_reset(&vf[0]), 0);
	assert_int_equal(sent_count, 7);
	assert_sent(6, 0x06, 0x15, 0);
}

static void brings_a_vf_back_online_after_reset(void **state)
{
	(void)state;
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	assert_int_equal(nvme->enable_vf(&vf[0]), 0);
	entry_of(0x101)[4] = 0;
	put(entry_of(0x101) + 10, 0, 4);
	assert_int_equal(nvme->after_reset(&vf[0]), 0);
	assert_sent(7, 0x1c, 0x01010008, 4);
	assert_sent(8, 0x1c, 0x01010108, 3);
	assert_sent(9, 0x1c, 0x01010009, 0);
	assert_int_equal(entry_of(0x101)[4], 1);
}

static void stops(void **state)
{
	(void)state;
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	assert_int_equal(nvme->enable_vf(&vf[0]), 0);
	nvme->stop_vf(&vf[0]);
	assert_sent(7, 0x1c, 0x01010007, 0);
	assert_int_equal(entry_of(0x101)[4], 0);
	assert_true(is_bus_master());
	nvme->stop(&pf);
	assert_off();
}

/* Pulled while it ran: nothing waits for it. */
static void is_gone_at_once(void **state)
{
	u64 before;

	(void)state;
	assert_int_equal(nvme->start(&pf, 1, &dma), 0);
	assert_int_equal(nvme->enable_vf(&vf[0]), 0);
	assert_int_equal(nvme->service(&pf), 0);
	gone = true;
	before = test_time;
	assert_int_equal(nvme->service(&pf), -ENODEV);
	assert_int_equal(nvme->after_reset(&vf[0]), -ENODEV);
	assert_logged("the controller is gone");
	nvme->stop_vf(&vf[0]);
	nvme->stop(&pf);
	assert_true(test_time - before < 1000);
	assert_false(is_bus_master());
}

/* --- What a VF may command ------------------------------------------------ */

static struct nvme_admin *asked_by;
static const struct pf_dma *asked_with;
static bool asked_to_restrain;

/* In place of drivers/nvme_reach.c */
int nvme_check_reach(struct nvme_admin *a, struct pci_function *fn,
		     const struct pf_dma *vf_dma, bool restrain)
{
	assert_ptr_equal(fn, &vf[1]);
	asked_by = a;
	asked_with = vf_dma;
	asked_to_restrain = restrain;
	return -EPERM;
}

/* With pages of its own, and Lockdown where the PF has it. */
static void asks_a_vf(void **state)
{
	(void)state;
	assert_int_equal(nvme->start(&pf, 2, &dma), 0);
	assert_int_equal(nvme->check_vf(&vf[1], true), -EPERM);
	assert_ptr_equal(asked_by->fn, &pf);
	assert_ptr_equal(asked_with->pages, pages + 3 * 4096);
	assert_int_equal(asked_with->address, DMA_ADDRESS + 0x3000);
	assert_false(asked_to_restrain);
	put(identify + 256, 0x480, 2);
	assert_int_equal(nvme->start(&pf, 2, &dma), 0);
	nvme->check_vf(&vf[1], true);
	assert_true(asked_to_restrain);
	nvme->check_vf(&vf[1], false);
	assert_false(asked_to_restrain);
}

static void reads_logs_and_locks(void **state)
{
	struct nvme_admin a;

	(void)state;
	assert_int_equal(nvme_admin_start(&a, &pf, &dma), 0);
	assert_int_equal(nvme_log_page(&a, 0x05, 0, 1024), 0);
	assert_int_equal(nvme_get(&a, 4, 4), 0x77777777);
	assert_int_equal(nvme_get(&a, 8, 4), 0);
	assert_int_equal(nvme_log_page(&a, 0x14, 0x10, 512), 0);
	assert_int_equal(nvme_lockdown(&a, 0x80), 0);
	assert_sent(0, 0x02, 0x00ff0005, 0);
	assert_sent(1, 0x02, 0x007f1014, 0);
	assert_sent(2, 0x24, 0x8010, 0);
	status_of[0x24] = 0x4128;
	assert_int_equal(nvme_lockdown(&a, 0x15), -EIO);
	assert_logged("Lockdown of command 15h fails: Prohibition of Command "
		      "Execution Not Supported (status 128h)");
}

static bool may_write(u32 offset, unsigned int size)
{
	const struct pf_trapped_page *p = nvme->trapped;

	for (unsigned int i = 0; i < p->writable_count; i++)
		if (offset >= p->writable[i].first &&
		    offset + size - 1 <= p->writable[i].last)
			return true;
	return false;
}

/* The guest's own controller, and not what is the whole drive's (NVMe 2.0
 * 3.1.3). */
static void guards_registers(void **state)
{
	static const u16 yes[] = {0x0c, 0x10, 0x14, 0x1c, 0x24,
				  0x28, 0x2c, 0x30, 0x34};
	static const u16 no[] = {0x00, 0x08, 0x18, 0x20, 0x38,	0x40,  0x44,
				 0x48, 0x4c, 0x58, 0x64, 0xe04, 0xe14, 0xffc};

	(void)state;
	assert_int_equal(nvme->trapped_count, 1);
	assert_int_equal(nvme->trapped[0].bar, 0);
	assert_int_equal(nvme->trapped[0].offset, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(yes); i++)
		assert_true(may_write(yes[i], 4));
	for (unsigned int i = 0; i < ARRAY_SIZE(no); i++)
		for (unsigned int byte = 0; byte < 4; byte++)
			assert_false(may_write(no[i] + byte, 1));
	assert_true(may_write(0x28, 8));
	assert_true(may_write(0x30, 8));
	assert_false(may_write(0x1c, 8));
}

static void is_found_by_class(void **state)
{
	struct pci_function other = {
		.vendor = 0x144d, .device = 0xa824, .class = 0x010802};

	(void)state;
	assert_ptr_equal(pf_driver_for(&pf), nvme);
	assert_ptr_equal(pf_driver_for(&other), nvme);
	other.class = 0x010601;
	assert_null(pf_driver_for(&other));
	other.vendor = 0x8086;
	other.device = 0x10c9;
	assert_ptr_equal(pf_driver_for(&other), &igb_pf_driver);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(starts),
		TEST(brings_vfs_online),
		TEST(takes_an_online_vf_offline_first),
		TEST(leaves_fixed_resources_alone),
		TEST(disables_what_firmware_left_on),
		TEST(waits_for_what_firmware_just_enabled),
		TEST(chooses_a_command_set),
		TEST(obeys_the_doorbell_stride),
		TEST(goes_round_its_queues),
		TEST(takes_resources_from_the_primary),
		TEST(takes_only_what_is_needed),
		TEST(takes_nothing_in_vain),
		TEST(says_that_the_primary_does_not_give),
		TEST(says_no_virtualization_management),
		TEST(says_no_resources),
		TEST(divides_whatever_it_is_told),
		TEST(says_that_it_does_not_stop),
		TEST(says_that_it_does_not_start),
		TEST(says_that_it_died),
		TEST(says_that_it_is_gone),
		TEST(refuses_large_pages),
		TEST(refuses_bad_arguments),
		TEST(gives_up_on_a_lost_command),
		TEST(sends_nothing_after_a_lost_command),
		TEST(refuses_a_completion_of_another_command),
		TEST(names_the_status),
		TEST(names_what_management_refuses),
		TEST(misses_what_did_not_arrive),
		TEST(bounds_the_secondary_list),
		TEST(leaves_a_vf_online_after_reset),
		TEST(brings_a_vf_back_online_after_reset),
		TEST(stops),
		TEST(is_gone_at_once),
		TEST(asks_a_vf),
		TEST(reads_logs_and_locks),
		TEST(guards_registers),
		TEST(is_found_by_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
