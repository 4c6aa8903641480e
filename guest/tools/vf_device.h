/*
 * A function, taken from its driver to be driven by hand, and what the 82576's
 * VF needs for that.  For programs that make the device do what no driver
 * would; any trouble ends them with a message and exit status 2.
 */
#ifndef GUEST_TOOLS_VF_DEVICE_H
#define GUEST_TOOLS_VF_DEVICE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

/* 82576 VF registers (82576 datasheet 7.10.2, 8.29) */
#define VF_CTRL 0x0000
#define CTRL_RST (1u << 26)
#define VF_MBMEM 0x0800
#define VF_MAILBOX 0x0c40
#define MAILBOX_REQ (1u << 0)
#define MAILBOX_ACK (1u << 1)
#define MAILBOX_VFU (1u << 2)
#define MAILBOX_PFSTS (1u << 4)
#define MAILBOX_PFACK (1u << 5)
#define MAILBOX_RSTI (1u << 6)
#define VF_EIMC 0x1528
#define VF_RDBAL 0x2800
#define VF_RDBAH 0x2804
#define VF_RDLEN 0x2808
#define VF_SRRCTL 0x280c
#define SRRCTL_2K_ONE_BUFFER (1u << 25 | 2)
#define VF_RDH 0x2810
#define VF_RDT 0x2818
#define VF_RXDCTL 0x2828
#define VF_TDBAL 0x3800
#define VF_TDBAH 0x3804
#define VF_TDLEN 0x3808
#define VF_TDH 0x3810
#define VF_TDT 0x3818
#define VF_TXDCTL 0x3828
#define DCTL_ENABLE (1u << 25)

/* Mailbox messages (as igbvf sends them) */
#define MSG_VF_RESET 0x00000001
#define MSG_ACK 0x80000000

/* Advanced descriptors (7.1.5, 7.2.2.3) */
#define TXD_DATA (3u << 20)
#define TXD_EOP (1u << 24)
#define TXD_IFCS (1u << 25)
#define TXD_RS (1u << 27)
#define TXD_DEXT (1u << 29)
#define TXD_PAYLEN(n) ((uint32_t)(n) << 14)
#define DESC_DONE 1u
#define RING_SIZE PAGE /* bytes: 256 descriptors */

struct descriptor {
	uint64_t address;
	union {
		uint64_t header; /* receive, to the device */
		struct {
			uint32_t command, status; /* transmit */
		} tx;
		struct {
			uint32_t status, length; /* receive, written back */
		} rx;
	};
};
_Static_assert(sizeof(struct descriptor) == 16, "descriptor");

static char device_dir[300]; /* in sysfs */
static char device_name[32]; /* 0000:00:01.0 */
static volatile uint8_t *bar;

__attribute__((format(printf, 1, 2))) _Noreturn static inline void
die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	exit(2);
}

static inline uint32_t reg_read(unsigned int reg)
{
	return *(volatile uint32_t *)(bar + reg);
}

static inline void reg_write(unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(bar + reg) = value;
}

static inline uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What a device does at once may take seconds of our time: the emulated machine
 * may stand still meanwhile, most of all under KVM on the emulator. */
#define PATIENCE_MS 10000

/* Wait until @cond, but not for ever; evaluates to whether it came true. */
#define wait_for(cond)                                                         \
	({                                                                     \
		uint64_t deadline_ = now_ms() + PATIENCE_MS;                   \
		bool true_;                                                    \
		while (!(true_ = (cond)) && now_ms() < deadline_)              \
			usleep(100);                                           \
		true_;                                                         \
	})

/* --- sysfs */

/* Read attribute @name of device @dir as a hexadecimal number; 0: none. */
static inline unsigned int sysfs_hex(const char *dir, const char *name)
{
	char path[400];
	unsigned int value = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%x", &value) != 1)
		value = 0;
	fclose(f);
	return value;
}

/* 0, or -1 with errno. */
static inline int sysfs_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), result = 0;

	if (fd < 0)
		return -1;
	if (write(fd, text, strlen(text)) < 0)
		result = -1;
	close(fd);
	return result;
}

static inline int device_write(const char *attribute, const char *text)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", device_dir, attribute);
	return sysfs_write(path, text);
}

/* The first function of @class, or with class 0 of @vendor and @device. */
static inline void find_device(unsigned int vendor, unsigned int device,
			       unsigned int class)
{
	const char *root = "/sys/bus/pci/devices";
	DIR *dir = opendir(root);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		snprintf(device_dir, sizeof(device_dir), "%s/%s", root,
			 e->d_name);
		if (class ? sysfs_hex(device_dir, "class") != class
			  : sysfs_hex(device_dir, "vendor") != vendor ||
				    sysfs_hex(device_dir, "device") != device)
			continue;
		snprintf(device_name, sizeof(device_name), "%.31s", e->d_name);
		closedir(dir);
		return;
	}
	die("no function %04x:%04x, class %06x, here", vendor, device, class);
}

/* Memory decoding and bus mastering on (PCI 3.0 6.2.2). */
static inline void enable_device(void)
{
	char path[400];
	uint16_t command;
	int fd;

	if (device_write("enable", "1"))
		die("%s: enable: %s", device_name, strerror(errno));
	snprintf(path, sizeof(path), "%s/config", device_dir);
	fd = open(path, O_RDWR);
	if (fd < 0 || pread(fd, &command, 2, 4) != 2)
		die("%s: %s", path, strerror(errno));
	command |= 6;
	if (pwrite(fd, &command, 2, 4) != 2)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

static inline void take_device(unsigned int vendor, unsigned int device,
			       unsigned int class)
{
	char path[400];
	int fd;

	find_device(vendor, device, class);
	device_write("driver/unbind", device_name); /* may have none */
	enable_device();
	snprintf(path, sizeof(path), "%s/resource0", device_dir);
	fd = open(path, O_RDWR | O_SYNC);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	bar = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bar == MAP_FAILED)
		die("%s: mmap: %s", path, strerror(errno));
	close(fd);
}

static inline void give_device_back(const char *driver)
{
	char path[100];

	munmap((void *)bar, 4 * PAGE);
	if (device_write("reset", "1"))
		die("%s: function-level reset: %s", device_name,
		    strerror(errno));
	device_write("enable", "0");
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", driver);
	if (sysfs_write(path, device_name))
		die("%s: back to %s: %s", device_name, driver, strerror(errno));
}

/* --- addresses */

/* Guest-physical address of our @p (Documentation/admin-guide/mm/pagemap.rst
 * of Linux). */
static inline uint64_t physical(const void *p)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0 ||
	    pread(fd, &entry, sizeof(entry),
		  (uintptr_t)p / PAGE * sizeof(entry)) != sizeof(entry))
		die("/proc/self/pagemap: %s", strerror(errno));
	close(fd);
	if (!(entry >> 63) || !(entry & 0x7fffffffffffff))
		die("no physical address (not root?)");
	return (entry & 0x7fffffffffffff) * PAGE + (uintptr_t)p % PAGE;
}

/* --- the device */

/* The mailbox's status bits vanish when read: keep what was seen. */
static inline bool mailbox_saw(uint32_t bit)
{
	static uint32_t seen;
	uint32_t was;

	seen |= reg_read(VF_MAILBOX) & (MAILBOX_PFSTS | MAILBOX_PFACK);
	was = seen & bit;
	if (was)
		seen &= ~bit;
	return was;
}

static inline bool mailbox_owned(void)
{
	reg_write(VF_MAILBOX, MAILBOX_VFU);
	return reg_read(VF_MAILBOX) & MAILBOX_VFU;
}

/* Reset the VF and tell the PF, which answers with the MAC address. */
static inline void reset_vf(uint8_t mac[6])
{
	uint32_t reply[3];

	reg_write(VF_CTRL, CTRL_RST);
	if (!wait_for(!(reg_read(VF_MAILBOX) & MAILBOX_RSTI)))
		die("the PF stays in reset");
	if (!wait_for(mailbox_owned()))
		die("the mailbox stays the PF's");
	reg_write(VF_MBMEM, MSG_VF_RESET);
	reg_write(VF_MAILBOX, MAILBOX_REQ);
	if (!wait_for(mailbox_saw(MAILBOX_PFACK)) ||
	    !wait_for(mailbox_saw(MAILBOX_PFSTS)))
		die("the PF does not answer the mailbox");
	if (!wait_for(mailbox_owned()))
		die("the mailbox stays the PF's");
	for (int i = 0; i < 3; i++)
		reply[i] = reg_read(VF_MBMEM + 4 * i);
	reg_write(VF_MAILBOX, MAILBOX_ACK);
	if (reply[0] != (MSG_VF_RESET | MSG_ACK))
		die("the PF refused the reset: 0x%08x", reply[0]);
	memcpy(mac, &reply[1], 6);
}

/* Queue 0 in both directions (82576 4.5.9, 4.5.10). */
static inline void start_queues(const struct descriptor *rx_ring,
				const struct descriptor *tx_ring)
{
	uint64_t rx = physical(rx_ring), tx = physical(tx_ring);

	reg_write(VF_EIMC, 7);
	reg_write(VF_RDBAL, (uint32_t)rx);
	reg_write(VF_RDBAH, rx >> 32);
	reg_write(VF_RDLEN, RING_SIZE);
	reg_write(VF_RDH, 0);
	reg_write(VF_RDT, 0);
	reg_write(VF_SRRCTL, SRRCTL_2K_ONE_BUFFER);
	reg_write(VF_TDBAL, (uint32_t)tx);
	reg_write(VF_TDBAH, tx >> 32);
	reg_write(VF_TDLEN, RING_SIZE);
	reg_write(VF_TDH, 0);
	reg_write(VF_TDT, 0);
	reg_write(VF_RXDCTL, DCTL_ENABLE);
	reg_write(VF_TXDCTL, DCTL_ENABLE);
	if (!wait_for(reg_read(VF_RXDCTL) & DCTL_ENABLE) ||
	    !wait_for(reg_read(VF_TXDCTL) & DCTL_ENABLE))
		die("the queues do not start");
}

static inline void stop_queues(void)
{
	reg_write(VF_RXDCTL, 0);
	reg_write(VF_TXDCTL, 0);
	reg_write(VF_CTRL, CTRL_RST);
}

#endif
