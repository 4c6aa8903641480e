/*
 * This file asks an NVMe VF which admin commands it takes, and has those that
 * reach beyond it prohibited, where the drive can do that.
 */
#include "drivers/nvme_reach.h"
#include "drivers/nvme_admin.h"
#include "hv/log.h"
#include "hv/string.h"

/* Identify Controller (5.15.2.2) */
#define IDENTIFY_VID 0
#define IDENTIFY_OACS 256
#define IDENTIFY_LPA 261
#define LPA_EFFECTS BIT(1)
#define IDENTIFY_SANICAP 328

/* Active Namespace ID list (CNS 02h): a double word each, 0 after the last */
#define NAMESPACES_MAX (PAGE_SIZE / 4)

/* Log pages: Commands Supported and Effects (5.14.1.5), a double word an
 * opcode of the admin commands, then of those of the NVM command set; Command
 * and Feature Lockdown (NVMe 2.0 5.16.1.20), a byte each */
#define LOG_EFFECTS 0x05
#define EFFECTS_SUPPORTED BIT(0)
#define LOG_LOCKDOWN 0x14
#define LOCKDOWN_CAN_BE 0
#define LOCKDOWN_IS 1
#define LOCKDOWN_LENGTH 3
#define LOCKDOWN_LIST 4
#define LOCKDOWN_SIZE 512

#define OPCODES 256
#define VENDORS 0xc0	/* admin commands from here on */
#define IO_VENDORS 0x80 /* the others */

/* A set of admin commands, and how many I/O commands of the vendor's own. */
struct opcodes {
	bool has[OPCODES];
	unsigned int io;
};

/* What concerns the controller that takes the command, its own queues and the
 * namespaces that are attached to it (5, figure of opcodes).  A device
 * self-test reads, and can end another controller's.  Set Features is here
 * because nothing works without it.  Whatever is not here reaches beyond it,
 * vendors' own commands among that: nobody knows what they do. */
static const u8 own[] = {
	0x00, 0x01, 0x04, 0x05, /* I/O queues: delete and create */
	0x02, 0x06,		/* Get Log Page, Identify */
	0x08, 0x0c,		/* Abort, Asynchronous Event Request */
	0x09, 0x0a,		/* Set Features, Get Features */
	0x14, 0x18,		/* Device Self-test, Keep Alive */
	0x19, 0x1a,		/* Directive Send, Directive Receive */
	0x7c, 0x86,		/* Doorbell Buffer Config, Get LBA Status */
};

#define NOT_IN_OACS 16

/* What reaches beyond it, as far as the specification names it, and the bit of
 * OACS that announces it (NVMe 2.1 5.1.13.2.1) */
static const struct {
	u8 opcode, oacs;
	const char *name;
} beyond[] = {
	{0x0d, 3, "Namespace Management"},
	{0x10, 2, "Firmware Commit"},
	{0x11, 2, "Firmware Image Download"},
	{0x15, 3, "Namespace Attachment"},
	{NVME_VIRT_MGMT, 7, "Virtualization Management"},
	{0x1d, 6, "NVMe-MI Send"},
	{0x1e, 6, "NVMe-MI Receive"},
	{0x20, NOT_IN_OACS, "Capacity Management"},
	{NVME_LOCKDOWN, 10, "Lockdown"},
	{0x3d, 11, "Track Send"},
	{0x3e, 11, "Track Receive"},
	{0x41, 11, "Migration Send"},
	{0x42, 11, "Migration Receive"},
	{0x45, 11, "Controller Data Queue"},
	{0x80, 1, "Format NVM"},
	{0x81, 0, "Security Send"},
	{0x82, 0, "Security Receive"},
	{0x84, NOT_IN_OACS, "Sanitize"},
};

static bool is_empty(const struct opcodes *set)
{
	if (set->io)
		return false;
	for (unsigned int i = 0; i < OPCODES; i++)
		if (set->has[i])
			return false;
	return true;
}

/* --- What the controller says --------------------------------------------- */

static int not_arrived(const struct nvme_admin *a)
{
	hv_log("nvme: " PCI_FMT ": what Identify or Get Log Page returns did "
	       "not arrive in memory\n",
	       PCI_ARG(a->fn->addr));
	return -EIO;
}

/* By Identify; @listed: there is a log of all commands. */
static int ask_identify(struct nvme_admin *a, struct opcodes *far, bool *listed)
{
	int err = nvme_identify(a, NVME_CNS_CONTROLLER);
	u32 oacs;

	if (err)
		return err;
	if (!nvme_get(a, IDENTIFY_VID, 2))
		return not_arrived(a);
	oacs = nvme_get(a, IDENTIFY_OACS, 2);
	for (unsigned int i = 0; i < ARRAY_SIZE(beyond); i++)
		if (beyond[i].oacs < NOT_IN_OACS && oacs & BIT(beyond[i].oacs))
			far->has[beyond[i].opcode] = true;
	if (nvme_get(a, IDENTIFY_SANICAP, 4))
		far->has[0x84] = true;
	*listed = nvme_get(a, IDENTIFY_LPA, 1) & LPA_EFFECTS;
	return 0;
}

/* What the guest will have.  It says nothing of what it may command, so a
 * controller that does not say goes on. */
static void count_namespaces(struct nvme_admin *a)
{
	unsigned int count = 0;

	if (nvme_identify(a, NVME_CNS_NAMESPACES))
		return;
	while (count < NAMESPACES_MAX && nvme_get(a, 4 * count, 4))
		count++;
	if (count)
		hv_log("nvme: " PCI_FMT ": %u namespace%s attached\n",
		       PCI_ARG(a->fn->addr), count, count == 1 ? "" : "s");
	else
		hv_log("nvme: " PCI_FMT ": no namespace is attached, so the "
		       "guest will find a drive without a disk. Attach one "
		       "from another system (nvme attach-ns)\n",
		       PCI_ARG(a->fn->addr));
}

/* By its log of all commands.  The I/O commands that the specification has name
 * a namespace, and are refused where that is not attached (6.1). */
static int ask_effects(struct nvme_admin *a, struct opcodes *far)
{
	struct opcodes supported;
	int err = nvme_log_page(a, LOG_EFFECTS, 0, 4 * 2 * OPCODES);

	if (err)
		return err;
	for (unsigned int i = 0; i < OPCODES; i++)
		supported.has[i] = nvme_get(a, 4 * i, 4) & EFFECTS_SUPPORTED;
	if (!supported.has[NVME_IDENTIFY])
		return not_arrived(a);
	for (unsigned int i = 0; i < ARRAY_SIZE(own); i++)
		supported.has[own[i]] = false;
	for (unsigned int i = 0; i < OPCODES; i++)
		far->has[i] |= supported.has[i];
	for (unsigned int i = IO_VENDORS; i < OPCODES; i++)
		far->io +=
			nvme_get(a, 4 * (OPCODES + i), 4) & EFFECTS_SUPPORTED;
	return 0;
}

/* What @vf takes that reaches beyond it.  -EPERM: it does not say all. */
static int ask(struct pci_function *vf, const struct pf_dma *dma,
	       struct opcodes *far)
{
	struct nvme_admin a;
	bool listed = false;
	int stopped, err = nvme_admin_start(&a, vf, dma);

	memset(far, 0, sizeof(*far));
	if (!err)
		err = ask_identify(&a, far, &listed);
	if (!err)
		count_namespaces(&a);
	if (!err && listed)
		err = ask_effects(&a, far);
	stopped = nvme_admin_stop(&a);
	if (!err && !listed) {
		hv_log("nvme: " PCI_FMT ": the drive does not say which "
		       "commands this VF takes (LPA bit 1)\n",
		       PCI_ARG(vf->addr));
		err = -EPERM;
	}
	return err ? err : stopped;
}

/* --- What can be prohibited ----------------------------------------------- */

/* One of the two lists of @a's subsystem. */
static int read_list(struct nvme_admin *a, u8 contents, struct opcodes *set)
{
	int err = nvme_log_page(a, LOG_LOCKDOWN, (u8)(contents << 4),
				LOCKDOWN_SIZE);
	u32 length;

	memset(set, 0, sizeof(*set));
	if (err)
		return err;
	length = nvme_get(a, LOCKDOWN_LENGTH, 1);
	for (unsigned int i = 0; i < length; i++)
		set->has[nvme_get(a, LOCKDOWN_LIST + i, 1)] = true;
	return 0;
}

/* @far without what is prohibited for all controllers. */
static int subtract_prohibited(struct nvme_admin *a, struct opcodes *far)
{
	struct opcodes prohibited;
	int err = read_list(a, LOCKDOWN_IS, &prohibited);

	for (unsigned int i = 0; !err && i < OPCODES; i++)
		far->has[i] &= !prohibited.has[i];
	return err;
}

/* False: something of @far cannot be prohibited, so nothing is: or could not be
 * done without, as the PF brings VFs online. */
static bool can_prohibit(struct nvme_admin *a, const struct opcodes *far)
{
	struct opcodes can;

	/* I/O commands cannot (NVMe 2.0 8.4) */
	if (far->io || read_list(a, LOCKDOWN_CAN_BE, &can))
		return false;
	can.has[NVME_VIRT_MGMT] = false;
	for (unsigned int i = 0; i < OPCODES; i++)
		if (far->has[i] && !can.has[i])
			return false;
	return true;
}

/* Lockdown itself comes last: it could take all of it back. */
static int prohibit(struct nvme_admin *a, const struct opcodes *far)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < OPCODES; i++)
		if (far->has[i] && i != NVME_LOCKDOWN)
			err = nvme_lockdown(a, (u8)i);
	if (!err && far->has[NVME_LOCKDOWN])
		err = nvme_lockdown(a, NVME_LOCKDOWN);
	return err;
}

/* Take out of @far what is prohibited, or can be. */
static int restrain_all(struct nvme_admin *a, struct opcodes *far)
{
	int err = subtract_prohibited(a, far);

	if (err || is_empty(far) || !can_prohibit(a, far))
		return err;
	err = prohibit(a, far);
	hv_log("nvme: " PCI_FMT ": Lockdown: such commands are prohibited for "
	       "the whole drive, its physical function too, until its power "
	       "goes off\n",
	       PCI_ARG(a->fn->addr));
	return err ? err : subtract_prohibited(a, far);
}

/* --- In words ------------------------------------------------------------- */

static const char *name_of(u8 opcode)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(beyond); i++)
		if (beyond[i].opcode == opcode)
			return beyond[i].name;
	return "a command without a name here";
}

static void log_far(const struct pci_function *vf, const struct opcodes *far)
{
	unsigned int vendors = 0;

	for (unsigned int i = 0; i < VENDORS; i++)
		if (far->has[i])
			hv_log("nvme: " PCI_FMT ": this VF takes %s (%02xh), "
			       "which reaches beyond it\n",
			       PCI_ARG(vf->addr), name_of((u8)i), i);
	for (unsigned int i = VENDORS; i < OPCODES; i++)
		vendors += far->has[i];
	if (vendors)
		hv_log("nvme: " PCI_FMT ": this VF takes %u command%s of its "
		       "vendor's own, which may reach beyond it\n",
		       PCI_ARG(vf->addr), vendors, vendors == 1 ? "" : "s");
	if (far->io)
		hv_log("nvme: " PCI_FMT ": this VF takes %u I/O command%s of "
		       "its vendor's own, which may reach beyond it\n",
		       PCI_ARG(vf->addr), far->io, far->io == 1 ? "" : "s");
}

int nvme_check_reach(struct nvme_admin *primary, struct pci_function *vf,
		     const struct pf_dma *dma, bool restrain)
{
	struct opcodes far;
	int err = ask(vf, dma, &far);

	if (err && err != -EPERM)
		return err;
	if (restrain && !err && !is_empty(&far) && restrain_all(primary, &far))
		hv_log("nvme: " PCI_FMT ": Lockdown does not work\n",
		       PCI_ARG(vf->addr));
	log_far(vf, &far);
	return !err && is_empty(&far) ? 0 : -EPERM;
}
