/* A few PCI functions for targets that need some, in place of
 * drivers/pci/pci.c. */
#ifndef TESTS_FUZZ_FUNCTIONS_H
#define TESTS_FUZZ_FUNCTIONS_H

#include "drivers/pci/pci.h"

/* 00:01.0 bridge to 01, 01:00.0 PF, 01:10.0 its VF, 00:1f.2, 0001:00:00.0:
 * what pci_find() and pci_is_below() know. */
#define FUNCTIONS 5
extern struct pci_function functions[FUNCTIONS];

#define VF (&functions[2])

#endif
