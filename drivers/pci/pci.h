/*
 * PCI functions by ECAM (PCIe 7.2.2), and walks of their capability lists that
 * end whatever the device answers.
 */
#ifndef DRIVERS_PCI_PCI_H
#define DRIVERS_PCI_PCI_H

#include "hv/types.h"

struct pci_addr {
	u16 segment;
	u8 bus;
	u8 devfn; /* device << 3 | function; with ARI: function 0-255 */
};

#define PCI_DEV(devfn) ((devfn) >> 3)
#define PCI_FN(devfn) ((devfn) & 7)
/* For log lines, as Linux writes it: "0000:01:10.0" */
#define PCI_FMT "%04x:%02x:%02x.%x"
#define PCI_ARG(a) (a).segment, (a).bus, PCI_DEV((a).devfn), PCI_FN((a).devfn)
/* Requester ID = source ID: bus << 8 | devfn */
#define PCI_RID(a) ((u16)((u32)(a).bus << 8 | (a).devfn))

/* Configuration header (PCI 3.0 6.1) */
#define PCI_VENDOR_ID 0x00
#define PCI_DEVICE_ID 0x02
#define PCI_COMMAND 0x04
#define PCI_COMMAND_IO BIT(0)
#define PCI_COMMAND_MEMORY BIT(1)
#define PCI_COMMAND_MASTER BIT(2)
#define PCI_COMMAND_INTX_OFF BIT(10)
#define PCI_STATUS 0x06
#define PCI_STATUS_CAP_LIST BIT(4)
#define PCI_REVISION 0x08
#define PCI_CLASS 0x09	       /* 3 bytes: interface, subclass, class */
#define PCI_CLASS_NETWORK 0x02 /* the class alone */
#define PCI_CLASS_DISPLAY 0x03
#define PCI_CLASS_BRIDGE 0x06
#define PCI_CLASS_USB 0x0c03 /* and the subclass */
#define PCI_HEADER_TYPE 0x0e
#define PCI_HEADER_MULTI_FUNCTION BIT(7)
#define PCI_BAR(n) (0x10 + 4 * (n))
#define PCI_BAR_IO BIT(0)
#define PCI_BAR_64 BIT(2)
#define PCI_BAR_PREFETCH BIT(3)
#define PCI_SUBSYSTEM 0x2c
#define PCI_ROM 0x30
#define PCI_ROM_ENABLE BIT(0)
#define PCI_CAP_POINTER 0x34
#define PCI_SECONDARY_BUS 0x19
#define PCI_SUBORDINATE_BUS 0x1a
#define PCI_IO_WINDOW 0x1c	 /* same, 8 bits each: address bits 15 to 12 */
#define PCI_MEMORY_WINDOW 0x20	 /* bridges: base and limit, 16 bits each */
#define PCI_PREFETCH_WINDOW 0x24 /* same, prefetchable */
#define PCI_PREFETCH_BASE_HIGH 0x28
#define PCI_PREFETCH_LIMIT_HIGH 0x2c
#define PCI_IO_WINDOW_HIGH 0x30 /* base and limit, 16 bits each */
#define PCI_BRIDGE_ROM 0x38
/* PCI-to-PCI Bridge 1.2 3.2.5.18 */
#define PCI_BRIDGE_CONTROL 0x3e
#define PCI_BRIDGE_CONTROL_ISA BIT(2)
#define PCI_BRIDGE_CONTROL_RESET BIT(6)

/* Capability IDs */
#define PCI_CAP_PM 0x01
#define PCI_CAP_MSI 0x05
#define PCI_CAP_PCIE 0x10
#define PCI_CAP_MSIX 0x11
#define PCI_CAP_AF 0x13
#define PCI_EXT_CAP_AER 0x0001
#define PCI_EXT_CAP_ACS 0x000d
#define PCI_EXT_CAP_ARI 0x000e
#define PCI_EXT_CAP_SRIOV 0x0010
#define PCI_EXT_CAP_REBAR 0x0015
#define PCI_ACS_CONTROL 0x06 /* from its start */
#define SRIOV_TOTAL_VFS 0x0e /* from its start (PCIe 9.3.3.6) */

#define PCI_MSIX_CONTROL 0x02 /* from the start of MSI-X (PCI 3.0 6.8.2) */
#define PCI_MSIX_CONTROL_SIZE 0x7ff /* of the table, less 1 */
#define PCI_MSIX_TABLE 0x04
#define PCI_MSIX_BIR 7 /* its lowest bits, and the PBA's: which BAR */
#define PCI_MSIX_PBA 0x08
#define PCI_AF_CAP 0x03 /* from the start of Advanced Features */
#define PCI_AF_CAP_FLR BIT(1)

/* PCI Express capability (PCIe 7.5.3): offsets from its start */
#define PCIE_FLAGS 0x02 /* version 3:0, port type 7:4 */
#define PCIE_DEVCAP 0x04
#define PCIE_DEVCAP_FLR BIT(28)
#define PCIE_DEVCTL 0x08
#define PCIE_DEVCTL_FLR BIT(15)
#define PCIE_DEVSTA 0x0a
#define PCIE_DEVSTA_PENDING BIT(5) /* transactions pending */
#define PCIE_LNKCTL 0x10
#define PCIE_DEVCAP2 0x24 /* version 2 only */
#define PCIE_DEVCAP2_ARI BIT(5)
#define PCIE_DEVCTL2 0x28
#define PCIE_DEVCTL2_ARI BIT(5)
#define PCIE_TIMEOUTS 0xfU /* of completions, its lowest bits */
#define PCIE_TIMEOUT_16MS 0x5U
/* Port types (7.5.3.2) */
#define PCIE_ENDPOINT 0
#define PCIE_LEGACY_ENDPOINT 1
#define PCIE_PORT_ROOT 4
#define PCIE_PORT_UPSTREAM 5
#define PCIE_PORT_DOWNSTREAM 6
#define PCIE_TO_PCI_BRIDGE 7
#define PCI_TO_PCIE_BRIDGE 8
#define PCIE_ROOT_ENDPOINT 9 /* integrated into the root complex */
#define PCIE_ROOT_COLLECTOR 10

#define PCI_CONFIG_SIZE 4096
#define PCI_MAX_ECAM 64
#define PCI_MAX_DEPTH 32 /* bridges above one another */
#define PCI_BARS 6

struct pci_bar {
	hpa_t base;
	u64 size;  /* 0: not there */
	bool io;   /* I/O port space */
	bool is64; /* takes this and the next register */
	bool prefetch;
};

struct pci_function {
	struct pci_addr addr;
	u16 vendor, device;
	u32 class; /* 24 bits: class, subclass, interface */
	bool bridge;
	u8 secondary, subordinate;   /* bridges only */
	struct pci_function *parent; /* the bridge above; NULL on a root bus */
	/* 4 KiB of configuration space, by ECAM (in unit tests: plain memory)
	 */
	volatile u8 *config;
	struct pci_bar bar[PCI_BARS];
	/* SR-IOV: a VF knows its PF and its number there. */
	struct pci_function *pf;
	u16 vf_index;
	void *driver; /* of a PF: its driver's state */
	/* Its isolation group (drivers/pci/groups.c) */
	struct {
		u32 first; /* index of the group's first member */
		u32 cause;
		const struct pci_function *culprit;
	} group;
};

/* An ECAM range of the MCFG table. */
struct pci_ecam {
	hpa_t base; /* of bus 0, also if start_bus is not 0 (PCI FW 4.1.2) */
	u16 segment;
	u8 start_bus, end_bus;
};

/*
 * Pages of the pool that pci_enumerate() takes for a table of all functions
 * below @ecam[0..count) and of all VFs that they can have; only reads.
 */
size_t pci_table_pages(const struct pci_ecam *ecam, unsigned int count);

/*
 * Find every function below @ecam[0..count), with its bridge topology, and
 * size its BARs (decoding off meanwhile).  Forgets what an earlier call found.
 * Logs one line a function.  Bounded by the buses of the ECAM ranges, each
 * visited once whatever the bridges say.  -ENODEV: no usable ECAM; -ENOMEM.
 */
int pci_enumerate(const struct pci_ecam *ecam, unsigned int count);

/* All functions found; *count of them. */
struct pci_function *pci_functions(unsigned int *count);

/* NULL if there is none. */
/*@ assigns \nothing;
  @ ensures \result == \null || \valid_read(\result);
  @*/
struct pci_function *pci_find(struct pci_addr addr);

/* Add the function at @addr, which enumeration could not see (a VF whose IDs
 * read FFFFh); only addr and config are filled.  The entry that is there if it
 * was added before.  NULL: table full (a function that was not there when it
 * was made) or outside every ECAM range. */
struct pci_function *pci_add(struct pci_addr addr);

/* True if an ECAM range has @bus. */
bool pci_has_bus(u16 segment, unsigned int bus);

/* @fn is on @bus from now on, which an ECAM range has. */
void pci_set_bus(struct pci_function *fn, u8 bus);

/* True if @fn's requests pass bridge @bridge, or @fn is it. */
/*@ requires \valid_read(fn) && \valid_read(bridge);
  @ assigns \nothing;
  @*/
bool pci_is_below(const struct pci_function *fn,
		  const struct pci_function *bridge);

/* Clear bus mastering of every function, bridges too, but those that @keep and
 * what is above them; logs which had it on.  Returns their number. */
unsigned int pci_bus_master_off(bool (*keep)(const struct pci_function *fn));

/* Let @fn's requests through, and those to it: bus mastering and memory
 * decoding on every bridge above it. */
void pci_enable_path(struct pci_function *fn);

#endif
