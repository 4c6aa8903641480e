/* sources: drivers/pci/groups.c drivers/pci/pci_acs.c drivers/pci/pci.c drivers/pci/pci_bars.c drivers/pci/pci_caps.c drivers/pci/pci_facts.c tests/unit/pci_model.c */
/*
 * Real machines, by the functions that they list (tests/data/topology-*.topo):
 * all are found, and their isolation groups are those that Linux gives them,
 * but for bridges.
 */
#include "drivers/pci/groups.h"
#include "drivers/pci/pci_acs.h"
#include "tests/unit/pci_model.h"
#include "tests/unit/support.h"
#include <stdio.h>
#include <string.h>

#define LINES_MAX 1024

static struct line {
	unsigned int bus, device, function, vendor, id, class, group;
	unsigned int secondary, subordinate, can, keeps;
	int type; /* of the PCI Express capability; -1: none */
	bool bridge, acs, wide_acs;
} line[LINES_MAX];
static unsigned int lines;

static void set_kind(struct line *l, const char *kind)
{
	static const struct {
		const char *name;
		int type;
		bool bridge;
	} kinds[] = {
		{"conv", -1, false},
		{"ep", PCIE_ENDPOINT, false},
		{"leg", PCIE_LEGACY_ENDPOINT, false},
		{"rc", PCIE_ROOT_ENDPOINT, false},
		{"rp", PCIE_PORT_ROOT, true},
		{"up", PCIE_PORT_UPSTREAM, true},
		{"down", PCIE_PORT_DOWNSTREAM, true},
		{"topci", PCIE_TO_PCI_BRIDGE, true},
		{"convbr", -1, true},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, kind)) {
			l->type = kinds[i].type;
			l->bridge = kinds[i].bridge;
			return;
		}
	fail_msg("kind %s?", kind);
}

static void parse(const char *text)
{
	struct line *l = &line[lines];
	const char *at;
	char kind[16];

	*l = (struct line){0};
	if (sscanf(text, "%x:%x.%x %x:%x %x %15s %u", &l->bus, &l->device,
		   &l->function, &l->vendor, &l->id, &l->class, kind,
		   &l->group) != 8)
		fail_msg("line: %s", text);
	set_kind(l, kind);
	at = strstr(text, "sec=");
	if (at)
		sscanf(at, "sec=%x sub=%x", &l->secondary, &l->subordinate);
	at = strstr(text, "acs=");
	l->acs = at && sscanf(at, "acs=%x:%x", &l->can, &l->keeps) == 2;
	l->wide_acs = strstr(text, " spt");
	lines++;
}

static void read_file(const char *name)
{
	char path[80], text[400];
	FILE *file;

	snprintf(path, sizeof(path), "tests/data/topology-%s.topo", name);
	file = fopen(path, "r");
	assert_non_null(file);
	lines = 0;
	while (fgets(text, sizeof(text), file)) {
		assert_true(lines < LINES_MAX);
		if (text[0] != '#' && text[0] != '\n')
			parse(text);
	}
	fclose(file);
}

static bool has_siblings(const struct line *l)
{
	for (unsigned int i = 0; i < lines; i++)
		if (&line[i] != l && line[i].bus == l->bus &&
		    line[i].device == l->device)
			return true;
	return false;
}

static void add_acs(const struct line *l, u8 devfn)
{
	model_ext_cap(l->bus, devfn, 0x100, PCI_EXT_CAP_AER, 0x140);
	model_ext_cap(l->bus, devfn, 0x140, PCI_EXT_CAP_ACS, 0);
	if (l->wide_acs) {
		model_set32(l->bus, devfn, 0x144, 0x0f, 0);
		model_set32(l->bus, devfn, 0x148, 0, 0x0f);
	} else {
		model_set16(l->bus, devfn, 0x144, l->can, 0);
		model_set16(l->bus, devfn, 0x146, 0, l->keeps);
	}
}

static void add(const struct line *l)
{
	u8 devfn = l->device << 3 | l->function;

	model_add(l->bus, devfn, l->vendor, l->id, l->class);
	if (l->bridge)
		model_bridge(l->bus, devfn, l->secondary, l->subordinate);
	if (l->type >= 0) {
		model_cap(l->bus, devfn, 0x40, PCI_CAP_PCIE, 0);
		model_set16(l->bus, devfn, 0x42, l->type << 4 | 2, 0);
	}
	if (l->acs || l->wide_acs)
		add_acs(l, devfn);
	if (has_siblings(l))
		model_set8(l->bus, devfn, PCI_HEADER_TYPE, 0x80 | l->bridge, 0);
}

static struct pci_function *find(const struct line *l)
{
	return pci_find((struct pci_addr){
		.bus = l->bus, .devfn = l->device << 3 | l->function});
}

static void build(const char *name)
{
	struct pci_ecam ecam;
	unsigned int last = 0;

	read_file(name);
	for (unsigned int i = 0; i < lines; i++)
		last = MAX(last, line[i].bus);
	model_reset(last + 1);
	for (unsigned int i = 0; i < lines; i++)
		add(&line[i]);
	ecam = model_ecam();
	assert_int_equal(pci_enumerate(&ecam, 1), 0);
	pci_acs_enable();
	groups_build();
}

static void compare(const struct line *a, const struct line *b)
{
	bool same = group_number(find(a)) == group_number(find(b));

	if (same != (a->group == b->group))
		fail_msg("%02x:%02x.%x and %02x:%02x.%x: %s, not so in Linux",
			 a->bus, a->device, a->function, b->bus, b->device,
			 b->function, same ? "together" : "apart");
}

static void groups_are_those_of_linux(void **state)
{
	build(*state);
	for (unsigned int i = 0; i < lines; i++)
		if (!find(&line[i]))
			fail_msg("%02x:%02x.%x is missing", line[i].bus,
				 line[i].device, line[i].function);
	for (unsigned int i = 0; i < lines; i++)
		for (unsigned int j = i + 1; j < lines; j++)
			if (!line[i].bridge && !line[j].bridge)
				compare(&line[i], &line[j]);
}

/* Ports that the chipset could not be asked to close */
static void distrusted_ports_are_open(void **state)
{
	const struct pci_function *bmc, *nic;

	(void)state;
	build("server-c600");
	bmc = pci_find((struct pci_addr){.bus = 1});
	nic = pci_find((struct pci_addr){.bus = 3});
	assert_int_not_equal(group_number(bmc), group_number(nic));
	pci_acs_distrust_pch();
	groups_build();
	assert_int_equal(group_number(bmc), group_number(nic));
}

#define MACHINE(name) {name, groups_are_those_of_linux, NULL, NULL, name}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MACHINE("skylake-82576"),
		MACHINE("z370"),
		MACHINE("z170-thunderbolt"),
		MACHINE("server-c600"),
		MACHINE("x520"),
		MACHINE("server-skylake-2s"),
		MACHINE("limit-cuts-a-card"),
		cmocka_unit_test(distrusted_ports_are_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
