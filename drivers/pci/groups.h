/*
 * Isolation groups: what can reach each other without passing a remapping
 * unit, or cannot be told apart by it.  The same partition as Linux shows in
 * /sys/kernel/iommu_groups.
 */
#ifndef DRIVERS_PCI_GROUPS_H
#define DRIVERS_PCI_GROUPS_H

#include "drivers/pci/pci.h"

/*
 * Find the groups of all of pci_functions(), by the topology and by what ACS
 * isolates now (pci_acs_enable() comes first).  To be called again when
 * functions were added.
 */
void groups_build(void);

/* The number of @fn's group, counted from 0 by each group's first member. */
unsigned int group_number(const struct pci_function *fn);

/* The function in whose name @fn's requests arrive at the remapping unit, or
 * NULL if nobody else has it: a bridge from PCI above it, or a function of its
 * device whose number it uses. */
const struct pci_function *group_alias(const struct pci_function *fn);

/* What to do about that. */
const char *group_alias_remedy(const struct pci_function *alias);

/* True if a VF of @pf, enabled or not, has a group of its own. */
bool groups_vf_isolated(const struct pci_function *pf);

/* The other functions of @fn's group, bridges left out, to @buf: "0000:00:1f.2,
 * 0000:00:1f.3".  Returns how many they are. */
unsigned int groups_others(const struct pci_function *fn, char *buf,
			   size_t size);

/* Why @fn is not alone, in words, for behind a comma: "for port 0000:02:01.0
 * lets requests pass from peer to peer (no ACS)". */
void groups_reason(const struct pci_function *fn, char *buf, size_t size);

/* groups=strict: who judges a function demands the whole group. */
extern bool groups_strict;

/* True if @a and @b are in one group. */
bool groups_together(const struct pci_function *a,
		     const struct pci_function *b);

/* How a member of a group that stays behind is held. */
enum group_hold {
	GROUP_FREE,    /* it is not */
	GROUP_DECODES, /* no DMA; its registers answer */
	GROUP_CLOSED,  /* no DMA, and it decodes nothing */
};

/*
 * As groups_check(), but members that @hold holds may stay behind, where they
 * do not share an ID with a function that goes; it is asked once for each of
 * them.  Logs who stays, and whose registers requests from peer to peer could
 * reach.
 */
int groups_check_held(const struct pci_function *const *fn, unsigned int count,
		      enum group_hold (*hold)(struct pci_function *fn));

/*
 * May exactly fn[0..count) go to one guest?  Builds the groups.  0; -EPERM:
 * a group has another member that stays behind (-EOPNOTSUPP: its requests carry
 * another's ID), logged with the others and the ways out.  @allow_unsafe: only
 * a warning for the former.
 */
int groups_check(const struct pci_function *const *fn, unsigned int count,
		 bool allow_unsafe);

#endif
