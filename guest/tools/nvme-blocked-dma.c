/*
 * nvme-blocked-dma: let the NVMe VF write to an address outside the guest, and
 * show that VT-d refuses it.
 *
 *   nvme-blocked-dma [ADDRESS]     default: 1 MiB beyond the end of RAM
 *
 * Takes the VF away from its driver and sends two Identify commands by hand:
 * one whose answer goes to memory of ours, as a control that the device does
 * write; then one whose answer goes to ADDRESS.  Then Gangway's counter of
 * blocked requests is read (hv/stat_abi.h).  The device is reset and given
 * back to its driver.  Prints one line; exit status 0: refused and logged.
 */
#define _GNU_SOURCE
#include "guest/tools/blocked.h"

/* NVM Express 1.4, 3.1 and 5.15 */
#define NVME_CLASS 0x010802
#define REG_CC 0x14
#define CC_ENABLE 0x00460001
#define REG_CSTS 0x1c
#define CSTS_RDY 1u
#define REG_AQA 0x24
#define REG_ASQ 0x28
#define REG_ACQ 0x30
#define REG_SQ_TAIL 0x1000
#define ENTRIES 4
#define IDENTIFY 0x06
#define CNS_CONTROLLER 0x01

#define FILL 0xa5 /* what memory of ours holds before the device writes */

struct command {
	uint32_t opcode_id;
	uint32_t namespace_id, reserved[4];
	uint64_t prp[2];
	uint32_t dword10, rest[5];
};
_Static_assert(sizeof(struct command) == 64, "NVMe 4.2");

struct completion {
	uint32_t result, reserved, queue;
	uint16_t id, status;
};
_Static_assert(sizeof(struct completion) == 16, "NVMe 4.6");

/* Memory that the device is told of, each a page of its own */
struct dma_memory {
	_Alignas(PAGE) struct command sq[PAGE / 64];
	_Alignas(PAGE) struct completion cq[PAGE / 16];
	_Alignas(PAGE) uint8_t buffer[PAGE];
};

static void stop_controller(void)
{
	reg_write(REG_CC, 0);
	if (!wait_for(!(reg_read(REG_CSTS) & CSTS_RDY)))
		die("the controller does not stop");
}

static void start_controller(const struct dma_memory *m)
{
	uint64_t sq = physical(m->sq), cq = physical(m->cq);

	stop_controller();
	reg_write(REG_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	reg_write(REG_ASQ, (uint32_t)sq);
	reg_write(REG_ASQ + 4, sq >> 32);
	reg_write(REG_ACQ, (uint32_t)cq);
	reg_write(REG_ACQ + 4, cq >> 32);
	reg_write(REG_CC, CC_ENABLE);
	if (!wait_for(reg_read(REG_CSTS) & CSTS_RDY))
		die("the controller does not start");
}

/* Command @n since the start: Identify, with the answer to @target.  How it
 * ends is the device's business; that it ends is waited for. */
static void identify(struct dma_memory *m, unsigned int n, uint64_t target)
{
	const volatile struct completion *done = &m->cq[n];

	memset(m->buffer, FILL, sizeof(m->buffer));
	m->sq[n] = (struct command){
		.opcode_id = IDENTIFY | (n + 1) << 16,
		.prp = {target},
		.dword10 = CNS_CONTROLLER,
	};
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	reg_write(REG_SQ_TAIL, n + 1);
	if (!wait_for(done->status & 1))
		die("the controller does not answer");
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static bool untouched(const struct dma_memory *m)
{
	for (unsigned int i = 0; i < sizeof(m->buffer); i++)
		if (m->buffer[i] != FILL)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	struct dma_memory *m = locked_pages(sizeof(*m));
	uint64_t target =
		argc > 1 ? strtoull(argv[1], NULL, 0) : ram_end() + (1 << 20);
	uint32_t count_before = blocked_count();
	bool kept;

	take_device(0, 0, NVME_CLASS);
	start_controller(m);
	identify(m, 0, physical(m->buffer));
	if (untouched(m))
		die("the control failed: no answer in memory of ours");
	identify(m, 1, target);
	kept = untouched(m);
	stop_controller();
	give_device_back("nvme");
	if (!kept)
		die("memory of ours was written instead");
	return judge(target, count_before) ? 0 : 1;
}
