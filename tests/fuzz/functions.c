#include "tests/fuzz/functions.h"

struct pci_function functions[FUNCTIONS] = {
	{.addr = {0, 0, 0x08}, .bridge = true, .secondary = 1},
	{.addr = {0, 1, 0x00}, .parent = &functions[0]},
	{.addr = {0, 1, 0x80}, .parent = &functions[0], .pf = &functions[1]},
	{.addr = {0, 0, 0xfa}},
	{.addr = {1, 0, 0x00}},
};

struct pci_function *pci_find(struct pci_addr addr)
{
	for (unsigned int i = 0; i < FUNCTIONS; i++)
		if (functions[i].addr.segment == addr.segment &&
		    PCI_RID(functions[i].addr) == PCI_RID(addr))
			return &functions[i];
	return NULL;
}

bool pci_is_below(const struct pci_function *fn,
		  const struct pci_function *bridge)
{
	return fn == bridge || fn->parent == bridge;
}

struct pci_function *pci_functions(unsigned int *count)
{
	*count = FUNCTIONS;
	return functions;
}
