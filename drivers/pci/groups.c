/* This file finds the isolation groups of the machine's functions, from
 * topology and ACS. */
#include "drivers/pci/groups.h"
#include "drivers/pci/pci_acs.h"
#include "drivers/pci/pci_facts.h"
#include "hv/format.h"
#include "hv/log.h"

enum cause {
	ALONE,
	SHARED_ID,   /* behind a bridge from PCI */
	PORT_OPEN,   /* a port above lets peers through */
	DEVICE_OPEN, /* functions of one device */
};

bool groups_strict;

/* The groups of @a and @b become one. */
static void join(const struct pci_function *a, const struct pci_function *b)
{
	u32 from = MAX(a->group.first, b->group.first);
	u32 to = MIN(a->group.first, b->group.first);
	unsigned int count;
	struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++)
		if (fn[i].group.first == from)
			fn[i].group.first = to;
}

static void join_for(struct pci_function *fn, const struct pci_function *other,
		     enum cause cause, const struct pci_function *culprit)
{
	join(fn, other);
	if (fn->group.cause == ALONE) {
		fn->group.cause = cause;
		fn->group.culprit = culprit;
	}
}

/* A bridge to or from PCI puts its own ID, or its secondary bus's, in place of
 * the requester's (PCIe to PCI/PCI-X Bridge 1.0, 2.3).  Ports do not. */
static bool replaces_id(const struct pci_function *bridge)
{
	int type = pcie_type(bridge);

	return type != PCIE_PORT_ROOT && type != PCIE_PORT_UPSTREAM &&
	       type != PCIE_PORT_DOWNSTREAM;
}

const struct pci_function *group_alias(const struct pci_function *fn)
{
	const struct pci_function *top = NULL, *bridge = fn->parent;
	struct pci_addr alias;

	for (unsigned int depth = 0; bridge && depth <= PCI_MAX_DEPTH;
	     depth++) {
		if (replaces_id(bridge))
			top = bridge;
		bridge = bridge->parent;
	}
	if (!top && pci_request_alias(fn, &alias))
		top = pci_find(alias);
	return top;
}

/* The first port from @port upwards that does not isolate, or NULL. */
static const struct pci_function *open_port(const struct pci_function *port)
{
	for (unsigned int depth = 0; port && depth <= PCI_MAX_DEPTH; depth++) {
		if (!pci_acs_isolates(port))
			return port;
		port = port->parent;
	}
	return NULL;
}

static void group_upwards(struct pci_function *fn)
{
	const struct pci_function *culprit = group_alias(fn);

	if (culprit) {
		join_for(fn, culprit, SHARED_ID, culprit);
		return;
	}
	culprit = open_port(fn->parent);
	if (culprit)
		join_for(fn, fn->parent, PORT_OPEN, culprit);
}

static bool same_device(const struct pci_function *a,
			const struct pci_function *b)
{
	return a->addr.segment == b->addr.segment &&
	       a->addr.bus == b->addr.bus &&
	       PCI_DEV(a->addr.devfn) == PCI_DEV(b->addr.devfn);
}

static void group_device(struct pci_function *fn)
{
	unsigned int count;
	const struct pci_function *all = pci_functions(&count);

	if (!pci_is_multi_function(fn) || pci_acs_isolates(fn))
		return;
	for (unsigned int i = 0; i < count; i++)
		if (&all[i] != fn && same_device(&all[i], fn) &&
		    !pci_acs_isolates(&all[i]))
			join_for(fn, &all[i], DEVICE_OPEN, &all[i]);
}

void groups_build(void)
{
	unsigned int count;
	struct pci_function *fn = pci_functions(&count);

	for (unsigned int i = 0; i < count; i++) {
		fn[i].group.first = i;
		fn[i].group.cause = ALONE;
		fn[i].group.culprit = NULL;
	}
	for (unsigned int i = 0; i < count; i++) {
		group_upwards(&fn[i]);
		group_device(&fn[i]);
	}
}

unsigned int group_number(const struct pci_function *fn)
{
	unsigned int count, number = 0;
	const struct pci_function *all = pci_functions(&count);

	for (unsigned int i = 0; i < fn->group.first; i++)
		if (all[i].group.first == i)
			number++;
	return number;
}

bool groups_vf_isolated(const struct pci_function *pf)
{
	return !group_alias(pf) && !open_port(pf->parent);
}

/* True if @other would stay behind were fn[0..count) assigned. */
static bool is_left(const struct pci_function *other,
		    const struct pci_function *const *fn, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (fn[i] == other)
			return false;
	return !other->bridge;
}

/* Same as groups_others(), without those that go along. */
static unsigned int list_left(const struct pci_function *of,
			      const struct pci_function *const *fn,
			      unsigned int count, char *buf, size_t size)
{
	unsigned int total, left = 0;
	const struct pci_function *all = pci_functions(&total);
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < total; i++) {
		if (all[i].group.first != of->group.first || &all[i] == of ||
		    !is_left(&all[i], fn, count))
			continue;
		if (at < size)
			at += format(buf + at, size - at, "%s" PCI_FMT,
				     left ? ", " : "", PCI_ARG(all[i].addr));
		left++;
	}
	return left;
}

unsigned int groups_others(const struct pci_function *fn, char *buf,
			   size_t size)
{
	return list_left(fn, NULL, 0, buf, size);
}

void groups_reason(const struct pci_function *fn, char *buf, size_t size)
{
	const struct pci_function *culprit = fn->group.culprit;

	switch ((enum cause)fn->group.cause) {
	case SHARED_ID:
		format(buf, size, "for their requests carry the ID of " PCI_FMT,
		       PCI_ARG(culprit->addr));
		break;
	case PORT_OPEN:
		format(buf, size,
		       "for port " PCI_FMT
		       " lets requests pass from peer to peer (%s)",
		       PCI_ARG(culprit->addr),
		       pci_has_acs(culprit) ? "ACS is not on" : "no ACS");
		break;
	case DEVICE_OPEN:
		format(buf, size,
		       "for functions of one device without ACS may "
		       "reach each other");
		break;
	case ALONE:
		format(buf, size, "for they are reached through it");
		break;
	}
}

static void explain(const struct pci_function *fn, const char *others)
{
	char reason[128];

	groups_reason(fn, reason, sizeof(reason));
	hv_log("groups: " PCI_FMT ": its isolation group also has %s, %s\n",
	       PCI_ARG(fn->addr), others, reason);
}

const char *group_alias_remedy(const struct pci_function *alias)
{
	return alias->bridge ? "put the card into a PCI Express slot"
			     : "use another card for it";
}

static int check_alias(const struct pci_function *fn)
{
	const struct pci_function *alias = group_alias(fn);

	if (!alias)
		return 0;
	hv_log("groups: " PCI_FMT " cannot be assigned: its requests carry the "
	       "ID of " PCI_FMT "; %s\n",
	       PCI_ARG(fn->addr), PCI_ARG(alias->addr),
	       group_alias_remedy(alias));
	return -EOPNOTSUPP;
}

static int check_function(const struct pci_function *fn,
			  const struct pci_function *const *all,
			  unsigned int count, bool allow_unsafe)
{
	char others[256];
	int err = check_alias(fn);

	if (err)
		return err;
	if (!list_left(fn, all, count, others, sizeof(others)))
		return 0;
	explain(fn, others);
	if (allow_unsafe) {
		hv_log("groups: WARNING: " PCI_FMT " IS ASSIGNED ALL THE SAME "
		       "(allow-unsafe-groups=yes): THE GUEST'S DEVICE CAN "
		       "REACH THE OTHERS, AND THEY IT, WITHOUT VT-d\n",
		       PCI_ARG(fn->addr));
		return 0;
	}
	hv_log("groups: " PCI_FMT " is refused. Assign all of the group, or "
	       "none of it; or put the card below a port with ACS; or set "
	       "allow-unsafe-groups=yes in gangway.cfg: the guest's device "
	       "can then reach the others, and they it, without VT-d\n",
	       PCI_ARG(fn->addr));
	return -EPERM;
}

bool groups_together(const struct pci_function *a, const struct pci_function *b)
{
	return a->group.first == b->group.first;
}

/* Members of @of's group that stay behind, by how they are held. */
struct left {
	char text[128];
	size_t at;
	unsigned int count;
};

static void note(struct left *left, const struct pci_function *fn)
{
	if (left->at < sizeof(left->text))
		left->at += format(left->text + left->at,
				   sizeof(left->text) - left->at, "%s" PCI_FMT,
				   left->count ? ", " : "", PCI_ARG(fn->addr));
	left->count++;
}

static void log_held(const struct pci_function *fn, const struct left *left)
{
	char reason[128];

	groups_reason(fn, reason, sizeof(reason));
	if (left[GROUP_CLOSED].count)
		hv_log("groups: " PCI_FMT
		       ": of its group %s %s behind, without "
		       "bus mastering and without an address\n",
		       PCI_ARG(fn->addr), left[GROUP_CLOSED].text,
		       left[GROUP_CLOSED].count > 1 ? "stay" : "stays");
	if (left[GROUP_DECODES].count)
		hv_log("groups: " PCI_FMT
		       ": of its group %s %s behind, without "
		       "DMA into the guest; but the guest's device could "
		       "write to registers there without VT-d, %s "
		       "(groups=strict in gangway.cfg refuses that)\n",
		       PCI_ARG(fn->addr), left[GROUP_DECODES].text,
		       left[GROUP_DECODES].count > 1 ? "stay" : "stays",
		       reason);
}

static int check_held(const struct pci_function *fn,
		      const struct pci_function *const *list,
		      unsigned int count,
		      enum group_hold (*hold)(struct pci_function *fn))
{
	struct left left[GROUP_CLOSED + 1] = {0};
	unsigned int total;
	struct pci_function *all = pci_functions(&total);
	int err = check_alias(fn);

	for (unsigned int i = 0; !err && i < total; i++)
		if (groups_together(&all[i], fn) &&
		    is_left(&all[i], list, count))
			note(&left[hold(&all[i])], &all[i]);
	if (err)
		return err;
	if (!left[GROUP_FREE].count) {
		log_held(fn, left);
		return 0;
	}
	explain(fn, left[GROUP_FREE].text);
	hv_log("groups: " PCI_FMT " is refused, for firmware or somebody else "
	       "drives these. Assign all of the group, or none of it; or put "
	       "the card below a port with ACS; or set allow-unsafe-groups=yes "
	       "in gangway.cfg\n",
	       PCI_ARG(fn->addr));
	return -EPERM;
}

int groups_check_held(const struct pci_function *const *fn, unsigned int count,
		      enum group_hold (*hold)(struct pci_function *fn))
{
	int err = 0;

	groups_build();
	for (unsigned int i = 0; !err && i < count; i++)
		err = check_held(fn[i], fn, count, hold);
	return err;
}

int groups_check(const struct pci_function *const *fn, unsigned int count,
		 bool allow_unsafe)
{
	int err = 0;

	groups_build();
	for (unsigned int i = 0; !err && i < count; i++)
		err = check_function(fn[i], fn, count, allow_unsafe);
	return err;
}
