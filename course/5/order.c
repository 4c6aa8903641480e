/*
 * Lab 5: every order of the three steps that close a context entry, with the
 * device's DMA at every point between them, on the register model of the unit
 * tests.  Prints for each order "holds", or "leaks" with the first sequence of
 * steps and DMA after which a request still passes.
 */
#include "tests/unit/vtd_model.h"
#include "vtd/context.h"
#include "vtd/invalidate.h"
#include "vtd/second_level.h"
#include "vtd/unit.h"
#include <stdio.h>
#include <string.h>

#define BASE 0xfed90000ULL
#define SID 0x0180
#define STEPS 3

static struct dmar dmar;
static struct memory_map map;
static struct vtd_domain domain;
static struct pci_function *vf;

/* A unit, and 0000:01:10.0 open to 1 GiB of memory */
static struct model *open_function(void)
{
	struct model *m;

	model_reset();
	test_log_clear();
	vf = model_pci_add(0, 1, 0x10, 0);
	memset(&dmar, 0, sizeof(dmar));
	dmar.address_width = 48;
	dmar.intr_remap = true;
	dmar.unit_count = 1;
	dmar.unit[0].base = BASE;
	dmar.unit[0].include_all = true;
	memset(&map, 0, sizeof(map));
	m = model_add(BASE, MODEL_CAP, MODEL_ECAP);
	if (memory_map_add(&map, 0, 5 * GIB, GIB, REGION_RAM) ||
	    vtd_init(&dmar, 0, false) || vtd_domain_init(&domain, 1, &map) ||
	    vtd_attach(&domain, vf))
		return NULL;
	return m;
}

static void step(char which)
{
	struct vtd_unit *unit = &vtd_units[0];

	if (which == 'E')
		vtd_unit_store(unit, &vtd_context_entry(unit, SID)->low, 0);
	else if (which == 'C')
		vtd_invalidate_context(unit, 1, SID);
	else
		vtd_invalidate_domain(unit, 1);
}

static bool passes(struct model *m, u64 address)
{
	u64 hpa;

	return !model_dma(m, SID, address, true, &hpa);
}

/* Does a request pass after @order, if the device makes one before each step
 * whose bit is set in @when?  *trail gets what was done. */
static bool leaks(const char *order, unsigned int when, char *trail)
{
	static const char *const name[] = {"entry", "context", "iotlb"};
	struct model *m = open_function();

	*trail = '\0';
	if (!m)
		return true;
	for (unsigned int i = 0; order[i]; i++) {
		if (when & BIT(i)) {
			passes(m, 0x1000);
			strcat(trail, "DMA, ");
		}
		step(order[i]);
		strcat(trail, name[strchr("ECT", order[i]) - "ECT"]);
		strcat(trail, ", ");
	}
	/* A page that was used before, and one that was not */
	return passes(m, 0x1000) || passes(m, 0x5000);
}

int main(void)
{
	static const char *const orders[] = {"ECT", "ETC", "CET", "CTE",
					     "TEC", "TCE", "EC",  "ET"};
	char trail[200];

	test_pages_left = SIZE_MAX;
	for (unsigned int i = 0; i < ARRAY_SIZE(orders); i++) {
		bool found = false;

		for (unsigned int when = 0; when < 1 << STEPS && !found; when++)
			found = leaks(orders[i], when, trail);
		printf("%s: %s%s%s\n", orders[i], found ? "leaks: " : "holds",
		       found ? trail : "", found ? "and a request passes" : "");
	}
	return 0;
}
