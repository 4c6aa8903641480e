/* sources: drivers/igb.c drivers/igb_filter.c drivers/igb_mbx.c drivers/nvme_admin.c drivers/nvme_pf.c drivers/nvme_reach.c drivers/nvme_regs.c drivers/pci/pci_caps.c drivers/pf.c tests/unit/pci_model.c */
#include "drivers/igb.h"
#include "drivers/igb_filter.h"
#include "drivers/igb_regs.h"
#include "drivers/pci/pci_reset.h"
#include "drivers/pf.h"
#include "hv/alloc.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include <string.h>

/*
 * The registers of an 82576 as far as they do something; the rest is memory.
 * Offsets are written out here, so that the driver's names are tested too.
 */
static u32 regs[0x20000 / 4];
static bool stuck_reset, no_eeprom, no_phy, no_mac, vf_holds_buffer, link_up,
	gone;
static unsigned int resets, phy_writes, pfrstd_at;
static unsigned int writes;
static u32 told[IGB_MAX_VFS]; /* P2VMAILBOX bits written since a request */

/* In place of drivers/pci/pci_reset.c: the other driver's */
int pci_flr(struct pci_function *fn)
{
	(void)fn;
	fail_msg("a function-level reset");
	return -EIO;
}

static u32 *reg(u32 offset)
{
	assert_true(offset % 4 == 0 && offset < sizeof(regs));
	return &regs[offset / 4];
}

static void reset_registers(void)
{
	u32 eec = *reg(0x10), done = *reg(0x1010), mode = *reg(0x18);
	u32 gcr = *reg(0x5b00);

	memset(regs, 0, sizeof(regs));
	*reg(0x10) = eec;
	*reg(0x1010) = done;
	*reg(0x5b00) = gcr;
	*reg(0x18) = mode & 0x00c00000;
	*reg(0x0) = 0x00100209;
	*reg(0x400) = 0xa50400f8;
	*reg(0xc8c) = *reg(0xc90) = 0xff;
	*reg(0x5400) = no_mac ? 0 : 0xaa005452;
	*reg(0x5404) = no_mac ? 0x80000000 : 0x800401bb;
	for (unsigned int i = 0; i < 8; i++)
		*reg(0x5ad0 + 4 * i) = 0x80002600;
}

u32 igb_read(const struct pci_function *pf, u32 offset)
{
	(void)pf;
	if (gone)
		return 0xffffffff;
	if (offset >= 0xc40 && offset < 0xc60)
		fail_msg("the PF reads V2PMAILBOX, which clears bits");
	if (offset == 0x8)
		return (0x80080481 & ~(*reg(0) & 4 ? 0x80000 : 0)) |
		       (link_up ? 2 : 0);
	return *reg(offset);
}

static void write_p2v(unsigned int vf, u32 value)
{
	u32 *p2v = reg(0xc00 + 4 * vf);

	told[vf] |= value;
	*p2v = value & 8 && !vf_holds_buffer ? 8 : 0;
}

void igb_write(const struct pci_function *pf, u32 offset, u32 value)
{
	(void)pf;
	writes++;
	switch (offset) {
	case 0x0:
		*reg(0) = value;
		if (value & 1 << 26 && !stuck_reset) {
			resets++;
			reset_registers();
			if (no_eeprom)
				*reg(0x10) = *reg(0x1010) = 0;
		}
		return;
	case 0x18:
		if (value & 1 << 14)
			pfrstd_at = writes;
		*reg(0x18) = value;
		return;
	case 0x20:
		assert_int_equal(value, 0x04201340);
		/* The semaphore of port 0's PHY is held */
		assert_int_equal(*reg(0x5b5c) & 2, 2);
		phy_writes++;
		*reg(0x20) = no_phy ? value : value | 1 << 28;
		return;
	case 0xc80: /* MBVFICR, VFLRE: write 1 to clear */
	case 0xc88:
		*reg(offset) &= ~value;
		return;
	}
	if (offset >= 0xc00 && offset < 0xc20) {
		write_p2v((offset - 0xc00) / 4, value);
		return;
	}
	*reg(offset) = value;
}

static struct pci_function pf, vf[IGB_MAX_VFS];
static const struct pf_driver *const igb = &igb_pf_driver;
static const struct pf_dma no_dma;

static int set_up(void **state)
{
	(void)state;
	test_log_clear();
	stuck_reset = no_eeprom = no_phy = no_mac = vf_holds_buffer = false;
	link_up = gone = false;
	resets = phy_writes = pfrstd_at = writes = 0;
	memset(regs, 0, sizeof(regs));
	reset_registers();
	memset(told, 0, sizeof(told));
	model_reset(2);
	model_add(1, 0, 0x8086, 0x10c9, 0x020000);
	pf = model_function(1, 0);
	pf.vendor = 0x8086;
	pf.device = 0x10c9;
	pf.bar[0].base = 0xc0220000;
	pf.bar[0].size = 0x20000;
	for (unsigned int i = 0; i < IGB_MAX_VFS; i++)
		vf[i] = (struct pci_function){
			.addr = {.bus = 1, .devfn = 0x80 + 2 * i},
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

static int set_up_8(void **state)
{
	set_up(state);
	assert_int_equal(igb->start(&pf, 8, &no_dma), 0);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(igb->enable_vf(&vf[i]), 0);
	test_log_clear();
	return 0;
}

/* VF @n writes a message of 16 dwords and rings. */
static void send(unsigned int n, u32 m0, u32 m1, u32 m2)
{
	u32 *mem = reg(0x800 + 0x40 * n);

	mem[0] = m0;
	mem[1] = m1;
	mem[2] = m2;
	*reg(0xc80) |= 1 << n;
	told[n] = 0;
	igb->service(&pf);
}

/* The answer to it: the VF was told, and the buffer is free again. */
static u32 ask(unsigned int n, u32 m0, u32 m1, u32 m2)
{
	send(n, m0, m1, m2);
	assert_int_equal(told[n] & 3, 3); /* ACK and STS */
	assert_int_equal(*reg(0xc00 + 4 * n), 0);
	assert_int_equal(*reg(0xc80) & 1 << n, 0);
	return *reg(0x800 + 0x40 * n);
}

static void reset_vf(unsigned int n)
{
	assert_int_equal(ask(n, 0x00000001, 0, 0), 0x80000001);
}

static void finds_the_driver(void **state)
{
	struct pci_function other = {.vendor = 0x8086, .device = 0x10ca};

	(void)state;
	static const u16 devices[] = {0x10c9, 0x10e6, 0x10e7, 0x10e8,
				      0x150a, 0x150d, 0x1518, 0x1526};

	for (unsigned int i = 0; i < ARRAY_SIZE(devices); i++) {
		pf.device = devices[i];
		assert_ptr_equal(pf_driver_for(&pf), igb);
	}
	pf.device = 0;
	assert_null(pf_driver_for(&pf));
	pf.device = 0x10c9;
	assert_null(pf_driver_for(&other));
	assert_string_equal(igb->name, "igb");
	assert_int_equal(igb->trapped_count, 1);
	assert_int_equal(igb->trapped[0].bar, 0);
	assert_int_equal(igb->trapped[0].offset, 0);
}

/* The sequence that was proven, facts of the datasheet beside it */
static void starts_the_pf(void **state)
{
	(void)state;
	*reg(0x100) = 0x8002;
	assert_int_equal(igb->start(&pf, 1, &no_dma), 0);
	assert_int_equal(model_get16(1, 0, PCI_COMMAND), 0x0006);
	assert_int_equal(resets, 1);
	assert_int_equal(phy_writes, 1);
	assert_int_equal(*reg(0x1528), 0xffffffff); /* EIMC */
	assert_int_equal(*reg(0xd8), 0xffffffff);   /* IMC */
	assert_int_equal(*reg(0x0), 0x00100249);    /* SLU, FD */
	assert_int_equal(*reg(0x5404), 0);	    /* no PF filter */
	assert_int_equal(*reg(0x581c), 0x60000000); /* VT_CTL */
	assert_int_equal(*reg(0x5818), 3);	    /* MRQC */
	assert_int_equal(*reg(0x1514), 0xc0000011); /* GPIE */
	assert_int_equal(*reg(0x2408), 0xffff);	    /* QDE */
	assert_int_equal(*reg(0x3500), 0xffff);	    /* DTXSWC */
	assert_int_equal(*reg(0x100), 0x04048022);  /* RCTL */
	assert_int_equal(*reg(0x400), 0xa50400fa);  /* TCTL */
	assert_int_equal(*reg(0xc8c), 0);	    /* VFRE */
	assert_int_equal(*reg(0xc90), 0);	    /* VFTE */
	assert_int_equal(*reg(0x18), 0x10004000);   /* CTRL_EXT */
	assert_int_equal(pfrstd_at, writes);	    /* told last */
	assert_int_equal(*reg(0x5b5c), 0);	    /* semaphores free */
	assert_int_equal(*reg(0x5b50), 0);
	assert_non_null(strstr(test_log, "igb: 0000:01:00.0: port 0"));
	assert_null(strstr(test_log, "timeout"));
}

static void enables_a_vf(void **state)
{
	char text[40];

	(void)state;
	assert_int_equal(igb->start(&pf, 1, &no_dma), 0);
	test_log_clear();
	assert_int_equal(igb->enable_vf(&vf[0]), 0);
	assert_int_equal(*reg(0x5ad0), 0x89002600);
	/* 52:54:00:BA:BB:01, pool 0, valid */
	assert_int_equal(*reg(0x5400), 0xba005452);
	assert_int_equal(*reg(0x5404), 0x800401bb);
	/* Who made it ready says what it is, once */
	assert_string_equal(test_log, "");
	igb->describe_vf(&vf[0], text, sizeof(text));
	assert_string_equal(text, "MAC 52:54:00:ba:bb:01");
	assert_int_equal(igb->enable_vf(&vf[1]), -EIO);
}

static void mac_addresses_differ(void **state)
{
	const u8 ports[2][6] = {{0x00, 0x1b, 0x21, 0x7f, 0xff, 0xfe},
				{0x00, 0x1b, 0x21, 0x7f, 0xff, 0xff}};
	u8 mac[16][6];

	(void)state;
	for (unsigned int i = 0; i < 16; i++) {
		igb_vf_mac(ports[i / 8], i % 8, mac[i]);
		assert_int_equal(mac[i][0], 0x02);
		for (unsigned int j = 0; j < i; j++)
			assert_memory_not_equal(mac[i], mac[j], 6);
	}
	assert_memory_equal(mac[0], "\x02\x1b\x21\x6f\xff\xfe", 6);
	assert_memory_equal(mac[15], "\x02\x1b\x21\xff\xff\xff", 6);
}

/* Several VFs reach each other through the device's own switch. */
static void switches_between_vfs(void **state)
{
	(void)state;
	assert_int_equal(igb->start(&pf, 2, &no_dma), 0);
	assert_int_equal(*reg(0x3500), 0x8000ffff); /* DTXSWC */
}

/* As assign= says, kept when the VF resets itself, and no other VF's. */
static void mac_from_outside(void **state)
{
	static const u8 mac[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

	(void)state;
	assert_int_equal(igb->start(&pf, 2, &no_dma), 0);
	assert_int_equal(igb->set_mac(&vf[1], mac), 0);
	assert_int_equal(igb->enable_vf(&vf[1]), 0);
	assert_int_equal(*reg(0x5408), 0x12005452); /* RAL(1) */
	assert_int_equal(*reg(0x540c) & 0xffff, 0x5634);
	reset_vf(1);
	assert_int_equal(*reg(0x844), 0x12005452); /* its message */
	assert_int_equal(igb->set_mac(&vf[1], mac), 0);
	assert_int_equal(igb->set_mac(&vf[0], mac), -EINVAL);
	assert_non_null(strstr(test_log, "that VF 0 is to have"));
}

/* A VLAN that the VF does not know of: its tag alone, put and taken away. */
static void port_vlan(void **state)
{
	(void)state;
	assert_int_equal(igb->start(&pf, 2, &no_dma), 0);
	igb->set_vlan(&vf[1], 7);
	assert_int_equal(igb->enable_vf(&vf[1]), 0);
	reset_vf(1);
	assert_int_equal(*reg(0x3704), 0x40000007);		 /* VMVIR(1) */
	assert_int_equal(*reg(0x5ad4) & 0x49000000, 0x48000000); /* VMOLR(1) */
	assert_int_equal(*reg(0x5d00), 0x80002007); /* VLVF: pool 1 */
	assert_int_equal(*reg(0x5600), 0x80);	    /* VFTA */
	/* No other, and not out of it */
	assert_int_equal(ask(1, 0x00010004, 9, 0), 0x60010004);
	assert_int_equal(ask(1, 0x00000004, 7, 0), 0x60000004);
	assert_int_equal(*reg(0x5d00), 0x80002007);
	/* The next one has none */
	igb->stop_vf(&vf[1]);
	assert_int_equal(*reg(0x3704), 0);
	assert_int_equal(*reg(0x5d00), 0);
}

static void lives_without_a_mac(void **state)
{
	char text[40];

	(void)state;
	no_mac = true;
	assert_int_equal(igb->start(&pf, 1, &no_dma), 0);
	/* From its address, 0000:01:00.0; VF 0 */
	assert_non_null(strstr(test_log, "no MAC address"));
	igb->describe_vf(&vf[0], text, sizeof(text));
	assert_string_equal(text, "MAC 02:00:01:10:00:01");
}

static void waits_for_what_the_device_reports(void **state)
{
	(void)state;
	*reg(0x10) = 0x200;	/* EEC.AUTO_RD */
	*reg(0x1010) = 0x40000; /* configuration of port 0 done */
	assert_int_equal(igb->start(&pf, 1, &no_dma), 0);
	assert_null(strstr(test_log, "timeout"));
}

/* As Intel's driver: a card whose EEPROM is not read again works. */
static void goes_on_without_an_eeprom(void **state)
{
	(void)state;
	no_eeprom = true;
	*reg(0x10) = 0x200;
	*reg(0x1010) = 0x40000;
	assert_int_equal(igb->start(&pf, 1, &no_dma), 0);
	assert_non_null(strstr(test_log, "EEPROM read"));
	assert_non_null(strstr(test_log, "PHY configuration"));
	assert_non_null(strstr(test_log, "igb: 0000:01:00.0: goes on without "
					 "it"));
}

/* By the register, or where that says so in configuration space */
static void completions_have_time(void **state)
{
	(void)state;
	*reg(0x5b00) = 0x00010000;
	assert_int_equal(igb->start(&pf, 1, &no_dma), 0);
	assert_int_equal(*reg(0x5b00), 0x00001000);
	*reg(0x5b00) = 0x00003000;
	assert_int_equal(igb->start(&pf, 1, &no_dma), 0);
	assert_int_equal(*reg(0x5b00), 0x00003000);
	model_cap(1, 0, 0xa0, 0x10, 0);
	model_set16(1, 0, 0xc8, 0x0020, 0xffff);
	*reg(0x5b00) = 0x00040000;
	assert_int_equal(igb->start(&pf, 1, &no_dma), 0);
	assert_int_equal(*reg(0x5b00), 0x00040000);
	assert_int_equal(model_get16(1, 0, 0xc8), 0x0025);
}

static void start_fails_in_bounded_time(void **state)
{
	(void)state;
	stuck_reset = true;
	assert_int_equal(igb->start(&pf, 1, &no_dma), -ETIMEDOUT);
	assert_non_null(strstr(test_log, "igb: 0000:01:00.0: did not start"));
	stuck_reset = false;
	no_phy = true;
	assert_int_equal(igb->start(&pf, 1, &no_dma), -ETIMEDOUT);
	no_phy = false;
	assert_int_equal(igb->start(&pf, 1, &no_dma), 0);
	assert_int_equal(igb->start(&pf, 0, &no_dma), -ERANGE);
	assert_int_equal(igb->start(&pf, 9, &no_dma), -ERANGE);
	assert_non_null(strstr(test_log, "no VF 8"));
	pf.bar[0].base = 0;
	assert_int_equal(igb->start(&pf, 1, &no_dma), -EIO);
}

static void leaves_other_link_types_alone(void **state)
{
	(void)state;
	*reg(0x18) = 0x00c00000;
	assert_int_equal(igb->start(&pf, 1, &no_dma), 0);
	assert_int_equal(phy_writes, 0);
}

static void answers_vf_reset(void **state)
{
	(void)state;
	*reg(0xc88) = 1;
	reset_vf(0);
	assert_int_equal(*reg(0xc88), 0);
	assert_int_equal(*reg(0x804), 0xba005452);
	assert_int_equal(*reg(0x808), 0x000001bb);
	assert_int_equal(*reg(0xc8c), 1);
	assert_int_equal(*reg(0xc90), 1);
	assert_int_equal(*reg(0x5ad0), 0x89002600);
	assert_int_equal(*reg(0x5404), 0x800401bb);
	reset_vf(7);
	assert_int_equal(*reg(0xc8c), 0x81);
	/* 52:54:00:2A:BB:01: AAH ^ 80H */
	assert_int_equal(*reg(0x5438), 0x2a005452);
	assert_int_equal(*reg(0x543c), 0x820001bb);
}

static void nothing_but_reset_before_reset(void **state)
{
	(void)state;
	assert_int_equal(ask(0, 0x00000005, 1522, 0), 0x40000005);
	assert_int_equal(*reg(0x5ad0), 0x89002600);
	reset_vf(0);
	assert_int_equal(ask(0, 0x00000005, 1522, 0), 0xa0000005);
	/* A reset of the VF takes it away again */
	*reg(0xc88) = 1;
	igb->service(&pf);
	assert_int_equal(ask(0, 0x00000005, 1522, 0), 0x40000005);
}

static void answers_set_mac(void **state)
{
	(void)state;
	reset_vf(0);
	assert_int_equal(ask(0, 0x00000002, 0xba005452, 0x000001bb),
			 0xa0000002);
	/* What stands above the address does not matter */
	assert_int_equal(ask(0, 0x00000002, 0xba005452, 0xffff01bb),
			 0xa0000002);
	assert_int_equal(ask(0, 0x00000002, 0xba005453, 0x000001bb),
			 0x60000002);
	assert_int_equal(ask(0, 0x00010002, 0, 0), 0xa0010002);
	assert_int_equal(ask(0, 0x00020002, 0xba005452, 0x000001bb),
			 0x60020002);
	assert_int_equal(*reg(0x5400), 0xba005452);
}

static void answers_set_multicast(void **state)
{
	(void)state;
	reset_vf(0);
	/* Hash 020H: register 1, bit 0; FFFH: register 127, bit 31 */
	assert_int_equal(ask(0, 0x00020003, 0x0fff0020, 0), 0xa0020003);
	assert_int_equal(*reg(0x5204), 1);
	assert_int_equal(*reg(0x53fc), 0x80000000);
	assert_int_equal(*reg(0x5ad0), 0x8b002600);
	/* The upper four bits of a hash name nothing: same register */
	assert_int_equal(ask(0, 0x00010003, 0xf020, 0), 0xa0010003);
	assert_int_equal(*reg(0x5204), 1);
	assert_int_equal(*reg(0x53fc), 0);
	/* All thirty, and one too many */
	assert_int_equal(ask(0, 0x001e0003, 0, 0), 0xa01e0003);
	assert_int_equal(ask(0, 0x001f0003, 0, 0), 0x601f0003);
	assert_int_equal(ask(0, 0x00ff0003, 0, 0), 0x60ff0003);
	assert_int_equal(ask(0, 0x00000003, 0, 0), 0xa0000003);
	assert_int_equal(*reg(0x5200), 0);
	assert_int_equal(*reg(0x5ad0), 0x89002600);
}

static void multicast_of_other_vfs_stays(void **state)
{
	(void)state;
	reset_vf(0);
	reset_vf(1);
	ask(0, 0x00020003, 0x00050020, 0);
	ask(1, 0x00010003, 0x00000020, 0);
	ask(0, 0x00000003, 0, 0);
	assert_int_equal(*reg(0x5200), 0);
	assert_int_equal(*reg(0x5204), 1);
	*reg(0xc88) = 2;
	igb->service(&pf);
	assert_int_equal(*reg(0x5204), 0);
}

static void answers_set_lpe(void **state)
{
	(void)state;
	reset_vf(0);
	assert_int_equal(ask(0, 0x00000005, 1522, 0), 0xa0000005);
	assert_int_equal(*reg(0x5ad0), 0x890105f2);
	assert_int_equal(ask(0, 0x00000005, 9728, 0), 0xa0000005);
	assert_int_equal(*reg(0x5ad0), 0x89012600);
	assert_int_equal(ask(0, 0x00000005, 9729, 0), 0x60000005);
	assert_int_equal(ask(0, 0x00000005, 0xffffffff, 0), 0x60000005);
	assert_int_equal(ask(0, 0x00000005, 63, 0), 0x60000005);
	assert_int_equal(*reg(0x5ad0), 0x89012600);
}

static void answers_set_vlan(void **state)
{
	(void)state;
	reset_vf(0);
	reset_vf(1);
	assert_int_equal(ask(0, 0x00010004, 100, 0), 0xa0010004);
	/* VLVF: valid, pool 0 (bit 12), VLAN 64H; VFTA 3, bit 4 */
	assert_int_equal(*reg(0x5d00), 0x80001064);
	assert_int_equal(*reg(0x560c), 0x10);
	assert_int_equal(ask(1, 0x00010004, 100, 0), 0xa0010004);
	assert_int_equal(*reg(0x5d00), 0x80003064);
	assert_int_equal(ask(1, 0x00010004, 0, 0), 0xa0010004);
	assert_int_equal(*reg(0x5d04), 0x80002000);
	/* VF 0 leaves: VF 1 stays in; and cannot be put out by it */
	assert_int_equal(ask(0, 0x00000004, 100, 0), 0xa0000004);
	assert_int_equal(ask(0, 0x00000004, 100, 0), 0xa0000004);
	assert_int_equal(*reg(0x5d00), 0x80002064);
	assert_int_equal(*reg(0x560c), 0x10);
	assert_int_equal(ask(1, 0x00000004, 100, 0), 0xa0000004);
	assert_int_equal(*reg(0x5d00), 0);
	assert_int_equal(*reg(0x560c), 0);
	assert_int_equal(ask(0, 0x00010004, 4096, 0), 0x60010004);
	assert_int_equal(ask(0, 0x00000004, 0xffffffff, 0), 0x60000004);
}

static void no_vf_takes_all_vlans(void **state)
{
	(void)state;
	reset_vf(0);
	reset_vf(1);
	/* 32 entries for 8 VFs */
	for (unsigned int i = 1; i <= 4; i++)
		assert_int_equal(ask(0, 0x00010004, i, 0), 0xa0010004);
	assert_int_equal(ask(0, 0x00010004, 5, 0), 0x60010004);
	assert_int_equal(ask(0, 0x00010004, 4, 0), 0xa0010004);
	assert_int_equal(ask(1, 0x00010004, 5, 0), 0xa0010004);
	/* A reset gives them back */
	reset_vf(0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(*reg(0x5d00 + 4 * i), 0);
	assert_int_equal(*reg(0x5d10), 0x80002005);
	assert_int_equal(*reg(0x5600), 0x20);
	assert_int_equal(ask(0, 0x00010004, 9, 0), 0xa0010004);
}

static void refuses_the_unknown(void **state)
{
	unsigned int i;

	(void)state;
	reset_vf(0);
	for (unsigned int type = 6; type < 0x300; type++)
		assert_int_equal(ask(0, type, 0, 0), 0x60000000 | type);
	assert_int_equal(ask(0, 0x00020006, 0, 0), 0x60020006); /* promisc */
	assert_int_equal(ask(0, 0x00000000, 0, 0), 0x60000000);
	assert_int_equal(ask(0, 0x00010001, 0, 0), 0x60010001);
	/* CTS from the VF says nothing */
	assert_int_equal(ask(0, 0x20000006, 0, 0), 0x60000006);
	for (i = 0; strstr(test_log, "refused"); i++)
		strstr(test_log, "refused")[0] = 'R';
	assert_int_equal(i, 4);
}

static void our_own_answer_is_no_request(void **state)
{
	(void)state;
	reset_vf(0);
	send(0, 0x80000001, 0, 0);
	assert_int_equal(*reg(0x800), 0x80000001);
	assert_int_equal(told[0] & 1, 0);
	assert_int_equal(*reg(0xc00), 0); /* the buffer is free */
	assert_int_equal(*reg(0xc80), 0);
}

static void waits_for_the_buffer_without_waiting(void **state)
{
	(void)state;
	vf_holds_buffer = true;
	send(0, 0x00000001, 0, 0);
	/* Not answered, not forgotten */
	assert_int_equal(*reg(0xc80), 1);
	assert_int_equal(*reg(0x800), 0x00000001);
	assert_int_equal(told[0] & 3, 0);
	vf_holds_buffer = false;
	igb->service(&pf);
	assert_int_equal(*reg(0xc80), 0);
	assert_int_equal(*reg(0x800), 0x80000001);
}

static void clears_acknowledgements(void **state)
{
	(void)state;
	*reg(0xc80) = 0x00830000;
	igb->service(&pf);
	assert_int_equal(*reg(0xc80), 0);
	assert_int_equal(told[0] | told[1] | told[7], 0);
}

static void ignores_vfs_beyond_the_count(void **state)
{
	(void)state;
	assert_int_equal(igb->start(&pf, 1, &no_dma), 0);
	*reg(0xc80) = 0x02;
	*reg(0x840) = 0x00000001;
	igb->service(&pf);
	assert_int_equal(*reg(0x840), 0x00000001);
	assert_int_equal(*reg(0xc8c), 0);
}

static void tells_of_the_link(void **state)
{
	unsigned int before;

	(void)state;
	igb->service(&pf);
	assert_null(strstr(test_log, "link"));
	link_up = true;
	assert_int_equal(igb->start(&pf, 1, &no_dma), 0);
	igb->service(&pf);
	assert_non_null(strstr(test_log, "link up"));
	test_log_clear();
	before = writes;
	igb->service(&pf);
	assert_null(strstr(test_log, "link"));
	assert_int_equal(writes, before);
	link_up = false;
	igb->service(&pf);
	assert_non_null(strstr(test_log, "link lost"));
	/* PFRSTD anew, and nothing else: the VFs' drivers look at the link */
	assert_int_equal(writes, before + 2);
	assert_int_equal(pfrstd_at, writes);
	assert_int_equal(*reg(0x18), 0x10004000);
	igb->service(&pf);
	assert_int_equal(writes, before + 2);
}

static void does_nothing_for_a_pf_that_is_gone(void **state)
{
	unsigned int before = writes;

	(void)state;
	*reg(0xc80) = 1;
	*reg(0x800) = 0x00000001;
	gone = true;
	assert_int_equal(igb->service(&pf), -ENODEV);
	assert_non_null(strstr(test_log, "all ones"));
	test_log_clear();
	assert_int_equal(igb->service(&pf), -ENODEV);
	/* Nor does it wait for queues that no longer run */
	igb->stop_vf(&vf[0]);
	assert_string_equal(test_log, "");
	assert_int_equal(writes, before);
	gone = false;
	assert_int_equal(igb->service(&pf), 0);
	assert_int_equal(*reg(0x800), 0x80000001);
}

static void stops_a_vf(void **state)
{
	unsigned int q;

	(void)state;
	reset_vf(0);
	reset_vf(1);
	for (unsigned int i = 0; i < 2; i++) {
		q = 1 + 8 * i;
		for (u32 o = 0; o < 0x40; o += 4) {
			*reg(0xc000 + 0x40 * q + o) = 0x12345600;
			*reg(0xe000 + 0x40 * q + o) = 0x12345600;
		}
		*reg(0xc028 + 0x40 * q) = 0x02010000;
		*reg(0xe028 + 0x40 * q) = 0x02000000;
	}
	*reg(0xc028) = 0x02010000; /* queue 0 is VF 0's */
	*reg(0x1704) = 0x81808180;
	*reg(0x1700) = 0x81808180;
	*reg(0x152c) = *reg(0x1530) = 0x01ffffff;
	*reg(0x16cc) = 0x1e8; /* EITR 19: vector 0 of VF 1 */
	*reg(0x16d8) = 0x1e8; /* EITR 22: vector 0 of VF 0 */
	ask(1, 0x00010004, 7, 0);
	ask(1, 0x00010003, 0x0020, 0);
	*reg(0xc80) = 0x00020002;
	*reg(0xc88) = 0x03;
	igb->stop_vf(&vf[1]);
	for (unsigned int i = 0; i < 2; i++) {
		q = 1 + 8 * i;
		assert_int_equal(*reg(0xc028 + 0x40 * q), 0x00010000);
		assert_int_equal(*reg(0xe028 + 0x40 * q), 0);
		assert_int_equal(*reg(0xc000 + 0x40 * q), 0);
		assert_int_equal(*reg(0xc004 + 0x40 * q), 0);
		assert_int_equal(*reg(0xc008 + 0x40 * q), 0);
		assert_int_equal(*reg(0xe000 + 0x40 * q), 0);
		assert_int_equal(*reg(0xe008 + 0x40 * q), 0);
		assert_int_equal(*reg(0xe018 + 0x40 * q), 0);
		assert_int_equal(*reg(0xe038 + 0x40 * q), 0);
	}
	assert_int_equal(*reg(0xc8c), 1);
	assert_int_equal(*reg(0xc90), 1);
	/* Vectors of VF 1: bits 19, 20, 21 */
	assert_int_equal(*reg(0x1528), 0x00380000);
	assert_int_equal(*reg(0x152c), 0x01c7ffff);
	assert_int_equal(*reg(0x1530), 0x01c7ffff);
	assert_int_equal(*reg(0x16cc), 0);
	assert_int_equal(*reg(0x1704), 0);
	assert_int_equal(*reg(0x540c), 0);
	assert_int_equal(*reg(0x5ad4), 0x80002600);
	assert_int_equal(*reg(0x5d00), 0);
	assert_int_equal(*reg(0x5204), 0);
	assert_int_equal(*reg(0x840), 0);
	assert_int_equal(*reg(0xc80), 0);
	assert_int_equal(*reg(0xc88), 1);
	/* VF 0 goes on */
	assert_int_equal(*reg(0xc028), 0x02010000);
	assert_int_equal(*reg(0x1700), 0x81808180);
	assert_int_equal(*reg(0x16d8), 0x1e8);
	assert_int_equal(*reg(0x5404), 0x800401bb);
	/* The next guest's driver brings VF 1 back */
	assert_int_equal(ask(1, 0x00000005, 1522, 0), 0x40000005);
	reset_vf(1);
	assert_int_equal(*reg(0xc8c), 3);
	assert_int_equal(*reg(0x540c), 0x800801bb);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define TEST_8(f) cmocka_unit_test_setup_teardown(f, set_up_8, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_the_driver),
		TEST(starts_the_pf),
		TEST(enables_a_vf),
		TEST(mac_addresses_differ),
		TEST(switches_between_vfs),
		TEST(mac_from_outside),
		TEST(port_vlan),
		TEST(lives_without_a_mac),
		TEST(waits_for_what_the_device_reports),
		TEST(goes_on_without_an_eeprom),
		TEST(completions_have_time),
		TEST(start_fails_in_bounded_time),
		TEST(leaves_other_link_types_alone),
		TEST_8(answers_vf_reset),
		TEST_8(nothing_but_reset_before_reset),
		TEST_8(answers_set_mac),
		TEST_8(answers_set_multicast),
		TEST_8(multicast_of_other_vfs_stays),
		TEST_8(answers_set_lpe),
		TEST_8(answers_set_vlan),
		TEST_8(no_vf_takes_all_vlans),
		TEST_8(refuses_the_unknown),
		TEST_8(our_own_answer_is_no_request),
		TEST_8(waits_for_the_buffer_without_waiting),
		TEST_8(clears_acknowledgements),
		TEST(ignores_vfs_beyond_the_count),
		TEST_8(tells_of_the_link),
		TEST_8(does_nothing_for_a_pf_that_is_gone),
		TEST_8(stops_a_vf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
