/*
 * blocked-dma: let the VF write to an address outside the guest, and show
 * that VT-d refuses it.
 *
 *   blocked-dma [ADDRESS]     default: 1 MiB beyond the end of RAM
 *
 * Takes the 82576 VF away from its driver and drives it by hand.  Receive
 * descriptors point to memory of ours first, as a control that the device does
 * write; then one points to ADDRESS.  For each an ARP request is sent to
 * 10.0.2.2, whose answer the device stores there.  Then Gangway's counter of
 * blocked requests is read (hv/stat_abi.h).  The device is reset and given
 * back to its driver.  Prints one line; exit status 0: refused and logged.
 */
#define _GNU_SOURCE
#include "guest/tools/blocked.h"
#include <arpa/inet.h>

#define FILL 0xa5 /* what memory of ours holds before the device writes */
#define BUFFERS 8

struct arp_frame {
	uint8_t to[6], from[6];
	uint16_t ethertype;
	uint16_t hardware, protocol;
	uint8_t hardware_size, protocol_size;
	uint16_t operation;
	uint8_t sender_mac[6], sender_ip[4], target_mac[6], target_ip[4];
	uint8_t padding[18]; /* to 60 bytes, the shortest frame */
} __attribute__((packed));
_Static_assert(sizeof(struct arp_frame) == 60, "frame");

/* Memory that the device is told of, each a page of its own */
struct dma_memory {
	_Alignas(PAGE) struct descriptor rx[PAGE / 16];
	_Alignas(PAGE) struct descriptor tx[PAGE / 16];
	_Alignas(PAGE) struct arp_frame frame;
	_Alignas(PAGE) uint8_t buffer[BUFFERS][PAGE];
};

/* Who has 10.0.2.2? (RFC 826) */
static void fill_arp_request(struct arp_frame *f, const uint8_t mac[6])
{
	static const uint8_t our_ip[4] = {10, 0, 2, 15};
	static const uint8_t host_ip[4] = {10, 0, 2, 2};

	memset(f, 0, sizeof(*f));
	memset(f->to, 0xff, 6);
	memcpy(f->from, mac, 6);
	f->ethertype = htons(0x0806);
	f->hardware = htons(1);
	f->protocol = htons(0x0800);
	f->hardware_size = 6;
	f->protocol_size = 4;
	f->operation = htons(1);
	memcpy(f->sender_mac, mac, 6);
	memcpy(f->sender_ip, our_ip, 4);
	memcpy(f->target_ip, host_ip, 4);
}

static bool is_arp_reply(const void *buffer)
{
	const struct arp_frame *f = buffer;

	return f->ethertype == htons(0x0806) && f->operation == htons(2);
}

/* Is there an answer in memory of ours? */
static bool answer_here(const struct dma_memory *m)
{
	for (unsigned int i = 0; i < BUFFERS; i++) {
		const volatile struct descriptor *rx = &m->rx[i];

		if (!(rx->rx.status & DESC_DONE))
			continue;
		/* What the device wrote is there, whatever gcc remembers. */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (is_arp_reply(m->buffer[i]))
			return true;
	}
	return false;
}

static bool untouched(const struct dma_memory *m)
{
	const uint8_t *p = m->buffer[0];

	for (size_t i = 0; i < sizeof(m->buffer); i++)
		if (p[i] != FILL)
			return false;
	return true;
}

/*
 * From reset: give the device BUFFERS descriptors that point to memory of ours
 * (@target 0) or all to @target, and send the request.  More than one, because
 * a PF may loop our own broadcast back to us first.
 */
static void ask(struct dma_memory *m, uint64_t target)
{
	volatile struct descriptor *tx = &m->tx[0];
	uint8_t mac[6];

	memset(m->buffer, FILL, sizeof(m->buffer));
	memset(m->rx, 0, sizeof(m->rx));
	for (unsigned int i = 0; i < BUFFERS; i++)
		m->rx[i].address = target ? target : physical(m->buffer[i]);
	reset_vf(mac);
	fill_arp_request(&m->frame, mac);
	tx->address = physical(&m->frame);
	tx->tx.command = TXD_DATA | TXD_EOP | TXD_IFCS | TXD_RS | TXD_DEXT |
			 sizeof(m->frame);
	tx->tx.status = TXD_PAYLEN(sizeof(m->frame));
	start_queues(m->rx, m->tx);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	reg_write(VF_RDT, BUFFERS);
	reg_write(VF_TDT, 1);
	if (!wait_for(tx->tx.status & DESC_DONE))
		die("the VF does not send");
}

/* Let the device write to @target; true once it says that it did. */
static bool provoke(struct dma_memory *m, uint64_t target)
{
	const volatile struct descriptor *rx = &m->rx[0];

	ask(m, target);
	return wait_for(rx->rx.status & DESC_DONE);
}

int main(int argc, char **argv)
{
	struct dma_memory *m = locked_pages(sizeof(*m));
	uint64_t target =
		argc > 1 ? strtoull(argv[1], NULL, 0) : ram_end() + (1 << 20);
	uint32_t count_before = blocked_count();
	bool kept;

	take_device(0x8086, 0x10ca, 0);
	ask(m, 0);
	if (!wait_for(answer_here(m)))
		die("the control failed: no answer in memory of ours");
	if (!provoke(m, target))
		die("no answer from 10.0.2.2 came to the VF");
	kept = untouched(m);
	stop_queues();
	give_device_back("igbvf");
	if (!kept)
		die("memory of ours was written instead");
	return judge(target, count_before) ? 0 : 1;
}
