/* assign= in gangway.cfg. */
#ifndef HV_MACHINE_CONFIG_ASSIGN_H
#define HV_MACHINE_CONFIG_ASSIGN_H

#include "hv/machine/config_text.h"

/* The list @s of functions, or none, into @p's configuration.  -EINVAL, with
 * the reason in @p's error. */
int config_parse_assign(struct parser *p, struct span s);

#endif
