/*
 * The admin queue of an NVMe controller: reset, enable, one command at a time.
 * The controller is not trusted: it can write into its three pages whatever
 * and whenever it likes, so each value is read once and then checked, and each
 * wait ends.
 */
#include "drivers/nvme_admin.h"
#include "drivers/nvme.h"
#include "drivers/nvme_regs.h"
#include "hv/format.h"
#include "hv/log.h"
#include "hv/time.h"

#define TIMEOUT_UNIT_US 500000
#define COMMAND_US 5000000

/* Status codes: type 10:8, code 7:0 (4.6.1, 5.22) */
#define STATUS_BAD_STATE 0x120
#define STATUS_BAD_COUNT 0x121
#define STATUS_BAD_RESOURCE 0x122

static const struct {
	u16 status;
	const char *name;
} status_names[] = {
	{0x001, "Invalid Command Opcode"},
	{0x002, "Invalid Field in Command"},
	{0x004, "Data Transfer Error"},
	{0x006, "Internal Error"},
	{0x007, "Command Abort Requested"},
	{0x00b, "Invalid Namespace or Format"},
	{0x00c, "Command Sequence Error"},
	{0x01e, "Operation Denied"},
	{0x023, "Command Prohibited by Command and Feature Lockdown"},
	{0x11f, "Invalid Controller Identifier"},
	{STATUS_BAD_STATE, "Invalid Secondary Controller State"},
	{STATUS_BAD_COUNT, "Invalid Number of Controller Resources"},
	{STATUS_BAD_RESOURCE, "Invalid Resource Identifier"},
	{0x128, "Prohibition of Command Execution Not Supported"},
};

static const char *status_name(u16 status)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(status_names); i++)
		if (status_names[i].status == status)
			return status_names[i].name;
	return "a status without a name here";
}

static int refuse(const struct nvme_admin *a, int err, const char *why)
{
	hv_log("nvme: " PCI_FMT ": %s\n", PCI_ARG(a->fn->addr), why);
	return err;
}

static bool is_ready(const struct nvme_admin *a)
{
	return nvme_read(a->fn, NVME_CSTS) & NVME_CSTS_RDY;
}

bool nvme_is_gone(const struct pci_function *pf)
{
	return nvme_read(pf, NVME_CSTS) == ~0U;
}

/* EN may change only when RDY has followed its last change (3.1.5), or the
 * controller is beyond help. */
static bool is_settled(const struct nvme_admin *a)
{
	return !(nvme_read(a->fn, NVME_CC) & NVME_CC_EN) ||
	       nvme_read(a->fn, NVME_CSTS) & (NVME_CSTS_RDY | NVME_CSTS_CFS);
}

/* The queues are gone when RDY is clear (7.3.2). */
int nvme_admin_stop(struct nvme_admin *a)
{
	a->usable = false;
	if (nvme_is_gone(a->fn))
		return refuse(a, -ENODEV, "the controller is gone");
	wait_until(is_settled(a), a->ready_us,
		   "NVMe CSTS.RDY to follow an earlier CC.EN");
	nvme_write(a->fn, NVME_CC, 0);
	if (wait_until(!is_ready(a), a->ready_us,
		       "NVMe CSTS.RDY to clear after CC.EN"))
		return refuse(a, -ETIMEDOUT,
			      "the controller does not stop (CSTS.RDY stays)");
	return 0;
}

static int check_capabilities(struct nvme_admin *a)
{
	u32 low = nvme_read(a->fn, NVME_CAP_LOW);
	u32 high = nvme_read(a->fn, NVME_CAP_HIGH);
	u64 end;

	if (low == ~0U && high == ~0U)
		return refuse(a, -EIO, "the controller does not answer");
	if (NVME_CAP_HIGH_MPSMIN(high))
		return refuse(a, -EIO,
			      "the controller wants memory pages larger than "
			      "4 KiB (CAP.MPSMIN)");
	a->ready_us = TIMEOUT_UNIT_US * (u64)MAX(NVME_CAP_LOW_TO(low), 1U);
	a->stride = 4U << NVME_CAP_HIGH_DSTRD(high);
	end = NVME_DOORBELLS + 2 * (u64)a->stride;
	if (end > a->fn->bar[0].size)
		return refuse(a, -EIO,
			      "its doorbells lie beyond BAR0 (CAP.DSTRD)");
	return 0;
}

/* CC.CSS for CAP.CSS @offered: only admin commands are sent, so any will do */
static u32 command_set(u32 offered)
{
	if (offered & NVME_CAP_CSS_NVM || !(offered >> 6))
		return NVME_CC_CSS(0);
	return NVME_CC_CSS(offered & NVME_CAP_CSS_ALL ? 6 : 7);
}

static void write_address(const struct nvme_admin *a, u32 reg, u64 address)
{
	nvme_write(a->fn, reg, (u32)address);
	nvme_write(a->fn, reg + 4, address >> 32);
}

static int enable(struct nvme_admin *a)
{
	u32 offered = NVME_CAP_HIGH_CSS(nvme_read(a->fn, NVME_CAP_HIGH));

	nvme_write(a->fn, NVME_AQA, NVME_AQA_SIZES(NVME_QUEUE_ENTRIES));
	write_address(a, NVME_ASQ, a->address);
	write_address(a, NVME_ACQ, a->address + PAGE_SIZE);
	nvme_write(a->fn, NVME_CC,
		   command_set(offered) | NVME_CC_IOSQES_64 |
			   NVME_CC_IOCQES_16 | (u32)NVME_CC_EN);
	if (wait_until(nvme_read(a->fn, NVME_CSTS) &
			       (NVME_CSTS_RDY | NVME_CSTS_CFS),
		       a->ready_us, "NVMe CSTS.RDY to be set after CC.EN"))
		return refuse(a, -ETIMEDOUT,
			      "the controller does not become ready");
	if (nvme_read(a->fn, NVME_CSTS) & NVME_CSTS_CFS)
		return refuse(a, -EIO,
			      "the controller does not start (CSTS.CFS, fatal "
			      "status)");
	a->usable = true;
	return 0;
}

int nvme_admin_start(struct nvme_admin *a, struct pci_function *fn,
		     const struct pf_dma *dma)
{
	u8 *pages = dma->pages;
	int err;

	*a = (struct nvme_admin){
		.fn = fn,
		.sq = (volatile struct nvme_command *)pages,
		.cq = (volatile struct nvme_completion *)(pages + PAGE_SIZE),
		.buffer = pages + 2 * PAGE_SIZE,
		.address = dma->address,
		.phase = 1,
	};
	err = check_capabilities(a);
	if (!err)
		err = nvme_admin_stop(a);
	for (unsigned int i = 0; !err && i < NVME_QUEUE_ENTRIES; i++)
		a->cq[i].status = 0;
	return err ? err : enable(a);
}

static void submit(struct nvme_admin *a, const struct nvme_command *command)
{
	volatile struct nvme_command *slot = &a->sq[a->tail];

	slot->opcode = command->opcode;
	slot->flags = 0;
	slot->id = command->id;
	slot->namespace_id = 0;
	slot->prp[0] = command->prp[0];
	slot->prp[1] = 0;
	slot->dword10 = command->dword10;
	slot->dword11 = command->dword11;
	for (unsigned int i = 0; i < ARRAY_SIZE(slot->rest); i++)
		slot->rest[i] = 0;
	a->tail = (a->tail + 1) % NVME_QUEUE_ENTRIES;
	/* The entry is in memory before its doorbell is rung. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	nvme_write(a->fn, NVME_DOORBELLS, a->tail);
}

/* The status word of the next completion once it has come, else false. */
static bool completed(const struct nvme_admin *a, u16 *status)
{
	*status = a->cq[a->head].status;
	return (*status & 1) == a->phase;
}

/* 0 and the status field; a controller that does not answer, or answers what
 * was not asked, is not used any more. */
static int wait_completion(struct nvme_admin *a, u16 id, u16 *field)
{
	u16 status, answered;

	if (wait_until(completed(a, &status), COMMAND_US,
		       "NVMe admin command to complete")) {
		a->usable = false;
		return refuse(a, -ETIMEDOUT,
			      nvme_read(a->fn, NVME_CSTS) & NVME_CSTS_CFS
				      ? "the controller died of an admin "
					"command (CSTS.CFS, fatal status)"
				      : "the controller does not answer an "
					"admin command");
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	answered = a->cq[a->head].command_id;
	a->head = (a->head + 1) % NVME_QUEUE_ENTRIES;
	if (!a->head)
		a->phase ^= 1;
	nvme_write(a->fn, NVME_DOORBELLS + a->stride, a->head);
	if (answered != id) {
		a->usable = false;
		return refuse(a, -EIO,
			      "the controller completes a command that was "
			      "not sent");
	}
	*field = status >> 1;
	return 0;
}

static int error_of(u16 status)
{
	switch (status) {
	case 0:
		return 0;
	case STATUS_BAD_STATE:
		return -EBUSY;
	case STATUS_BAD_COUNT:
	case STATUS_BAD_RESOURCE:
		return -ENOSPC;
	default:
		return -EIO;
	}
}

static int execute(struct nvme_admin *a, struct nvme_command *command,
		   const char *what)
{
	u16 field, status;
	int err;

	if (!a->usable)
		return refuse(a, -EIO, "the controller is out of use");
	if (nvme_is_gone(a->fn)) {
		a->usable = false;
		return refuse(a, -ENODEV, "the controller is gone");
	}
	command->id = ++a->last_id;
	submit(a, command);
	err = wait_completion(a, command->id, &field);
	if (err)
		return err;
	status = NVME_STATUS(field);
	if (status)
		hv_log("nvme: " PCI_FMT ": %s fails: %s (status %03xh)\n",
		       PCI_ARG(a->fn->addr), what, status_name(status), status);
	return error_of(status);
}

/* A command that returns something: nothing of an earlier answer is taken for
 * it. */
static int fetch(struct nvme_admin *a, u8 opcode, u32 dword10, const char *what)
{
	struct nvme_command command = {
		.opcode = opcode,
		.prp = {a->address + 2 * PAGE_SIZE},
		.dword10 = dword10,
	};

	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		a->buffer[i] = 0;
	return execute(a, &command, what);
}

int nvme_identify(struct nvme_admin *a, u8 cns)
{
	char what[24];

	format(what, sizeof(what), "Identify (CNS %02xh)", cns);
	/* and controller IDs from 0 on */
	return fetch(a, NVME_IDENTIFY, cns, what);
}

int nvme_log_page(struct nvme_admin *a, u8 id, u8 lsp, u16 bytes)
{
	char what[32];

	format(what, sizeof(what), "Get Log Page (LID %02xh)", id);
	/* NUMDL 31:16, of double words, less one */
	return fetch(a, NVME_GET_LOG_PAGE,
		     (bytes / 4 - 1U) << 16 | (u32)lsp << 8 | id, what);
}

/* OFI 15:8, IFC 6:5 0: admin queues, PRHBT 4, SCP 3:0 0: an admin command */
int nvme_lockdown(struct nvme_admin *a, u8 opcode)
{
	struct nvme_command command = {
		.opcode = NVME_LOCKDOWN,
		.dword10 = (u32)opcode << 8 | BIT(4),
	};
	char what[32];

	format(what, sizeof(what), "Lockdown of command %02xh", opcode);
	return execute(a, &command, what);
}

int nvme_virt_mgmt(struct nvme_admin *a, u8 action, u16 id, u8 type, u16 count)
{
	struct nvme_command command = {
		.opcode = NVME_VIRT_MGMT,
		.dword10 = (u32)id << 16 | (u32)type << 8 | action,
		.dword11 = count,
	};
	char what[80];

	if (action == NVME_VIRT_ASSIGN || action == NVME_VIRT_PRIMARY)
		format(what, sizeof(what),
		       "Virtualization Management, %u %s to controller %u",
		       count,
		       type == NVME_VQ ? "virtual queues"
				       : "virtual interrupts",
		       id);
	else
		format(what, sizeof(what),
		       "Virtualization Management, controller %u %s", id,
		       action == NVME_VIRT_ONLINE ? "online" : "offline");
	return execute(a, &command, what);
}

u32 nvme_get(const struct nvme_admin *a, u32 offset, unsigned int bytes)
{
	u32 value = 0;

	for (unsigned int i = 0; i < bytes && offset + i < PAGE_SIZE; i++)
		value |= (u32)a->buffer[offset + i] << 8 * i;
	return value;
}
