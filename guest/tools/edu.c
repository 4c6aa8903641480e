/*
 * edu: QEMU's educational device (docs/specs/edu.rst of QEMU), which has one
 * MSI vector, no driver in Linux, and DMA of a page: a page goes to the device
 * and comes back elsewhere, and the device interrupts with a vector that Linux
 * does not use, so that Linux reports it.  Prints one line; exit status 0: both
 * happened.
 */
#include "guest/tools/vf_device.h"
#include <sys/klog.h>

#define EDU_ID 0x00
#define EDU_ID_VALUE 0x010000edu
#define EDU_RAISE 0x60
#define EDU_ACKNOWLEDGE 0x64
#define EDU_DMA_FROM 0x80
#define EDU_DMA_TO 0x88
#define EDU_DMA_SIZE 0x90
#define EDU_DMA_COMMAND 0x98
#define DMA_START 1u
#define DMA_FROM_DEVICE 2u
#define EDU_BUFFER 0x40000

#define CONFIG_POINTER 0x34
#define CAP_MSI 0x05
#define MSI_ADDRESS 0xfee00000u /* to the CPU with APIC ID 0 */
#define UNUSED_VECTOR 0xd5u

#define KLOG_READ_ALL 3

static int config = -1;

static void config_read(unsigned int at, void *to, size_t size)
{
	if (pread(config, to, size, at) != (ssize_t)size)
		die("%s: configuration space: %s", device_name,
		    strerror(errno));
}

static void config_write(unsigned int at, const void *from, size_t size)
{
	if (pwrite(config, from, size, at) != (ssize_t)size)
		die("%s: configuration space: %s", device_name,
		    strerror(errno));
}

static void find_edu(void)
{
	const char *root = "/sys/bus/pci/devices";
	DIR *dir = opendir(root);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		snprintf(device_dir, sizeof(device_dir), "%s/%s", root,
			 e->d_name);
		if (sysfs_hex(device_dir, "vendor") != 0x1234 ||
		    sysfs_hex(device_dir, "device") != 0x11e8)
			continue;
		snprintf(device_name, sizeof(device_name), "%.31s", e->d_name);
		closedir(dir);
		return;
	}
	die("no edu (1234:11e8) here");
}

static void take_edu(void)
{
	char path[400];
	int fd;

	find_edu();
	enable_device();
	snprintf(path, sizeof(path), "%s/config", device_dir);
	config = open(path, O_RDWR);
	snprintf(path, sizeof(path), "%s/resource0", device_dir);
	fd = open(path, O_RDWR | O_SYNC);
	if (config < 0 || fd < 0)
		die("%s: %s", path, strerror(errno));
	bar = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bar == MAP_FAILED)
		die("%s: mmap: %s", path, strerror(errno));
	if (reg_read(EDU_ID) != EDU_ID_VALUE)
		die("%s: register 0 is %08x", device_name, reg_read(EDU_ID));
}

static void dma(uint64_t from, uint64_t to, uint32_t direction)
{
	*(volatile uint64_t *)(bar + EDU_DMA_FROM) = from;
	*(volatile uint64_t *)(bar + EDU_DMA_TO) = to;
	*(volatile uint64_t *)(bar + EDU_DMA_SIZE) = PAGE;
	reg_write(EDU_DMA_COMMAND, DMA_START | direction);
	if (!wait_for(!(reg_read(EDU_DMA_COMMAND) & DMA_START)))
		die("%s: DMA does not end", device_name);
}

static void check_dma(void)
{
	uint8_t *m = mmap(
		NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);

	if (m == MAP_FAILED)
		die("no locked memory: %s", strerror(errno));
	for (unsigned int i = 0; i < PAGE; i++)
		m[i] = i * 7 + i / 256;
	dma(physical(m), EDU_BUFFER, 0);
	dma(EDU_BUFFER, physical(m + PAGE), DMA_FROM_DEVICE);
	if (memcmp(m, m + PAGE, PAGE))
		die("%s: DMA: the page that came back differs", device_name);
}

static uint8_t msi_cap(void)
{
	uint8_t at = 0, id = 0;

	config_read(CONFIG_POINTER, &at, 1);
	for (int steps = 0; at >= 0x40 && steps < 48; steps++) {
		config_read(at, &id, 1);
		if (id == CAP_MSI)
			return at;
		config_read(at + 1, &at, 1);
	}
	die("%s: no MSI capability", device_name);
}

/* What Linux says of an interrupt that nobody handles: "for vector", and later
 * "for" CPU and vector */
static int reports(void)
{
	static char text[1 << 20];
	int size = klogctl(KLOG_READ_ALL, text, sizeof(text) - 1), found = 0;

	text[size > 0 ? size : 0] = '\0';
	for (char *p = text; (p = strstr(p, "No irq handler for ")); p++)
		found++;
	return found;
}

static void check_interrupt(void)
{
	uint8_t cap = msi_cap();
	uint64_t address = MSI_ADDRESS;
	uint16_t vector = UNUSED_VECTOR, control, enabled;
	int before = reports();

	config_read(cap + 2, &control, 2);
	if (!(control & 0x80))
		die("%s: MSI without 64-bit addresses", device_name);
	config_write(cap + 4, &address, 8);
	config_write(cap + 12, &vector, 2);
	enabled = control | 1;
	config_write(cap + 2, &enabled, 2);
	reg_write(EDU_RAISE, 1);
	if (!wait_for(reports() > before))
		die("%s: no interrupt", device_name);
	reg_write(EDU_ACKNOWLEDGE, 1);
	config_write(cap + 2, &control, 2);
}

int main(void)
{
	take_edu();
	check_dma();
	check_interrupt();
	printf("%s: 4096 bytes to the device and back, MSI with vector %02x\n",
	       device_name, UNUSED_VECTOR);
	return 0;
}
