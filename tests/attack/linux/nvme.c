/* An NVMe VF whose driver goes on: its admin queue, by the driver's ioctl(),
 * and its registers, by the kernel's file of its BAR. */
#define _GNU_SOURCE
#include "tests/attack/linux/attack.h"
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define BAR "/sys/bus/pci/devices/0000:00:01.0/resource0"
#define PAGE 4096
#define LOOKS 50 /* for a disk, a tenth of a second each */

/* The namespace that is attached to the PF alone, and the PF's controller */
#define SECRET 2
#define PF_CONTROLLER 0

#define INVALID_OPCODE 0x001
#define PROHIBITED 0x023
#define STATUS(result) ((result) & 0x7ff)

static uint8_t buffer[PAGE] __attribute__((aligned(PAGE)));
static uint16_t *const list = (uint16_t *)buffer;
static int controller = -1;

/* Admin command @opcode with the first @length bytes of the buffer: 0, or the
 * status that the drive gave. */
static int admin(uint8_t opcode, uint32_t nsid, uint32_t dword10,
		 uint32_t dword11, uint32_t length)
{
	struct nvme_admin_cmd c = {.opcode = opcode,
				   .nsid = nsid,
				   .cdw10 = dword10,
				   .cdw11 = dword11,
				   .addr = (uintptr_t)buffer,
				   .data_len = length};
	int result;

	if (controller < 0)
		controller = open("/dev/nvme0", O_RDWR | O_CLOEXEC);
	if (controller < 0)
		die("/dev/nvme0");
	result = ioctl(controller, NVME_IOCTL_ADMIN_CMD, &c);
	if (result < 0)
		die("an admin command");
	return result;
}

static bool is_refused(int result)
{
	return STATUS(result) == INVALID_OPCODE || STATUS(result) == PROHIBITED;
}

static uint16_t own_controller(void)
{
	uint16_t id;

	if (admin(0x06, 0, 0x01, 0, PAGE))
		die("Identify");
	memcpy(&id, buffer + 78, sizeof(id));
	return id;
}

/* Namespace Attachment of SECRET; @detach: 1, else 0 */
static int move_secret(uint16_t to, uint32_t detach)
{
	memset(buffer, 0, sizeof(buffer));
	list[0] = 1;
	list[1] = to;
	return admin(0x15, SECRET, detach, 0, PAGE);
}

static int open_secret(void)
{
	int fd = -1;

	ioctl(controller, NVME_IOCTL_RESCAN);
	for (int i = 0; i < LOOKS && fd < 0; i++) {
		fd = open("/dev/nvme0n2", O_RDWR | O_SYNC | O_CLOEXEC);
		if (fd < 0)
			usleep(100000);
	}
	return fd;
}

/* Read what it holds, and write over it. */
static bool use_secret(void)
{
	char sector[512] = "";
	int fd = open_secret();
	ssize_t got, put;

	if (fd < 0)
		return report("use of the PF's namespace", true,
			      "there is no disk");
	got = pread(fd, sector, sizeof(sector), 0);
	sector[31] = '\0';
	report("use of the PF's namespace", false, "read %zd bytes: \"%s\"",
	       got, sector);
	memset(sector, 0, sizeof(sector));
	strcpy(sector, "OWNED BY THE GUEST");
	put = pwrite(fd, sector, sizeof(sector), 0);
	close(fd);
	return report("write to the PF's namespace", false, "%zd bytes", put);
}

bool attack_namespaces(void)
{
	uint16_t own = own_controller();
	int detach = move_secret(PF_CONTROLLER, 1);
	int attach = move_secret(own, 0);
	bool good = report("detach the PF's namespace", is_refused(detach),
			   "status %03xh", STATUS(detach));

	good &= report("attach it to the VF", is_refused(attach),
		       "status %03xh", STATUS(attach));
	return good & use_secret();
}

bool attack_management(void)
{
	int first = 0;

	/* Each action and value, on itself, the PF and one that is not there;
	 * what takes the VF itself offline last */
	for (uint32_t action = 15; action; action--)
		for (uint32_t id = 3; id--;)
			for (uint32_t type = 0; type < 2; type++) {
				int result = admin(
					0x1c, 0, id << 16 | type << 8 | action,
					2, 0);

				if (!first && !is_refused(result))
					first = action << 16 | id << 8 | 1;
			}
	return report("Virtualization Management", !first,
		      first ? "action %u on controller %u is taken"
			    : "90 commands are refused",
		      (unsigned int)first >> 16,
		      (unsigned int)first >> 8 & 0xff);
}

/* Commands that concern the VF itself, which are not tried */
static bool is_own(unsigned int opcode)
{
	static const uint8_t own[] = {0x00, 0x01, 0x02, 0x04, 0x05, 0x06,
				      0x08, 0x09, 0x0a, 0x0c, 0x14, 0x18,
				      0x19, 0x1a, 0x7c, 0x86};

	return memchr(own, (int)opcode, sizeof(own));
}

/* With fields that are never right: what is taken is refused for them. */
bool attack_commands(void)
{
	char taken[256] = "";
	unsigned int tried = 0;

	for (unsigned int opcode = 0; opcode < 256; opcode++) {
		size_t used = strlen(taken);

		if (is_own(opcode))
			continue;
		tried++;
		if (!is_refused(
			    admin((uint8_t)opcode, 0xfffffffe, ~0u, ~0u, 0)))
			snprintf(taken + used, sizeof(taken) - used, " %02xh",
				 opcode);
	}
	return report("all other commands", !taken[0], "%u tried, taken:%s",
		      tried, taken[0] ? taken : " none");
}

/* NVM Subsystem Reset, by each width, and together with the register before
 * it. */
bool attack_registers(void)
{
	volatile uint8_t *bar = map_file(BAR, 0, PAGE, PROT_READ | PROT_WRITE);
	const uint64_t reset = 0x4e564d65, shutdown = 0x4e726d6c;
	int result;

	poke(bar + 0x20, 4, reset);
	poke(bar + 0x20, 8, reset);
	poke(bar + 0x1c, 8, reset << 32);
	for (unsigned int i = 0; i < 4; i += 2)
		poke(bar + 0x20 + i, 2, reset >> 8 * i);
	for (unsigned int i = 0; i < 4; i++)
		poke(bar + 0x20 + i, 1, reset >> 8 * i);
	poke(bar + 0x64, 4, shutdown);
	munmap((void *)bar, PAGE);
	result = admin(0x06, 0, 0x01, 0, PAGE);
	return report("NVM Subsystem Reset", !result,
		      "Identify afterwards: status %03xh", STATUS(result));
}
