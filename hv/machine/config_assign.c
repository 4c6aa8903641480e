/* This file parses the value of assign= in gangway.cfg. */
#include "hv/machine/config_assign.h"
#include "hv/string.h"

#define VLAN_MAX 4094
#define VF_MAX 0xfffe /* NumVFs has 16 bits */

/* `0000:01:10.0`, or `01:10.0` in segment 0 */
static bool parse_address(struct span s, struct pci_addr *addr)
{
	bool colon, second_colon, dot;
	struct span segment = span_cut(&s, ':', &colon);
	struct span bus = span_cut(&s, ':', &second_colon);
	struct span device;
	u64 number[4];

	if (!second_colon) {
		s = bus;
		bus = segment;
		segment = (struct span){"0", 1};
	}
	device = span_cut(&s, '.', &dot);
	if (!colon || !dot || !span_number(segment, 16, 0xffff, &number[0]) ||
	    !span_number(bus, 16, 0xff, &number[1]) ||
	    !span_number(device, 16, 0x1f, &number[2]) ||
	    !span_number(s, 16, 7, &number[3]))
		return false;
	*addr = (struct pci_addr){number[0], number[1],
				  number[2] << 3 | number[3]};
	return true;
}

/* `8086:10c9/0`: vendor and device ID of the PF, number of the VF */
static bool parse_vf(struct span s, struct assign_request *assign)
{
	bool colon, slash;
	struct span vendor = span_cut(&s, ':', &colon);
	struct span device = span_cut(&s, '/', &slash);
	u64 id[3];

	if (!colon || !slash || !span_number(vendor, 16, 0xffff, &id[0]) ||
	    !span_number(device, 16, 0xffff, &id[1]) ||
	    !span_number(s, 10, VF_MAX, &id[2]))
		return false;
	assign->vendor = id[0];
	assign->device = id[1];
	assign->vf = id[2];
	return true;
}

static bool same_function(const struct assign_request *a,
			  const struct assign_request *b)
{
	return a->kind == b->kind && a->vendor == b->vendor &&
	       a->device == b->device && a->vf == b->vf &&
	       a->addr.segment == b->addr.segment &&
	       PCI_RID(a->addr) == PCI_RID(b->addr);
}

/* `52:54:00:12:34:56`, an address that a station may have */
static bool parse_mac(struct span s, u8 *mac)
{
	bool more = true;
	u64 byte, all = 0;

	for (unsigned int i = 0; i < MAC_SIZE; i++) {
		struct span digits = span_cut(&s, ':', &more);

		if (more == (i + 1 == MAC_SIZE) || digits.length != 2 ||
		    !span_number(digits, 16, 0xff, &byte))
			return false;
		mac[i] = byte;
		all |= byte;
	}
	return all && !(mac[0] & 1);
}

/* The value in @s of option @name, such as "mac="; false: it is another. */
static bool option_value(struct span s, const char *name, struct span *value)
{
	size_t length = strlen(name);

	if (!span_begins(s, name))
		return false;
	*value = (struct span){s.start + length, s.length - length};
	return true;
}

/* What may follow the function, each once */
static int parse_assign_option(struct parser *p, struct span s,
			       struct assign_request *assign)
{
	struct span value;
	u64 vlan;

	if (option_value(s, "mac=", &value) && !assign->has_mac &&
	    parse_mac(value, assign->mac)) {
		assign->has_mac = true;
		return 0;
	}
	if (option_value(s, "vlan=", &value) && !assign->vlan &&
	    span_number(value, 10, VLAN_MAX, &vlan) && vlan) {
		assign->vlan = vlan;
		return 0;
	}
	if (span_begins(s, "vf:") || parse_address(s, &assign->addr))
		return FAIL(p,
			    "assign=... %.*s: expected a comma between two "
			    "functions",
			    QUOTE(s));
	return FAIL(p,
		    "assign=... %.*s: expected mac= with a station's address, "
		    "such as 52:54:00:12:34:56, or vlan= with 1 to %d, once",
		    QUOTE(s), VLAN_MAX);
}

static int parse_assign_options(struct parser *p, struct span s,
				struct assign_request *assign)
{
	bool more;
	int err = 0;

	s = span_trim(s);
	while (!err && s.length) {
		err = parse_assign_option(p, span_cut(&s, ' ', &more), assign);
		s = span_trim(s);
	}
	return err;
}

static int parse_function(struct parser *p, struct span options)
{
	static const char vf_prefix[] = "vf:";
	const size_t prefix = sizeof(vf_prefix) - 1;
	struct config *config = p->config;
	struct assign_request assign = {.kind = ASSIGN_ADDRESS};
	bool good;
	struct span s = span_cut(&options, ' ', &good);

	if (span_begins(s, vf_prefix)) {
		assign.kind = ASSIGN_VF;
		good = parse_vf(
			(struct span){s.start + prefix, s.length - prefix},
			&assign);
	} else {
		good = parse_address(s, &assign.addr);
	}
	if (!good)
		return FAIL(p,
			    "assign=%.*s: expected a function such as "
			    "0000:01:10.0, or vf:8086:10c9/0 for VF 0, or "
			    "none, or auto",
			    QUOTE(s));
	if (parse_assign_options(p, options, &assign))
		return -EINVAL;
	for (unsigned int i = 0; i < config->assign_count; i++)
		if (same_function(&config->assign[i], &assign))
			return FAIL(p, "assign=%.*s: given twice", QUOTE(s));
	if (config->assign_count == ASSIGN_MAX)
		return FAIL(p, "assign= names more than %d functions",
			    ASSIGN_MAX);
	config->assign[config->assign_count++] = assign;
	return 0;
}

int config_parse_assign(struct parser *p, struct span s)
{
	bool more;
	int err;

	p->config->assign_count = 0;
	if (span_is(s, "none"))
		return 0;
	if (span_is(s, "auto")) {
		p->config->assign[0] =
			(struct assign_request){.kind = ASSIGN_AUTO};
		p->config->assign_count = 1;
		return 0;
	}
	do {
		struct span function = span_trim(span_cut(&s, ',', &more));

		err = parse_function(p, function);
	} while (!err && more);
	return err;
}
