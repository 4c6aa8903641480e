/* What assign= in gangway.cfg asks for. */
#ifndef GUEST_ASSIGN_REQUEST_H
#define GUEST_ASSIGN_REQUEST_H

#include "drivers/pci/pci.h"

#define ASSIGN_MAX 8
#define MAC_SIZE 6

enum assign_kind { ASSIGN_ADDRESS, ASSIGN_VF, ASSIGN_AUTO };

/* One function of assign=: `0000:01:10.0`, or `vf:8086:10c9/0` for VF 0 of the
 * first PF with these IDs; `auto`, alone, for assign_choose();
 * `mac=52:54:00:12:34:56` and `vlan=7` may follow. */
struct assign_request {
	enum assign_kind kind;
	struct pci_addr addr;
	u16 vendor, device, vf;
	bool has_mac;
	u8 mac[MAC_SIZE]; /* a station's, not 0 */
	u16 vlan;	  /* 0: none, or the guest's own */
};

#endif
