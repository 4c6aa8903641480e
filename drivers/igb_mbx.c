/*
 * The mailbox between a VF's driver and the PF (82576 7.10): sixteen
 * dwords that both write.  The VF's side is the guest: a message is copied
 * once, and only the copy is looked at.
 */
#include "drivers/igb_mbx.h"
#include "drivers/igb.h"
#include "drivers/igb_filter.h"
#include "drivers/igb_regs.h"
#include "hv/log.h"
#include "hv/string.h"

/* First dword: type 15:0, argument 23:16, and the flags of the answer */
#define MSG_TYPE_MASK 0xffffU
#define MSG_ARGUMENT(msg) ((msg) >> 16 & 0xff)
#define MSG_CTS BIT(29) /* clear to send */
#define MSG_NACK BIT(30)
#define MSG_ACK BIT(31)

enum msg_type {
	VF_RESET = 1,
	SET_MAC = 2,
	SET_MULTICAST = 3,
	SET_VLAN = 4,
	SET_LPE = 5, /* largest frame */
};

#define FILTER_CLEAR 1 /* of SET_MAC */
#define VLAN_ADD 1
#define REFUSED_LOGGED 4

/*
 * Take the buffer of VF @vf.  Fails while the VF has it: its driver frees the
 * buffer when it has written its message, so a later call gets it.
 */
static bool take_buffer(struct igb_pf *p, u16 vf)
{
	igb_write(p->fn, P2VMAILBOX(vf), P2V_PFU);
	return igb_read(p->fn, P2VMAILBOX(vf)) & P2V_PFU;
}

static void read_message(struct igb_pf *p, u16 vf, u32 *msg)
{
	for (unsigned int i = 0; i < VMBMEM_DWORDS; i++)
		msg[i] = igb_read(p->fn, VMBMEM(vf) + 4 * i);
	igb_write(p->fn, P2VMAILBOX(vf), P2V_ACK | P2V_PFU);
}

/* Answer with @count dwords; telling the VF frees the buffer. */
static void reply(struct igb_pf *p, u16 vf, const u32 *msg, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		igb_write(p->fn, VMBMEM(vf) + 4 * i, msg[i]);
	igb_write(p->fn, P2VMAILBOX(vf), P2V_STS);
}

/* The only answer without CTS: the VF may send from now on. */
static void reset_message(struct igb_pf *p, u16 vf)
{
	u32 msg[3] = {VF_RESET | (u32)MSG_ACK};

	igb_set_filters(p, vf);
	igb_write(p->fn, VFTE, igb_read(p->fn, VFTE) | (u32)BIT(vf));
	igb_write(p->fn, VFRE, igb_read(p->fn, VFRE) | (u32)BIT(vf));
	memcpy(&msg[1], p->vf[vf].mac, IGB_MAC_SIZE);
	p->vf[vf].clear_to_send = true;
	reply(p, vf, msg, 3);
}

/* A VF keeps the address that the PF gave it, and gets no other: so the list of
 * further ones is as good as cleared. */
static int set_mac(struct igb_pf *p, u16 vf, const u32 *msg)
{
	if (MSG_ARGUMENT(msg[0]) == FILTER_CLEAR)
		return 0;
	if (MSG_ARGUMENT(msg[0]) ||
	    memcmp(&msg[1], p->vf[vf].mac, IGB_MAC_SIZE))
		return -EINVAL;
	return 0;
}

static int set_multicast(struct igb_pf *p, u16 vf, const u32 *msg)
{
	u16 hash[2 * (VMBMEM_DWORDS - 1)];

	_Static_assert(ARRAY_SIZE(hash) == IGB_MAX_HASHES, "one message");
	memcpy(hash, &msg[1], sizeof(hash));
	return igb_set_multicast(p, vf, hash, MSG_ARGUMENT(msg[0]));
}

static int set_vlan(struct igb_pf *p, u16 vf, const u32 *msg)
{
	if (p->vf[vf].port_vlan)
		return -EINVAL; /* it has one, and does not know it */
	if (MSG_ARGUMENT(msg[0]) == VLAN_ADD)
		return igb_add_vlan(p, vf, msg[1]);
	return igb_remove_vlan(p, vf, msg[1]);
}

static int act(struct igb_pf *p, u16 vf, const u32 *msg)
{
	switch (msg[0] & MSG_TYPE_MASK) {
	case SET_MAC:
		return set_mac(p, vf, msg);
	case SET_MULTICAST:
		return set_multicast(p, vf, msg);
	case SET_VLAN:
		return set_vlan(p, vf, msg);
	case SET_LPE:
		return igb_set_frame_size(p, vf, msg[1]);
	default: /* promiscuous mode is among these */
		return -EINVAL;
	}
}

static void log_refusal(struct igb_pf *p, u16 vf, u32 request)
{
	if (p->vf[vf].refused++ < REFUSED_LOGGED)
		hv_log("igb: " PCI_FMT ": VF %u: mailbox request %08x "
		       "refused%s\n",
		       PCI_ARG(p->fn->addr), vf, request,
		       log_last(p->vf[vf].refused, REFUSED_LOGGED));
}

static void answer(struct igb_pf *p, u16 vf, const u32 *msg)
{
	u32 answer = msg[0] & (u32) ~(MSG_ACK | MSG_NACK | MSG_CTS);

	/* Our own last answer, not a request: there is nothing to say. */
	if (msg[0] & (MSG_ACK | MSG_NACK)) {
		igb_write(p->fn, P2VMAILBOX(vf), 0);
		return;
	}
	if (msg[0] == VF_RESET) {
		reset_message(p, vf);
		return;
	}
	if (!p->vf[vf].clear_to_send) {
		answer |= MSG_NACK;
	} else if (act(p, vf, msg)) {
		answer |= MSG_NACK | MSG_CTS;
		log_refusal(p, vf, msg[0]);
	} else {
		answer |= MSG_ACK | MSG_CTS;
	}
	reply(p, vf, &answer, 1);
}

/* The VF was reset: the hardware stopped its queues. */
static void vf_was_reset(struct igb_pf *p, u16 vf)
{
	igb_write(p->fn, VFLRE, BIT(vf));
	p->vf[vf].clear_to_send = false;
	igb_clear_filters(p, vf);
}

static void serve_request(struct igb_pf *p, u16 vf)
{
	u32 msg[VMBMEM_DWORDS];

	if (!take_buffer(p, vf))
		return;
	igb_write(p->fn, MBVFICR, MBVFICR_REQ(vf));
	read_message(p, vf, msg);
	answer(p, vf, msg);
}

/*
 * A VF whose driver found the link up looks no more until it hears of a reset
 * of the PF, in the register of its mailbox that it polls for that.  So tell it
 * of one: it then reads the link again, and goes on with all that it has.
 */
static void make_vfs_look(struct igb_pf *p)
{
	u32 mode = igb_read(p->fn, CTRL_EXT);

	igb_write(p->fn, CTRL_EXT, mode & (u32)~CTRL_EXT_PFRSTD);
	igb_write(p->fn, CTRL_EXT, mode | (u32)CTRL_EXT_PFRSTD);
}

/* Look whether the PF is there and has its link, and say what changed.  False:
 * it is not there, and what it reads means nothing. */
static bool look_at_pf(struct igb_pf *p)
{
	u32 status = igb_read(p->fn, STATUS);
	bool gone = status == 0xffffffff, link = status & STATUS_LINK_UP;

	if (gone && !p->gone)
		hv_log("igb: " PCI_FMT ": its registers read all ones: it is "
		       "gone, and its VFs with it\n",
		       PCI_ARG(p->fn->addr));
	else if (!gone && link != p->link)
		hv_log("igb: " PCI_FMT ": link %s\n", PCI_ARG(p->fn->addr),
		       link ? "up" : "lost");
	if (!gone && p->link && !link)
		make_vfs_look(p);
	p->gone = gone;
	p->link = !gone && link;
	return !gone;
}

int igb_service(struct pci_function *pf)
{
	struct igb_pf *p = pf->driver;
	u32 was_reset, events;

	if (!look_at_pf(p))
		return -ENODEV;
	was_reset = igb_read(pf, VFLRE);
	events = igb_read(pf, MBVFICR);
	for (u16 vf = 0; vf < p->count; vf++) {
		if (was_reset & BIT(vf))
			vf_was_reset(p, vf);
		if (events & MBVFICR_ACK(vf))
			igb_write(pf, MBVFICR, MBVFICR_ACK(vf));
		if (events & MBVFICR_REQ(vf))
			serve_request(p, vf);
	}
	return 0;
}
