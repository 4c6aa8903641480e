/* Second-level tables (VT-d 3.7, 9.8): a guest's RAM, as its devices see it. */
#ifndef VTD_SECOND_LEVEL_H
#define VTD_SECOND_LEVEL_H

#include "hv/memory_map.h"
#include "hv/paging.h"

/* The DMA view of one guest. */
struct vtd_domain {
	u16 id; /* domain ID, not 0 */
	const struct memory_map *map;
	struct page_table table;
};

/*
 * Build @domain's second-level table from @map, RAM only.  The table suits
 * every unit (the width and leaf sizes that all have).  @map is kept, for
 * fault messages.  -ENOMEM; -EINVAL: @id is 0, or RAM lies where the units
 * cannot translate it to (logged).
 */
int vtd_domain_init(struct vtd_domain *domain, u16 id,
		    const struct memory_map *map);

/* Map @region, RAM or not, by what all units reach.  -EINVAL: they do not,
 * logged; -ENOMEM. */
int vtd_domain_map(struct vtd_domain *domain, const struct region *region);

#endif
